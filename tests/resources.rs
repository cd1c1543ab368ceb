//! Descriptors, ports, threads and memory run out for real: what each model then counts is exact,
//! and what it cannot do it says.
//!
//! A program is wrapped in a script that takes the resource away, so that nothing in the harness
//! has to know how. Ports run out in a network namespace of their own, and threads under a user of
//! its own: where the system does not give either, the test is skipped.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use harness::{OriginProcess, Program, Reported, converse};
use model_kit::{Cell, DelayRange, Turn, Workload};
use origin::Record;
use record::Model;
use rules::{Sizes, evaluate};
use tempfile::TempDir;

use crate::support::misbehaving::{behaving, script, scripted};
use crate::support::skip::{is_possible, unshare};
use crate::support::{MODELS, PROGRAMS, beside, built, cell, executable, plan, together_with};

/// Says that this process is the one inside the namespace.
pub(crate) const INSIDE: &str = "INFLIGHT_INSIDE";
/// Namespaces that take the models in turn: in each of them one model after the other has its
/// ports, and waits.
const NAMESPACES: usize = 5;
/// The ports of each.
const PORTS: u64 = 40;
/// Threads that a user may have where the usual cells need more.
const THREADS: u64 = 100;
/// Files that a process may open where they run out.
const FILES: u64 = 64;

/// Users that no system has; each test takes another, since the limit counts all of a user.
static USER: AtomicU32 = AtomicU32::new(64_100);

/// A program in a script that changes what it may use, in a folder that lives as long.
pub(crate) struct Wrapped {
    pub(crate) program: Program,
    _folder: TempDir,
}

/// Wraps the program of a model in what stands before it.
pub(crate) fn wrapped(model: &Model, before: &str) -> Wrapped {
    let folder = tempfile::tempdir().expect("it is made");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    // A copy, since the folders above the real one may be closed to other users.
    let inner = folder.path().join(&model.package);
    copied(&built(&model.package).path, &inner);
    let path = folder.path().join("wrapped");
    let text = before.replace("PROGRAM", &inner.to_string_lossy());
    executable(&path, &format!("#!/bin/sh\n{text}\n"));
    Wrapped { program: Program { path, sha256: String::new(), interpreter: None }, _folder: folder }
}

/// Copies a program by another process, so that it can be run at once: what this one has open for
/// writing while another test starts a child cannot be, before that child runs its own program.
fn copied(program: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-p").arg(program).arg(to).status();
    assert!(copied.expect("cp starts").success(), "{}", program.display());
}

/// Wraps the programs of all models that can have many fetches in flight, before any is started.
fn all_wrapped(before: impl Fn() -> String) -> BTreeMap<&'static str, Wrapped> {
    LazyLock::force(&PROGRAMS);
    wide().map(|model| (model.name.as_str(), wrapped(model, &before()))).collect()
}

/// Returns a batch with as many slots as fetches.
fn waiting(in_flight: u32) -> Cell {
    let delay_ms = DelayRange { lo: 0, hi: 0 };
    Cell { delay_ms, ..cell(Workload::Batch, in_flight, u64::from(in_flight)) }
}

/// Returns the compiled models that can have many fetches in flight; an interpreter needs more of
/// everything before it runs a line of ours.
fn wide() -> impl Iterator<Item = &'static Model> {
    let compiled = MODELS.iter().filter(|model| model.language.is_none());
    compiled.filter(|model| model.max_in_flight.is_none())
}

/// Sets the range of ports from which connections of this namespace are made.
pub(crate) fn ports((first, last): (u64, u64)) {
    let range = "/proc/sys/net/ipv4/ip_local_port_range";
    fs::write(range, format!("{first} {last}")).expect("the namespace is ours");
}

/// Returns the command that runs a test of this program in a network namespace of its own, with a
/// number that the test is told; nothing where the system does not give one.
pub(crate) fn in_namespace(test: &str, number: usize) -> Option<Command> {
    let mut inside = unshare("--net", &["ip", "link", "set", "lo", "up"])?;
    let script = format!("ip link set lo up && exec \"$0\" --nocapture --exact {test}");
    let own = std::env::current_exe().expect("it has a path");
    inside.args(["sh", "-c", &script]).arg(own).env(INSIDE, number.to_string());
    Some(inside)
}

/// Lets a model fetch so many at once, all of which the origin keeps waiting.
fn crowd(
    model: &Model,
    program: &Program,
    (origin, in_flight): (&mut OriginProcess, u32),
) -> (Result<Reported, String>, Record) {
    let fetches = u64::from(in_flight);
    origin.misbehave(script(&["latency"], (fetches, fetches))).expect("it takes a script");
    let plan = plan(waiting(in_flight), scripted(origin));
    let reported = converse(model, program, (&plan, &[]));
    (reported, origin.record().expect("it keeps one"))
}

/// Checks that what this process may use is refused to the usual cells, with these words.
fn refused(words: &str) {
    // Another user may have no cargo to ask for it.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let refusal = harness::preflight((root, None), None, (&harness::quick().cells, &[]))
        .expect_err("there is too little");
    let said = format!("{refusal:#}");
    assert_eq!(harness::exit_code(&refusal), 6, "{said}");
    assert!(said.starts_with("preflight refuses: ") && said.contains(words), "{said}");
}

/// Checks that what got a resource is ok and what did not has this code.
fn check(
    model: &Model,
    (reported, record): (Result<Reported, String>, Record),
    code: &str,
    least: u64,
) {
    let total = reported.unwrap_or_else(|why| panic!("{}: {why}", model.name)).turned.total;
    let without = total.issued - total.ok;
    assert_eq!(total.errors, [(code.to_owned(), without)].into(), "{}: {total:?}", model.name);
    assert_eq!(record.requests, total.ok, "{}: {total:?} {record:?}", model.name);
    assert!(without >= least && total.ok > 0, "{}: {total:?}", model.name);
}

#[test]
fn without_descriptors_the_fetches_that_got_none_are_1001_and_the_others_are_ok() {
    let _beside = beside();
    let few = all_wrapped(|| format!("ulimit -n {FILES}\nexec PROGRAM"));
    together_with(wide(), behaving, |origin, model| {
        let few = &few[model.name.as_str()].program;
        check(model, crowd(model, few, (origin, 120)), "1001", 120 - FILES);
    });
}

#[test]
fn without_ports_the_fetches_that_got_none_are_1002_and_the_others_are_ok() {
    if let Ok(part) = std::env::var(INSIDE) {
        let part = part.parse().expect("it is the number of a namespace");
        // Each model gets ports of its own: those of the one before linger for a minute.
        let models = wide().skip(part).step_by(NAMESPACES);
        for (model, first) in models.zip((40_000..).step_by(100)) {
            ports((32_768, 60_999));
            let mut origin = behaving();
            ports((first, first + PORTS - 1));
            refused(&format!("there are {PORTS} local ports, and the cells need "));
            check(
                model,
                crowd(model, &built(&model.package), (&mut origin, 60)),
                "1002",
                60 - PORTS,
            );
        }
        return;
    }

    // Built outside, where cargo has what it needs.
    built("origin");
    wide().for_each(|model| drop(built(&model.package)));
    let _beside = beside();
    let name = "resources::without_ports_the_fetches_that_got_none_are_1002_and_the_others_are_ok";
    let mut namespaces = Vec::new();
    for part in 0..NAMESPACES {
        let Some(mut inside) = in_namespace(name, part) else { return };
        namespaces.push(inside.spawn().expect("it starts"));
    }
    let statuses = namespaces.iter_mut().map(|inside| inside.wait().expect("it ends"));
    assert!(statuses.collect::<Vec<_>>().iter().all(ExitStatus::success));
}

#[test]
fn without_threads_a_model_fails_with_the_reason_and_never_hangs() {
    if !can_be_another_user() {
        return;
    }
    let _beside = beside();
    let few = all_wrapped(|| format!("exec {} PROGRAM", of_another_user(1)));
    together_with(wide(), behaving, |origin, model| {
        let plan = plan(waiting(8), scripted(origin));
        let sizes = Sizes::of(&plan, &Turn::of(&plan.cell, 0, 0));
        let threads = evaluate(&model.threads, sizes);
        let few = &few[model.name.as_str()].program;
        let (reported, record) = crowd(model, few, (origin, 8));
        match reported {
            Ok(reported) => {
                // One of those in its manifest is the kit's, which a batch does without.
                assert_eq!(threads, Some(2), "{} needs more than one", model.name);
                assert_eq!((reported.turned.total.ok, record.requests), (8, 8), "{}", model.name);
            }
            Err(why) => {
                assert!(why.contains("Resource temporarily unavailable"), "{}: {why}", model.name);
                // What a library does about it is its own affair.
                let ours = ["panicked at crates/", "panicked at /rustc/"];
                let ours = ours.iter().any(|words| why.contains(words));
                assert!(!ours, "{}: {why}", model.name);
            }
        }
    });
}

#[test]
fn too_few_threads_are_refused_as_the_system_counts_them() {
    if std::env::var_os(INSIDE).is_some() {
        refused(&format!("threads, and there are {THREADS}: type `ulimit -u unlimited`"));
        return;
    }

    if !can_be_another_user() {
        return;
    }
    let folder = tempfile::tempdir().expect("it is made");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let own = folder.path().join("own");
    copied(&std::env::current_exe().expect("it has a path"), &own);
    let own = own.display();
    let script = format!(
        "exec {} {own} --exact resources::too_few_threads_are_refused_as_the_system_counts_them",
        of_another_user(THREADS)
    );
    let inside = Command::new("/bin/sh").args(["-c", &script]).env(INSIDE, "1").output();
    let inside = inside.expect("it starts");
    let said = String::from_utf8_lossy(&inside.stdout);
    assert!(inside.status.success() && said.contains("1 passed"), "{said}");
}

/// Returns what stands before a command so that a user who does nothing else runs it, with so many
/// threads at most.
pub(crate) fn of_another_user(threads: u64) -> String {
    let user = USER.fetch_add(1, Ordering::Relaxed);
    let run = format!("--reuid={user} --regid={user} --clear-groups");
    format!("/usr/bin/prlimit --nproc={threads}:{threads} /usr/bin/setpriv {run}")
}

#[test]
fn without_memory_a_model_fails_with_the_reason() {
    let _beside = beside();
    let little = all_wrapped(|| "ulimit -v 30000\nexec PROGRAM".to_owned());
    together_with(wide(), behaving, |origin, model| {
        let little = &little[model.name.as_str()].program;
        let many = Cell { fetches: 20_000_000, ..waiting(4) };
        let reported = converse(model, little, (&plan(many, scripted(origin)), &[]));
        let why = reported.expect_err("there is no room for so many latencies");
        assert!(why.contains("memory allocation of"), "{}: {why}", model.name);
    });
}

/// Returns whether this process may become another user; where not, the test is skipped.
pub(crate) fn can_be_another_user() -> bool {
    let mut another = Command::new("setpriv");
    is_possible(another.args(["--reuid=64099", "true"]), "this user cannot become another")
}

/// The scripts need these, which Linux systems have.
#[test]
fn what_the_scripts_need_is_where_they_look_for_it() {
    for path in ["/bin/sh", "/usr/bin/prlimit", "/usr/bin/setpriv"] {
        assert!(Path::new(path).exists(), "{path} is missing");
    }
}
