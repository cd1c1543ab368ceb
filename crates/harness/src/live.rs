//! The ratios so far, while a run goes on: an estimate after every round, and no verdict.
//!
//! A block that has ended is kept as one number a participant, so that a look costs as little after
//! an hour as at the beginning.

use std::collections::BTreeMap;

use record::{Schedule, TurnRecord};
use stats::rounds::{self, Turn};
use stats::{Estimate, Sample, hodges_lehmann};
use workload::plain_line;

use crate::baseline_of;
use crate::forecast::cost;

/// The level of the intervals, each for itself.
const ALPHA: f64 = 0.05;
/// The most letters of a name.
const NAME_MAX: usize = 40;

/// What is known so far.
#[derive(Debug)]
pub(crate) struct Live {
    /// The model that ratios are taken against.
    baseline: String,
    /// The block under way, and its cell.
    block: Option<(u32, String)>,
    /// Its turns, by participant.
    turns: BTreeMap<String, Vec<Turn>>,
    /// The data of the blocks before: logarithms of ratios, by cell and participant.
    data: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
}

impl Live {
    /// Begins a run.
    pub(crate) fn of(schedule: &Schedule) -> Self {
        let baseline = baseline_of(schedule).to_owned();
        Self { baseline, block: None, turns: BTreeMap::new(), data: BTreeMap::new() }
    }

    /// Forgets the turns of a block that begins, or begins anew.
    pub(crate) fn begin(&mut self, block: u32) {
        match &self.block {
            Some((under_way, _)) if *under_way == block => self.turns.clear(),
            _ => self.end(),
        }
    }

    /// Takes a turn that has ended.
    pub(crate) fn take(&mut self, turn: &TurnRecord) {
        if self.block.as_ref().is_none_or(|(block, _)| *block != turn.block) {
            self.end();
            self.block = Some((turn.block, turn.cell.clone()));
        }
        let Some(cost) = cost(turn) else { return };
        let turns = self.turns.entry(turn.model.clone()).or_default();
        turns.push(Turn { round: turn.round, cost });
    }

    /// Forgets the turns of a round that is measured again.
    pub(crate) fn repeat(&mut self, round: u32) {
        self.turns.values_mut().for_each(|turns| turns.retain(|turn| turn.round != round));
    }

    /// Keeps what the block under way says.
    fn end(&mut self) {
        let data = self.of_block();
        let Some((_, cell)) = self.block.take() else { return };
        let cell = self.data.entry(cell).or_default();
        for (model, ratio) in data {
            cell.entry(model).or_default().push(ratio);
        }
        self.turns.clear();
    }

    /// Returns the logarithm of each participant's ratio to the baseline in the block under way.
    fn of_block(&self) -> Vec<(String, f64)> {
        let Some(baseline) = self.turns.get(&self.baseline) else { return Vec::new() };
        let others = self.turns.iter().filter(|(model, _)| **model != self.baseline);
        let ratio = |(model, own): (&String, &Vec<Turn>)| {
            Some((model.clone(), rounds::log_ratio(own, baseline)?))
        };
        others.filter_map(ratio).collect()
    }

    /// Returns the ratio of each model of a cell to the baseline, as a logarithm.
    fn ratios(&self, cell: &str) -> BTreeMap<String, Estimate> {
        let mut data = self.data.get(cell).cloned().unwrap_or_default();
        if self.block.as_ref().is_some_and(|(_, under_way)| under_way == cell) {
            for (model, ratio) in self.of_block() {
                data.entry(model).or_default().push(ratio);
            }
        }
        let estimate = |(model, data): (String, Vec<f64>)| {
            Some((model, hodges_lehmann::difference(&Sample::new(data)?, ALPHA)))
        };
        data.into_iter().filter_map(estimate).collect()
    }

    /// Returns the table of a cell: the models in Rust by their ratios, and those without one last.
    pub(crate) fn table(&self, schedule: &Schedule, cell: &str) -> Vec<String> {
        let ratios = self.ratios(cell);
        let is_absent =
            |name: &str| schedule.absent.iter().any(|a| a.cell == cell && a.model == name);
        let models = schedule.models.iter().filter(|model| model.language.is_none());
        let names = models.map(|model| model.name.as_str());
        let names = names.filter(|name| *name != self.baseline && !is_absent(name));
        let mut rows: Vec<(&str, Option<&Estimate>)> =
            names.map(|name| (name, ratios.get(name))).collect();
        let order = |ratio: Option<&Estimate>| ratio.map_or(f64::INFINITY, |ratio| ratio.value);
        rows.sort_by(|a, b| order(a.1).total_cmp(&order(b.1)));

        let rows: Vec<[String; 3]> = rows.into_iter().map(row).collect();
        let width = rows.iter().map(|row| row[0].chars().count()).max().unwrap_or(0);
        let width = width.max("so far".len());
        let line =
            |[name, ratio, half]: &[String; 3]| format!("{name:<width$}  {ratio:>13}  {half:>8}");
        let title = [
            "so far".to_owned(),
            format!("against {}", plain_line(&self.baseline, NAME_MAX)),
            "+/-".to_owned(),
        ];
        [title].iter().chain(&rows).map(line).collect()
    }
}

/// Returns the name of a model, its ratio, and half the width of its interval.
fn row((name, ratio): (&str, Option<&Estimate>)) -> [String; 3] {
    let nothing = || "-".to_owned();
    let value = ratio.map(|ratio| format!("{:+.1} %", 100.0 * ratio.value.exp_m1()));
    let half = ratio.and_then(|ratio| ratio.interval);
    let half = half.map(|interval| format!("{:.1} %", 100.0 * interval.half_width().exp_m1()));
    [plain_line(name, NAME_MAX), value.unwrap_or_else(nothing), half.unwrap_or_else(nothing)]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use record::Run;

    use super::*;
    use crate::stop::by_block;

    /// Reads a run that is stored for tests.
    fn stored() -> Run {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/tests/golden/run");
        Run::read(&path).unwrap()
    }

    #[test]
    fn the_last_estimates_are_those_of_all_blocks() {
        let run = stored();
        let mut live = Live::of(&run.schedule);
        run.turns.iter().for_each(|turn| live.take(turn));
        for cell in &run.schedule.cells {
            let turns: Vec<&TurnRecord> =
                run.turns.iter().filter(|turn| turn.cell == cell.name).collect();
            let baseline = by_block(&turns, "tokio");
            let ratios = live.ratios(&cell.name);
            assert!(ratios.len() >= 5, "{ratios:?}");
            for (model, ratio) in ratios {
                let own = by_block(&turns, &model);
                let data = own
                    .iter()
                    .filter_map(|(block, own)| rounds::log_ratio(own, baseline.get(block)?));
                let all = Sample::new(data.collect()).unwrap();
                assert_eq!(ratio, hodges_lehmann::difference(&all, ALPHA), "{model}");
            }
        }
    }

    #[test]
    fn there_is_an_estimate_after_a_round_and_an_interval_after_some_blocks() {
        let run = stored();
        let mut live = Live::of(&run.schedule);
        let first = run.turns.iter().filter(|turn| (turn.block, turn.round) == (0, 0));
        first.for_each(|turn| live.take(turn));
        let cell = run.schedule.blocks[0].cell.as_str();
        let table = live.table(&run.schedule, cell);
        let row = |table: &[String]| {
            let row = table.iter().find(|row| row.starts_with("rayon ")).cloned();
            row.unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(table[0].starts_with("so far ") && table[0].contains("against tokio"), "{table:?}");
        let early = row(&table);
        assert!(early[1].starts_with('+') && early[2..] == ["%", "-"], "{early:?}");

        run.turns.iter().for_each(|turn| live.take(turn));
        let late = row(&live.table(&run.schedule, cell));
        assert_eq!((late.len(), late[4].as_str()), (5, "%"), "{late:?}");
    }

    #[test]
    fn a_round_that_is_measured_again_and_a_block_that_begins_anew_leave_nothing() {
        let run = stored();
        let mut live = Live::of(&run.schedule);
        let block = run.turns.iter().filter(|turn| turn.block == 0);
        let (first, rest): (Vec<_>, Vec<_>) = block.partition(|turn| turn.round == 0);
        let cell = run.schedule.blocks[0].cell.as_str();
        for turn in first {
            live.take(turn);
        }
        let before = live.ratios(cell);
        for turn in &rest {
            live.take(turn);
        }
        for turn in &rest {
            live.repeat(turn.round);
        }
        assert_eq!(live.ratios(cell), before);
        live.begin(0);
        assert_eq!(live.ratios(cell).len(), 0);
        let table = live.table(&run.schedule, cell);
        assert!(table[1..].iter().all(|row| row.trim_end().ends_with('-')), "{table:?}");
    }
}
