//! Holds all fetches of a turn in flight at once, reads what that takes, and has the origin answer.
//!
//! Here too are the levels: how many are held, and why a model or this machine cannot hold so many.

use std::thread;
use std::time::{Duration, Instant};

use record::{Absent, Block, Held, Model};
use stats::random::SplitMix64;
use workload::{Cell, DelayRange, Turn, Workload};

use crate::draw::Orders;
use crate::machine::Limits;
use crate::memory::{self, Slabs};
use crate::participant::{Participant, Taken};
use crate::service::Service;
use crate::{ReceiveError, interrupt, resource_limits};

/// Connections of an address of the origin: half of the usual longest backlog, so that none is
/// dropped however fast a model connects, and fewer than there are local ports.
const CONNECTIONS_AN_ADDRESS: u32 = 2_048;
/// How often the origin is asked how many are in flight.
const LOOK: Duration = Duration::from_millis(20);
/// How long no further fetch may arrive before no more are waited for: as long as the kernel takes
/// to try a connection again three times.
const SILENCE: Duration = Duration::from_secs(8);
/// How long all of them may take to arrive.
const ARRIVAL: Duration = Duration::from_mins(5);
/// How long all are held, in milliseconds, unless a test asks for less.
const PLATEAU_MS: u64 = 2_000;
/// Makes the draws of these blocks others than those of the cells.
const APART: u64 = 0x0068_6f6c_6400_0000;

/// How much of holding a preset measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holds {
    /// How many are held, level by level.
    pub levels: Vec<u32>,
    /// Blocks a level, and a session.
    pub blocks: u32,
}

impl Holds {
    /// Nothing is held.
    pub const NONE: Self = Self { levels: Vec::new(), blocks: 0 };

    /// Returns the cells, one a level.
    pub fn cells(&self) -> Vec<Cell> {
        self.levels.iter().map(|level| cell(*level)).collect()
    }
}

/// Returns the cell in which so many are held.
fn cell(in_flight: u32) -> Cell {
    Cell {
        name: format!("hold-{in_flight}"),
        workload: Workload::Hold,
        in_flight,
        warmup: 0,
        fetches: in_flight.into(),
        delay_ms: DelayRange { lo: PLATEAU_MS, hi: PLATEAU_MS },
        body_bytes: 128,
        probe_period_us: 0,
        work_kib: 0,
        rate_per_s: 0,
    }
}

/// Returns at how many addresses the origin listens for a cell.
pub(crate) fn addresses(cell: &Cell) -> u32 {
    match cell.workload.is_held() {
        true => cell.in_flight.div_ceil(CONNECTIONS_AN_ADDRESS),
        false => 1,
    }
}

/// Returns the rows without figures: what a model cannot hold by design, and what this machine has
/// too little for.
pub(crate) fn absences(cells: &[Cell], models: &[Model]) -> Vec<Absent> {
    let files = Limits::read().map_or(u64::MAX, |limits| limits.files);
    let pairs = cells.iter().flat_map(|cell| models.iter().map(move |model| (cell, model)));
    let row = |(cell, model): (&Cell, &Model)| {
        let reason = absence(model, cell, files)?;
        Some(Absent { cell: cell.name.clone(), model: model.name.clone(), reason })
    };
    pairs.filter_map(row).collect()
}

/// Returns why a model cannot hold a level, if it cannot.
fn absence(model: &Model, cell: &Cell, files: u64) -> Option<String> {
    match model.max_in_flight {
        Some(1) => return Some("one in flight by design".to_owned()),
        Some(most) if most < cell.in_flight => {
            return Some(format!("at most {most} in flight by design"));
        }
        _ => {}
    }
    let needed = Limits::files_of_one(cell);
    if needed > files {
        return Some(format!(
            "it needs {needed} open files, and a process may have {files}: raise `ulimit -Hn`"
        ));
    }
    let has_threads = model.threads.contains("in_flight");
    let lacking = resource_limits::lacking(cell, has_threads)?;
    let (needed, has, raise) = (lacking.needed, lacking.has, lacking.raise);
    Some(format!("it needs {needed}, and there are {has}: type `{raise}`"))
}

/// Draws the blocks of a session: in each pass every level once, in random order, and in its one
/// round every model that can hold it, each in a fresh process.
pub(crate) fn blocks(
    (cells, absent): (&[Cell], &[Absent]),
    models: &[&Model],
    (blocks, seed, session): (u32, u64, u32),
) -> Vec<Block> {
    let mut draws = SplitMix64::new((seed ^ APART).wrapping_add(u64::from(session)));
    let orders = |cell: &Cell| {
        let is_absent = |name: &String| {
            absent.iter().any(|absent| absent.cell == cell.name && absent.model == *name)
        };
        let names = models.iter().map(|model| model.name.clone());
        Orders::of(names.filter(|name| !is_absent(name)).collect())
    };
    let mut cells: Vec<(&Cell, Orders)> = cells.iter().map(|cell| (cell, orders(cell))).collect();
    let mut all = Vec::new();
    for _ in 0..blocks {
        draws.shuffle(&mut cells);
        for (cell, orders) in &mut cells {
            let (rounds, seed) = (orders.next(1, &mut draws), draws.word());
            if rounds.iter().any(|round| !round.is_empty()) {
                all.push(Block { number: 0, cell: cell.name.clone(), seed, rounds, session });
            }
        }
    }
    all
}

/// Lets a participant take a turn; where replies are held, reads what it takes to have all fetches
/// in flight, and then has them answered.
pub(crate) fn take(
    participant: &mut Participant,
    turn: &Turn,
    service: &mut Service,
) -> Result<Taken, ReceiveError> {
    if !participant.cell().workload.is_held() {
        return participant.take(turn, || service.was_stalled());
    }
    let slabs = memory::settled_slabs();
    let before = memory::read(participant.id());
    let given = participant.give(turn);
    let is_full = wait_until_full(service, participant.cell().slots());
    let held = is_full.then(|| Held { before, ..plateau(participant, slabs.as_ref()) });
    // An origin that does not release them has failed, which its receipt says.
    let _ = service.release();
    let taken = participant.receive(turn, given, || service.was_stalled())?;
    Ok(Taken { held, ..taken })
}

/// Waits until the origin holds so many; returns whether it does. Where some do not come, as they
/// have failed, the others are answered without a reading.
fn wait_until_full(service: &mut Service, slots: u32) -> bool {
    let began = Instant::now();
    let mut last = (0, began);
    while began.elapsed() < ARRIVAL && last.1.elapsed() < SILENCE {
        let Ok(Some(receipt)) = service.seen() else { return false };
        if receipt.in_flight_now >= u64::from(slots) {
            return true;
        }
        if interrupt::exit_code().is_some() {
            return false;
        }
        if receipt.answered > last.0 {
            last = (receipt.answered, Instant::now());
        }
        thread::sleep(LOOK);
    }
    false
}

/// Lets the time pass in which all are held, and reads what is held at its end.
fn plateau(participant: &Participant, slabs: Option<&Slabs>) -> Held {
    let cell = participant.cell();
    let (began, before) = (Instant::now(), participant.cpu());
    thread::sleep(Duration::from_millis(cell.delay_ms.lo));
    let (wall, after) = (began.elapsed(), participant.cpu());
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let cpu = after.zip(before).map(|(after, before)| after.saturating_sub(before));
    let now = slabs.and_then(|_| memory::slabs());
    let slab_bytes = slabs.zip(now).map(|(then, now)| memory::grown(then, &now, cell.in_flight));
    Held {
        during: memory::read(participant.id()),
        slab_bytes,
        wall_ns: nanoseconds(wall),
        cpu_ns: cpu.map(nanoseconds),
        ..Held::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::model;

    /// Returns why a model cannot hold so many where a process may open 20,000 files.
    fn reason(model: &Model, in_flight: u32) -> Option<String> {
        absence(model, &cell(in_flight), 20_000)
    }

    #[test]
    fn a_level_that_a_model_or_the_machine_cannot_hold_says_why() {
        assert_eq!(reason(&model("a"), 256), None);
        let few = reason(&model("a"), 19_990).unwrap();
        assert!(few.contains("it needs 20054 open files, and a process may have 20000"), "{few}");
        let one = Model { max_in_flight: Some(1), ..model("one") };
        assert_eq!(reason(&one, 1).as_deref(), Some("one in flight by design"));
        let some = Model { max_in_flight: Some(64), ..model("some") };
        assert_eq!(reason(&some, 64), None);
        assert_eq!(reason(&some, 65).as_deref(), Some("at most 64 in flight by design"));
    }

    #[test]
    fn every_pass_has_every_level_once_and_in_it_every_model_that_can_hold_it() {
        let levels = [1, 64, 128];
        let cells = levels.map(cell);
        let models = [model("a"), Model { max_in_flight: Some(64), ..model("b") }];
        let absent = absences(&cells, &models);
        let models: Vec<&Model> = models.iter().collect();
        let drawn = blocks((&cells, &absent), &models, (3, 1, 0));
        assert_eq!(drawn.len(), 9);
        for pass in drawn.chunks(3) {
            let mut names: Vec<&str> = pass.iter().map(|block| block.cell.as_str()).collect();
            names.sort_unstable();
            assert_eq!(names, ["hold-1", "hold-128", "hold-64"]);
        }
        for block in &drawn {
            let expected: &[&str] = if block.cell == "hold-128" { &["a"] } else { &["a", "b"] };
            assert_eq!(block.participants(), expected, "{}", block.cell);
        }
        assert_eq!(drawn, blocks((&cells, &absent), &models, (3, 1, 0)), "the seed decides");
    }

    #[test]
    fn no_address_gets_more_connections_than_its_backlog_has_room_for() {
        assert_eq!([1, 2_048, 2_049, 19_000].map(|slots| addresses(&cell(slots))), [1, 1, 2, 10]);
    }
}
