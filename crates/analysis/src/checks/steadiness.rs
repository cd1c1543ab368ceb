//! Checks on time: whether stays were steady, and whether the place of turns mattered.

use std::collections::BTreeMap;

use record::TurnRecord;
use rules::expected;
use stats::order::Effect;
use stats::warm_up::{self, Class};
use stats::{Sample, drift, order};

use crate::cell_turns::{CellTurns, cost};
use crate::checks::question::{Question, Trouble, ValidityCheck};
use crate::counts::{median, ratio};
use crate::family::{ALPHA, MARGIN};
use crate::number::{limit, percent};

/// The share of a model's stays that must be steady: at three standard errors a steady one is
/// taken for another about once in four hundred.
const FLAT_MIN: f64 = 0.95;
/// The fewest whole rounds from which order and drift can be seen.
const BLOCKS_MIN: usize = 6;
/// Three questions are asked of one cell: position, predecessor, drift (Bonferroni).
const QUESTIONS: f64 = 3.0;

/// Returns the checks on time in a cell.
pub(crate) fn checks(turns: &CellTurns<'_>) -> Vec<ValidityCheck> {
    vec![flat(turns), order(turns)]
}

/// G16: the first round that counts met a participant that had warmed up.
fn flat(turns: &CellTurns<'_>) -> ValidityCheck {
    let question = Question {
        id: "G16",
        name: "warm-up",
        scope: &turns.cell.name,
        threshold: format!("at least {} of each model's stays flat", limit(FLAT_MIN)),
    };
    let workload = turns.cell.workload;
    if expected(workload).includes_start {
        let why = format!("a {} is meant to include its start", workload.name());
        return question.not_applicable(why);
    }
    let rounds = rounds(turns);
    if rounds < warm_up::LEAST_WINDOWS {
        let least = warm_up::LEAST_WINDOWS;
        return question.not_applicable(format!("a block has {rounds} rounds, {least} are needed"));
    }

    let of_model = |model| Some((flat_share(turns, model)?, model));
    let shares: Vec<(f64, &str)> = turns.models().into_iter().filter_map(of_model).collect();
    let Some((least, model)) = shares.iter().min_by(|a, b| a.0.total_cmp(&b.0)) else {
        return question.unknown("no stay has rounds enough");
    };
    let measured = format!("least {} with {model}", percent(*least));
    let unsteady = shares.iter().filter(|(share, _)| *share < FLAT_MIN);
    let names: Vec<String> =
        unsteady.map(|(share, model)| format!("{model} {}", percent(*share))).collect();
    let mut troubles: Vec<Trouble> = Vec::new();
    if !names.is_empty() {
        let why = format!("the cost changed within a block; flat stays: {}", names.join(", "));
        troubles.push(("WARM-UP", why));
    }
    question.marked(measured, troubles)
}

/// Returns how many rounds a block of the cell was to have at most.
fn rounds(turns: &CellTurns<'_>) -> usize {
    let blocks = turns.run.schedule.blocks.iter();
    let own = blocks.filter(|block| block.cell == turns.cell.name);
    own.map(|block| block.rounds.len()).max().unwrap_or(0)
}

/// Returns which share of a model's stays was flat, of those that are long enough to show.
fn flat_share(turns: &CellTurns<'_>, model: &str) -> Option<f64> {
    let mut stays: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for turn in turns.valid(model) {
        stays.entry(turn.block).or_default().extend(cost(turn).map(f64::ln));
    }
    let class = |costs: Vec<f64>| warm_up::class(&Sample::new(costs)?);
    let classes: Vec<Class> = stays.into_values().filter_map(class).collect();
    let flat = classes.iter().filter(|class| **class == Class::Flat).count();
    ratio(u64::try_from(flat).ok()?, u64::try_from(classes.len()).ok()?)
}

/// G19: neither a turn's place in its round, nor the model before it, nor the hour mattered. The
/// design keeps all three out of ratios; whether there was something to keep out is reported.
fn order(turns: &CellTurns<'_>) -> ValidityCheck {
    let question = Question {
        id: "G19",
        name: "order",
        scope: &turns.cell.name,
        threshold: format!("no effect of more than {} that chance would not make", limit(MARGIN)),
    };
    let blocks = whole_rounds(turns);
    let seed = turns.run.schedule.seed;
    let effects = (order::position(&blocks, seed), order::predecessor(&blocks, seed));
    let (Some(position), Some(predecessor), BLOCKS_MIN..) = (effects.0, effects.1, blocks.len())
    else {
        return question.unknown(format!(
            "{} rounds are whole and valid, and {BLOCKS_MIN} are needed",
            blocks.len()
        ));
    };
    let drift = drift_of(&blocks, seed);
    let measured = format!(
        "place in a round {}, model before {}, last third of the rounds against the first {}",
        reported(position),
        reported(predecessor),
        drift.map_or_else(|| "unknown".to_owned(), reported)
    );
    question.marked(measured, moved((position, predecessor), drift))
}

/// Returns what moved costs.
fn moved((position, predecessor): (Effect, Effect), drift: Option<Effect>) -> Vec<Trouble> {
    let mut troubles: Vec<Trouble> = Vec::new();
    for (effect, what) in [(position, "place in a round"), (predecessor, "model before")] {
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
fn reported(effect: Effect) -> String {
    format!("{} (p {:.3})", percent(effect.range.exp_m1()), effect.p)
}

/// Returns the rounds of which every turn is valid, as an invalid one would shift the places of the
/// others; in each its turns in the order in which they were taken.
fn whole_rounds(turns: &CellTurns<'_>) -> Vec<Vec<order::Trial>> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for turn in &turns.all {
        let next = numbers.len();
        numbers.entry(&turn.model).or_insert(next);
    }
    let of = |turn: &TurnRecord| {
        let model = *numbers.get(turn.model.as_str())?;
        Some(order::Trial { model, log_cost: cost(turn)?.ln() })
    };
    let blocks = turns.rounds().into_values();
    blocks.filter_map(|block| block.into_iter().map(of).collect()).collect()
}

/// Returns how costs moved with time: how far the last third of the blocks lies from the first, and
/// the chance of so strong a trend.
fn drift_of(blocks: &[Vec<order::Trial>], seed: u64) -> Option<Effect> {
    let mut costs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for turn in blocks.iter().flatten() {
        costs.entry(turn.model).or_default().push(turn.log_cost);
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
    use rules::Reason;

    use super::*;
    use crate::checks::checks as all_checks;
    use crate::checks::question::CheckState;
    use crate::checks::tests::{get, trips};
    use crate::fixture::{BASELINE, FLOOR, Fixture, corrupt, reported, times};

    /// Multiplies the costs of steady turns.
    fn costlier(run: &mut Run, factor: impl Fn(&TurnRecord) -> f64) {
        for turn in run.turns.iter_mut().filter(|turn| turn.cell == "steady") {
            let factor = factor(turn);
            reported(turn).window.cpu_ns = times(reported(turn).window.cpu_ns, factor);
        }
    }

    #[test]
    fn g16_trips_on_a_model_that_warms_up_in_rounds_that_count() {
        let warm = |run: &mut Run| {
            let early = |turn: &&mut TurnRecord| turn.block < 4 && turn.round < 2;
            for turn in corrupt(run, ("threads", "steady")).filter(early) {
                reported(turn).window.cpu_ns = times(reported(turn).window.cpu_ns, 1.1);
            }
        };
        trips(("G16", "steady"), warm, "WARM-UP");
    }

    #[test]
    fn g16_asks_nothing_of_a_batch_or_of_short_stays() {
        let run = Fixture { rounds: [2, 3], ..Fixture::good() }.run();
        let checks = all_checks(&run, BASELINE, FLOOR);
        for cell in ["batch", "steady"] {
            let state = &get(&checks, ("G16", cell)).state;
            assert!(matches!(state, CheckState::NotApplicable(_)), "{state:?}");
        }
    }

    #[test]
    fn g19_trips_on_a_place_in_the_round() {
        let middle = |turn: &TurnRecord| if turn.position == 3 { 1.025 } else { 1.0 };
        trips(("G19", "steady"), |run| costlier(run, middle), "ORDER");
    }

    #[test]
    fn g19_trips_on_a_model_that_burdens_the_next() {
        let burden = |run: &mut Run| {
            let blocks = run.schedule.blocks.clone();
            let after = |turn: &TurnRecord| {
                let block = blocks.iter().find(|block| block.number == turn.block).unwrap();
                let order = &block.rounds[turn.round as usize];
                let before = turn.position.checked_sub(1).map(|place| &order[place as usize]);
                if before.is_some_and(|model| model == "threads") { 1.025 } else { 1.0 }
            };
            costlier(run, after);
        };
        trips(("G19", "steady"), burden, "ORDER");
    }

    #[test]
    fn g19_trips_on_a_machine_that_slows_down() {
        let slower = |turn: &TurnRecord| 1.0 + 0.004 * f64::from(turn.block);
        trips(("G19", "steady"), |run| costlier(run, slower), "DRIFT");
    }

    #[test]
    fn g19_knows_nothing_where_no_round_is_whole() {
        let mut run = Fixture::good().run();
        for turn in corrupt(&mut run, ("threads", "steady")) {
            turn.state = State::Invalid(vec![Reason::NoTime]);
        }
        let checks = all_checks(&run, BASELINE, FLOOR);
        assert!(matches!(get(&checks, ("G19", "steady")).state, CheckState::Unknown(_)));
    }
}
