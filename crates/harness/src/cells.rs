//! The presets: which cells, and how many blocks.

use model_kit::{Cell, DelayRange, Workload};

/// Cells and blocks under a name.
#[derive(Clone, Debug)]
pub struct Preset {
    /// What runs and reports call it.
    pub name: &'static str,
    /// The cells.
    pub cells: Vec<Cell>,
    /// Blocks a cell.
    pub blocks: u32,
}

/// What `cargo bench` measures: enough to see who costs what, in under four minutes.
pub fn quick() -> Preset {
    let batch = Cell {
        name: "batch".to_owned(),
        workload: Workload::Batch,
        in_flight: 64,
        warmup: 0,
        fetches: 64,
        delay_ms: DelayRange { lo: 20, hi: 20 },
        body_bytes: 128,
    };
    let steady = Cell {
        name: "steady".to_owned(),
        workload: Workload::Steady,
        warmup: 400,
        fetches: 1_200,
        delay_ms: DelayRange { lo: 16, hi: 48 },
        ..batch.clone()
    };
    Preset { name: "quick", cells: vec![batch, steady], blocks: 12 }
}

/// What `cargo bench -- --test` runs: the same cells once, proving that everything runs.
pub fn smoke() -> Preset {
    Preset { name: "smoke", blocks: 1, ..quick() }
}
