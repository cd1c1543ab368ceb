//! Draws the schedule: which model runs when, at random from a seed, before the first trial.

use model_kit::Cell;
use model_kit::content::split_mix_64;
use record::{Absent, Block, Model, Placement, Schedule};

use crate::Preset;

/// What a schedule is drawn from.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Cells and blocks.
    pub preset: Preset,
    /// The models.
    pub models: Vec<Model>,
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Who runs on which CPU.
    pub placement: Placement,
}

/// Numbers drawn from a seed.
struct Draws(u64);

impl Draws {
    /// Returns the next number.
    fn next(&mut self) -> u64 {
        let drawn = split_mix_64(self.0);
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        drawn
    }

    /// Puts items into a random order (Fisher and Yates). The bias of the remainder is below
    /// 2^-58 for lists this short.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let place = usize::try_from(self.next() % (last as u64 + 1)).expect("it is below last");
            items.swap(last, place);
        }
    }
}

/// Draws a schedule: in each pass every cell once, in random order; in each block every model that
/// can hold the cell once, in random order.
pub fn draw(basis: Basis) -> Schedule {
    let Basis { preset, models, seed, placement } = basis;
    let mut draws = Draws(seed);
    let mut blocks = Vec::new();
    for _ in 0..preset.blocks {
        let mut cells: Vec<&Cell> = preset.cells.iter().collect();
        draws.shuffle(&mut cells);
        for cell in cells {
            let able = models.iter().filter(|model| absence(model, cell).is_none());
            let mut order: Vec<String> = able.map(|model| model.name.clone()).collect();
            draws.shuffle(&mut order);
            let number = u32::try_from(blocks.len()).expect("a schedule has few blocks");
            blocks.push(Block { number, cell: cell.name.clone(), seed: draws.next(), order });
        }
    }

    let absent = |cell: &Cell| models.iter().filter_map(|m| absence(m, cell)).collect::<Vec<_>>();
    Schedule {
        schema: "inflight.schedule/1.0".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        preset: preset.name.to_owned(),
        seed,
        placement,
        absent: preset.cells.iter().flat_map(absent).collect(),
        cells: preset.cells,
        models,
        blocks,
    }
}

/// Returns why a model has no figures in a cell, if it has none by design.
fn absence(model: &Model, cell: &Cell) -> Option<Absent> {
    let holds = model.max_in_flight?;
    if holds >= cell.in_flight || !cell.workload.needs_every_slot() {
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
    use super::*;
    use std::collections::BTreeMap;

    /// Returns a model that holds so many in flight.
    fn model(name: &str, max_in_flight: Option<u32>) -> Model {
        Model {
            name: name.to_owned(),
            package: format!("model-{name}"),
            label: name.to_owned(),
            unit: "task".to_owned(),
            client: "bare".to_owned(),
            threads: "1".to_owned(),
            max_in_flight,
            connections: None,
            env: BTreeMap::new(),
            knobs: Vec::new(),
        }
    }

    /// Draws the quick schedule for three models, one of them bounded.
    fn drawn(seed: u64) -> Schedule {
        let models = vec![model("a", None), model("b", None), model("one", Some(1))];
        let placement = Placement {
            model_cpus: vec![1],
            origin_cpus: vec![0],
            workers: 1,
            shards: 1,
            awake: false,
        };
        draw(Basis { preset: crate::quick(), models, seed, placement })
    }

    #[test]
    fn a_seed_gives_the_same_schedule_again_and_another_seed_another() {
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1).blocks, drawn(2).blocks);
    }

    #[test]
    fn every_block_holds_every_model_that_can_hold_its_cell_once() {
        for block in drawn(3).blocks {
            let mut order = block.order.clone();
            order.sort();
            let able: &[&str] =
                if block.cell == "batch" { &["a", "b", "one"] } else { &["a", "b"] };
            assert_eq!(order, able, "block {}", block.number);
        }
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
        assert!(orders.iter().any(|order| order[0] == "b"));
    }
}
