//! Draws the schedule: which model runs when, at random from a seed, before the first trial.

use model_kit::Cell;
use record::{Absent, Block, Missing, Model, Placement, PrimitiveSchedule, Probe, Schedule, Sweep};
use stats::random::SplitMix64;
use stats::williams;

use crate::deviations::deviations_of;
use crate::{BASELINE, Preset};

/// What a schedule is drawn from.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Cells and blocks.
    pub preset: Preset,
    /// The models.
    pub models: Vec<Model>,
    /// Those of them that cannot run on this machine.
    pub missing: Vec<Missing>,
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Who runs on which CPU.
    pub placement: Placement,
    /// What was found out of the cells.
    pub probes: Vec<Probe>,
}

/// The orders of one cell: rows of a Williams design, in which every model follows every other
/// equally often, drawn without replacement; after a full set the models change places.
struct Orders {
    names: Vec<String>,
    rows: Vec<Vec<usize>>,
}

impl Orders {
    /// Begins with the models of a cell, the baseline twice: what it differs from itself is noise.
    fn new(models: &[&Model], (cell, preset): (&Cell, &Preset)) -> Self {
        let able = models.iter().filter(|model| absence(model, (cell, preset)).is_none());
        let copies = |model: &Model| if model.name == BASELINE { 2 } else { 1 };
        let names = able.flat_map(|m| std::iter::repeat_n(m.name.clone(), copies(m)));
        let mut names: Vec<String> =
            names.chain(preset.controls.iter().map(|control| control.name.clone())).collect();
        // What is drawn depends on the seed alone, not on the order in which models were named.
        names.sort_unstable();
        Self { names, rows: Vec::new() }
    }

    /// Draws the order of the next block.
    fn next(&mut self, draws: &mut SplitMix64) -> Vec<String> {
        if self.rows.is_empty() {
            draws.shuffle(&mut self.names);
            self.rows = williams::rows(self.names.len());
            draws.shuffle(&mut self.rows);
        }
        let row = self.rows.pop().unwrap_or_default();
        row.into_iter().map(|place| self.names[place].clone()).collect()
    }
}

/// Draws a schedule: in each pass every cell once, in random order; in each block every model that
/// can hold the cell once, and the baseline twice, in balanced order.
pub fn draw(basis: Basis) -> Schedule {
    let Basis { preset, models, missing, seed, placement, probes } = basis;
    let mut draws = SplitMix64::new(seed);
    let runs = |model: &&Model| missing.iter().all(|missing| missing.model != model.name);
    let able: Vec<&Model> = models.iter().filter(runs).collect();
    let orders = |cell| (cell, Orders::new(&able, (cell, &preset)));
    let mut cells: Vec<(&Cell, Orders)> = preset.cells.iter().map(orders).collect();
    let mut blocks = Vec::new();
    let sittings = u32::try_from(preset.sittings.len().max(1)).expect("a run has few sittings");
    for pass in 0..preset.blocks * sittings {
        draws.shuffle(&mut cells);
        for (cell, orders) in &mut cells {
            let order = orders.next(&mut draws);
            let number = u32::try_from(blocks.len()).expect("a schedule has few blocks");
            let (cell, seed) = (cell.name.clone(), draws.word());
            blocks.push(Block { number, cell, seed, order, sitting: pass / preset.blocks });
        }
    }

    let absent =
        |cell: &Cell| models.iter().filter_map(|m| absence(m, (cell, &preset))).collect::<Vec<_>>();
    Schedule {
        deviations: Some(deviations_of(&able)),
        schema: "inflight.schedule/1.3".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        preset: preset.name.to_owned(),
        seed,
        placement,
        absent: preset.cells.iter().flat_map(absent).collect(),
        sweeps: measured_sweeps(&preset),
        cells: preset.cells,
        models,
        missing,
        blocks,
        controls: preset.controls,
        probes,
        stop: preset.stop,
        sittings: preset.sittings,
        supersedes: None,
        primitives: PrimitiveSchedule::default(),
    }
}

/// Returns the sweeps of a preset, of whose cells some may not have been asked for.
fn measured_sweeps(preset: &Preset) -> Vec<Sweep> {
    let is_measured = |name: &String| preset.cells.iter().any(|cell| cell.name == *name);
    let measured = |sweep: &Sweep| {
        let cells: Vec<String> = sweep.cells.iter().filter(|n| is_measured(n)).cloned().collect();
        (!cells.is_empty()).then_some(Sweep { along: sweep.along, cells })
    };
    preset.sweeps.iter().filter_map(measured).collect()
}

/// Returns why a model has no figures in a cell, if it has none by design. In a sweep every model
/// takes part: what is asked is from which level on it is worth having more slots.
fn absence(model: &Model, (cell, preset): (&Cell, &Preset)) -> Option<Absent> {
    let holds = model.max_in_flight?;
    let is_swept = preset.sweeps.iter().any(|sweep| sweep.cells.contains(&cell.name));
    if is_swept || holds >= cell.in_flight || !cell.workload.needs_every_slot() {
        return None;
    }

    let reason = match holds {
        1 => "one in flight by design".to_owned(),
        _ => format!("at most {holds} in flight by design"),
    };
    Some(Absent { cell: cell.name.clone(), model: model.name.clone(), reason })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::made_up::{model, placement};

    /// Returns a model that holds so many in flight.
    fn bounded(name: &str, in_flight: u32) -> Model {
        Model { max_in_flight: Some(in_flight), ..model(name) }
    }

    /// Draws the quick schedule for three models, one of them bounded.
    fn drawn(seed: u64) -> Schedule {
        let models = vec![model("a"), model("tokio"), bounded("one", 1)];
        let placement = placement(1);
        let (missing, probes) = (Vec::new(), Vec::new());
        draw(Basis { preset: crate::quick(), models, missing, seed, placement, probes })
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
            draw(Basis { preset, models, missing, seed: 1, placement, probes }).blocks
        };
        let models = vec![model("a"), model("tokio"), bounded("one", 1)];
        let reversed = models.iter().rev().cloned().collect();
        assert_eq!(drawn(models), drawn(reversed));
    }

    #[test]
    fn every_block_holds_every_model_once_and_the_baseline_twice() {
        for block in drawn(3).blocks {
            let mut order = block.order.clone();
            order.sort();
            let able: &[&str] = match block.cell.as_str() {
                "batch" => &["a", "one", "tokio", "tokio"],
                _ => &["a", "tokio", "tokio"],
            };
            assert_eq!(order, able, "block {}", block.number);
        }
    }

    #[test]
    fn over_a_full_set_every_place_follows_every_other_equally_often() {
        // Four places in batch: sets of four rows, three of them in twelve blocks.
        let blocks = drawn(5).blocks.into_iter().filter(|block| block.cell == "batch");
        let mut follows = BTreeMap::new();
        for order in blocks.map(|block| block.order) {
            for pair in order.windows(2) {
                *follows.entry((pair[0].clone(), pair[1].clone())).or_insert(0) += 1;
            }
        }
        let count = |first: &str, second: &str| follows[&(first.to_owned(), second.to_owned())];
        assert_eq!((count("a", "one"), count("one", "a")), (3, 3));
        // Either copy of the baseline counts.
        assert_eq!((count("a", "tokio"), count("tokio", "a")), (6, 6));
        assert_eq!(count("tokio", "tokio"), 6);
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
    fn orders_differ_between_blocks() {
        let orders: Vec<_> = drawn(4).blocks.into_iter().map(|block| block.order).collect();
        assert!(orders.iter().any(|order| order[0] == "a"));
        assert!(orders.iter().any(|order| order[0] == "tokio"));
    }
}
