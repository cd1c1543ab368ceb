//! The presets: which cells, how many blocks and rounds, what is added to make a run worth citing.

use record::{Control, Family, Model, OriginKind, Session, StopRule, Sweep};
use workload::{Cell, DelayRange, Workload};

use crate::load::load;
use crate::several::SEVERAL;
use crate::sweep::{is_representative, scaling, sweep};
use crate::{BASELINE, Holds, PrimitiveBlocks};

/// The presets, the cheapest first.
const PRESETS: [fn() -> Preset; 14] = [
    smoke, primitives, ideas, quick, origins, churn, sweep, hold, hold_100k, load, hold_1m,
    scaling, standard, citable,
];

/// Rounds of turns in one process for each of turns in a fresh one, which take longer.
const FRESH_ROUNDS: u32 = 4;
/// The mean delay, in milliseconds, from which a turn is long: there are half as many rounds then.
const LONG_MS: u64 = 25;
/// The fewest rounds of long turns: the median of two would be their mean.
const LONG_ROUNDS: u32 = 3;
/// What `cpu-bound` computes for each reply: some hundred microseconds of a CPU of today.
pub(crate) const WORK_KIB: u32 = 4 * 1024;

/// The cell whose fetches arrive at a rate.
pub(crate) const PACED: &str = "paced";
/// Its blocks: 16,000 fetches a model, of which sixteen lie beyond p99.9, in less than six minutes.
pub(crate) const PACED_BLOCKS: u32 = 16;

/// Cells and blocks under a name.
#[derive(Clone, Debug)]
pub struct Preset {
    /// What runs and reports call it.
    pub name: &'static str,
    /// The cells.
    pub cells: Vec<Cell>,
    /// Blocks a cell, and a session.
    pub blocks: u32,
    /// The cells that have fewer, by name: time is spent on what the answer is about.
    pub fewer_blocks: Vec<(&'static str, u32)>,
    /// Rounds a block, where participants stay in it.
    pub rounds: u32,
    /// Which pairs of a cell are judged together.
    pub family: Family,
    /// Whether a whole run may be called more than an estimate.
    pub is_citable: bool,
    /// When a cell has enough blocks, if not after all.
    pub stop: Option<StopRule>,
    /// Models that run once more with busy work added.
    pub controls: Vec<Control>,
    /// The sessions; none stands for one.
    pub sessions: Vec<Session>,
    /// How much of primitives.
    pub primitives: PrimitiveBlocks,
    /// Cells that are the levels of one number.
    pub sweeps: Vec<Sweep>,
    /// How many fetches are held in flight at once, and how often.
    pub holds: Holds,
    /// Which models are measured where none is named.
    pub takes: Takes,
    /// The model that ratios are taken against, where that is not the usual one.
    pub baseline: Option<String>,
}

/// Which models a preset measures where none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// All that are found, but for those that say that they are to be named.
    Core,
    /// The baseline, the floor, and of the other bare models in Rust those whose units are threads
    /// or that hold one fetch in flight: one of each kind.
    Representative,
    /// The bare models in Rust of those that hold more than one fetch in flight.
    Concurrent,
}

impl Preset {
    /// Returns the model that ratios are taken against.
    pub(crate) fn baseline(&self) -> &str {
        self.baseline.as_deref().unwrap_or(BASELINE)
    }

    /// Returns how many blocks a cell has in a session.
    pub fn blocks_of(&self, cell: &Cell) -> u32 {
        let fewer = self.fewer_blocks.iter().find(|(name, _)| *name == cell.name);
        fewer.map_or(self.blocks, |(_, blocks)| self.blocks.min(*blocks))
    }

    /// Sets how many blocks every cell has, and every level of what is held.
    pub fn set_blocks(&mut self, blocks: u32) {
        (self.blocks, self.fewer_blocks) = (blocks, Vec::new());
        self.holds.blocks = blocks;
    }

    /// Returns how many rounds a block of a cell has: fewer where each turn is a fresh process, or
    /// is long.
    pub fn rounds_of(&self, cell: &Cell) -> u32 {
        let is_long = cell.delay_ms.lo + cell.delay_ms.hi >= 2 * LONG_MS;
        match cell.workload.is_resident() {
            false => self.rounds.div_ceil(FRESH_ROUNDS),
            // Its turns are so long that neighbours in time are no longer near.
            true if cell.is_open() || cell.is_large() => 1,
            true if is_long => self.rounds.div_ceil(2).max(LONG_ROUNDS.min(self.rounds)),
            true => self.rounds,
        }
    }

    /// Returns the models among those found that it measures where none is named.
    pub fn takes(&self, found: &[Model]) -> Vec<Model> {
        let is_taken = |model: &&Model| match self.takes {
            Takes::Core => model.is_core(),
            Takes::Representative => is_representative(model),
            Takes::Concurrent => model.uses_core() && model.is_core() && holds_many(model),
        };
        found.iter().filter(is_taken).cloned().collect()
    }
}

/// Returns whether a model holds more than one fetch in flight.
fn holds_many(model: &Model) -> bool {
    model.max_in_flight != Some(1)
}

/// Returns every preset, the cheapest first.
pub fn presets() -> impl Iterator<Item = Preset> {
    PRESETS.into_iter().map(|preset| preset())
}

/// Returns the preset of that name.
pub fn preset(name: &str) -> Option<Preset> {
    presets().find(|preset| preset.name == name)
}

/// What `cargo bench` measures: enough to see who costs what.
pub fn quick() -> Preset {
    Preset {
        name: "quick",
        cells: vec![batch(), steady()],
        blocks: 24,
        // Half of its blocks have the models that hold one fetch in flight: nine at the least.
        fewer_blocks: vec![("batch", 18), (PACED, PACED_BLOCKS)],
        rounds: 7,
        family: Family::AgainstBaseline,
        is_citable: false,
        stop: None,
        controls: vec![copy()],
        sessions: Vec::new(),
        primitives: PrimitiveBlocks::MEASURED,
        sweeps: Vec::new(),
        holds: Holds::NONE,
        takes: Takes::Core,
        baseline: None,
    }
}

/// What `cargo bench -- --test` runs: the same cells once, proving that everything runs.
pub fn smoke() -> Preset {
    let (controls, primitives) = (Vec::new(), PrimitiveBlocks::ONCE);
    Preset { name: "smoke", blocks: 1, rounds: 1, controls, primitives, ..quick() }
}

/// What `cargo bench --bench primitives` measures: what models are made of, and no cell.
pub fn primitives() -> Preset {
    Preset { name: "primitives", cells: Vec::new(), ..quick() }
}

/// What the teaching page's claims need beyond `quick`: how long whatever is due waits while others
/// fetch, and while each reply costs something to compute.
fn ideas() -> Preset {
    let probed = Cell { name: "steady-probe".to_owned(), probe_period_us: 5_000, ..steady() };
    let cpu_bound = Cell {
        name: "cpu-bound".to_owned(),
        probe_period_us: 1_000,
        work_kib: WORK_KIB,
        ..batch()
    };
    Preset {
        name: "ideas",
        cells: vec![probed, cpu_bound],
        primitives: PrimitiveBlocks::NONE,
        ..quick()
    }
}

/// Whether who serves decides who is cheaper: the same cell at both kinds of origin.
fn origins() -> Preset {
    Preset {
        name: "origins",
        cells: vec![steady(), elsewhere()],
        primitives: PrimitiveBlocks::NONE,
        ..quick()
    }
}

/// What a fetch costs that has a connection of its own.
fn churn() -> Preset {
    Preset { name: "churn", cells: vec![churning()], primitives: PrimitiveBlocks::NONE, ..quick() }
}

/// What fetches in flight take: memory at so many levels that a line has a slope. The most that fit
/// into one process of 20,000 open files is the last of them.
fn hold() -> Preset {
    let levels = vec![1, 64, 256, 1_024, 4_096, 10_000, 19_000];
    let (holds, controls) = (Holds { levels, blocks: 5 }, Vec::new());
    Preset { name: "hold", cells: Vec::new(), controls, holds, ..origins() }
}

/// The same of a hundred thousand, for which most systems need several processes of a model.
fn hold_100k() -> Preset {
    let holds = Holds { levels: vec![1, 10_000, 100_000], blocks: 3 };
    Preset { name: "hold-100k", holds, takes: Takes::Concurrent, ..hold() }
}

/// The same of a million, once.
fn hold_1m() -> Preset {
    let holds = Holds { levels: vec![1, 100_000, 1_000_000], blocks: 1 };
    Preset { name: "hold-1m", holds, ..hold_100k() }
}

/// What `inflight compare` measures: versions of one package against the first of them.
pub fn of_versions(baseline: &str) -> Preset {
    let name = format!("{baseline}+0%");
    let controls = vec![Control { name, model: baseline.to_owned(), percent: 0 }];
    let (cells, baseline) = (vec![steady()], Some(baseline.to_owned()));
    let primitives = PrimitiveBlocks::NONE;
    Preset { name: "compare", cells, controls, primitives, baseline, ..quick() }
}

/// A study of this machine at this time: more cells, and blocks until the intervals are narrow.
fn standard() -> Preset {
    let low = low();
    let slow = Cell {
        name: "steady-slow".to_owned(),
        delay_ms: DelayRange { lo: 16, hi: 48 },
        ..steady()
    };
    let body = Cell { name: "steady-body".to_owned(), body_bytes: 16 * 1024, ..steady() };
    let workers = Cell { name: "steady-workers".to_owned(), workers: SEVERAL, ..steady() };
    Preset {
        name: "standard",
        cells: vec![batch(), low, steady(), slow, body, workers, paced()],
        blocks: 48,
        // Enough for every pair of all models; of `batch` twice as many, for those that hold one
        // fetch in flight have half of its blocks.
        fewer_blocks: vec![
            ("batch", 28),
            ("steady-low", 14),
            ("steady-slow", 14),
            ("steady-body", 14),
            ("steady-workers", 14),
            (PACED, PACED_BLOCKS),
        ],
        rounds: 7,
        family: Family::AllPairs,
        holds: Holds { levels: vec![1, 10_000], blocks: 3 },
        stop: Some(StopRule { blocks_min: 14, half_width_permille: 10, minutes_max: 26 }),
        ..quick()
    }
}

/// A run to be cited: three sessions, each with another layout of the programs, and a control that
/// must be found.
fn citable() -> Preset {
    let session = |number: u32| Session {
        number,
        layout_seed: Some(u64::from(number) + 1),
        hours_after_last: if number == 0 { 0 } else { 2 },
    };
    let name = format!("{BASELINE}+5%");
    let seeded = Control { name, model: BASELINE.to_owned(), percent: 5 };
    Preset {
        name: "citable",
        // In three sessions as many blocks at the other origin as in `origins`.
        cells: [standard().cells, vec![elsewhere()]].concat(),
        blocks: 32,
        fewer_blocks: vec![(PACED, PACED_BLOCKS), ("steady-fast", 8)],
        is_citable: true,
        stop: None,
        controls: vec![copy(), seeded],
        sessions: (0..3).map(session).collect(),
        ..standard()
    }
}

/// The baseline once more, in a process of its own and with no work added: what the two differ by
/// is noise.
pub(crate) fn copy() -> Control {
    Control { name: format!("{BASELINE}+0%"), model: BASELINE.to_owned(), percent: 0 }
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
        ..Cell::least(Workload::Batch)
    }
}

/// Returns a steady cell with these numbers, and the usual ones where none is given.
pub fn steady_of(in_flight: Option<u32>, delay_ms: Option<DelayRange>, body: Option<u32>) -> Cell {
    let usual = steady();
    let in_flight = in_flight.unwrap_or(usual.in_flight);
    let delay_ms = delay_ms.unwrap_or(usual.delay_ms);
    let body_bytes = body.unwrap_or(usual.body_bytes);
    let two_each = 2 * u64::from(in_flight);
    let cell = Cell {
        in_flight,
        warmup: two_each,
        fetches: two_each.max(usual.in_flight.into()),
        delay_ms,
        body_bytes,
        ..usual
    };
    Cell { name: cell.name_of_numbers(), ..cell }
}

/// Always as many in flight: what a fetch costs once everything runs. Drawn delays keep the slots
/// from falling into step, and two fetches a slot before the window let them get out of it.
pub(crate) fn steady() -> Cell {
    Cell {
        name: "steady".to_owned(),
        workload: Workload::Steady,
        warmup: 128,
        fetches: 128,
        delay_ms: DelayRange { lo: 4, hi: 12 },
        ..batch()
    }
}

/// The same at the other kind of origin.
pub(crate) fn elsewhere() -> Cell {
    Cell { name: "steady-fast".to_owned(), origin: OriginKind::Fast, ..steady() }
}

/// The same of fewer fetches in flight, which wait longer.
fn low() -> Cell {
    Cell {
        name: "steady-low".to_owned(),
        in_flight: 16,
        warmup: 32,
        fetches: 64,
        delay_ms: DelayRange { lo: 5, hi: 15 },
        ..steady()
    }
}

/// The same, each on a connection of its own: to make one costs several times what a fetch does, so
/// that the origin could not serve as many as the main cell has.
fn churning() -> Cell {
    Cell { name: "churn".to_owned(), workload: Workload::Churn, ..low() }
}

/// Fetches that arrive at random, whether or not those before them have ended: what somebody waits
/// for whose request comes in between. The slowest of the models that are measured where none is
/// named needs about half of a CPU for as many.
pub(crate) fn paced() -> Cell {
    Cell {
        name: PACED.to_owned(),
        workload: Workload::Paced,
        warmup: 100,
        fetches: 1_000,
        rate_per_s: 1_000,
        ..steady()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_to_be_cited_has_its_main_cell_at_both_origins_at_one_of_them_in_few_blocks() {
        let citable = citable();
        let is_steady = |cell: &&Cell| {
            let Cell { name, origin, .. } = steady();
            steady() == Cell { name, origin, ..(*cell).clone() }
        };
        let twins: Vec<&Cell> = citable.cells.iter().filter(is_steady).collect();
        let kinds = twins.iter().map(|cell| cell.served_by(OriginKind::Wiremock));
        assert_eq!(kinds.collect::<Vec<_>>(), OriginKind::ALL);
        assert_eq!([32, 8], [0, 1].map(|index| citable.blocks_of(twins[index])));
    }

    #[test]
    fn presets_hold_as_many_as_their_names_and_their_documents_say() {
        let levels = |name: &str| preset(name).unwrap().holds.levels;
        assert_eq!(levels("hold"), [1, 64, 256, 1_024, 4_096, 10_000, 19_000]);
        assert_eq!(levels("hold-100k"), [1, 10_000, 100_000]);
        assert_eq!(levels("hold-1m"), [1, 100_000, 1_000_000]);
        for name in ["standard", "citable"] {
            assert_eq!(levels(name), [1, 10_000], "{name}");
        }
    }
}
