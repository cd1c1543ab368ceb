//! What cannot be measured here and now is refused with exit code 6, before anything is prepared
//! or built for it: the folder that would be built into stays empty.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use harness::RunLock;
use tempfile::TempDir;

use crate::support::bench::bench_program;
use crate::support::shell::{check, text};
use crate::support::skip::unshare;
use crate::support::{WORKSPACE, alone, built};

/// How often the machine is asked for, which others may be using, each time after a moment.
const TRIES: u32 = 6_000;
/// The moment.
const MOMENT: Duration = Duration::from_millis(100);

/// Returns the program, which would build into a folder.
fn program(target: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(built("inflight").path);
    command.args(arguments).current_dir(&WORKSPACE.root).env("CARGO_TARGET_DIR", target);
    command
}

/// Returns a folder with nothing in it.
fn empty() -> TempDir {
    tempfile::tempdir().expect("it is made")
}

/// Checks that a folder has nothing in it.
fn is_empty(folder: &Path) {
    let mut left = fs::read_dir(folder).expect("it is there").flatten();
    assert_eq!(left.next().map(|entry| entry.path()), None, "nothing is prepared or built");
}

/// Returns the path as an argument.
fn word(path: &Path) -> &str {
    path.to_str().expect("our paths are UTF-8")
}

/// Runs a script in a namespace of this kind, in which `$inflight` is the program that would build
/// into a folder; a trial says whether such a namespace can be had.
fn inside((kind, trial): (&str, &str), target: &Path, script: &str) -> Option<Output> {
    let mut unshare = unshare(kind, &["sh", "-c", trial])?;
    unshare.args(["sh", "-c", script]).current_dir(&WORKSPACE.root);
    unshare.env("inflight", built("inflight").path).env("CARGO_TARGET_DIR", target);
    Some(unshare.output().expect("it starts"))
}

/// Claims the machine as a run does, once nobody else uses it.
fn claimed() -> RunLock {
    let mut tries = (0..TRIES).filter_map(|number| {
        thread::sleep(if number == 0 { Duration::ZERO } else { MOMENT });
        RunLock::on_this_machine().ok()
    });
    tries.next().expect("whoever else measures here comes to an end")
}

#[test]
fn without_loopback_the_command_that_fixes_it_is_named_and_nothing_is_built() {
    let (target, results) = (empty(), empty());
    let run = format!("$inflight run tokio --out {}", results.path().display());
    let compare = format!("$inflight compare tokio tokio@1.0.0 --out {}", results.path().display());
    let explain = "$inflight explain tokio";
    for script in ["$inflight verify tokio", "$inflight verify --faults", explain, &run, &compare] {
        let ran = inside(("--net", "true"), target.path(), script);
        let Some(output) = ran else { return };
        check(&output, 6, "preflight refuses: nothing can be sent over loopback (");
        check(&output, 6, ": type `sudo ip link set lo up`");
        is_empty(target.path());
        is_empty(results.path());
    }
}

#[test]
fn without_room_on_the_disk_nothing_is_built() {
    let (target, small) = (empty(), empty());
    let small = small.path().display();
    let full = format!("mount -t tmpfs -o size=4m none {small}");
    let results = format!("{full} && $inflight run tokio --out {small}/results");
    let built_into = format!("{full} && CARGO_TARGET_DIR={small} $inflight verify tokio");
    let for_results = "4 MiB are free where a run writes, and it needs 16: make room";
    let for_programs = "4 MiB are free where programs are built, and what is not built yet needs";
    for (script, words) in [(results, for_results), (built_into, for_programs)] {
        // What the small disk holds is seen in there alone.
        let script = format!("{script}; code=$?; ls -A {small}; exit $code");
        let Some(output) = inside(("--mount", &full), target.path(), &script) else { return };
        check(&output, 6, words);
        assert_eq!(text(&output), "");
        is_empty(target.path());
    }
}

#[test]
fn where_nothing_can_be_built_that_is_said_before_anything_is() {
    let results = empty();
    let run = ["run", "tokio", "--out", word(results.path())];
    for arguments in [&["verify", "tokio"][..], &run] {
        let output = program(Path::new("/proc/target"), arguments).output().expect("it starts");
        check(&output, 6, "nothing can be written where programs are built (/proc: ");
        check(&output, 6, ": type `export CARGO_TARGET_DIR=");
        is_empty(results.path());
    }
}

#[test]
fn while_a_run_measures_nothing_else_does_and_who_measures_is_named() {
    let _alone = alone();
    let (target, results) = (empty(), empty());
    let out = word(results.path());
    let inflight: [&[&str]; 6] = [
        &["verify", "tokio"],
        &["verify", "--faults"],
        &["explain", "threads"],
        &["run", "tokio", "--out", out],
        &["run", "--preset", "sweep", "--out", out],
        // There is no such version, and nobody is asked for it.
        &["compare", "tokio", "tokio@999.0.0", "--out", out],
    ];
    let rehearsals = ["fetch", "primitives", "sweep"].map(|name| bench_program(name, "dev"));
    let measures = ["claims", "sweep"].map(|name| bench_program(name, "bench"));
    built("inflight");

    let lock = claimed();
    let refused = |mut command: Command| {
        let output = command.output().expect("it starts");
        let process = std::process::id();
        let who = format!("another run, process {process}, is measuring on this machine: wait");
        check(&output, 6, &who);
        is_empty(target.path());
    };
    for arguments in inflight {
        refused(program(target.path(), arguments));
    }
    let bench = |name: &String, argument| {
        let mut command = Command::new(name);
        command.args(["--bench", argument]).current_dir(&WORKSPACE.root);
        command
    };
    for name in &rehearsals {
        refused(bench(name, "--test"));
    }
    for name in &measures {
        refused(bench(name, "--quiet"));
    }
    drop(lock);
}

#[test]
fn a_run_is_met_from_other_namespaces_of_its_machine() {
    let _alone = alone();
    let target = empty();
    built("inflight");
    // Another network has other names of sockets, and other disks have other files.
    let ways = [("--net", "ip link set lo up"), ("--mount", "mount -t tmpfs none /dev/shm")];
    let _lock = claimed();
    for (kind, first) in ways {
        let script = format!("{first} && exec $inflight verify tokio");
        let Some(output) = inside((kind, first), target.path(), &script) else { return };
        check(&output, 6, "error: another run");
        check(&output, 6, "is measuring on this machine: wait until it has ended");
        is_empty(target.path());
    }
}
