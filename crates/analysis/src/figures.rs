//! The figures of a run: for each cell and model what a fetch cost, and how that compares.
//!
//! Only whole blocks are looked at: turns of a block that was cut short never enter. What is
//! printed and what is stored is written from these figures and from nothing else.

use std::collections::BTreeSet;

use record::{Family, Run};
use rules::expected;
use stats::Interval;
use workload::Cell;

use crate::cell::Source;
use crate::cell_figures::{CellFigures, Row, RowState};
use crate::hold::{HoldFigures, holds};
use crate::load::{LoadFigures, load};
use crate::primitives::Primitives;
use crate::sweep::{SweepFigures, sweeps};
use crate::timeline::Timeline;

/// The figures of a run, cell by cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The model that ratios are taken against.
    pub baseline: String,
    /// The model that excess is taken over.
    pub floor: String,
    /// Which pairs of a cell are compared as one family.
    pub family: Family,
    /// In the order of the schedule.
    pub cells: Vec<CellFigures>,
    /// What the smallest things cost that models are made of, if the run has measured them.
    pub primitives: Primitives,
    /// Where models cross along a number, if the run has cells that are its levels.
    pub sweeps: Vec<SweepFigures>,
    /// What fetches in flight take, if the run has held any.
    pub holds: Option<HoldFigures>,
    /// What fetches wait for against load, if cells differ in the rate at which they arrive.
    pub load: Option<LoadFigures>,
    /// Every stay in the order of the blocks, and what the machine did meanwhile.
    pub timeline: Timeline,
}

/// Returns the figures of a run; `baseline` and `floor` name models.
pub fn figures(run: &Run, baseline: &str, floor: &str) -> Figures {
    let family = run.schedule.family;
    let cell = |cell: &Cell| Source::of(run, cell, (baseline, floor)).figures(family);
    let cells: Vec<CellFigures> = run.schedule.cells.iter().map(cell).collect();
    let primitives = Primitives::of(run, &cells, (baseline, floor));
    let sweeps = sweeps(run, (baseline, floor));
    let (holds, load) = (holds(run), load(run, &cells));
    let timeline = Timeline::of(run, &cells);
    let (baseline, floor) = (baseline.to_owned(), floor.to_owned());
    Figures { baseline, floor, family, cells, primitives, sweeps, holds, load, timeline }
}

impl Figures {
    /// Returns which cell an answer is about: the steady one with the most in flight, and of those
    /// the one with the shortest body; the first if none is steady.
    pub fn main_cell(&self) -> usize {
        let cells = self.cells.iter().enumerate();
        let steady = cells.filter(|(_, cell)| expected(cell.cell.workload).keeps_slots_busy);
        let best = steady.max_by_key(|(index, cell)| {
            (cell.cell.in_flight, u32::MAX - cell.cell.body_bytes, usize::MAX - index)
        });
        best.map_or(0, |(index, _)| index)
    }

    /// Returns the cells whose response times have a table: all but those that curves against load
    /// show, of which the one in the middle has one.
    pub fn waiting(&self) -> impl Iterator<Item = &CellFigures> {
        let is_drawn_only =
            |name: &str| self.load.as_ref().is_some_and(|load| load.is_drawn_only(name));
        self.cells.iter().filter(move |cell| !is_drawn_only(&cell.cell.name))
    }

    /// Returns the models whose whole interval lies above the baseline in a cell by more than so
    /// many percent, each once.
    pub fn slower_than(&self, percent: f64) -> Vec<&str> {
        let limit = 1.0 + percent / 100.0;
        let is_slower = |row: &&Row| {
            let ratio = row.figures.as_ref().and_then(|own| own.ratio?.interval);
            ratio.is_some_and(|ratio| ratio.low > limit)
        };
        let rows = self.cells.iter().flat_map(|cell| &cell.rows).filter(is_slower);
        let models: BTreeSet<&str> = rows.map(|row| row.model.as_str()).collect();
        models.into_iter().collect()
    }

    /// Returns the models of which a cell leaves open whether they cost more than the baseline by
    /// more than so many percent, each once: the interval has both, or there is none.
    pub fn open_at(&self, percent: f64) -> Vec<&str> {
        let limit = 1.0 + percent / 100.0;
        let is_open = |row: &&Row| {
            let ratio = row.figures.as_ref().and_then(|own| own.ratio);
            let has = |range: Interval| range.low <= limit && range.high > limit;
            ratio.is_some_and(|ratio| ratio.interval.is_none_or(has))
        };
        let rows = self.cells.iter().flat_map(|cell| &cell.rows).filter(is_open);
        let models: BTreeSet<&str> = rows.map(|row| row.model.as_str()).collect();
        models.into_iter().filter(|model| *model != self.baseline).collect()
    }

    /// Returns the models that were measured and of which no turn counts in a cell, each once.
    pub fn without_a_turn(&self) -> Vec<&str> {
        let is_lost = |row: &&Row| matches!(row.state, RowState::Invalid | RowState::Failed);
        let rows = self.cells.iter().flat_map(|cell| &cell.rows).filter(is_lost);
        let models: BTreeSet<&str> = rows.map(|row| row.model.as_str()).collect();
        models.into_iter().collect()
    }

    /// Returns whether two cells differ in the delay and in nothing else, so that the run shows
    /// what another delay changes.
    pub fn isolates_the_delay(&self) -> bool {
        let without_delay = |cell: &Cell| Cell {
            name: String::new(),
            delay_ms: [0, 0].into(),
            fetches: 0,
            warmup: 0,
            ..cell.clone()
        };
        let alike =
            |a: &Cell, b: &Cell| a.delay_ms != b.delay_ms && without_delay(a) == without_delay(b);
        let cells = || self.cells.iter().map(|own| &own.cell);
        cells().any(|a| cells().any(|b| alike(a, b)))
    }
}

#[cfg(test)]
mod tests {
    use record::{State, TurnRecord};

    use super::*;
    use crate::cell_figures::RowFigures;
    use crate::fixture::{BASELINE, FLOOR, Fixture};

    #[test]
    fn who_is_slower_than_a_limit_is_so_with_the_whole_interval() {
        let models = vec![(BASELINE, 1.0), ("smol", 1.2), ("threads", 0.8)];
        let run = Fixture { models, noise: 0.002, ..Fixture::good() }.run();
        let figures = figures(&run, BASELINE, FLOOR);
        assert_eq!(figures.slower_than(15.0), ["smol"]);
        assert_eq!(figures.slower_than(20.0), [""; 0]);
        assert_eq!(figures.open_at(15.0), [""; 0]);
        assert_eq!(figures.open_at(20.0), ["smol"]);
    }

    #[test]
    fn who_has_no_turn_that_counts_is_named_and_who_lost_some_is_not() {
        let models = vec![(BASELINE, 1.0), ("smol", 1.2), ("threads", 0.8)];
        let mut run = Fixture { models, blocks: 2, ..Fixture::good() }.run();
        let died = |turn: &&mut TurnRecord| turn.model == "smol";
        for turn in run.turns.iter_mut().filter(died) {
            turn.state = State::Failed("it died".to_owned());
        }
        let one = run.turns.iter_mut().find(|turn| turn.model == "threads").unwrap();
        one.state = State::Failed("it died".to_owned());
        assert_eq!(figures(&run, BASELINE, FLOOR).without_a_turn(), ["smol"]);
    }

    #[test]
    fn only_cells_that_differ_in_nothing_else_isolate_the_delay() {
        let good = Fixture { blocks: 2, ..Fixture::good() };
        assert!(!figures(&good.run(), BASELINE, FLOOR).isolates_the_delay());
        let mut cells = good.cells.clone();
        let other = Cell { name: "slow".to_owned(), delay_ms: [99, 99].into(), ..cells[1].clone() };
        cells.push(other);
        let run = Fixture { cells, ..good }.run();
        assert!(figures(&run, BASELINE, FLOOR).isolates_the_delay());
    }
    #[test]
    fn a_machine_that_hides_context_switches_has_none_to_show_and_every_other_figure() {
        let mut run = Fixture { blocks: 2, ..Fixture::good() }.run();
        let before = figures(&run, BASELINE, FLOOR);
        for turned in run.turns.iter_mut().filter_map(|turn| turn.turned.as_mut()) {
            turned.window.switches_voluntary = None;
            turned.window.switches_involuntary = None;
        }
        let after = figures(&run, BASELINE, FLOOR);
        let own = |all: &Figures| all.cells[0].rows[1].figures.clone().unwrap();
        assert!(own(&before).metric(rules::SWITCHES).is_some());
        let mut others = own(&before).others;
        others.retain(|(metric, _)| *metric != rules::SWITCHES);
        assert_eq!(own(&after), RowFigures { others, ..own(&before) });
        let ranking = crate::rank(&run, &after, rules::SWITCHES, None).unwrap();
        assert!(ranking.cells[0].rows.iter().all(|row| row.value.is_none()));
    }
}
