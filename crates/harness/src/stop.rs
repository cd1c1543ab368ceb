//! When a cell has enough blocks: by the width of its intervals alone, never by what they show.
//!
//! A rule that looked at the verdicts would stop when chance looks best. Width and value are
//! nearly independent for signed-rank intervals; `benches/README.md` says how that was checked.

use std::collections::BTreeMap;

use record::{Block, RoundRecord, Schedule, Stop, StopRule, TurnRecord};
use stats::rounds::{self, Turn};
use stats::{Sample, hodges_lehmann};

use crate::baseline_of;
use crate::forecast::cost;

/// The level of the intervals whose width is looked at.
const ALPHA: f64 = 0.05;

/// What has been measured so far.
#[derive(Debug)]
pub(crate) struct Done {
    turns: Vec<TurnRecord>,
    /// The time that turns took which no longer count.
    lost_us: u64,
}

impl Done {
    /// Begins with the turns of whole blocks that were measured earlier.
    pub(crate) fn new(turns: Vec<TurnRecord>) -> Self {
        Self { turns, lost_us: 0 }
    }

    /// Takes a turn that has ended.
    pub(crate) fn take(&mut self, turn: &TurnRecord) {
        self.turns.push(turn.clone());
    }

    /// Takes the end of a round; the turns of one that is measured again count for nothing.
    pub(crate) fn take_round(&mut self, round: &RoundRecord) {
        if !round.disturbed.is_empty() {
            self.lose(|turn| (turn.block, turn.round) == (round.block, round.round));
        }
    }

    /// Forgets the turns of a block that begins anew.
    pub(crate) fn cut(&mut self, block: u32) {
        self.lose(|turn| turn.block == block);
    }

    /// Forgets turns, but not the time that they took.
    fn lose(&mut self, is_lost: impl Fn(&TurnRecord) -> bool) {
        let spent = |turn: &&TurnRecord| is_lost(turn);
        self.lost_us += self.turns.iter().filter(spent).map(|turn| turn.spent_us).sum::<u64>();
        self.turns.retain(|turn| !is_lost(turn));
    }

    /// Returns why a cell needs no more blocks, if it does not, judged by all its turns so far.
    pub(crate) fn narrow_enough(&self, schedule: &Schedule, block: &Block) -> Option<Stop> {
        let rule = schedule.stop.as_ref()?;
        let turns: Vec<&TurnRecord> =
            self.turns.iter().filter(|turn| turn.cell == block.cell).collect();
        let blocks = blocks(&turns);
        let widest = (blocks >= rule.blocks_min).then(|| widest(schedule, block, &turns))??;
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
    pub(crate) fn time_is_over(&self, rule: &StopRule) -> Option<Stop> {
        let spent =
            self.turns.iter().fold(self.lost_us, |sum, turn| sum.saturating_add(turn.spent_us));
        (spent >= u64::from(rule.minutes_max) * 60_000_000).then(|| Stop {
            cell: None,
            blocks: blocks(&self.turns.iter().collect::<Vec<_>>()),
            reason: format!("{} minutes of turns are over", rule.minutes_max),
        })
    }
}

/// Returns how many blocks turns belong to.
fn blocks(turns: &[&TurnRecord]) -> u32 {
    let mut numbers: Vec<u32> = turns.iter().map(|turn| turn.block).collect();
    numbers.dedup();
    u32::try_from(numbers.len()).unwrap_or(u32::MAX)
}

/// Returns the largest half width of a ratio to the baseline, as a logarithm; nothing while one has
/// no interval.
fn widest(schedule: &Schedule, block: &Block, turns: &[&TurnRecord]) -> Option<f64> {
    let baseline = baseline_of(schedule);
    let reference = by_block(turns, baseline);
    let absent =
        |model: &str| schedule.absent.iter().any(|a| a.cell == block.cell && a.model == model);
    // Other languages are context: no cell is measured for longer because of them.
    let models = schedule.models.iter().filter(|model| model.language.is_none());
    let models = models.map(|model| model.name.as_str());
    let others = models.filter(|model| *model != baseline && !absent(model));
    let mut widest: f64 = 0.0;
    for model in others {
        let own = by_block(turns, model);
        // A model without any valid turn will not get an interval by waiting for it.
        if own.is_empty() {
            continue;
        }
        let ratios = own.iter().filter_map(|(b, own)| rounds::log_ratio(own, reference.get(b)?));
        let interval =
            hodges_lehmann::difference(&Sample::new(ratios.collect())?, ALPHA).interval?;
        widest = widest.max(interval.half_width());
    }
    Some(widest)
}

/// Returns what the turns of a model cost for each fetch, block by block.
pub(crate) fn by_block(turns: &[&TurnRecord], model: &str) -> BTreeMap<u32, Vec<Turn>> {
    let mut blocks: BTreeMap<u32, Vec<Turn>> = BTreeMap::new();
    for turn in turns.iter().filter(|turn| turn.model == model) {
        if let Some(cost) = cost(turn) {
            blocks.entry(turn.block).or_default().push(Turn { round: turn.round, cost });
        }
    }
    blocks
}
