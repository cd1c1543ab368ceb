//! A model that hangs, dies or writes malformed lines becomes a recorded failure, and the others go
//! on; the death of the origin is nobody's but its own.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use harness::{Event, OriginProcess, Program, Programs};
use model_kit::{Cell, DelayRange, Workload};
use nix::sys::signal::Signal;
use record::{Model, State};

use crate::support;
use crate::support::misbehaving::{behaving, scripted};
use crate::support::shell::{copy_workspace, text};
use crate::support::{
    Ran, WORKSPACE, alone, basis, beside, built, cell, faulty, house, is_valid, placement, plan,
    reasons_of, strike,
};

/// Slots of a small cell.
const SLOTS: u16 = 8;

/// Lets the faulty model misbehave and returns what the harness says of it.
fn outcome(fault: &str) -> Result<(), String> {
    let _beside = beside();
    reported(fault)
}

/// The same for whoever has claimed this program already.
fn reported(fault: &str) -> Result<(), String> {
    let model = faulty(fault);
    let origin = behaving();
    let plan = plan(cell(Workload::Batch, 1, 2), scripted(&origin));
    let program = built(&model.package);
    harness::converse(&model, &program, (&plan, &placement().model_cpus)).map(drop)
}

/// Checks that a fault is reported by a sentence with these words.
fn check(fault: &str, words: &str) {
    let said = outcome(fault).expect_err("it does not pass");
    assert!(said.contains(words), "{fault}: {said}");
    assert!(said.len() < 600, "{fault}: {said}");
}

#[test]
fn a_model_that_behaves_passes() {
    assert_eq!(outcome("none"), Ok(()));
}

#[test]
fn a_model_that_never_says_hello_is_killed() {
    check("mute", "timed out and was killed");
}

#[test]
fn a_model_that_hangs_is_killed() {
    let said = outcome("hang").expect_err("it does not pass");
    assert!(said.contains("timed out and was killed; its threads: "), "{said}");
    assert!(said.contains("1 x model-faulty waits for time to pass"), "{said}");
    assert!(said.len() < 600, "{said}");
}

#[test]
fn a_model_that_does_not_leave_is_killed() {
    let said = outcome("stay").expect_err("it does not pass");
    assert!(
        said.starts_with("it did not leave when its pipe was closed, and was killed"),
        "{said}"
    );
    assert!(said.contains("1 x model-faulty waits for time to pass"), "{said}");
}

#[test]
fn a_malformed_line_on_the_pipe_is_reported_with_what_was_said() {
    check("malformed", "hello, this is no JSON");
    check("not a number", "it sent a malformed message on the pipe");
    check("two results", "it sent a malformed message on the pipe");
    check("afterthought", "it reported more than one result");
    check("endless line", "a line of more than 1048576 bytes");
}

#[test]
fn a_model_that_dies_is_reported_by_how_it_died() {
    check("die", "it was killed by signal 6");
    check("panic", "exit code 101: ");
    check("panic", "this model panics");
    check("leave", "it ended before it reported its result");
    check("refuse", "exit code 1: the model: no runtime today");
    check("bad exit", "exit code 9");
    check("one too few", "the window did not close");
}

#[test]
fn a_model_that_may_not_be_measured_is_refused() {
    check("old protocol", "it speaks protocol 0, expected 2");
    check("other name", "it says that it is \"other\", not \"faulty\"");
    check("debug build", "it was built with debug assertions");
}

#[test]
fn a_model_that_floods_stderr_is_drained() {
    assert_eq!(outcome("flood"), Ok(()));
}

#[test]
fn what_a_model_leaves_behind_is_ended_and_nobody_waits_for_it() {
    let _alone = alone();
    built("model-faulty");
    // It sleeps for an hour, which this test would take if somebody waited for it.
    assert_eq!(reported("orphan"), Ok(()));
    // The kernel takes a moment to carry the signal out, and longer on a machine that is busy; the
    // limit only keeps this from going on for as long as it sleeps.
    let sleeps = || processes(|line| line == "/bin/sleep\x003661\0");
    let looked = (0..6_000).position(|_| {
        thread::sleep(Duration::from_millis(10));
        !sleeps()
    });
    assert!(looked.is_some(), "the sleeper is ended");
}

#[test]
fn nothing_is_explained_of_a_model_that_no_run_would_believe() {
    let _beside = beside();
    let cell = Cell { delay_ms: DelayRange { lo: 100, hi: 100 }, ..cell(Workload::Steady, 1, 4) };
    for (fault, words) in
        [("orphan", "it started other processes (1)"), ("lie: twice the fetches", " issued of ")]
    {
        let model = faulty(fault);
        let programs = Programs {
            origin: built("origin"),
            models: [(model.name.clone(), built(&model.package))].into(),
            primitives: [].into(),
            missing: Vec::new(),
        };
        let explained = harness::explain((&model, &cell), (&programs, &placement()));
        let said = format!("{:#}", explained.expect_err("it is not believed"));
        assert!(said.starts_with("faulty: ") && said.contains(words), "{fault}: {said}");
    }
}

#[test]
fn a_program_that_is_missing_is_named() {
    let missing =
        Program { path: PathBuf::from("/no/such/model"), sha256: String::new(), interpreter: None };
    let plan = plan(cell(Workload::Batch, 1, 1), vec!["127.0.0.1:1".parse().expect("an address")]);
    let said = harness::converse(&faulty("none"), &missing, (&plan, &[]));
    assert!(said.expect_err("it is missing").starts_with("failed to start model: "));
}

#[test]
fn an_origin_that_cannot_start_is_named() {
    let no_origin =
        Program { path: PathBuf::from("/bin/false"), sha256: String::new(), interpreter: None };
    let error = OriginProcess::start(&no_origin, &placement()).expect_err("it is none");
    let said = format!("{error:#}");
    assert!(said.contains("failed to start the origin: it ended with exit code 1"));
}

#[test]
fn a_unit_that_panics_costs_its_fetch_and_no_other() {
    let _beside = beside();
    let mut origin = behaving();
    let model = faulty("units: one panics");
    let plan = plan(cell(Workload::Batch, 4, 40), scripted(&origin));
    let reported =
        harness::converse(&model, &built(&model.package), (&plan, &placement().model_cpus));
    let total = reported.expect("the model lives on").turned.total;
    assert_eq!((total.issued, total.ok), (40, 39));
    assert_eq!(total.errors, [("1006".to_owned(), 1)].into());
    assert_eq!(origin.record().expect("it keeps one").requests, 39);
}

#[test]
fn others_go_on_after_a_model_has_failed() {
    let _beside = beside();
    let ran = run(&[faulty("die"), house("tokio"), house("threads")]);
    for turn in &ran.turns {
        match turn.model.as_str() {
            "faulty" => {
                assert!(matches!(&turn.state, State::Failed(why) if why.contains("signal 6")));
            }
            _ => assert!(is_valid(turn), "{}: {:?}", turn.model, turn.state),
        }
    }
    assert_eq!(ran.turns.len(), 6, "two blocks of a round of three");
}

#[test]
fn a_run_in_which_a_measured_fetch_failed_exits_with_4_and_prints_the_table() {
    let copy = tempfile::tempdir().expect("there is room for a copy");
    copy_workspace(copy.path());
    // One unit of this model panics in its fetch: the others fetch on, to the end of the trial.
    let there = copy.path().join("crates/model-faulty");
    fs::rename(copy.path().join("tests/models/faulty"), &there).expect("it is ours");
    let manifest = fs::read_to_string(there.join("Cargo.toml")).expect("it is there");
    let fault = "threads = \"in_flight + 1\"\nmax_in_flight = 4\n\
                 env = { FAULT = \"units: one panics\" }";
    let manifest = manifest.replace("threads = \"2\"", fault);
    fs::write(there.join("Cargo.toml"), manifest).expect("it is ours");

    // No other test that goes on beside others claims the machine.
    let _beside = beside();
    let mut command = Command::new(built("inflight").path);
    command.args(["run", "faulty", "--cell", "batch", "--blocks", "1", "--out", "results"]);
    command.current_dir(copy.path()).env("CARGO_TARGET_DIR", &WORKSPACE.target);
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let lost = command.stdout(full).output().expect("it starts");
    let output = command.stdout(Stdio::piped()).output().expect("it starts");
    let (said, table) = (String::from_utf8_lossy(&output.stderr), text(&output));
    assert_eq!(output.status.code(), Some(4), "{said}{table}");
    let row = |model: &str| table.lines().find(|line| line.trim_start().starts_with(model));
    assert!(row("event-loop").is_some() && row("tokio").is_some(), "{table}");
    let why = row("faulty").expect("it is a row");
    assert!(why.contains("  invalid: 1 of 64 fetches failed: 1 x 1006"), "{said}{table}");
    // Whoever does not get the table learns that first.
    let said = String::from_utf8_lossy(&lost.stderr);
    assert_eq!(lost.status.code(), Some(8), "{said}");
    assert!(said.contains("error: failed to write stdout ("), "{said}");
}

#[test]
fn a_model_that_waits_in_series_is_invalid() {
    let _beside = beside();
    let ran = run(&[faulty("series"), house("tokio")]);
    let faulty: Vec<_> = ran.turns.iter().filter(|turn| turn.model == "faulty").collect();
    assert_eq!(faulty.len(), 2);
    for turn in faulty {
        // One slot makes all fetches of a batch, and the others never connect.
        let words = "the origin accepted 1 connections, exactly 8 are expected";
        assert!(reasons_of(turn).contains(&words.to_owned()), "{:?}", turn.state);
    }
}

#[test]
fn the_death_of_the_origin_is_not_blamed_on_a_model() {
    let _beside = beside();
    let mut killed = false;
    // Long enough for a blow that a busy machine delays.
    let delay_ms = DelayRange { lo: 500, hi: 500 };
    let cell = Cell { delay_ms, ..cell(Workload::Batch, SLOTS.into(), 32) };
    let models = [house("tokio"), house("threads"), house("smol")];
    let ran = support::ran(basis(&models, cell, 1), built("origin"), |event| {
        if let (Event::Begin(_, (0, 1)), false) = (event, killed) {
            killed = true;
            strike(("origin", Signal::SIGKILL), SLOTS.into());
        }
    });
    assert!(killed);
    // The round is measured again, and what was measured in it stays in the journal.
    let blamed: Vec<String> = ran.turns.iter().flat_map(reasons_of).collect();
    assert_eq!(blamed, [""; 0]);
    assert_eq!(ran.made().count(), 6, "{:?}", ran.rounds);
    // A busy machine may disturb any round; the first that was made is the one that was struck.
    let round: Vec<_> = ran.made().take(3).collect();
    assert!(round[1].state.why().starts_with("the origin failed, not the model: "), "{round:?}");
    assert!(is_valid(round[0]) && is_valid(round[2]), "{round:?}");
}

/// Runs two blocks of a small cell.
fn run(models: &[Model]) -> Ran {
    let delay_ms = DelayRange { lo: 100, hi: 100 };
    let cell = Cell { delay_ms, ..cell(Workload::Batch, SLOTS.into(), 32) };
    support::ran(basis(models, cell, 2), built("origin"), |_| {})
}

/// Returns whether a process has such a command line.
fn processes(wanted: impl Fn(&str) -> bool) -> bool {
    let entries = fs::read_dir("/proc").expect("Linux has it").flatten();
    let lines = entries.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.into_iter().any(|line| wanted(&line))
}
