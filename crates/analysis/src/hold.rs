//! What fetches in flight take: a line through the memory that a model had at each level of their
//! number.
//!
//! The slope is what one more fetch in flight takes, the height what the program takes without any.
//! What the process has and what the kernel has for it are lines of their own, since programs
//! differ in which of the two they use.
//!
//! A level that takes several processes is one point all the same: that of the mean process. So the
//! slope stays that of one more fetch in flight, and the height that of one program.

use std::collections::BTreeMap;

use record::{Held, MemoryReading, Run, TurnRecord};
use stats::block_line::{self, BlockLine};
use stats::theil_sen::Point;
use workload::Cell;

use crate::counts::{median, ratio, real};
use crate::family::ALPHA;
use crate::lost::why_lost;
use crate::span::Span;

/// What fetches in flight take, model by model.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldFigures {
    /// How many were held, ascending.
    pub levels: Vec<u32>,
    /// Blocks that every level has.
    pub blocks: usize,
    /// How long they were held, in milliseconds.
    pub held_ms: u64,
    /// What one more fetch in flight takes of the process, in KiB, from the model that takes the
    /// least to the one that takes the most.
    pub user_kib_per_fetch: Option<Span>,
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
    /// In how many processes, whose memory is added up.
    pub processes: u32,
    /// Turns that count.
    pub turns: usize,
    /// Memory of the process, in KiB.
    pub user_kib: Option<f64>,
    /// The part of it that nobody shares, in KiB.
    pub private_kib: Option<f64>,
    /// What the kernel has for it, in KiB.
    pub kernel_kib: Option<f64>,
    /// The part of it that is page tables, in KiB.
    pub page_tables_kib: Option<f64>,
    /// By how many KiB the stacks grew that the kernel has for all threads of the system.
    pub kernel_stacks_grown_kib: Option<f64>,
    /// By how many pages the data grew that waits in TCP sockets of the network namespace.
    pub tcp_grown_pages: Option<f64>,
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
    let rows = run.schedule.models.iter().map(|model| row(run, &model.name, &cells));
    let rows: Vec<HoldRow> = rows.collect();
    let slopes = rows.iter().filter_map(|row| Some(row.user.as_ref()?.slope.value));
    Some(HoldFigures {
        levels: cells.iter().map(|cell| cell.in_flight).collect(),
        blocks: cells.iter().map(blocks).min().unwrap_or(0),
        held_ms: first.delay_ms.lo,
        user_kib_per_fetch: Span::of(slopes),
        rows,
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
        let processes = run.schedule.processes(&cell.name);
        for (turn, held) in counted(run, model, cell) {
            let pass = blocks.iter().position(|block| *block == turn.block);
            let point = read(held).map(|kib| of_one((cell.in_flight, kib), processes));
            let (Some(pass), Some(point)) = (pass, point) else { continue };
            passes.entry(pass).or_default().push(point);
        }
    }
    block_line::fit(&passes.into_values().collect::<Vec<_>>(), ALPHA)
}

/// Returns the point of the mean process among those that hold so many, and have so many KiB.
fn of_one((in_flight, kib): (u32, u64), processes: u32) -> Point {
    let processes = f64::from(processes.max(1));
    Point { x: f64::from(in_flight) / processes, y: real(kib) / processes }
}

/// Returns what was found of a model at a level.
fn level(run: &Run, model: &str, cell: &Cell) -> HoldLevel {
    let held: Vec<&Held> = counted(run, model, cell).map(|(_, held)| held).collect();
    let of = |read: &dyn Fn(&Held) -> Option<f64>| {
        median(held.iter().filter_map(|held| read(held)).collect())
    };
    HoldLevel {
        in_flight: cell.in_flight,
        processes: run.schedule.processes(&cell.name),
        turns: held.len(),
        user_kib: of(&|held| held.user_kib().map(real)),
        private_kib: of(&|held| held.during.private_kib.map(real)),
        kernel_kib: of(&|held| held.kernel_kib().map(real)),
        page_tables_kib: of(&|held| held.during.page_tables_kib.map(real)),
        kernel_stacks_grown_kib: of(&|held| grown(held, |reading| reading.kernel_stacks_kib)),
        tcp_grown_pages: of(&|held| grown(held, |reading| reading.tcp_pages)),
        threads: of(&|held| held.during.threads.map(real)),
        cpu_share: of(&|held| ratio(held.cpu_ns?, held.wall_ns)),
        reason: reason(run, model, cell),
    }
}

/// Returns by how much something grew from before a turn until all of its fetches were held.
fn grown(held: &Held, read: fn(&MemoryReading) -> Option<u64>) -> Option<f64> {
    Some(real(read(&held.during)?.saturating_sub(read(&held.before)?)))
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

#[cfg(test)]
mod tests {
    use workload::Workload;

    use super::*;
    use crate::fixture::{BASELINE, Fixture};

    #[test]
    fn a_level_has_what_was_read_of_it_and_what_grew_in_the_system_meanwhile() {
        let hold = Cell { name: "hold".to_owned(), ..Cell::least(Workload::Hold) };
        let mut run = Fixture { cells: vec![hold.clone()], blocks: 2, ..Fixture::good() }.run();
        run.schedule.holds = std::mem::take(&mut run.schedule.cells);
        for turn in &mut run.turns {
            let before = MemoryReading {
                kernel_stacks_kib: Some(900),
                tcp_pages: Some(7),
                ..MemoryReading::default()
            };
            let during = MemoryReading {
                pss_kib: Some(500),
                private_kib: Some(400),
                page_tables_kib: Some(60),
                kernel_stacks_kib: Some(932),
                tcp_pages: Some(9),
                ..MemoryReading::default()
            };
            turn.held = Some(Held { before, during, ..Held::default() });
        }
        let level = level(&run, BASELINE, &hold);
        assert_eq!((level.user_kib, level.private_kib), (Some(500.0), Some(400.0)));
        assert_eq!((level.kernel_kib, level.page_tables_kib), (None, Some(60.0)));
        assert_eq!((level.kernel_stacks_grown_kib, level.tcp_grown_pages), (Some(32.0), Some(2.0)));
    }

    #[test]
    fn a_group_of_programs_lies_on_the_line_of_one() {
        let (height, slope) = (3_000, 4);
        let kib =
            |in_flight: u32, processes: u64| processes * height + u64::from(in_flight) * slope;
        let points = [
            of_one((1, kib(1, 1)), 1),
            of_one((10_000, kib(10_000, 1)), 1),
            of_one((100_000, kib(100_000, 6)), 6),
        ];
        let line = block_line::fit(&[points.to_vec()], ALPHA).unwrap();
        assert!((line.slope.value - 4.0).abs() < 1e-9, "{line:?}");
        assert!((line.height.value - 3_000.0).abs() < 1e-6, "{line:?}");
    }
}
