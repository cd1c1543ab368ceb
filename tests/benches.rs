//! What cargo, test runners, editors and shells do with a program of benchmarks: each lists itself
//! whatever else it is reported, ends quietly when nobody reads any more, and says what could not
//! be written.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use crate::support::bench::{bench_program, keep};
use crate::support::{WORKSPACE, beside};

/// The benches.
const BENCHES: [&str; 4] = ["fetch", "primitives", "sweep", "claims"];
/// Their programs. Nothing is measured, so that any profile will do.
static PROGRAMS: LazyLock<Vec<String>> =
    LazyLock::new(|| BENCHES.iter().map(|name| bench_program(name, "dev")).collect());

/// What nextest, editors and people add to `--list`.
const ADDED: [&[&str]; 10] = [
    &["--format", "terse"],
    &["--format", "pretty"],
    &["--include-ignored"],
    &["--show-output"],
    &["--nocapture"],
    &["--no-capture"],
    &["--test-threads", "1"],
    &["-q"],
    &["--color", "never"],
    &["--test-threads=1", "--exact", "--quiet", "--format=terse"],
];

/// Starts a program as cargo bench does.
fn bench(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.arg("--bench").args(arguments).current_dir(&WORKSPACE.root).stdin(Stdio::null());
    command
}

/// Returns what it says when it lists its benchmarks.
fn listed(program: &str, arguments: &[&str]) -> String {
    let output = bench(program, &[&["--list"], arguments].concat()).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*said), (Some(0), ""), "{program} {arguments:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Checks that a command ends with a code and says these words last on stderr, if any.
fn ends(mut command: Command, code: i32, words: &str) {
    let output = command.stderr(Stdio::piped()).spawn().and_then(Child::wait_with_output);
    let Output { status, stderr, .. } = output.expect("it starts");
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(code), "{command:?}: {said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains(words) && !said.contains("panicked"), "{command:?}: {said}");
    assert_eq!(said.contains("error: "), !words.is_empty(), "{command:?}: {said}");
}

/// Returns the end of a pipe that nobody reads.
fn unread() -> Stdio {
    std::io::pipe().expect("it is made").1.into()
}

/// Returns a disk that is full.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has it").into()
}

#[test]
fn each_lists_every_benchmark_once_whatever_a_test_runner_adds() {
    for program in PROGRAMS.iter() {
        let list = listed(program, &[]);
        let names: Vec<&str> = list.lines().collect();
        assert!(
            names.len() > 3 && names.iter().all(|name| name.ends_with(": benchmark")),
            "{list}"
        );
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{list}");
        for added in ADDED {
            assert_eq!(listed(program, added), list, "{program} {added:?}");
        }
        assert_eq!(listed(program, &["--ignored", "--format", "terse"]), "", "none is ignored");
        let first = names[0].trim_end_matches(": benchmark");
        let rest = listed(program, &["--skip", first]);
        let others = names.iter().filter(|name| !name.contains(first));
        assert_eq!(rest.lines().collect::<Vec<_>>(), others.copied().collect::<Vec<_>>());
    }
}

#[test]
fn each_runs_the_one_that_a_test_runner_names_and_no_other() {
    let _beside = beside();
    let names = ["cpu/batch/tokio", "spawn/primitives-threads", "delay-1/tokio"];
    for (program, name) in PROGRAMS.iter().zip(names) {
        assert_eq!(listed(program, &["--exact", name]), format!("{name}: benchmark\n"));
        // Without what cargo says when it benches, as test runners do.
        let mut command = Command::new(program);
        command.args([name, "--exact", "--nocapture"]).current_dir(&WORKSPACE.root);
        let output = command.stdin(Stdio::null()).output().expect("it starts");
        let (reported, said) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{name}: {reported}{said}");
        let (_, model) = name.rsplit_once('/').expect("a model stands last");
        assert!(reported.contains(&format!("/{model}")), "{name}: {reported}");
        assert!(reported.lines().count() <= 3, "{name}: {reported}");
        let wrong = bench(program, &["--test", "no-such"]).output().expect("it starts");
        let said = String::from_utf8_lossy(&wrong.stderr);
        assert_eq!(wrong.status.code(), Some(2), "{said}");
        assert!(said.contains("matches no benchmark"), "{said}");
    }
    for program in &PROGRAMS[1..3] {
        ends(bench(program, &["tokio"]), 2, "this bench measures all benchmarks or none");
    }
}

#[test]
fn where_nothing_is_left_each_says_so_and_a_list_is_empty() {
    let left = "leaves no benchmark: see `-- --list`";
    let names = ["cpu/batch/tokio", "spawn/primitives-threads", "delay-1/tokio"];
    for (program, name) in PROGRAMS.iter().zip(names) {
        ends(bench(program, &["--test", "--exact", name, "--skip", name]), 2, left);
        ends(bench(program, &["--test", "--skip", "/"]), 2, left);
        assert_eq!(listed(program, &["--skip", "/"]), "");
    }
    let [fetch, primitives, sweep, claims] = [0, 1, 2, 3].map(|place| PROGRAMS[place].as_str());
    ends(bench(fetch, &["tokio", "--skip", "tokio"]), 2, left);
    ends(bench(claims, &["slot", "--skip", "slot"]), 2, "\"slot\" with --skip slot leaves");
    let usual = ["--skip", "slot", "--skip", "wrk", "--skip", "awake"];
    ends(bench(claims, &usual), 2, "--skip slot --skip wrk --skip awake leaves no benchmark");
    for program in [primitives, sweep] {
        ends(bench(program, &["--skip", "/"]), 2, "this bench measures all benchmarks or none");
    }
}

#[test]
fn each_reports_how_it_is_used_and_refuses_what_it_does_not_know() {
    for (program, name) in PROGRAMS.iter().zip(BENCHES) {
        let help = bench(program, &["--help"]).output().expect("it starts");
        let text = String::from_utf8_lossy(&help.stdout);
        assert_eq!(help.status.code(), Some(0), "{name}");
        assert!(text.contains("Usage: cargo bench") && text.contains("--list"), "{text}");
        let wrong = bench(program, &["--lisst"]).output().expect("it starts");
        let said = String::from_utf8_lossy(&wrong.stderr);
        assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.contains("'--list'"), "{said}");
        // As editors ask for a list.
        let json = ["--list", "-Z", "unstable-options", "--format", "json"];
        let refused = bench(program, &json).output().expect("it starts");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.contains("leave out `-Z` and `--format json`"), "{said}");
    }
    let misspelt = bench(&PROGRAMS[3], &["slott"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&misspelt.stderr);
    assert_eq!(misspelt.status.code(), Some(2), "{said}");
    assert!(said.contains("'slot'") && said.contains("neighbour"), "{said}");
}

#[test]
fn each_ends_quietly_when_nobody_reads_and_names_what_a_full_disk_has_no_room_for() {
    for program in PROGRAMS.iter() {
        for arguments in [["--list"], ["--help"]] {
            let reported = |stdout: Stdio| {
                let mut command = bench(program, &arguments);
                command.stdout(stdout);
                command
            };
            ends(reported(unread()), 0, "");
            ends(reported(full()), 8, "error: failed to write stdout (");
        }
        let script = format!("ulimit -f 0; exec {program} --bench --list > list");
        let folder = tempfile::tempdir().expect("it is made");
        let mut sh = Command::new("sh");
        sh.args(["-c", &script]).current_dir(folder.path());
        ends(sh, 8, " bytes): File too large");
    }
}

#[test]
fn a_home_of_criterion_that_is_empty_is_none() {
    let mut command = bench(&PROGRAMS[0], &["--baseline", "never"]);
    command.env("CRITERION_HOME", "");
    ends(command, 2, "criterion keeps nothing under \"never\": measure it first");
}

/// Lets criterion compare what it keeps below a home, of two benchmarks.
fn compares(home: &Path, arguments: &[&str]) -> Command {
    let two = ["--baseline", "b", "--load-baseline", "b", "cpu/batch/(tokio|smol)$"];
    let mut command = bench(&PROGRAMS[0], &[arguments, &two].concat());
    command.env("CRITERION_HOME", home);
    command
}

#[test]
fn a_benchmark_of_which_criterion_keeps_nothing_is_left_out_with_a_word() {
    let home = tempfile::tempdir().expect("it is made");
    keep(home.path(), "cpu/batch/tokio", "b");
    let output = compares(home.path(), &[]).output().expect("it starts");
    let (said, reported) = (&output.stderr, String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8_lossy(said);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let words = "criterion is not given what it keeps nothing of under \"b\": cpu/batch/smol\n";
    assert!(said.contains(words), "{said}");
    assert!(
        reported.contains("cpu/batch/tokio") && !reported.contains("cpu/batch/smol"),
        "{reported}"
    );
}

#[test]
fn the_report_of_criterion_is_named_where_it_is_and_not_where_none_is_drawn() {
    let home = tempfile::tempdir().expect("it is made");
    keep(home.path(), "cpu/batch/tokio", "b");
    let reported = |arguments: &[&str]| {
        let output = compares(home.path(), arguments).output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(!reported(&["--noplot"]).contains("Criterion  "));
    let index = home.path().join("report/index.html");
    let line = format!("Criterion  {}\n", index.display());
    assert!(reported(&[]).ends_with(&line) && index.exists(), "{line}");
    assert!(!reported(&["-n"]).contains("Criterion  "), "an older one is not this one's");
}

#[test]
fn whatever_becomes_of_criterion_is_reported_in_a_sentence() {
    let home = tempfile::tempdir().expect("it is made");
    keep(home.path(), "cpu/batch/tokio", "b");
    keep(home.path(), "cpu/batch/smol", "b");
    let reported = |stdout: Stdio| {
        let mut command = compares(home.path(), &["--noplot"]);
        command.stdout(stdout);
        command
    };
    ends(reported(unread()), 0, "");
    ends(reported(full()), 8, "error: failed to write stdout (");
    let sample = home.path().join("cpu/batch/smol/b/sample.json");
    fs::write(sample, "{").expect("it is ours");
    ends(reported(Stdio::null()), 1, "error: criterion stopped: Baseline 'b' must exist");
}
