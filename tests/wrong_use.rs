//! Wrong use of `cargo bench` is answered in one clear sentence and a non-zero exit; Ctrl-C keeps
//! what was measured; the answer is printed whatever criterion does, and alone where nobody asks
//! for criterion.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use record::{Integrity, Run};

use crate::support;
use crate::support::bench::{bench_program, cargo_with};
use crate::support::shell::without;
use crate::support::{WORKSPACE, alone, built, listening};

/// The program as `cargo bench` builds it.
static BENCH: LazyLock<String> = LazyLock::new(|| bench_program("fetch", "bench"));

/// Runs a program as cargo would.
fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.arg("--bench").args(arguments).current_dir(&WORKSPACE.root);
    command.output().expect("the bench starts")
}

/// Checks the exit code, and that stderr says it in one sentence without a panic.
fn check(output: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{said}");
    assert!(!said.contains("panicked") && said.trim().lines().count() <= 8, "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_filter_that_matches_nothing_is_reported_with_the_way_to_the_names() {
    let words = "\"no-such-model\" matches no benchmark: see `-- --list`";
    check(&run(&BENCH, &["no-such-model"]), 2, words);
    check(&run(&BENCH, &["--exact", "steady"]), 2, "\"steady\" matches no benchmark");
}

#[test]
fn a_filter_that_is_no_expression_is_reported_as_such() {
    check(&run(&BENCH, &["("]), 2, "the filter \"(\" is no regular expression");
}

#[test]
fn arguments_that_would_change_the_schedule_are_refused() {
    check(&run(&BENCH, &["--quick"]), 2, "--quick is refused");
    check(&run(&BENCH, &["--profile-time", "1"]), 2, "--profile-time is refused");
    check(&run(&BENCH, &["--sample-size", "20"]), 2, "--sample-size is refused");
    check(&run(&BENCH, &["--measurement-time", "1"]), 2, "times are refused");
}

#[test]
fn a_criterion_baseline_that_was_never_saved_is_reported_before_anything_is_measured() {
    let words = "criterion keeps nothing under \"never\": measure it first";
    check(&run(&BENCH, &["--baseline", "never"]), 2, words);
}

#[test]
fn what_criterion_would_refuse_is_refused_before_anything_is_measured() {
    let between = "expected a number between 0 and 1, both left out";
    for option in ["--noise-threshold", "--confidence-level", "--significance-level"] {
        for wrong in ["0", "1", "NaN", "much"] {
            check(&run(&BENCH, &[option, wrong]), 2, between);
        }
    }
    check(&run(&BENCH, &["--nresamples", "0"]), 2, "'--nresamples <N>'");
    check(&run(&BENCH, &["--quiet", "--verbose"]), 2, "cannot be used with '--verbose'");
    check(&run(&BENCH, &["--discard-baseline", "-s", "b"]), 2, "cannot be used with");
    check(&run(&BENCH, &["--skip", "smol"]), 2, "'--skip'");
    let path = without("gnuplot");
    let mut draws = Command::new(&*BENCH);
    draws.args(["--bench", "--plotting-backend", "gnuplot"]).env("PATH", path.path());
    let output = draws.current_dir(&WORKSPACE.root).output().expect("the bench starts");
    check(&output, 2, "criterion refuses the arguments: Gnuplot plotting backend");
}

#[test]
fn results_of_criterion_are_kept_under_the_name_of_a_folder_and_nowhere_else() {
    let long = "x".repeat(101);
    for wrong in ["", "../x", "a/b", "/tmp/x", ".", "..", ".x", "a\nb", "new", "report", &long] {
        for option in ["--save-baseline", "--baseline", "--baseline-lenient"] {
            check(&run(&BENCH, &[option, wrong]), 2, "expected the name of a folder");
        }
    }
}

#[test]
fn an_unknown_argument_is_reported_with_the_one_that_was_meant() {
    check(&run(&BENCH, &["--lisst"]), 2, "'--list'");
}

#[test]
fn a_debug_build_refuses_to_measure() {
    check(&run(&bench_program("fetch", "dev"), &[]), 2, "a debug build measures nothing");
}

#[test]
fn too_few_file_descriptors_are_refused_before_anything_is_built() {
    let script = format!("ulimit -n 100 && exec {} --bench --test", *BENCH);
    let output = Command::new("sh").args(["-c", &script]).current_dir(&WORKSPACE.root).output();
    let output = output.expect("sh starts");
    check(&output, 6, "a process may open 100 files, and the cells need ");
}

#[test]
fn the_list_names_every_benchmark_and_measures_nothing() {
    let output = run(&BENCH, &["--list"]);
    let list = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    for model in support::MODELS.iter() {
        // Others are measured by `inflight run --all`.
        let is_core = model.is_core();
        let batch = list.contains(&format!("cpu/batch/{}: benchmark", model.name));
        assert_eq!(batch, is_core, "{list}");
        let steady = list.contains(&format!("wall/steady/{}: benchmark", model.name));
        assert_eq!(steady, is_core && model.max_in_flight.is_none(), "{list}");
    }
}

#[test]
fn the_answer_is_printed_before_criterion_has_anything_that_it_could_fall_over() {
    let _alone = alone();
    let before = latest();
    let home = tempfile::tempdir().expect("it is made");
    // With little memory nothing is to be built.
    for package in ["origin", "model-tokio", "model-event-loop"] {
        built(package);
    }
    // Criterion resamples in memory, which it does not get so much of: it aborts, as nothing that
    // can be caught does.
    let script = format!(
        "ulimit -v 1500000; exec {} --bench --exact cpu/batch/tokio --nresamples 4294967295",
        *BENCH
    );
    let mut bench = Command::new("sh");
    bench.args(["-c", &script]).current_dir(&WORKSPACE.root).env("CRITERION_HOME", home.path());
    let output = bench.output().expect("sh starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.signal(), Some(6), "{said}{table}");
    assert!(said.contains("memory allocation of "), "{said}");
    assert!(table.contains("\nevent-loop ") && table.contains("\nPage  "), "{table}{said}");
    remove(run_of(&table), before);
}

/// Returns the lines in which criterion names a benchmark, as it does in the first of each.
fn of_criterion(said: &[u8]) -> Vec<String> {
    let lines = String::from_utf8_lossy(said);
    lines.lines().filter(|line| line.contains("cpu/batch/tokio")).map(str::to_owned).collect()
}

#[test]
fn without_an_argument_nothing_of_criterion_is_printed_but_where_its_report_is() {
    let _alone = alone();
    let before = latest();
    let home = tempfile::tempdir().expect("it is made");
    let folder = tempfile::tempdir().expect("it is made");
    // Two models are measured in a minute.
    let cargo = cargo_with(folder.path(), &["model-tokio", "model-event-loop"]);
    let bench = |arguments: &[&str]| {
        let mut bench = Command::new(&*BENCH);
        bench.arg("--bench").args(arguments).current_dir(&WORKSPACE.root);
        bench.env("CRITERION_HOME", home.path()).env("CARGO", &cargo);
        bench.output().expect("the bench starts")
    };

    let output = bench(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    let table = String::from_utf8_lossy(&output.stdout);
    // A machine that disturbs it may leave too few rounds.
    assert!(matches!(output.status.code(), Some(0 | 4)), "{said}{table}");
    remove(run_of(&table), before);
    assert_eq!(of_criterion(&output.stdout), [""; 0], "{table}");
    assert_eq!(of_criterion(&output.stderr), [""; 0], "{said}");
    let (_, end) = table.split_once("\nCite  ").expect("a whole run can be cited");
    let index = format!("Criterion  {}", home.path().join("report/index.html").display());
    assert_eq!(end.lines().skip(1).collect::<Vec<_>>(), [index], "{table}");

    // Criterion has the turns all the same, and these are the lines that were looked for.
    let asked = bench(&["--baseline", "base", "--load-baseline", "base", "cpu/batch/tokio$"]);
    let said = String::from_utf8_lossy(&asked.stderr);
    assert_eq!(asked.status.code(), Some(0), "{said}");
    assert_ne!(of_criterion(&asked.stdout), [""; 0], "{said}");
    assert_ne!(of_criterion(&asked.stderr), [""; 0], "{said}");
}

/// Returns the folder of the run whose answer this is.
fn run_of(table: &str) -> &Path {
    let page = table.lines().find_map(|line| line.strip_prefix("Page  ")).expect("it has a page");
    Path::new(page.strip_suffix("/derived/report.html").expect("it is the run's"))
}

/// Returns the run that is the latest of the checkout, if there is one.
fn latest() -> Option<PathBuf> {
    fs::read_link(WORKSPACE.root.join("results/latest")).ok()
}

/// Removes a run, and lets `latest` point to what it pointed to before.
fn remove(run: &Path, before: Option<PathBuf>) {
    fs::remove_dir_all(run).expect("it is ours");
    let link = WORKSPACE.root.join("results/latest");
    fs::remove_file(&link).expect("the run has set it");
    if let Some(before) = before {
        symlink(before, link).expect("a link can be made");
    }
}

#[test]
fn an_interrupt_keeps_what_was_measured_and_prints_it() {
    let _alone = alone();
    let before = latest();
    let mut bench = listening(BENCH.as_str());
    bench.args(["--bench", "--exact", "cpu/steady/tokio"]).current_dir(&WORKSPACE.root);
    let mut bench = bench.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stderr = BufReader::new(bench.stderr.take().expect("stderr is piped"));
    let (mut line, mut reported) = (String::new(), String::new());
    while !line.contains(", block 2 ") {
        line.clear();
        assert_ne!(
            stderr.read_line(&mut line).expect("it speaks"),
            0,
            "it ended too soon: {reported}"
        );
        reported += &line;
    }
    // Nobody waits for the answer to see rows.
    let rows =
        reported.lines().find(|line| line.starts_with("steady, us of CPU a fetch in its first"));
    assert!(rows.is_some_and(|rows| rows.contains(": ") && rows.contains("tokio ")), "{reported}");

    let id = i32::try_from(bench.id()).expect("a process id is an i32");
    kill(Pid::from_raw(id), Signal::SIGINT).expect("it is ours");
    let mut said = String::new();
    stderr.read_to_string(&mut said).expect("it speaks");
    let output = bench.wait_with_output().expect("it ends");
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted: what follows is what was measured before"), "{said}");
    let unfinished = "warning: unfinished, ";
    assert!(table.contains(unfinished) && table.contains("\nevent-loop "), "{table}");

    // The run stays readable; this test leaves none behind.
    let path = run_of(&table);
    let run = Run::read(path).expect("it reads");
    assert!(run.integrity == Integrity::Unfinished && run.turns.len() >= 6);
    remove(path, before);
}
