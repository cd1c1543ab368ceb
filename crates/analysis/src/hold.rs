//! What fetches in flight take: a line through the memory that a model had at each level of their
//! number.
//!
//! The slope is what one more fetch in flight takes, the height what the program takes without any.
//! What the process has and what the kernel has for it are lines of their own, since programs
//! differ in which of the two they use.

use std::collections::BTreeMap;

use record::{Held, Run, TurnRecord};
use stats::block_line::{self, BlockLine};
use stats::theil_sen::Point;
use workload::Cell;

use crate::counts::{median, ratio, real};
use crate::family::ALPHA;
use crate::lost::why_lost;

/// What fetches in flight take, model by model.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldFigures {
    /// How many were held, ascending.
    pub levels: Vec<u32>,
    /// Blocks that every level has.
    pub blocks: usize,
    /// How long they were held, in milliseconds.
    pub held_ms: u64,
    /// The models, in the order of the schedule.
    pub rows: Vec<HoldRow>,
}

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldRow {
    /// Its name.
    pub model: String,
    /// Memory of the process, in KiB and KiB a fetch in flight.
    pub user: Option<BlockLine>,
    /// What the kernel has for it, both ends of each connection included, likewise; nothing if not
    /// all of it could be read.
    pub kernel: Option<BlockLine>,
    /// Objects of the kernel at the highest level that it held, in bytes a fetch, by their kind.
    pub objects: BTreeMap<String, f64>,
    /// What was found at each level.
    pub levels: Vec<HoldLevel>,
}

/// A model at a level: medians of the turns that count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HoldLevel {
    /// How many were held.
    pub in_flight: u32,
    /// Turns that count.
    pub turns: usize,
    /// Memory of the process, in KiB.
    pub user_kib: Option<f64>,
    /// What the kernel has for it, in KiB.
    pub kernel_kib: Option<f64>,
    /// Threads of the process.
    pub threads: Option<f64>,
    /// The share of one CPU that it used while all were held.
    pub cpu_share: Option<f64>,
    /// Why there is nothing, or why not every turn counts.
    pub reason: Option<String>,
}

/// Returns what fetches in flight take, if the run held any.
pub(crate) fn holds(run: &Run) -> Option<HoldFigures> {
    let mut cells: Vec<&Cell> = run.schedule.holds.iter().collect();
    cells.sort_by_key(|cell| cell.in_flight);
    let first = cells.first()?;
    let blocks = |cell: &&Cell| blocks_of(run, cell).len();
    Some(HoldFigures {
        levels: cells.iter().map(|cell| cell.in_flight).collect(),
        blocks: cells.iter().map(blocks).min().unwrap_or(0),
        held_ms: first.delay_ms.lo,
        rows: run.schedule.models.iter().map(|model| row(run, &model.name, &cells)).collect(),
    })
}

/// Returns the numbers of the blocks of a cell that were measured, in their order.
fn blocks_of(run: &Run, cell: &Cell) -> Vec<u32> {
    let own = run.schedule.blocks.iter().filter(|block| block.cell == cell.name);
    let is_measured = |number: &u32| run.blocks.iter().any(|block| block.block == *number);
    own.map(|block| block.number).filter(is_measured).collect()
}

/// Returns the row of a model.
fn row(run: &Run, model: &str, cells: &[&Cell]) -> HoldRow {
    let levels: Vec<HoldLevel> = cells.iter().map(|cell| level(run, model, cell)).collect();
    let highest = cells.iter().rev().find(|cell| counted(run, model, cell).next().is_some());
    HoldRow {
        model: model.to_owned(),
        user: line(run, (model, cells), Held::user_kib),
        kernel: line(run, (model, cells), Held::kernel_kib),
        objects: highest.map(|cell| objects(run, model, cell)).unwrap_or_default(),
        levels,
    }
}

/// Returns the turns of a model at a level that count, and what was read in each.
fn counted<'a>(
    run: &'a Run,
    model: &'a str,
    cell: &'a Cell,
) -> impl Iterator<Item = (&'a TurnRecord, &'a Held)> {
    let own = run.turns.iter().filter(move |turn| turn.cell == cell.name && turn.model == model);
    own.filter(|turn| turn.valid().is_some()).filter_map(|turn| Some((turn, turn.held.as_ref()?)))
}

/// Returns the line through what was read at each level. The k-th blocks of all levels, which were
/// measured in one pass, are a block of it.
fn line(
    run: &Run,
    (model, cells): (&str, &[&Cell]),
    read: fn(&Held) -> Option<u64>,
) -> Option<BlockLine> {
    let mut passes: BTreeMap<usize, Vec<Point>> = BTreeMap::new();
    for cell in cells {
        let blocks = blocks_of(run, cell);
        for (turn, held) in counted(run, model, cell) {
            let pass = blocks.iter().position(|block| *block == turn.block);
            let point = read(held).map(|kib| Point { x: cell.in_flight.into(), y: real(kib) });
            let (Some(pass), Some(point)) = (pass, point) else { continue };
            passes.entry(pass).or_default().push(point);
        }
    }
    block_line::fit(&passes.into_values().collect::<Vec<_>>(), ALPHA)
}

/// Returns what was found of a model at a level.
fn level(run: &Run, model: &str, cell: &Cell) -> HoldLevel {
    let held: Vec<&Held> = counted(run, model, cell).map(|(_, held)| held).collect();
    let of = |read: &dyn Fn(&Held) -> Option<f64>| {
        median(held.iter().filter_map(|held| read(held)).collect())
    };
    HoldLevel {
        in_flight: cell.in_flight,
        turns: held.len(),
        user_kib: of(&|held| held.user_kib().map(real)),
        kernel_kib: of(&|held| held.kernel_kib().map(real)),
        threads: of(&|held| held.during.threads.map(real)),
        cpu_share: of(&|held| ratio(held.cpu_ns?, held.wall_ns)),
        reason: reason(run, model, cell),
    }
}

/// Returns why a model has no figures at a level, or why one of its turns does not count.
fn reason(run: &Run, model: &str, cell: &Cell) -> Option<String> {
    let schedule = &run.schedule;
    if let Some(missing) = schedule.missing(model) {
        return Some(missing.to_string());
    }
    let mut absent = schedule.absent.iter();
    if let Some(absent) = absent.find(|row| row.cell == cell.name && row.model == model) {
        return Some(absent.reason.clone());
    }
    let own = run.turns.iter().filter(|turn| turn.cell == cell.name && turn.model == model);
    let own: Vec<&TurnRecord> = own.collect();
    match own.is_empty() {
        true => Some("not measured".to_owned()),
        false => why_lost(&own),
    }
}

/// Returns the objects of the kernel at a level, in bytes a fetch, by their kind.
fn objects(run: &Run, model: &str, cell: &Cell) -> BTreeMap<String, f64> {
    let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (_, held) in counted(run, model, cell) {
        for (kind, bytes) in held.slab_bytes.iter().flatten() {
            let each = real(*bytes) / f64::from(cell.in_flight.max(1));
            found.entry(kind.clone()).or_default().push(each);
        }
    }
    found.into_iter().filter_map(|(kind, all)| Some((kind, median(all)?))).collect()
}
