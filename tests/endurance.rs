//! Failures cost no memory and leave nothing behind: no connection, no thread, no descriptor.
//!
//! `INFLIGHT_FETCHES=1000000 cargo test --test programs endurance` lets every model on the shared
//! core fetch as often with 10 % of bad replies; the default is less.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::{Child, Start, time_for};
use model_kit::pipe::{FromModel, ToModel, Turned};
use model_kit::{Cell, DelayRange, Plan, Turn, Workload, ids_digest};
use nix::unistd::Pid;
use origin::FAULTS;
use record::Model;
use rules::{Sizes, evaluate};

use crate::support::misbehaving::{misbehaving, scripted};
use crate::support::{
    MODELS, alone, bare, beside, built, cell, connections, drivers, held, plan, together,
};

/// Fetches of a long trial, unless the environment asks for others.
const FETCHES: u64 = 20_000;
/// What the memory of a model may grow by while it counts failures, in KiB, besides its table of
/// latencies: pages that an allocator had not yet touched.
const GROWTH_KIB_MAX: u64 = 1_024;
/// The faults whose replies are so long that they are tried by themselves.
const LARGE: [&str; 3] = ["head_endless", "field_too_long", "interim_1000"];
/// What one fetch takes in that table, which is reserved before the first, in bytes.
const LATENCY_BYTES: u64 = 8;
/// How long a model may take to answer, and what a turn leaves to go away, on a machine however
/// busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a living process holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Holds {
    /// Connections, whatever their state.
    connections: usize,
    /// Sockets of any kind.
    sockets: usize,
    descriptors: usize,
    threads: u64,
}

/// A trial, and its process after it.
struct Lived {
    turned: Turned,
    /// What it had used of the CPUs and its resident memory in KiB, in equal steps of time.
    memory: Vec<(u64, u64)>,
    holds: Holds,
}

/// Lets a model carry out a plan, and looks at its process meanwhile, and after until it holds as
/// little as it may: what it lets go goes in its own time.
fn live(model: &Model, plan: &Plan, is_little: impl Fn(&Holds) -> bool) -> Lived {
    let program = built(&model.package);
    let own = model.env.iter();
    let own = own.map(|(name, value)| (name.clone(), value.replace("{workers}", "1")));
    let interpreter = program.interpreter.iter().map(|found| {
        ("INFLIGHT_INTERPRETER".to_owned(), found.path.to_string_lossy().into_owned())
    });
    let env: BTreeMap<String, String> = own.chain(interpreter).collect();
    let start = Start { program: &program.path, arguments: Vec::new(), env, cpus: &[] };
    let mut child: Child<FromModel> = Child::start(&start).expect("it starts");
    let hello = child.receive(Instant::now() + PATIENCE);
    assert!(matches!(hello, Ok(FromModel::Hello(_))), "{}: {hello:?}", model.name);
    child.send(&ToModel::Plan(plan.clone()));
    let ready = child.receive(Instant::now() + PATIENCE);
    assert!(matches!(ready, Ok(FromModel::Ready)), "{}: {ready:?}", model.name);
    let turn = Turn::of(&plan.cell, 0, 0);
    child.send(&ToModel::Turn(turn));

    let (id, ended) = (child.id(), AtomicBool::new(false));
    let (reported, memory) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut seen = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                seen.push((ticks(id), field(id, "VmRSS:")));
                thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        let patience = time_for(plan, &turn) + Duration::from_millis(plan.cell.fetches) + PATIENCE;
        let reported = child.receive(Instant::now() + patience);
        ended.store(true, Ordering::Relaxed);
        (reported, watch.join().expect("it only reads"))
    });
    let Ok(FromModel::Turned(turned)) = reported else { panic!("{}: {reported:?}", model.name) };

    let began = Instant::now();
    let mut holds = holds(id);
    while !is_little(&holds) && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(10));
        holds = self::holds(id);
    }
    child.dismiss().unwrap_or_else(|why| panic!("{}: {why}", model.name));
    Lived { turned, memory, holds }
}

/// Returns what a process holds now.
fn holds(id: u32) -> Holds {
    // First, so that none of them is among the sockets when it is gone.
    let connections = connections(Pid::from_raw(i32::try_from(id).expect("a process id is one")));
    let links = fs::read_dir(format!("/proc/{id}/fd")).expect("it lives").flatten();
    let links: Vec<_> = links.filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
    let is_socket = |link: &&PathBuf| link.to_string_lossy().starts_with("socket:");
    Holds {
        connections,
        sockets: links.iter().filter(is_socket).count(),
        descriptors: links.len(),
        threads: threads(id),
    }
}

/// Returns how many threads a process has, but for those by which the kernel carries out what a
/// ring of the process asked for: it keeps one that it needed once.
fn threads(id: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).expect("it lives").flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| !name.starts_with("iou-")).count() as u64
}

/// Returns the CPU time of a process, in ticks of the kernel: two fields behind its name, which is
/// in brackets.
fn ticks(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// Returns a number in the status of a process.
fn field(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Returns a cell whose origin answers at once.
fn at_once(model: &Model, in_flight: u32, fetches: u64) -> Cell {
    let delay_ms = DelayRange { lo: 0, hi: 0 };
    held(model, &Cell { delay_ms, ..cell(Workload::Batch, in_flight, fetches) })
}

#[test]
fn a_fetch_that_is_cut_at_its_deadline_leaves_nothing_behind() {
    let late: Vec<&str> =
        FAULTS.iter().filter(|fault| fault.needs_a_deadline()).map(|fault| fault.name).collect();
    // The deadline is short, and all that are late wait for it at the same time. So do a few
    // models, and nobody else has the machine: it would make good replies late.
    let _alone = alone();
    together(MODELS.iter(), |model| {
        let count = late.len() as u64;
        let many = at_once(model, 16, 2 * count);
        let origin = misbehaving(&[], (0, 0));
        let good = plan(many.clone(), scripted(&origin));
        let sizes = Sizes::of(&good, &Turn::of(&good.cell, 0, 0));
        let threads = evaluate(&model.threads, sizes).unwrap_or(0);
        let whole = live(model, &good, |holds| holds.connections == 0);
        assert_eq!(whole.turned.total.ok, 2 * count, "{}: {:?}", model.name, whole.turned.total);
        // The loop of an interpreter may keep a pair of its own, by which it is woken.
        let sockets = if model.language.is_none() { 0 } else { whole.holds.sockets };
        // A timer that was needed may keep a descriptor of its own.
        let descriptors = whole.holds.descriptors + 1;

        let is_little = |holds: &Holds| {
            holds.connections == 0
                && holds.sockets <= sockets
                && holds.descriptors <= descriptors
                && holds.threads <= threads
        };
        let cut_after = |deadline_ms| {
            let origin = misbehaving(&late, (count, 2 * count));
            let plan = Plan { deadline_ms, ..plan(many.clone(), scripted(&origin)) };
            live(model, &plan, is_little)
        };
        // On a busy machine good replies are late too: the second limit is a patient one.
        let mut cut = [500, 1_500].map(Some).into_iter().map(cut_after).inspect(|cut| {
            eprintln!("{}: {:?}", model.name, cut.turned.total);
        });
        let cut = cut.find(|cut| cut.turned.total.errors.values().sum::<u64>() == count);
        let cut = cut.unwrap_or_else(|| panic!("{}: it counted other failures", model.name));
        assert!(
            is_little(&cut.holds),
            "{}: {:?}, and {sockets} sockets, {descriptors} descriptors and {threads} threads are \
             allowed",
            model.name,
            cut.holds
        );
    });
}

#[test]
fn many_failures_are_counted_to_the_last_in_memory_that_does_not_grow() {
    let _beside = beside();
    let asked = std::env::var("INFLIGHT_FETCHES").ok().and_then(|fetches| fetches.parse().ok());
    let quick = failing(|name| !LARGE.contains(&name));
    let fetches = asked.unwrap_or(FETCHES);
    together(bare(), |model| endure(model, &quick, (16, fetches)));
}

#[test]
fn replies_without_measure_are_cut_in_memory_that_does_not_grow() {
    let _beside = beside();
    let large = failing(|name| LARGE.contains(&name));
    assert_eq!(large.len(), LARGE.len());
    // Fewer, since the origin sends up to a megabyte for each; and in flight fewer, since what is
    // read before a reply is cut is the longest head for each of them. It is the core that cuts.
    together(drivers(), |model| endure(model, &large, (4, FETCHES)));
}

/// Returns the faults of some names that fail by themselves.
fn failing(is_meant: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let failing = FAULTS.iter().filter(|fault| fault.code(true).is_some());
    let failing = failing.filter(|fault| !fault.needs_a_deadline() && is_meant(fault.name));
    failing.map(|fault| fault.name).collect()
}

/// Lets a model fetch so often, so many at once, with bad replies to a tenth, and checks that it
/// counts all of them and holds no more memory for it.
fn endure(model: &Model, faults: &[&str], (in_flight, fetches): (u32, u64)) {
    let mut origin = misbehaving(faults, (fetches / 10, fetches));
    let plan = plan(at_once(model, in_flight, fetches), scripted(&origin));
    let Lived { turned: trial, memory, .. } = live(model, &plan, |holds| holds.connections == 0);
    let record = origin.record().expect("it keeps one");

    let failed: u64 = trial.total.errors.values().sum();
    assert_eq!((trial.total.issued, failed), (fetches, fetches / 10), "{}", model.name);
    assert_eq!(trial.total.errors, record.failures, "{}", model.name);
    assert_eq!(record.requests, fetches, "{}", model.name);
    assert_eq!(record.requests_digest, ids_digest(0..fetches), "{}", model.name);
    let timed: u64 = trial.latencies_ns.iter().map(|(_, count)| count).sum();
    assert_eq!(timed, trial.total.ok, "{}", model.name);

    // A tenth of the way the model has warmed up: of what it has used of the CPUs, since on a busy
    // machine it may wait for them for longer before it has begun.
    let [(first, _), (last, end)] = [0, memory.len() - 1].map(|place| memory[place]);
    let is_warm = |(used, _): &&(u64, u64)| *used > first + last.saturating_sub(first) / 10;
    let warm = memory.iter().find(is_warm).map_or(end, |(_, kib)| *kib);
    let peak = memory.iter().map(|(_, kib)| *kib).max().unwrap_or(0);
    let table = fetches * LATENCY_BYTES / 1_024;
    eprintln!(
        "{}: {fetches} fetches, {failed} failures, {warm} KiB grew by {} KiB, of which the table \
         has up to {table}",
        model.name,
        peak - warm
    );
    assert!(peak <= warm + table + GROWTH_KIB_MAX, "{}: {memory:?}", model.name);
}
