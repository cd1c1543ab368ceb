//! Input that no person means: the command line, its surroundings, and the folders of runs. What is
//! wrong is one sentence with an exit code of its own; nothing panics, hangs or fills the memory.
//!
//! Bytes inside a run's files are the business of `corpus.rs` and of record's own tests.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use record::Run;

use crate::support::shell::{check, inflight, small_run, stored, text, written};
use crate::support::{WORKSPACE, built};

/// The start of what gzip writes.
const GZIP: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

/// Returns a command in the workspace.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(built("inflight").path);
    command.args(arguments).current_dir(&WORKSPACE.root);
    command
}

/// Runs a command.
fn outcome(command: &mut Command) -> Output {
    command.output().expect("it starts")
}

#[test]
fn a_command_line_that_nobody_means_is_refused_in_a_sentence() {
    let cases: [(&[&str], &str); 12] = [
        (&["run", "--sed", "1"], "'--seed'"),
        (&["run", "--seed"], "a value is required"),
        (&["run", "--seed", "18446744073709551616"], "number too large"),
        (&["run", "--seed", "-1"], "unexpected argument"),
        (&["run", "--seed", "0x10"], "invalid digit"),
        (&["run", "--blocks", "0"], "0 is not in 1..=10000"),
        (&["run", ""], "there is no model \"\""),
        (&["run", "--cell", ""], "there is no cell \"\""),
        (&["verify", "tokio", "--cell", "hold-64"], "run --cell hold-64` measures hold-64"),
        (&["run", "../tokio"], "there is no model \"../tokio\""),
        (&["chekc"], "'check'"),
        (&["diff", "latest", "latest", "--fail-if-slower", "NaN%"], "--fail-if-slower"),
    ];
    for (arguments, words) in cases {
        check(&inflight(&WORKSPACE.root, arguments), 2, words);
    }
}

#[test]
fn a_name_that_is_no_text_or_too_long_is_refused_and_not_written_to() {
    let below = tempfile::tempdir().expect("it is made");
    let file = below.path().join("file");
    fs::write(&file, "mine").expect("it is ours");
    let root = below.path().join("root");
    symlink("/proc", &root).expect("it is ours");
    for out in [file.clone(), file.join("below"), below.path().join("x".repeat(256)), root] {
        let out = out.to_str().expect("our paths are UTF-8");
        let output = inflight(&WORKSPACE.root, &["run", "tokio", "--cell", "batch", "--out", out]);
        check(&output, 8, "failed to write ");
    }
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "mine");

    let mut no_text = command(&["run"]);
    no_text.arg(OsString::from_vec(b"tok\xffio".to_vec()));
    check(&outcome(&mut no_text), 2, "invalid UTF-8");
    let mut no_run = command(&["check"]);
    no_run.arg(OsString::from_vec(b"ru\xffn".to_vec()));
    let output = outcome(&mut no_run);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn whatever_surrounds_it_a_command_answers_the_same() {
    let usual = outcome(&mut command(&["list", "models"]));
    assert!(usual.status.success(), "{usual:?}");
    let surroundings = [
        ("COLUMNS", "1"),
        ("LC_ALL", "tr_TR.ISO-8859-9"),
        ("RUST_LOG", "\u{1b}]0;x=,,trace"),
        ("RUST_BACKTRACE", "full"),
        ("TZ", "../../etc/passwd"),
    ];
    for (name, value) in surroundings {
        let output = outcome(command(&["list", "models"]).env(name, value));
        assert_eq!(text(&output), text(&usual), "{name}");
        assert!(output.status.success() && output.stderr == usual.stderr, "{name}: {output:?}");
    }
    let program = built("inflight").path;
    let (folder, _) = small_run();
    for closed in ["<&-", "2>&-", "<&- 2>&-"] {
        let script = format!("exec \"$0\" check {closed}");
        let mut sh = Command::new("sh");
        let sh = sh.args(["-c", &script]).arg(&program).current_dir(folder.path());
        let output = sh.stdin(Stdio::null()).output().expect("sh starts");
        assert_eq!(output.status.code(), Some(0), "{closed}: {output:?}");
        assert!(text(&output).contains("rebuilt byte for byte"), "{closed}");
    }
    let mut homeless = Command::new(&program);
    let homeless = homeless.arg("check").current_dir(folder.path()).env_clear();
    assert!(outcome(homeless).status.success());
}

#[test]
fn a_folder_with_any_name_is_listed_and_moves_no_cursor() {
    let (folder, run) = small_run();
    let results = folder.path().join("results");
    for name in ["\u{1b}]0;x\u{7}", "<img src=x onerror=alert(1)>", "a\nb", "=cmd|x", "-rf"] {
        copied(&run, &results.join(name));
    }
    let no_text = results.join(OsString::from_vec(b"\xff\xfe".to_vec()));
    copied(&run, &no_text);
    for command in [&["list", "runs"][..], &["list", "runs", "--json"], &["rank"]] {
        let output = inflight(folder.path(), command);
        let said = text(&output) + &String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains(['\u{1b}', '\u{7}']) && !said.contains("panicked"), "{said:?}");
        assert!(output.status.success(), "{command:?}: {said}");
    }
}

/// Copies the files of a run into another folder.
fn copied(run: &Path, to: &Path) {
    fs::create_dir(to).expect("it is ours");
    for entry in fs::read_dir(run).expect("it is there").flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("it is ours");
        }
    }
}

#[test]
fn a_compressed_or_endless_file_in_the_place_of_one_of_ours_is_refused() {
    let (folder, run) = small_run();
    for name in ["schedule.json", "environment.json", "journal.jsonl", "MANIFEST"] {
        let good = fs::read(run.join(name)).expect("it reads");
        let nested = [b"[".repeat(1_000_000), b"]".repeat(1_000_000)].concat();
        let field = [b"{\"".as_slice(), &b"x".repeat(20_000_000), b"\": 1}\n"].concat();
        let value = [b"{\"schema\": \"".as_slice(), &b"x".repeat(20_000_000), b"\"}\n"].concat();
        for bad in [GZIP.to_vec(), nested, field, value, vec![0; 1_000_000]] {
            fs::write(run.join(name), &bad).expect("it is ours");
            let output = inflight(folder.path(), &["check"]);
            let said = text(&output) + &String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(7), "{name}: {said:.2000}");
            // Where the manifest is none, every file that it should name is reported.
            let reported = said.contains(name) || said.contains("altered after it was measured");
            assert!(reported && !said.contains("panicked"), "{name}: {said:.2000}");
            assert!(said.len() < 20_000, "{} bytes are said of {name}", said.len());
        }
        fs::write(run.join(name), good).expect("it is ours");
    }
    assert_eq!(inflight(folder.path(), &["check"]).status.code(), Some(0));
}

/// Changes a stored run, and returns what the commands that read one say of it.
fn read(change: impl FnOnce(&mut Run)) -> Vec<Output> {
    let folder = tempfile::tempdir().expect("it is made");
    let (_first, path) = small_run();
    let mut run = Run::read(&path).expect("it reads");
    change(&mut run);
    let path: PathBuf = stored(&folder.path().join("results"), &run);
    let path = path.to_str().expect("our paths are UTF-8");
    ["rank", "report", "check"].map(|name| inflight(folder.path(), &[name, path])).into()
}

#[test]
fn a_run_of_ten_thousand_cells_is_reported_in_a_sentence() {
    let said = read(|run| {
        let cell = run.schedule.cells[0].clone();
        let many = (0..10_000).map(|number| format!("cell-{number}"));
        run.schedule.cells.extend(many.map(|name| model_kit::Cell { name, ..cell.clone() }));
    });
    for output in said {
        check(&output, 7, "cells, more than any run has");
    }
}

#[test]
fn a_cell_or_a_model_that_is_there_twice_is_reported_in_a_sentence() {
    for output in read(|run| run.schedule.cells.push(run.schedule.cells[0].clone())) {
        check(&output, 7, "is there twice");
    }
    for output in read(|run| run.schedule.models.push(run.schedule.models[0].clone())) {
        check(&output, 7, "is there twice");
    }
}

#[test]
fn a_cell_without_trials_is_no_empty_table() {
    let folder = tempfile::tempdir().expect("it is made");
    written(folder.path(), |run| {
        run.turns.clear();
        run.schedule.blocks.clear();
    });
    let output = inflight(folder.path(), &["rank"]);
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output).contains("not measured"), "{}", text(&output));
}
