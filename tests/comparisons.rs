//! Promises of `inflight compare` beyond its rows: a row that is slower than allowed has an exit
//! code of its own, a cell may be given by its numbers, as far as the origin can serve them, and
//! the workflow fails a pull request for what is slower or broken and not for noise.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use model_kit::Workload;
use record::Run;
use tempfile::TempDir;

use crate::support::shell::{inflight, text};
use crate::support::{WORKSPACE, alone, executable};
use crate::versions::step;

/// How often a comparison is tried of which a busy machine leaves too few turns.
const TRIES: usize = 3;
/// What a comparison exits with of which too few turns count.
const NOT_SOUND: i32 = 4;

/// Returns a folder with nothing in it.
fn empty() -> TempDir {
    tempfile::tempdir().expect("it is made")
}

/// Runs a comparison that writes below a folder.
fn compare(arguments: &[&str], out: &Path) -> Output {
    let out = out.to_str().expect("our paths are UTF-8");
    inflight(&WORKSPACE.root, &[&["compare"], arguments, &["--out", out]].concat())
}

/// Reads the run that was written below a folder, if one was.
fn written(out: &Path) -> Option<Run> {
    let mut folders = fs::read_dir(out).expect("it is there").flatten().map(|entry| entry.path());
    let run = folders.find(|path| path.join("schedule.json").exists())?;
    Some(Run::read(&run).expect("it reads"))
}

#[test]
fn a_row_that_is_surely_slower_than_allowed_is_named_and_exits_with_5() {
    let _alone = alone();
    // The row and the floor beside the first are two comparisons, for which no fewer than seven
    // blocks show a difference.
    let rows = ["tokio", "threads-ureq", "--blocks", "8", "--seed", "7"];
    let limit = ["--fail-if-slower", "3%"];
    let try_once = |_| compare(&[&rows[..], &limit].concat(), empty().path());
    let mut tries = (0..TRIES).map(try_once);
    let output = tries.find(|output| output.status.code() != Some(NOT_SOUND));
    let output = output.expect("the machine is not always too busy");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(said.contains("\nslower by more than 3 %, for sure: threads-ureq\n"), "{said}");
    assert!(said.contains("threads-ureq is slower than tokio"), "{said}");
    // What to type next is named too.
    assert!(said.contains(" explain threads-ureq tokio\n"), "{said}");
}

#[test]
fn a_cell_of_somebodys_own_numbers_is_the_one_that_is_measured() {
    let _alone = alone();
    let out = empty();
    let numbers = ["--in-flight", "8", "--delay", "1..3", "--body", "16KiB", "--blocks", "1"];
    let output = compare(&[&["tokio", "smol"][..], &numbers].concat(), out.path());
    // One block shows nothing; what a busy machine does to it is none of a test's.
    assert!([Some(0), Some(NOT_SOUND)].contains(&output.status.code()), "{output:?}");
    let run = written(out.path()).expect("it was measured");
    let [cell] = run.schedule.cells.as_slice() else { panic!("{:?}", run.schedule.cells) };
    assert_eq!((cell.workload, cell.in_flight), (Workload::Steady, 8));
    assert_eq!((cell.delay_ms, cell.body_bytes), ([1, 3].into(), 16 * 1024));
    assert_eq!(run.schedule.blocks.len(), 1);
}

#[test]
fn numbers_beyond_what_the_origin_can_serve_are_refused_before_anything_is_measured() {
    let _alone = alone();
    let out = empty();
    // The floor, a single thread, would have to fetch half a million times a second.
    let numbers = ["--in-flight", "256", "--delay", "0", "--body", "16KiB", "--blocks", "1"];
    let output = compare(&[&["tokio", "smol", "--quiet"][..], &numbers].concat(), out.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    let begin = "error: the cell steady-256-0-0ms-16384B asks for 512000 fetches a second, ";
    assert!(said.contains(begin), "{said}");
    assert!(said.contains(" % of what the origin can do here: lower --in-flight to "), "{said}");
    assert!(written(out.path()).is_none(), "nothing is measured");
}

#[test]
fn the_workflow_fails_for_what_is_slower_or_broken_and_not_for_too_few_turns() {
    let folder = empty();
    let at = folder.path();
    fs::create_dir(at.join("inflight")).expect("it is ours");
    // What builds and compares is another test's: this one says a table, and exits as it is told.
    let cargo = at.join("cargo");
    executable(&cargo, "#!/bin/sh\necho '| version |'\nexit \"$EXITS\"\n");
    let path = format!("{}:{}", at.display(), std::env::var("PATH").expect("it is set"));
    let run = |name: &str, exits: i32| {
        let mut bash = Command::new("bash");
        bash.args(["-e", "-c", &step(name)]).current_dir(at).env("PATH", &path);
        bash.envs([("MODEL", "mine"), ("MODELS", ""), ("OPTIONS", "--fail-if-slower 3%")]);
        bash.env("GITHUB_WORKSPACE", at).env("GITHUB_STEP_SUMMARY", at.join("summary"));
        bash.env("EXITS", exits.to_string()).status().expect("bash starts").code()
    };
    for (exits, ends) in [(0, 0), (1, 1), (2, 2), (3, 3), (NOT_SOUND, 0), (5, 5), (6, 6)] {
        assert_eq!(run("Compare", exits), Some(ends), "{exits}");
        assert_eq!(run("Show the table", exits), Some(0), "{exits}");
        let comment = fs::read_to_string(at.join("compare.md")).expect("it was written");
        let has_line = comment.contains("\n\nToo few turns counted");
        assert!(comment.starts_with("| version |\n"), "{comment}");
        assert_eq!(has_line, exits == NOT_SOUND, "{exits}: {comment}");
    }
    let shown = fs::read_to_string(at.join("summary")).expect("it was written");
    assert_eq!(shown.matches("Too few turns counted").count(), 1, "{shown}");
}
