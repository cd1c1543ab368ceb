//! Holds all fetches of a turn in flight at once, reads what that takes, and has the origin answer.
//!
//! Here too are the levels: how many are held, in how many processes, and why a model or this
//! machine cannot hold so many.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use record::{Absent, Block, Held, MemoryReading, Model};
use stats::random::SplitMix64;
use workload::{Cell, DelayRange, Turn, Workload};

use crate::draw::Orders;
use crate::group::{self, PROCESSES_MAX};
use crate::interrupt;
use crate::machine::{Limits, WIDEST_RANGE};
use crate::memory::{self, Slabs};
use crate::participant::{Participant, Taken};
use crate::resource_limits::{self, Demand, Lack};
use crate::service::Service;

/// How often the origin is asked how many are in flight.
const LOOK: Duration = Duration::from_millis(20);
/// How long no further fetch may arrive before no more are waited for: as long as the kernel takes
/// to try a connection again three times.
const QUIET_MAX: Duration = Duration::from_secs(8);
/// How long all of a process may take to arrive.
const ARRIVAL: Duration = Duration::from_mins(5);
/// How long all are held, in milliseconds, unless a test asks for less.
const PLATEAU_MS: u64 = 2_000;
/// What a fetch takes of the machine in all, in KiB, both ends of its connection included: 11 of
/// the kernel, and a few in a task on the shared core; with a library, a language of its own or a
/// thread some tens.
const TASK_KIB: u64 = 16;
const OTHER_KIB: u64 = 64;
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
        ..Cell::least(Workload::Hold)
    }
}

/// Returns the rows without figures: what a model cannot hold by design, and what this machine has
/// too little for.
pub(crate) fn absences(cells: &[Cell], models: &[Model]) -> Vec<Absent> {
    let pairs = cells.iter().flat_map(|cell| models.iter().map(move |model| (cell, model)));
    pairs.filter_map(|(cell, model)| absence_of(model, cell)).collect()
}

/// Returns why a model cannot have all fetches of a cell in flight at once, of which there are
/// many, on this machine.
pub(crate) fn absence_of(model: &Model, cell: &Cell) -> Option<Absent> {
    let backlog = resource_limits::number("/proc/sys/net/core/somaxconn");
    let reason = absence(model, cell, (&Limits::read_or_none(), backlog))?;
    Some(Absent { cell: cell.name.clone(), model: model.name.clone(), reason })
}

/// Returns in how many processes each level is held that one process cannot hold.
pub(crate) fn groups(cells: &[Cell]) -> BTreeMap<String, u32> {
    let limits = Limits::read_or_none();
    let group = |cell: &Cell| {
        let processes = u32::try_from(group::processes(cell, &limits)).ok()?;
        (2..=PROCESSES_MAX).contains(&processes).then(|| (cell.name.clone(), processes))
    };
    cells.iter().filter_map(group).collect()
}

/// Returns why a model cannot hold a level, if it cannot, by these limits and the longest queue of
/// connections that wait to be accepted.
fn absence(
    model: &Model,
    cell: &Cell,
    (limits, backlog): (&Limits, Option<u64>),
) -> Option<String> {
    match model.max_in_flight {
        Some(1) => return Some("one in flight by design".to_owned()),
        Some(most) if most < cell.in_flight => {
            return Some(format!("at most {most} in flight by design"));
        }
        _ => {}
    }
    let is_held = cell.workload.is_held();
    let processes = if is_held { group::processes(cell, limits) } else { 1 };
    let few = few_files(cell, limits, processes).or_else(|| few_ports(cell, limits));
    if let Some(why) = few.or_else(|| short_queue(cell, backlog?)) {
        return Some(why);
    }
    let has_threads = model.threads.contains("in_flight");
    let slot_kib = if model.uses_core() && !has_threads { TASK_KIB } else { OTHER_KIB };
    let demand = Demand { slots: cell.in_flight.into(), processes, has_threads, slot_kib };
    let Lack { needed, arithmetic, has, raise } = resource_limits::lacking(&demand)?;
    Some(format!("it needs {needed}{arithmetic}, and there are {has}: type `{raise}`"))
}

/// Returns that the processes of a group may open too few files for a cell, if they may, or the one
/// process in which it is timed.
fn few_files(cell: &Cell, limits: &Limits, processes: u64) -> Option<String> {
    let files = limits.files;
    if !cell.workload.is_held() {
        let needed = Limits::files_of_one(cell);
        return (needed > files).then(|| {
            format!(
                "it needs {needed} open files, and a process may have {files}: raise `ulimit -Hn`"
            )
        });
    }
    let (slots, most) = (cell.in_flight, u64::from(PROCESSES_MAX));
    let have = most.saturating_mul(group::room(limits));
    let each = Limits::files_for_one_of(slots, PROCESSES_MAX);
    (processes > most).then(|| {
        format!(
            "it needs {slots} connections, and {most} processes that may open {files} files each \
             have {have}: type `{}`",
            Limits::raise_files(each)
        )
    })
}

/// Returns that there are too few local ports for what is held, if there are: each address of an
/// origin needs one a connection, and listens at one.
fn few_ports(cell: &Cell, limits: &Limits) -> Option<String> {
    let addresses = cell.addresses();
    let needed = u64::from(cell.in_flight.div_ceil(addresses) + addresses);
    let has = limits.port_count();
    (cell.workload.is_held() && has < needed).then(|| {
        format!("it needs {needed} local ports, and there are {has}: type `{WIDEST_RANGE}`")
    })
}

/// Returns that an address may keep too few connections waiting, if it may: a process connects all
/// of its slots at once, and those that find no place try again a second later, and then more.
fn short_queue(cell: &Cell, backlog: u64) -> Option<String> {
    let needed = u64::from(cell.in_flight.div_ceil(cell.addresses()));
    (backlog < needed).then(|| {
        format!(
            "it needs room for {needed} waiting connections at an address, and there is room for \
             {backlog}: type `sudo sysctl -w net.core.somaxconn=4096`"
        )
    })
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

/// Lets the processes of a participant take a turn together, reads what it takes to have all of
/// their fetches in flight, and then has them answered. Returns the processes, and what came of it.
///
/// # Errors
///
/// Says why one of them reported nothing: then nothing is said of the others.
pub(crate) fn take(
    mut group: Vec<Participant>,
    turn: &Turn,
    service: &mut Service,
) -> Result<(Vec<Participant>, Taken), String> {
    let turns = group::turns(&group, turn);
    let slabs = memory::settled_slabs();
    let before = reading(&group);
    let mut given = Vec::new();
    let mut is_full = true;
    // One after the other: no more connect at once than a process has slots, and no address has
    // more connections than its backlog has room for.
    for (place, (participant, turn)) in group.iter_mut().zip(&turns).enumerate() {
        given.push(participant.give(turn));
        is_full = is_full && wait_until_full(service, (place, participant.cell().slots()));
    }
    let held = is_full.then(|| Held { before, ..plateau(&group, slabs.as_ref()) });
    // Who has lost some meanwhile has not held all.
    let slots: u64 = group.iter().map(|participant| u64::from(participant.cell().slots())).sum();
    let held = held.filter(|_| service.in_flight().is_ok_and(|now| now == slots));
    // An origin that does not release them has failed, which its receipt says.
    let _ = service.release();
    let taken = received(&mut group, (&turns, given), service)?;
    Ok((group, Taken { held, ..taken }))
}

/// Receives what came of the turns of all processes, added up.
fn received(
    group: &mut Vec<Participant>,
    (turns, given): (&[Turn], Vec<Option<Duration>>),
    service: &mut Service,
) -> Result<Taken, String> {
    let processes = group.len();
    let mut sum: Option<Taken> = None;
    for (place, (turn, given)) in turns.iter().zip(given).enumerate() {
        match group[place].receive(turn, given, || service.was_stalled()) {
            Ok(taken) => {
                sum = Some(match sum {
                    Some(sum) => group::both(sum, taken),
                    None => taken,
                });
            }
            Err(error) => {
                let why = group.swap_remove(place).end_after(&error);
                return Err(group::said(why, (place, processes)));
            }
        }
    }
    sum.ok_or_else(|| "it has no process".to_owned())
}

/// Reads what a group has, and what the kernel has in the whole system.
fn reading(group: &[Participant]) -> MemoryReading {
    memory::read(&group.iter().map(Participant::id).collect::<Vec<_>>())
}

/// Waits until the origin of a process holds so many; returns whether it does. Where some do not
/// come, as they have failed, the others are answered without a reading.
fn wait_until_full(service: &mut Service, (place, slots): (usize, u32)) -> bool {
    let began = Instant::now();
    let mut last = (0, began);
    while began.elapsed() < ARRIVAL && last.1.elapsed() < QUIET_MAX {
        let Ok(receipt) = service.seen_of(place) else { return false };
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
fn plateau(group: &[Participant], slabs: Option<&Slabs>) -> Held {
    let cells = || group.iter().map(Participant::cell);
    let held_ms = cells().map(|cell| cell.delay_ms.lo).max().unwrap_or(0);
    let in_flight = cells().map(|cell| cell.in_flight).sum();
    let (began, before) = (Instant::now(), group::cpu(group));
    thread::sleep(Duration::from_millis(held_ms));
    let (wall, after) = (began.elapsed(), group::cpu(group));
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let cpu = after.zip(before).map(|(after, before)| after.saturating_sub(before));
    let now = slabs.and_then(|_| memory::slabs());
    let slab_bytes = slabs.zip(now).map(|(then, now)| memory::grown(then, &now, in_flight));
    Held {
        during: reading(group),
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

    /// The limits of a machine on which a process may open 20,000 files.
    const USUAL: Limits = Limits { files: 20_000, ports: (32_768, 60_999) };

    /// Returns why a model cannot hold so many on it.
    fn reason(model: &Model, in_flight: u32) -> Option<String> {
        absence(model, &cell(in_flight), (&USUAL, Some(4_096)))
    }

    #[test]
    fn a_level_that_a_model_or_the_machine_cannot_hold_says_why() {
        assert_eq!(reason(&model("a"), 256), None);
        let few = reason(&model("a"), 3_000_000).unwrap();
        let words = "it needs 3000000 connections, and 64 processes that may open 20000 files each \
                     have 1273856: type `";
        assert!(few.starts_with(words), "{few}");
        assert!(few.ends_with("sudo prlimit --pid $$ --nofile=46976:46976`"), "{few}");
        let timed = Cell { workload: Workload::Steady, ..cell(19_990) };
        let few = absence(&model("a"), &timed, (&USUAL, None)).unwrap();
        assert!(few.contains("it needs 20054 open files, and a process may have 20000"), "{few}");
        let narrow = Limits { ports: (1, 2_000), ..USUAL };
        let few = absence(&model("a"), &cell(10_000), (&narrow, None)).unwrap();
        let words = "it needs 2005 local ports, and there are 2000: type `sudo sysctl -w net.";
        assert!(few.starts_with(words), "{few}");
        let one = Model { max_in_flight: Some(1), ..model("one") };
        assert_eq!(reason(&one, 1).as_deref(), Some("one in flight by design"));
        let some = Model { max_in_flight: Some(64), ..model("some") };
        assert_eq!(reason(&some, 64), None);
        assert_eq!(reason(&some, 65).as_deref(), Some("at most 64 in flight by design"));
    }

    #[test]
    fn a_level_for_which_threads_or_memory_are_too_few_says_how_the_need_comes_about() {
        // More than any machine has.
        let limits = Limits { files: u64::MAX, ports: (0, u32::MAX) };
        let of = |model: &Model| absence(model, &cell(4_000_000_000), (&limits, None)).unwrap();
        let threads = of(&Model { threads: "in_flight + 2".to_owned(), ..model("a") });
        let words = "it needs 4000000064 threads, one a fetch, which take 250000000 MiB, and there \
                     are ";
        assert!(threads.starts_with(words) && threads.contains(": type `"), "{threads}");
        let memory = of(&model("b"));
        let words = "it needs 64000131072 KiB of memory, 16 a fetch, and there are ";
        assert!(memory.starts_with(words) && memory.contains(": type `"), "{memory}");
    }

    #[test]
    fn a_level_of_which_more_connect_at_once_than_an_address_keeps_waiting_says_so() {
        let few = |in_flight, backlog| absence(&model("a"), &cell(in_flight), (&USUAL, backlog));
        assert_eq!((few(128, Some(128)), few(256, None)), (None, None));
        let words = "it needs room for 256 waiting connections at an address, and there is room \
                     for 128: type `sudo sysctl -w net.core.somaxconn=4096`";
        assert_eq!(few(256, Some(128)).as_deref(), Some(words));
        // However many there are, an address has no more than this.
        let few = short_queue(&cell(10_000), 1_999).unwrap();
        assert!(few.starts_with("it needs room for 2000 "), "{few}");
        assert_eq!(short_queue(&cell(10_000), 2_000), None);
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
}
