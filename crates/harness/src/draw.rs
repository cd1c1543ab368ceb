//! Draws the schedule: which model runs when, at random from a seed, before the first turn.

use record::{Absent, Block, Missing, Model, Placement, PrimitiveProgram, Probe, Schedule, Sweep};
use stats::random::SplitMix64;
use stats::williams;
use workload::Cell;

use crate::machine::is_level;
use crate::quirks::quirks_of;
use crate::{Preset, hold, operations};

/// What a schedule is drawn from.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Cells and blocks.
    pub preset: Preset,
    /// The models.
    pub models: Vec<Model>,
    /// Those of them that cannot run on this machine.
    pub missing: Vec<Missing>,
    /// The programs of primitives.
    pub programs: Vec<PrimitiveProgram>,
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Who runs on which CPU.
    pub placement: Placement,
    /// What was found out of the cells.
    pub probes: Vec<Probe>,
}

/// Participants between two turns of the baseline: each is near to one, and one turn in four or
/// five is the baseline's.
const BETWEEN: usize = 4;
/// Of so many rounds of a cell a model in another language takes part in one: it is context, and
/// slower; so is, in a batch, one that fetches one after the other.
const ROUNDS_OF_CONTEXT: u32 = 4;
/// The same for one that makes a connection for every fetch, which leaves the kernel work for
/// later.
const ROUNDS_OF_CHURN: u32 = 8;

/// The orders of one cell: rows of a Williams design, in which every participant follows every
/// other equally often, drawn without replacement; after a full set the participants change places.
/// The baseline stands between them, and those that take part in few rounds anywhere.
pub(crate) struct Orders {
    names: Vec<String>,
    rows: Vec<Vec<usize>>,
    /// Who stands between them, if it is there.
    baseline: Option<String>,
    /// Those that take part in one round of so many.
    seldom: Vec<(String, u32)>,
    /// Rounds that have been drawn.
    drawn: u32,
}

impl Orders {
    /// Begins with the participants of a cell.
    fn new(models: &[&Model], (cell, preset): (&Cell, &Preset)) -> Self {
        let able = models.iter().filter(|model| absence(model, (cell, preset)).is_none());
        let baseline = models.iter().find(|model| model.name == preset.baseline());
        let is_level = cell.is_large() && is_level(cell, &preset.sweeps);
        let is_there = |model: &&&Model| !is_level || hold::absence_of(model, cell).is_none();
        let baseline = baseline.filter(is_there).map(|model| model.name.clone());
        let others: Vec<(String, u32)> = able
            .filter(|model| model.name != preset.baseline())
            .map(|model| (model.name.clone(), one_round_of(model, cell)))
            .chain(preset.controls.iter().map(|control| (control.name.clone(), 1)))
            .collect();
        let (always, mut seldom): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, n)| *n == 1);
        // What is drawn depends on the seed alone, not on the order in which models were named.
        seldom.sort_unstable();
        let always = Self::of(always.into_iter().map(|(name, _)| name).collect());
        Self { baseline, seldom, ..always }
    }

    /// Begins with participants that take part in every round, and no baseline between them.
    pub(crate) fn of(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        Self { names, rows: Vec::new(), baseline: None, seldom: Vec::new(), drawn: 0 }
    }

    /// Draws the rounds of the next block.
    pub(crate) fn next(&mut self, rounds: u32, draws: &mut SplitMix64) -> Vec<Vec<String>> {
        let round = |_| {
            let mut order = self.row(draws);
            for (name, one_of) in &self.seldom {
                if self.drawn.is_multiple_of(*one_of) {
                    order.insert(draws.below(order.len() + 1), name.clone());
                }
            }
            self.drawn += 1;
            match &self.baseline {
                Some(baseline) => {
                    let first = draws.below(order.len() + baseline_turns(order.len()));
                    with_baseline(order, (baseline, first))
                }
                None => order,
            }
        };
        (0..rounds).map(round).collect()
    }

    /// Draws the next order of those that take part in every round.
    fn row(&mut self, draws: &mut SplitMix64) -> Vec<String> {
        if self.rows.is_empty() {
            draws.shuffle(&mut self.names);
            self.rows = williams::rows(self.names.len());
            draws.shuffle(&mut self.rows);
        }
        let row = self.rows.pop().unwrap_or_default();
        row.into_iter().map(|place| self.names[place].clone()).collect()
    }
}

/// Returns how many turns the baseline takes in a round beside so many others.
fn baseline_turns(others: usize) -> usize {
    others.div_ceil(BETWEEN).max(1)
}

/// Puts turns of the baseline between others, as far from each other as they can be, of which the
/// first is due in so many places. Over all places, no one begins more of the rounds than its share
/// of their turns: whoever begins a round follows what the harness does between two.
fn with_baseline(others: Vec<String>, (baseline, first): (&str, usize)) -> Vec<String> {
    let turns = baseline_turns(others.len());
    let all = others.len() + turns;
    let mut others = others.into_iter();
    let next = |place: usize| {
        let is_baseline = (place + all - first) * turns % all < turns;
        if is_baseline { None } else { others.next() }.unwrap_or_else(|| baseline.to_owned())
    };
    (0..all).map(next).collect()
}

/// Returns of how many rounds of a cell a model takes part in one.
fn one_round_of(model: &Model, cell: &Cell) -> u32 {
    let is_sequential = model.max_in_flight.is_some_and(|most| most < cell.in_flight);
    let connects_anew = model.connections.as_ref().is_some_and(|terms| terms.contains("issued"));
    // Where the origin ends connections, everybody does.
    let churns = connects_anew && !cell.workload.ends_connections();
    match cell.workload.is_resident() {
        true if churns => ROUNDS_OF_CHURN,
        true if model.language.is_some() => ROUNDS_OF_CONTEXT,
        false if is_sequential || model.language.is_some() => ROUNDS_OF_CONTEXT,
        _ => 1,
    }
}

/// Draws a schedule: in each pass every cell once, in random order, and those with fewer blocks in
/// some of the passes; in each round of a block every model that can hold the cell, in balanced
/// order, and the baseline between them. After the cells of each session come the primitives.
pub fn draw(basis: Basis) -> Schedule {
    let Basis { preset, models, missing, mut programs, seed, placement, probes } = basis;
    let mut draws = SplitMix64::new(seed);
    let runs = |model: &&Model| missing.iter().all(|missing| missing.model != model.name);
    let able: Vec<&Model> = models.iter().filter(runs).collect();
    let orders = |cell| (cell, Orders::new(&able, (cell, &preset)));
    let mut cells: Vec<(&Cell, Orders)> = preset.cells.iter().map(orders).collect();
    let amount = preset.primitives;
    let (operations, unable) = operations::operations(&programs, amount, &placement);
    if operations.is_empty() {
        programs.clear();
    }
    let holds = preset.holds.cells();
    let unheld = hold::absences(&holds, &models);
    let mut blocks = Vec::new();
    for session in 0..u32::try_from(preset.sessions.len().max(1)).unwrap_or(u32::MAX) {
        blocks.extend(of_session((&preset, session), &mut cells, &mut draws));
        let (place, times) = ((seed, session), (preset.holds.blocks, seed, session));
        blocks.extend(operations::blocks((&operations, &unable), &programs, amount, place));
        blocks.extend(hold::blocks((&holds, &unheld), &able, times));
    }
    (0..).zip(&mut blocks).for_each(|(number, block)| block.number = number);

    let absent =
        |cell: &Cell| models.iter().filter_map(|m| absence(m, (cell, &preset))).collect::<Vec<_>>();
    Schedule {
        quirks: Some(quirks_of(&able)),
        schema: "inflight.schedule/2.0".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        preset: preset.name.to_owned(),
        family: preset.family,
        is_citable: preset.is_citable,
        seed,
        placement,
        absent: preset.cells.iter().flat_map(absent).chain(unable).chain(unheld).collect(),
        sweeps: measured_sweeps(&preset),
        groups: hold::groups(&holds),
        holds,
        cells: preset.cells,
        models,
        baseline: preset.baseline,
        missing,
        blocks,
        controls: preset.controls,
        probes,
        stop: preset.stop,
        sessions: preset.sessions,
        supersedes: None,
        batch_ns: if operations.is_empty() { 0 } else { amount.batch_ns },
        operations,
        programs,
    }
}

/// Draws the blocks of the cells of a session, without their numbers.
fn of_session(
    (preset, session): (&Preset, u32),
    cells: &mut [(&Cell, Orders)],
    draws: &mut SplitMix64,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    for pass in 0..preset.blocks {
        draws.shuffle(cells);
        let is_due = |cell: &Cell| {
            // Its blocks lie as evenly among the passes as whole numbers can, from the first on.
            let blocks = preset.blocks_of(cell);
            let before =
                |pass: u32| (u64::from(pass) * u64::from(blocks)).div_ceil(preset.blocks.into());
            before(pass) < before(pass + 1)
        };
        for (cell, orders) in cells.iter_mut().filter(|(cell, _)| is_due(cell)) {
            let rounds = orders.next(preset.rounds_of(cell), draws);
            let (cell, seed) = (cell.name.clone(), draws.word());
            if rounds.iter().any(|round| !round.is_empty()) {
                blocks.push(Block { number: 0, cell, seed, rounds, session });
            }
        }
    }
    blocks
}

/// Returns the sweeps of a preset, of whose cells some may not have been asked for.
fn measured_sweeps(preset: &Preset) -> Vec<Sweep> {
    let is_measured = |name: &String| preset.cells.iter().any(|cell| cell.name == *name);
    let measured = |sweep: &Sweep| {
        let cells: Vec<String> = sweep.cells.iter().filter(|n| is_measured(n)).cloned().collect();
        (!cells.is_empty()).then_some(Sweep { cells, ..sweep.clone() })
    };
    preset.sweeps.iter().filter_map(measured).collect()
}

/// Returns why a model has no figures in a cell, if it has none by design. In a sweep every model
/// takes part: what is asked is from which level on it is worth having more slots. Where there are
/// so many that each participant is alone, the machine may have too little for some.
fn absence(model: &Model, (cell, preset): (&Cell, &Preset)) -> Option<Absent> {
    let is_swept = is_level(cell, &preset.sweeps);
    if is_swept && cell.is_large() {
        return hold::absence_of(model, cell);
    }
    let holds = model.max_in_flight.filter(|holds| *holds < cell.in_flight);
    let reason = match holds.filter(|_| !is_swept && cell.workload.needs_every_slot()) {
        Some(1) => "one in flight by design".to_owned(),
        Some(holds) => format!("at most {holds} in flight by design"),
        None if cell.handed_in && !model.has_pacer() => "its kit has no pacer".to_owned(),
        None => return None,
    };
    Some(Absent { cell: cell.name.clone(), model: model.name.clone(), reason })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::fixture::{model, placement};

    /// Returns a model that holds so many in flight.
    fn bounded(name: &str, in_flight: u32) -> Model {
        Model { max_in_flight: Some(in_flight), ..model(name) }
    }

    /// Draws the quick schedule for three models, one of them bounded.
    fn drawn(seed: u64) -> Schedule {
        let models = vec![model("a"), model("tokio"), bounded("one", 1)];
        let placement = placement(1);
        let (missing, probes) = (Vec::new(), Vec::new());
        draw(Basis {
            preset: crate::quick(),
            models,
            missing,
            programs: Vec::new(),
            seed,
            placement,
            probes,
        })
    }

    #[test]
    fn a_seed_gives_the_same_schedule_again_and_another_seed_another() {
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1).blocks, drawn(2).blocks);
    }

    #[test]
    fn the_order_in_which_models_are_given_does_not_change_what_is_drawn() {
        let drawn = |models: Vec<Model>| {
            let placement = drawn(1).placement;
            let (preset, missing, probes) = (crate::quick(), Vec::new(), Vec::new());
            draw(Basis {
                preset,
                models,
                missing,
                programs: Vec::new(),
                seed: 1,
                placement,
                probes,
            })
            .blocks
        };
        let models = vec![model("a"), model("tokio"), bounded("one", 1)];
        let reversed = models.iter().rev().cloned().collect();
        assert_eq!(drawn(models), drawn(reversed));
    }

    /// Returns a model in another language.
    fn python(name: &str, connections: Option<&str>) -> Model {
        let language = Some("Python".to_owned());
        Model { language, connections: connections.map(str::to_owned), ..model(name) }
    }

    #[test]
    fn every_round_holds_who_takes_part_in_it_once() {
        let mut batches = 0;
        for block in drawn(3).blocks {
            for (round, order) in block.rounds.iter().enumerate() {
                let mut order = order.clone();
                order.sort();
                // One after the other takes long, and is in a batch in every fourth round.
                let is_batch = block.cell == "batch";
                let expected: &[&str] = match is_batch && batches % 4 == 0 {
                    true => &["a", "one", "tokio", "tokio+0%"],
                    false => &["a", "tokio", "tokio+0%"],
                };
                batches += u32::from(is_batch);
                assert_eq!(order, expected, "round {round} of block {}", block.number);
            }
        }
        assert_eq!(batches, 2 * 18);
    }

    #[test]
    fn the_baseline_is_near_to_everyone_and_begins_no_more_rounds_than_others_do() {
        for others in 0..30 {
            let names: Vec<String> = (0..others).map(|name| name.to_string()).collect();
            let (turns, all) = (baseline_turns(others), others + baseline_turns(others));
            let mut begun = 0;
            for first in 0..all {
                let order = with_baseline(names.clone(), ("tokio", first));
                let is_baseline = |name: &&String| *name == "tokio";
                assert_eq!(order.iter().filter(is_baseline).count(), turns, "{order:?}");
                let rest: Vec<&String> = order.iter().filter(|name| !is_baseline(name)).collect();
                assert_eq!(rest, names.iter().collect::<Vec<_>>());
                let between = order.split(|name| name == "tokio").map(<[String]>::len).max();
                assert!(between <= Some(BETWEEN), "{order:?}");
                begun += usize::from(order[0] == "tokio");
            }
            assert_eq!(begun, turns, "of {all} rounds with {others} others");
        }
        let first: Vec<String> = drawn(3)
            .blocks
            .into_iter()
            .flat_map(|block| block.rounds)
            .map(|order| order[0].clone())
            .collect();
        for name in ["a", "tokio", "tokio+0%"] {
            assert!(first.iter().any(|other| other == name), "{name} begins none");
        }
    }

    #[test]
    fn what_is_context_takes_part_in_few_rounds_together_with_its_own_baseline() {
        let models =
            vec![model("tokio"), python("asyncio", None), python("page", Some("2 * issued"))];
        let placement = placement(1);
        let (preset, missing, probes) = (crate::quick(), Vec::new(), Vec::new());
        let schedule = draw(Basis {
            preset,
            models,
            missing,
            programs: Vec::new(),
            seed: 1,
            placement,
            probes,
        });
        let steady = schedule.blocks.iter().filter(|block| block.cell == "steady");
        let rounds: Vec<&Vec<String>> = steady.flat_map(|block| &block.rounds).collect();
        let of = |name: &str| -> Vec<usize> {
            let has = |round: &usize| rounds[*round].iter().any(|other| other == name);
            (0..rounds.len()).filter(has).collect()
        };
        assert_eq!(of("asyncio"), (0..168).step_by(4).collect::<Vec<_>>());
        assert_eq!(of("page"), (0..168).step_by(8).collect::<Vec<_>>());
        assert_eq!(of("tokio").len(), 168);
    }

    #[test]
    fn a_model_whose_kit_hands_nothing_in_has_no_figures_where_fetches_are_handed_in() {
        let (preset, model) = (crate::preset("load").unwrap(), python("asyncio", None));
        let absent = preset.cells.iter().filter_map(|cell| absence(&model, (cell, &preset)));
        let absent: Vec<(String, String)> = absent.map(|own| (own.cell, own.reason)).collect();
        assert_eq!(absent, [("paced-handed".to_owned(), "its kit has no pacer".to_owned())]);
        let rust = Model { language: None, ..model };
        assert!(preset.cells.iter().all(|cell| absence(&rust, (cell, &preset)).is_none()));
    }

    #[test]
    fn cells_with_fewer_blocks_are_spread_evenly_over_the_run_from_its_first_pass_on() {
        let schedule = drawn(6);
        let cells: Vec<&str> = schedule.blocks.iter().map(|block| block.cell.as_str()).collect();
        let count = |cells: &[&str]| {
            ["batch", "steady"].map(|name| cells.iter().filter(|cell| **cell == name).count())
        };
        assert_eq!(count(&cells[..2]), [1, 1]);
        assert_eq!(count(&cells[..cells.len() / 2]), [9, 12]);
        assert_eq!(count(&cells), [18, 24]);
    }

    #[test]
    fn over_a_full_set_every_participant_follows_every_other_equally_often() {
        let models = vec![model("a"), model("b"), model("c"), model("tokio")];
        let placement = placement(1);
        let (preset, missing, probes) = (crate::quick(), Vec::new(), Vec::new());
        let schedule = draw(Basis {
            preset,
            models,
            missing,
            programs: Vec::new(),
            seed: 5,
            placement,
            probes,
        });
        // Four participants beside the baseline: sets of four orders, 42 of them in 24 blocks.
        let rounds = schedule.blocks.into_iter().filter(|block| block.cell == "steady");
        let mut follows = BTreeMap::new();
        for order in rounds.flat_map(|block| block.rounds) {
            let others: Vec<String> = order.into_iter().filter(|name| name != "tokio").collect();
            for pair in others.windows(2) {
                *follows.entry((pair[0].clone(), pair[1].clone())).or_insert(0) += 1;
            }
        }
        assert_eq!(follows.len(), 12);
        assert!(follows.values().all(|count| *count == 42), "{follows:?}");
    }

    #[test]
    fn a_model_that_cannot_hold_a_cell_is_absent_with_the_reason() {
        let absent = drawn(3).absent;
        assert_eq!(absent.len(), 1);
        assert_eq!(
            (absent[0].cell.as_str(), absent[0].model.as_str(), absent[0].reason.as_str()),
            ("steady", "one", "one in flight by design")
        );
    }

    #[test]
    fn orders_differ_between_rounds() {
        let rounds: Vec<_> = drawn(4).blocks.into_iter().flat_map(|block| block.rounds).collect();
        assert!(rounds.iter().any(|order| order[1] == "a"));
        assert!(rounds.iter().any(|order| order[1] == "tokio+0%"));
    }
}
