//! Failures cost no memory and leave nothing behind: no connection, no thread, no descriptor.
//!
//! `INFLIGHT_FETCHES=1000000 cargo test --test endurance` lets every model on the shared
//! core fetch as often with 10 % of bad replies; the default is less.

mod support;

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

use support::misbehaving::{misbehaving, scripted};
use support::{MODELS, alone, bare, built, cell, connections, held, plan};

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
    /// The resident memory while it ran, in KiB, in equal steps of time.
    resident_kib: Vec<u64>,
    holds: Holds,
}

/// Lets a model carry out a plan, and looks at its process meanwhile and after.
fn live(model: &Model, plan: &Plan) -> Lived {
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
    let (reported, resident_kib) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut seen = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                seen.push(field(id, "VmRSS:"));
                thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        let patience = time_for(plan, &turn) + Duration::from_millis(plan.cell.fetches);
        let reported = child.receive(Instant::now() + patience);
        ended.store(true, Ordering::Relaxed);
        (reported, watch.join().expect("it only reads"))
    });
    let Ok(FromModel::Turned(turned)) = reported else { panic!("{}: {reported:?}", model.name) };

    let began = Instant::now();
    let mut holds = holds(id);
    while holds.connections > 0 && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(10));
        holds = self::holds(id);
    }
    child.dismiss().unwrap_or_else(|why| panic!("{}: {why}", model.name));
    Lived { turned, resident_kib, holds }
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
    let _alone = alone();
    let late: Vec<&str> =
        FAULTS.iter().filter(|fault| fault.needs_a_deadline()).map(|fault| fault.name).collect();
    for model in MODELS.iter() {
        let count = late.len() as u64;
        let origin = misbehaving(&late, (count, 2 * count));
        let late_plan = Plan {
            deadline_ms: Some(200),
            ..plan(at_once(model, 8, 2 * count), scripted(&origin))
        };
        let cut = live(model, &late_plan);
        let failed: u64 = cut.turned.total.errors.values().sum();
        assert_eq!(failed, count, "{}: {:?}", model.name, cut.turned.total);

        let origin = misbehaving(&[], (0, 0));
        let whole = live(model, &plan(at_once(model, 8, 2 * count), scripted(&origin)));
        assert_eq!(whole.turned.total.ok, 2 * count, "{}", model.name);
        assert_eq!(cut.holds.connections, 0, "{}: {:?}", model.name, cut.holds);
        // The loop of an interpreter may keep a pair of its own, by which it is woken.
        let kept = if model.language.is_none() { 0 } else { whole.holds.sockets };
        assert!(cut.holds.sockets <= kept, "{}: {:?}, {kept}", model.name, cut.holds);
        // A timer that was needed may keep a descriptor of its own.
        assert!(cut.holds.descriptors <= whole.holds.descriptors + 1, "{}", model.name);
        let most =
            evaluate(&model.threads, Sizes::of(&late_plan, &Turn::of(&late_plan.cell, 0, 0)))
                .unwrap_or(0);
        assert!(cut.holds.threads <= most, "{}: {:?}", model.name, cut.holds);
    }
}

#[test]
fn many_failures_are_counted_to_the_last_in_memory_that_does_not_grow() {
    let _alone = alone();
    let asked = std::env::var("INFLIGHT_FETCHES").ok().and_then(|fetches| fetches.parse().ok());
    let quick = failing(|name| !LARGE.contains(&name));
    for model in bare() {
        endure(model, &quick, (16, asked.unwrap_or(FETCHES)));
    }
}

#[test]
fn replies_without_measure_are_cut_in_memory_that_does_not_grow() {
    let _alone = alone();
    let large = failing(|name| LARGE.contains(&name));
    assert_eq!(large.len(), LARGE.len());
    for model in bare() {
        // Fewer, since the origin sends up to a megabyte for each; and in flight fewer, since what
        // is read before a reply is cut is the longest head for each of them.
        endure(model, &large, (4, FETCHES));
    }
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
    let Lived { turned: trial, resident_kib, .. } = live(model, &plan);
    let record = origin.record().expect("it keeps one");

    let failed: u64 = trial.total.errors.values().sum();
    assert_eq!((trial.total.issued, failed), (fetches, fetches / 10), "{}", model.name);
    assert_eq!(trial.total.errors, record.failures, "{}", model.name);
    assert_eq!(record.requests, fetches, "{}", model.name);
    assert_eq!(record.requests_digest, ids_digest(0..fetches), "{}", model.name);
    let timed: u64 = trial.latencies_ns.iter().map(|(_, count)| count).sum();
    assert_eq!(timed, trial.total.ok, "{}", model.name);

    // A tenth of the way the model has warmed up.
    let warm = resident_kib[resident_kib.len() / 10];
    let peak = resident_kib.iter().copied().max().unwrap_or(0);
    let table = fetches * LATENCY_BYTES / 1_024;
    eprintln!(
        "{}: {fetches} fetches, {failed} failures, {warm} KiB grew by {} KiB, of which the table \
         has up to {table}",
        model.name,
        peak - warm
    );
    assert!(peak <= warm + table + GROWTH_KIB_MAX, "{}: {resident_kib:?}", model.name);
}
