//! All turns of a cell, invalid and failed ones included: what the proof and the checks read.

use std::collections::BTreeMap;

use record::{Run, TurnRecord};
use workload::Cell;

use crate::counts::ratio;
use crate::turns::Turns;

/// The turns of a cell.
pub(crate) struct CellTurns<'a> {
    /// The run that they belong to.
    pub(crate) run: &'a Run,
    /// The cell.
    pub(crate) cell: &'a Cell,
    /// All of them, in the order in which they ran.
    pub(crate) all: Vec<&'a TurnRecord>,
    /// Those that are valid, by model and block.
    pub(crate) counting: Turns<'a>,
}

impl<'a> CellTurns<'a> {
    /// Returns the turns of a cell.
    pub(crate) fn of(run: &'a Run, cell: &'a Cell) -> Self {
        let all: Vec<_> = run.turns.iter().filter(|turn| turn.cell == cell.name).collect();
        let counting = Turns::valid(run, &all);
        Self { run, cell, all, counting }
    }

    /// Returns the models that have a valid turn, in the order of the schedule, controls left out,
    /// and models in another language: they are context, and no check of the comparison is theirs.
    pub(crate) fn models(&self) -> Vec<&'a str> {
        let models = self.run.schedule.models.iter().filter(|model| model.language.is_none());
        let names = models.map(|model| model.name.as_str());
        names.filter(|name| self.valid(name).next().is_some()).collect()
    }

    /// Returns those of them that hold as many in flight as the cell has slots. The others do other
    /// work and put less on the origin.
    pub(crate) fn full(&self) -> Vec<&'a str> {
        let slots = self.cell.slots();
        let holds = |name: &&str| {
            let most = self.run.schedule.model(name).and_then(|model| model.max_in_flight);
            most.is_none_or(|most| most >= slots)
        };
        self.models().into_iter().filter(holds).collect()
    }

    /// Returns the valid turns of a model or a control.
    pub(crate) fn valid(&self, model: &str) -> impl Iterator<Item = &'a TurnRecord> {
        self.all.iter().copied().filter(move |t| t.model == model && t.valid().is_some())
    }

    /// Returns all turns, block by block, in the order in which they were taken.
    pub(crate) fn blocks(&self) -> BTreeMap<u32, Vec<&'a TurnRecord>> {
        let mut blocks: BTreeMap<u32, Vec<&TurnRecord>> = BTreeMap::new();
        for turn in &self.all {
            blocks.entry(turn.block).or_default().push(turn);
        }
        blocks
    }

    /// Returns all turns, round by round, in the order of positions.
    pub(crate) fn rounds(&self) -> BTreeMap<(u32, u32), Vec<&'a TurnRecord>> {
        let mut rounds: BTreeMap<(u32, u32), Vec<&TurnRecord>> = BTreeMap::new();
        for turn in &self.all {
            rounds.entry((turn.block, turn.round)).or_default().push(turn);
        }
        rounds
    }
}

/// Returns CPU time per fetch, in nanoseconds.
pub(crate) fn cost(turn: &TurnRecord) -> Option<f64> {
    let window = &turn.valid()?.window;
    ratio(window.cpu_ns, window.ended)
}

/// Returns fetches per second of the window.
pub(crate) fn rate(turn: &TurnRecord) -> Option<f64> {
    let window = &turn.valid()?.window;
    Some(1e9 * ratio(window.ended, window.wall_ns)?)
}

/// Returns the segments that arrived in the namespace for each answered fetch.
pub(crate) fn segments(turn: &TurnRecord) -> Option<f64> {
    let receipt = turn.receipt.as_ref()?;
    ratio(receipt.segments_in?, receipt.answered)
}

/// Returns CPU time of the origin per answered fetch, in nanoseconds.
pub(crate) fn origin_cost(turn: &TurnRecord) -> Option<f64> {
    let receipt = turn.receipt.as_ref()?;
    ratio(receipt.cpu_ns, receipt.answered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BASELINE, FLOOR, Fixture};
    use crate::turns::Quantity;

    #[test]
    fn pairs_are_made_inside_blocks_and_the_baseline_stands_beside_itself() {
        let run = Fixture { blocks: 5, noise: 0.0, ..Fixture::good() }.run();
        let turns = CellTurns::of(&run, &run.schedule.cells[1]);
        let pairs = turns
            .counting
            .paired((FLOOR, BASELINE), Quantity::Turn(cost))
            .unwrap()
            .paired
            .log_ratios();
        assert_eq!(pairs.values().len(), 5);
        assert!(pairs.values().iter().all(|d| (d.exp() - 0.9).abs() < 1e-3));
        let itself = turns
            .counting
            .against_itself(BASELINE, Quantity::Turn(cost))
            .unwrap()
            .paired
            .log_ratios();
        assert!(itself.values().len() == 5 && itself.values().iter().all(|d| d.abs() < 1e-3));
    }

    #[test]
    fn a_model_that_holds_fewer_in_flight_is_not_full() {
        let mut run = Fixture { blocks: 1, ..Fixture::good() }.run();
        run.schedule.models[2].max_in_flight = Some(1);
        let turns = CellTurns::of(&run, &run.schedule.cells[0]);
        assert_eq!(turns.models(), [FLOOR, BASELINE, "smol", "threads", "tokio-reqwest"]);
        assert_eq!(turns.full(), [FLOOR, BASELINE, "threads", "tokio-reqwest"]);
    }
}
