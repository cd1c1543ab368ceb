//! Promises about workers: a run has as many as were asked for and says where they ran, more than
//! there are CPUs are refused in one sentence, and so is a cell for which the machine is too small.

use std::fs;
use std::path::Path;
use std::process::Output;

use harness::{FLOOR, Workers};
use record::{Run, State};
use tempfile::tempdir;

use crate::support::shell::{check, inflight, text};
use crate::support::{WORKSPACE, alone};

/// The least number of CPUs on which cells ask for several workers.
const SEVERAL_MIN: usize = 4;

/// Runs the program in the workspace.
fn inflight_here(arguments: &[&str]) -> Output {
    inflight(&WORKSPACE.root, arguments)
}

/// Returns the run that a command has written below a folder, whatever a busy machine made of it.
fn measured(out: &Path, output: &Output) -> Run {
    assert!([Some(0), Some(4)].contains(&output.status.code()), "{output:?}");
    let folders = fs::read_dir(out).expect("it is there").flatten();
    let mut folders = folders.map(|entry| entry.path());
    let run = folders.find(|path| path.join("MANIFEST").exists()).expect("it was written");
    Run::read(&run).expect("it reads")
}

#[test]
fn a_comparison_with_two_workers_says_where_they_ran_and_is_marked_where_the_server_ran_too() {
    let _alone = alone();
    let folder = tempdir().expect("it is made");
    let out = folder.path().to_str().expect("our paths are UTF-8");
    let what = ["compare", "tokio", "smol", "--workers", "2", "--in-flight", "8"];
    let output =
        inflight_here(&[&what[..], &["--blocks", "1", "--seed", "7", "--out", out]].concat());
    let run = measured(folder.path(), &output);
    let placement = &run.schedule.placement;
    assert_eq!(placement.workers, 2);
    for name in ["tokio", "smol"] {
        let mut turns = run.turns.iter().filter(|turn| turn.model == name).peekable();
        assert!(turns.peek().is_some(), "{name}");
        assert!(turns.all(|turn| !matches!(turn.state, State::Failed(_))), "{name}");
    }

    // Of two CPUs none is left for the server.
    let two = Workers { count: Some(2), oversubscribe: false };
    let expected = harness::place_for(two).expect("the CPUs can be read");
    assert_eq!(
        (&placement.model_cpus, &placement.origin_cpus),
        (&expected.model_cpus, &expected.origin_cpus)
    );
    let baseline = harness::baseline_of(&run.schedule);
    let trust = analysis::summarize(&run, baseline, FLOOR).trust;
    let is_marked = trust.badges.iter().any(|badge| badge == "SHARED");
    assert_eq!(is_marked, placement.is_shared(), "{:?}", trust.badges);
}

#[test]
fn more_workers_than_cpus_are_refused_in_one_sentence_and_accepted_if_they_are_to_share() {
    let words = "1000 workers need as many CPUs, and ";
    check(&inflight_here(&["compare", "tokio", "smol", "--workers", "1000"]), 2, words);
    let refused = inflight_here(&["run", "tokio", "--workers", "1000", "--dry-run"]);
    check(&refused, 2, words);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("type --workers ") && said.contains("or add --oversubscribe"), "{said}");

    let sharing = ["run", "tokio", "--workers", "1000", "--oversubscribe", "--dry-run"];
    check(&inflight_here(&sharing), 0, "");
}

#[test]
fn a_cell_with_several_workers_is_measured_where_there_are_cpus_for_them_and_refused_elsewhere() {
    let usual = harness::place().expect("the CPUs can be read");
    let several = usual.several_cpus.len();
    assert!(several == 0 || usual.cpus().len() >= SEVERAL_MIN, "{usual:?}");
    let cell = ["run", "--preset", "standard", "--cell", "steady-workers", "--dry-run"];
    let output = inflight_here(&cell);
    if several == 0 {
        check(&output, 2, "type `--cell steady --workers 2`");
    } else {
        check(&output, 0, "");
        assert!(text(&output).contains(&format!(", {several} workers")), "{}", text(&output));
    }
    let asked = inflight_here(&[&cell[..], &["--workers", "1"]].concat());
    check(&asked, 2, "takes no --workers");
    let whole = inflight_here(&["run", "--preset", "standard", "--dry-run"]);
    check(&whole, 0, "");
    assert_eq!(text(&whole).contains("steady-workers: "), several > 0, "{}", text(&whole));
}
