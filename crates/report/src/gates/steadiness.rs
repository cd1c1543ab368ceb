//! Gates on time: whether trials were steady, and whether their place in the run mattered.

use std::collections::BTreeMap;

use model_kit::Workload;
use record::TrialRecord;
use stats::order::Effect;
use stats::warm_up::{self, Class};
use stats::{Sample, drift, order};

use crate::cell_trials::{CellTrials, cost, limit, median, percent, ratio};
use crate::gates::{ALPHA, Gate, MARGIN, Question, Trouble};

/// The share of a model's trials that must be steady: at three standard errors a steady trial is
/// taken for another about once in four hundred.
const FLAT_MIN: f64 = 0.95;
/// Presets whose windows are too short to ask it.
const SHORT_PRESETS: [&str; 3] = ["smoke", "quick", "sweep"];
/// The fewest whole blocks from which order and drift can be told.
const BLOCKS_MIN: usize = 6;
/// Three questions are asked of one cell: position, predecessor, drift (Bonferroni).
const QUESTIONS: f64 = 3.0;

/// Returns the gates on time in a cell.
pub(crate) fn gates(trials: &CellTrials<'_>) -> Vec<Gate> {
    vec![flat(trials), order(trials)]
}

/// G16: the window opened on a model that had warmed up.
fn flat(trials: &CellTrials<'_>) -> Gate {
    let question = Question {
        id: "G16",
        name: "warm-up",
        scope: &trials.cell.name,
        threshold: format!("at least {} of each model's trials flat", limit(FLAT_MIN)),
    };
    let preset = trials.run.schedule.preset.as_str();
    if trials.cell.workload == Workload::Batch {
        return question.not_applicable("a batch is meant to include its start");
    }
    if SHORT_PRESETS.contains(&preset) {
        return question.not_applicable(format!("the windows of preset {preset} are too short"));
    }

    let of_model = |model| Some((flat_share(trials, model)?, model));
    let shares: Vec<(f64, &str)> = trials.models().into_iter().filter_map(of_model).collect();
    let Some((least, model)) = shares.iter().min_by(|a, b| a.0.total_cmp(&b.0)) else {
        return question.unknown("no trial tells the cost of its parts");
    };
    let measured = format!("least {} with {model}", percent(*least));
    let unsteady = shares.iter().filter(|(share, _)| *share < FLAT_MIN);
    let names: Vec<String> =
        unsteady.map(|(share, model)| format!("{model} {}", percent(*share))).collect();
    let mut troubles: Vec<Trouble> = Vec::new();
    if !names.is_empty() {
        let why = format!("the cost changed within the window; flat trials: {}", names.join(", "));
        troubles.push(("WARM-UP", why));
    }
    question.marked(measured, troubles)
}

/// Returns which share of a model's trials was flat, of those that tell.
fn flat_share(trials: &CellTrials<'_>, model: &str) -> Option<f64> {
    let classes: Vec<Class> = trials.valid(model).filter_map(class).collect();
    let flat = classes.iter().filter(|class| **class == Class::Flat).count();
    ratio(u64::try_from(flat).ok()?, u64::try_from(classes.len()).ok()?)
}

/// Returns what became of the cost within a trial.
fn class(trial: &TrialRecord) -> Option<Class> {
    let parts = trial.valid()?.windows.iter();
    let costs = parts.map(|part| ratio(part.cpu_ns, part.fetches).map(f64::ln));
    warm_up::class(&Sample::new(costs.collect::<Option<_>>()?)?)
}

/// G19: neither a trial's place in its block, nor the model before it, nor the hour mattered. The
/// design keeps all three out of ratios; whether there was something to keep out is told.
fn order(trials: &CellTrials<'_>) -> Gate {
    let question = Question {
        id: "G19",
        name: "order",
        scope: &trials.cell.name,
        threshold: format!("no effect of more than {} that chance would not make", limit(MARGIN)),
    };
    let blocks = whole_blocks(trials);
    let seed = trials.run.schedule.seed;
    let effects = (order::position(&blocks, seed), order::predecessor(&blocks, seed));
    let (Some(position), Some(predecessor), BLOCKS_MIN..) = (effects.0, effects.1, blocks.len())
    else {
        return question.unknown(format!(
            "{} blocks are whole and valid, and {BLOCKS_MIN} are needed",
            blocks.len()
        ));
    };
    let drift = drift_of(&blocks, seed);
    let measured = format!(
        "place in a block {}, model before {}, last third of the blocks against the first {}",
        told(position),
        told(predecessor),
        drift.map_or_else(|| "unknown".to_owned(), told)
    );
    question.marked(measured, moved((position, predecessor), drift))
}

/// Returns what moved costs.
fn moved((position, predecessor): (Effect, Effect), drift: Option<Effect>) -> Vec<Trouble> {
    let mut troubles: Vec<Trouble> = Vec::new();
    for (effect, what) in [(position, "place in a block"), (predecessor, "model before")] {
        if matters(effect) {
            let size = percent(effect.range.exp_m1());
            troubles.push(("ORDER", format!("the {what} moves costs by {size}")));
        }
    }
    if drift.is_some_and(matters) {
        troubles.push(("DRIFT", "costs moved as the run went on; blocks cancel it".to_owned()));
    }
    troubles
}

/// Returns whether an effect is larger than the margin and no work of chance.
fn matters(effect: Effect) -> bool {
    effect.range > MARGIN.ln_1p() && effect.p <= ALPHA / QUESTIONS
}

/// Writes an effect.
fn told(effect: Effect) -> String {
    format!("{} (p {:.3})", percent(effect.range.exp_m1()), effect.p)
}

/// Returns the blocks of which every trial is valid, as a void one would shift the places of the
/// others; in each its trials in the order in which they ran.
fn whole_blocks(trials: &CellTrials<'_>) -> Vec<Vec<order::Trial>> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for trial in &trials.all {
        let next = numbers.len();
        numbers.entry(&trial.model).or_insert(next);
    }
    let of = |trial: &TrialRecord| {
        let model = *numbers.get(trial.model.as_str())?;
        Some(order::Trial { model, log_cost: cost(trial)?.ln() })
    };
    let blocks = trials.blocks().into_values();
    blocks.filter_map(|block| block.into_iter().map(of).collect()).collect()
}

/// Returns how costs moved with time: how far the last third of the blocks lies from the first, and
/// the chance of so strong a trend.
fn drift_of(blocks: &[Vec<order::Trial>], seed: u64) -> Option<Effect> {
    let mut costs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for trial in blocks.iter().flatten() {
        costs.entry(trial.model).or_default().push(trial.log_cost);
    }
    let levels: BTreeMap<usize, f64> =
        costs.into_iter().filter_map(|(model, own)| Some((model, median(own)?))).collect();
    let residual = |block: &Vec<order::Trial>| {
        let left = block.iter().filter_map(|t| Some(t.log_cost - levels.get(&t.model)?));
        median(left.collect())
    };
    let residuals = Sample::new(blocks.iter().filter_map(residual).collect())?;

    let values = residuals.values();
    let third = values.len() / 3;
    let (first, last) = (&values[..third], &values[values.len() - third..]);
    let range = (median(last.to_vec())? - median(first.to_vec())?).abs();
    Some(Effect { range, p: drift::over_blocks(&residuals, seed).p })
}

#[cfg(test)]
mod tests {
    use record::{Run, State};

    use super::*;
    use crate::gates::tests::{check, gate};
    use crate::gates::{GateState, gates as all_gates};
    use crate::made_up::{BASELINE, FLOOR, MadeUp, spoil, times, told};

    /// Multiplies the costs of steady trials.
    fn dearer(run: &mut Run, factor: impl Fn(&TrialRecord) -> f64) {
        for trial in run.trials.iter_mut().filter(|trial| trial.cell == "steady") {
            let factor = factor(trial);
            told(trial).window.cpu_ns = times(told(trial).window.cpu_ns, factor);
        }
    }

    #[test]
    fn g16_trips_on_a_model_that_warms_up_inside_the_window() {
        let warm = |run: &mut Run| {
            for trial in spoil(run, ("threads", "steady")).take(2) {
                for part in &mut told(trial).windows[..7] {
                    part.cpu_ns = times(part.cpu_ns, 1.1);
                }
            }
        };
        check(("G16", "steady"), warm, "WARM-UP");
    }

    #[test]
    fn g16_asks_nothing_of_a_batch_or_of_short_windows() {
        let run = MadeUp { preset: "quick", ..MadeUp::good() }.run();
        let gates = all_gates(&run, BASELINE, FLOOR);
        for cell in ["batch", "steady"] {
            let state = &gate(&gates, ("G16", cell)).state;
            assert!(matches!(state, GateState::NotApplicable(_)), "{state:?}");
        }
    }

    #[test]
    fn g19_trips_on_a_place_in_the_block() {
        let middle = |trial: &TrialRecord| if trial.position == 3 { 1.025 } else { 1.0 };
        check(("G19", "steady"), |run| dearer(run, middle), "ORDER");
    }

    #[test]
    fn g19_trips_on_a_model_that_burdens_the_next() {
        let burden = |run: &mut Run| {
            let blocks = run.schedule.blocks.clone();
            let after = |trial: &TrialRecord| {
                let block = blocks.iter().find(|block| block.number == trial.block).unwrap();
                let before =
                    trial.position.checked_sub(1).map(|place| &block.order[place as usize]);
                if before.is_some_and(|model| model == "threads") { 1.025 } else { 1.0 }
            };
            dearer(run, after);
        };
        check(("G19", "steady"), burden, "ORDER");
    }

    #[test]
    fn g19_trips_on_a_machine_that_slows_down() {
        let slower = |trial: &TrialRecord| 1.0 + 0.004 * f64::from(trial.block);
        check(("G19", "steady"), |run| dearer(run, slower), "DRIFT");
    }

    #[test]
    fn g19_knows_nothing_where_no_block_is_whole() {
        let mut run = MadeUp::good().run();
        for trial in spoil(&mut run, ("threads", "steady")) {
            trial.state = State::Void(vec!["the window took no time".to_owned()]);
        }
        let gates = all_gates(&run, BASELINE, FLOOR);
        assert!(matches!(gate(&gates, ("G19", "steady")).state, GateState::Unknown(_)));
    }
}
