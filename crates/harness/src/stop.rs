//! When a cell has enough blocks: by the width of its intervals alone, never by what they show.
//!
//! A rule that looked at the verdicts would stop when chance looks best. Width and value are
//! nearly independent for signed-rank intervals; `benches/README.md` says how that was checked.

use std::collections::BTreeMap;

use record::{Block, Schedule, Stop, StopRule, TrialRecord};
use stats::{Paired, hodges_lehmann};

use crate::BASELINE;

/// The level of the intervals whose width is looked at.
const ALPHA: f64 = 0.05;

/// Returns why a cell needs no more blocks, if it does not, judged by all its trials so far.
pub(crate) fn narrow_enough(
    schedule: &Schedule,
    block: &Block,
    done: &[TrialRecord],
) -> Option<Stop> {
    let rule = schedule.stop.as_ref()?;
    let trials: Vec<&TrialRecord> = done.iter().filter(|trial| trial.cell == block.cell).collect();
    let blocks = blocks(&trials);
    let widest = (blocks >= rule.blocks_min).then(|| widest(schedule, block, &trials))??;
    let limit = f64::from(rule.half_width_permille) / 1_000.0;
    (widest <= limit).then(|| Stop {
        cell: Some(block.cell.clone()),
        blocks,
        reason: format!(
            "each ratio's own 95 % interval is within {:.1} % to either side, {:.1} % is asked",
            100.0 * widest,
            100.0 * limit
        ),
    })
}

/// Returns the end of a run that has had its time.
pub(crate) fn time_is_over(rule: &StopRule, done: &[TrialRecord]) -> Option<Stop> {
    let spent_ms = done.iter().fold(0_u64, |sum, trial| sum.saturating_add(trial.spent_ms));
    (spent_ms >= u64::from(rule.minutes_max) * 60_000).then(|| Stop {
        cell: None,
        blocks: blocks(&done.iter().collect::<Vec<_>>()),
        reason: format!("{} minutes of trials are over", rule.minutes_max),
    })
}

/// Returns how many blocks trials belong to.
fn blocks(trials: &[&TrialRecord]) -> u32 {
    let mut numbers: Vec<u32> = trials.iter().map(|trial| trial.block).collect();
    numbers.dedup();
    u32::try_from(numbers.len()).unwrap_or(u32::MAX)
}

/// Returns the largest half width of a ratio to the baseline, as a logarithm; nothing while one has
/// no interval.
fn widest(schedule: &Schedule, block: &Block, trials: &[&TrialRecord]) -> Option<f64> {
    let reference = by_block(trials, BASELINE);
    let absent =
        |model: &str| schedule.absent.iter().any(|a| a.cell == block.cell && a.model == model);
    // Other languages are context: no cell is measured for longer because of them.
    let models = schedule.models.iter().filter(|model| model.language.is_none());
    let models = models.map(|model| model.name.as_str());
    let others = models.filter(|model| *model != BASELINE && !absent(model));
    let mut widest: f64 = 0.0;
    for model in others {
        let own = by_block(trials, model);
        // A model without any valid trial will not get an interval by waiting for it.
        if own.is_empty() {
            continue;
        }
        let pairs = own.into_iter().filter_map(|(b, cost)| Some((cost, *reference.get(&b)?)));
        let (own, reference): (Vec<f64>, Vec<f64>) = pairs.unzip();
        let paired = Paired::new(&own, &reference)?;
        let interval = hodges_lehmann::difference(&paired.log_ratios(), ALPHA).interval?;
        widest = widest.max(interval.half_width());
    }
    Some(widest)
}

/// Returns the cost per fetch of a model, block by block; the geometric mean where it ran twice.
fn by_block(trials: &[&TrialRecord], model: &str) -> BTreeMap<u32, f64> {
    let mut logarithms: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for trial in trials.iter().filter(|trial| trial.model == model) {
        if let Some(cost) = cost(trial) {
            let (sum, count) = logarithms.entry(trial.block).or_insert((0.0, 0.0));
            (*sum, *count) = (*sum + cost.ln(), *count + 1.0);
        }
    }
    logarithms.into_iter().map(|(block, (sum, count))| (block, (sum / count).exp())).collect()
}

/// Returns the CPU time per fetch of a valid trial, in nanoseconds.
#[expect(clippy::cast_precision_loss, reason = "counts of a trial are far below 2^52")]
fn cost(trial: &TrialRecord) -> Option<f64> {
    let window = &trial.valid()?.window;
    Some(window.cpu_ns as f64 / window.ended as f64)
}
