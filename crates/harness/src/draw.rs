//! Draws the schedule: which model runs when, at random from a seed, before the first trial.

use model_kit::Cell;
use model_kit::content::split_mix_64;
use record::{Absent, Block, Model, Placement, Schedule};

use crate::Preset;

/// What a schedule is drawn from.
#[derive(Clone, Debug)]
pub struct Request {
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
pub fn draw(request: Request) -> Schedule {
    let Request { preset, models, seed, placement } = request;
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
