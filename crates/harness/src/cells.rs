//! The presets: which cells, how many blocks, what is added to make a run worth citing.

use model_kit::{Cell, DelayRange, Workload};
use record::{Control, Model, Sitting, StopRule, Sweep};

use crate::sweep::{is_of_its_kind, sweep};
use crate::{BASELINE, PrimitiveBlocks};

/// The names of the presets, the cheapest first.
pub const PRESETS: [&str; 7] =
    ["smoke", "primitives", "ideas", "quick", "sweep", "standard", "publish"];

/// What `cpu-bound` computes for each reply: some hundred microseconds of a CPU of today.
const WORK_KIB: u32 = 4 * 1024;

/// Cells and blocks under a name.
#[derive(Clone, Debug)]
pub struct Preset {
    /// What runs and reports call it.
    pub name: &'static str,
    /// The cells.
    pub cells: Vec<Cell>,
    /// Blocks a cell, and a sitting.
    pub blocks: u32,
    /// When a cell has enough blocks, if not after all.
    pub stop: Option<StopRule>,
    /// Models that run once more with busy work added.
    pub controls: Vec<Control>,
    /// The sittings; none stands for one.
    pub sittings: Vec<Sitting>,
    /// How much of primitives.
    pub primitives: PrimitiveBlocks,
    /// Cells that are the levels of one number.
    pub sweeps: Vec<Sweep>,
    /// Which models are measured where none is named.
    pub takes: Takes,
}

/// Which models a preset measures where none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// All that are found.
    All,
    /// The baseline, the floor, and of the other bare models in Rust those whose units are threads
    /// or that hold one fetch in flight: one of each kind.
    OneOfAKind,
}

impl Preset {
    /// Returns the models among those found that it measures where none is named.
    pub fn takes(&self, found: &[Model]) -> Vec<Model> {
        let is_taken = |model: &&Model| match self.takes {
            Takes::All => true,
            Takes::OneOfAKind => is_of_its_kind(model),
        };
        found.iter().filter(is_taken).cloned().collect()
    }
}

/// Returns the preset of that name.
pub fn preset(name: &str) -> Option<Preset> {
    match name {
        "smoke" => Some(smoke()),
        "primitives" => Some(primitives()),
        "ideas" => Some(ideas()),
        "quick" => Some(quick()),
        "sweep" => Some(sweep()),
        "standard" => Some(standard()),
        "publish" => Some(publish()),
        _ => None,
    }
}

/// What `cargo bench` measures: enough to see who costs what, in about eight minutes.
pub fn quick() -> Preset {
    let steady = Cell { fetches: 1_200, ..steady() };
    Preset {
        name: "quick",
        cells: vec![batch(), steady],
        blocks: 12,
        stop: None,
        controls: Vec::new(),
        sittings: Vec::new(),
        primitives: PrimitiveBlocks::MEASURED,
        sweeps: Vec::new(),
        takes: Takes::All,
    }
}

/// What `cargo bench -- --test` runs: the same cells once, proving that everything runs.
pub fn smoke() -> Preset {
    Preset { name: "smoke", blocks: 1, primitives: PrimitiveBlocks::ONCE, ..quick() }
}

/// What `cargo bench --bench primitives` measures: what models are made of, and no cell.
pub fn primitives() -> Preset {
    Preset { name: "primitives", cells: Vec::new(), ..quick() }
}

/// What the teaching page's claims need beyond `quick`: how long whatever is due waits while others
/// fetch, and while each reply costs something to compute.
fn ideas() -> Preset {
    let heartbeat = Cell { name: "heartbeat".to_owned(), heartbeat_us: 5_000, ..steady() };
    let cpu_bound =
        Cell { name: "cpu-bound".to_owned(), heartbeat_us: 1_000, work_kib: WORK_KIB, ..batch() };
    Preset {
        name: "ideas",
        cells: vec![Cell { fetches: 1_200, ..heartbeat }, cpu_bound],
        primitives: PrimitiveBlocks::NONE,
        ..quick()
    }
}

/// A study of this machine at this time: more cells, and blocks until the intervals are narrow.
fn standard() -> Preset {
    let low = Cell {
        name: "steady-low".to_owned(),
        in_flight: 16,
        fetches: 1_600,
        delay_ms: DelayRange { lo: 5, hi: 15 },
        ..steady()
    };
    let body = Cell { name: "steady-body".to_owned(), body_bytes: 16 * 1024, ..steady() };
    Preset {
        name: "standard",
        cells: vec![batch(), low, steady(), body],
        blocks: 30,
        stop: Some(StopRule { blocks_min: 12, half_width_permille: 20, minutes_max: 40 }),
        ..quick()
    }
}

/// A run to be cited: three sittings, each with another layout of the programs, and a control that
/// must be found.
fn publish() -> Preset {
    let sitting = |number: u32| Sitting {
        number,
        layout_seed: Some(u64::from(number) + 1),
        hours_after_last: if number == 0 { 0 } else { 2 },
    };
    let name = format!("{BASELINE}+5%");
    Preset {
        name: "publish",
        blocks: 20,
        stop: None,
        controls: vec![Control { name, model: BASELINE.to_owned(), percent: 5 }],
        sittings: (0..3).map(sitting).collect(),
        ..standard()
    }
}

/// So many fetches at once: sequential against concurrent in one glance.
fn batch() -> Cell {
    Cell {
        name: "batch".to_owned(),
        workload: Workload::Batch,
        in_flight: 64,
        warmup: 0,
        fetches: 64,
        delay_ms: DelayRange { lo: 20, hi: 20 },
        body_bytes: 128,
        heartbeat_us: 0,
        work_kib: 0,
    }
}

/// Always as many in flight: what a fetch costs once everything runs. Drawn delays keep the slots
/// from falling into step.
pub(crate) fn steady() -> Cell {
    Cell {
        name: "steady".to_owned(),
        workload: Workload::Steady,
        warmup: 400,
        fetches: 2_000,
        delay_ms: DelayRange { lo: 16, hi: 48 },
        ..batch()
    }
}
