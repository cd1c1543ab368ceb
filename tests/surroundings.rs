//! What people's checkouts, disks and settings do to the command line: each cause is reported by
//! its name, before anything long begins, and nothing is left where it does not belong.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::{BASELINE, FLOOR};
use record::Run;

use crate::support;
use crate::support::shell::{check, copy_workspace, each_turn, inflight, small_run, text, written};
use crate::support::{WORKSPACE, alone, beside, built, executable};

/// Returns a copy of the checkout.
fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("there is room for a copy");
    copy_workspace(copy.path());
    copy
}

/// Returns the program, to be run in a folder.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(built("inflight").path);
    command.args(arguments).current_dir(folder);
    command
}

/// Runs the program with a limit on the size of its files, in KiB. Cargo, which writes what is not
/// looked at here, takes the limit back.
fn limited(folder: &Path, kib: u32, arguments: &str) -> Output {
    let cargo = tempfile::tempdir().expect("it is made");
    let free = cargo.path().join("cargo");
    let script = "#!/bin/sh\nunset CARGO\nulimit -S -f unlimited\nexec cargo \"$@\"\n";
    executable(&free, script);
    let script =
        format!("ulimit -S -f {kib}; exec {} {arguments}", built("inflight").path.display());
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(folder).env("CARGO", free);
    bash.output().expect("bash starts")
}

#[test]
fn a_program_that_was_started_with_the_end_of_children_ignored_waits_for_its_own() {
    // As some supervisors leave it: cargo could be started and not waited for.
    let script = format!("trap '' CHLD; exec {} list models", built("inflight").path.display());
    let mut bash = Command::new("bash");
    let ended = bash.args(["-c", &script]).current_dir(&WORKSPACE.root).output();
    check(&ended.expect("bash starts"), 0, "");
}

#[test]
fn a_checkout_that_cargo_cannot_read_is_reported_in_the_words_of_cargo() {
    let copy = copy();
    let folder = copy.path();
    let list = || inflight(folder, &["list", "models"]);
    check(&list(), 0, "");

    let stray = folder.join("crates/stray");
    fs::create_dir(&stray).expect("it is ours");
    check(&list(), 2, "cargo cannot read this checkout: failed to load manifest for workspace");
    check(&list(), 2, "crates/stray/Cargo.toml");
    fs::remove_dir(stray).expect("it is ours");

    let twin = folder.join("crates/model-mine");
    fs::create_dir_all(twin.join("src")).expect("it is ours");
    for file in ["Cargo.toml", "src/main.rs"] {
        fs::copy(folder.join("crates/model-tokio").join(file), twin.join(file)).expect("it is");
    }
    check(&list(), 2, "two packages named `model-tokio` in this workspace");
}

#[test]
fn a_relative_target_folder_is_the_one_of_the_folder_that_it_was_named_in() {
    let _beside = beside();
    let copy = copy();
    let here = copy.path().join("tests");
    // What others have written is compiled already, there.
    symlink(&WORKSPACE.target, here.join("built")).expect("it is ours");
    let mut verify = program(&here, &["verify", "tokio", "--cell", "batch"]);
    let output = verify.env("CARGO_TARGET_DIR", "built").output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!copy.path().join("built").exists(), "it is built once");
}

#[test]
fn a_wrapper_of_the_compiler_is_recorded_and_doubted_and_the_doctor_says_how_to_unset_it() {
    let _alone = alone();
    for package in ["origin", "model-tokio", "model-event-loop"] {
        built(package);
    }
    let folder = tempfile::tempdir().expect("it is made");
    let (wrapper, results) = (folder.path().join("sccache"), folder.path().join("results"));
    executable(&wrapper, "#!/bin/sh\nexec \"$@\"\n");
    let with_wrapper = |arguments: &[&str]| {
        let mut inflight = program(&WORKSPACE.root, arguments);
        inflight.env("RUSTC_WRAPPER", &wrapper).output().expect("it starts")
    };
    let doctor = text(&with_wrapper(&["doctor"]));
    assert!(doctor.contains("with the wrapper sccache"), "{doctor}");
    // Who runs the tests may have set more.
    let mut lines = doctor.lines().map(str::trim);
    let is_advice = |line: &str| line.starts_with("unset ") && line.ends_with("RUSTC_WRAPPER");
    assert!(lines.any(is_advice), "{doctor}");

    let out = results.to_str().expect("our paths are UTF-8");
    let ran = with_wrapper(&["run", "tokio", "--cell", "batch", "--blocks", "1", "--out", out]);
    let run = Run::read(&results.join("latest")).unwrap_or_else(|why| panic!("{why:#}: {ran:?}"));
    assert_eq!(run.environment.build.rustc_wrapper.as_str(), "sccache");
    let checks = analysis::checks(&run, BASELINE, FLOOR);
    let build = checks.iter().find(|check| check.id == "G1").expect("each run has it");
    assert_eq!(build.badges, ["BUILD"], "{build:?}");
}

#[test]
fn a_model_that_cannot_run_here_is_not_verified_and_not_called_so() {
    let _beside = beside();
    let empty = tempfile::tempdir().expect("it is made");
    // Cargo asks the compiler, and nothing else of this machine's programs is there.
    let path = std::env::var_os("PATH").expect("it is set");
    let found = |name: &str| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|p| p.exists())
    };
    for name in ["cargo", "rustc", "rustup"] {
        if let Some(program) = found(name) {
            symlink(program, empty.path().join(name)).expect("it is ours");
        }
    }
    let verify = |models: &[&str]| {
        let mut verify = program(&WORKSPACE.root, &[&["verify"], models].concat());
        verify.env("PATH", empty.path()).output().expect("it starts")
    };
    for models in [&["asyncio"][..], &["tokio", "asyncio"]] {
        check(&verify(models), 6, "asyncio cannot run here: missing: no python3 was found");
    }
    check(&verify(&["node"]), 6, "node cannot run here: missing: no node was found");
    let words = "go cannot run here: missing: no go was found, and no python3 was found";
    check(&verify(&["go"]), 6, words);
}

#[test]
fn what_cannot_be_said_is_reported_with_its_bytes_by_every_command() {
    let (folder, _) = small_run();
    let full = || File::options().write(true).open("/dev/full").expect("Linux has it");
    let commands: [&[&str]; 8] = [
        &["--help"],
        &["--version"],
        &["list", "cells"],
        &["list", "cells", "--json"],
        &["man"],
        &["completions", "bash"],
        &["rank"],
        &["export", "--to", "csv"],
    ];
    for arguments in commands {
        let output = program(folder.path(), arguments).stdout(full()).output();
        check(&output.expect("it starts"), 8, "error: failed to write stdout (");
        let unread = std::io::pipe().expect("it is made").1;
        let output = program(folder.path(), arguments).stdout(unread).output();
        let output = output.expect("it starts");
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
    }
    check(&limited(folder.path(), 0, "list cells > list"), 8, " bytes): File too large");
}

#[test]
fn an_answer_that_is_lost_is_reported_also_where_it_would_have_been_no() {
    let (_folder, old) = small_run();
    let other = tempfile::tempdir().expect("it is made");
    let more_work = each_turn(|turn| {
        if let (Some(reported), "smol") = (&mut turn.turned, turn.model.as_str()) {
            reported.window.cpu_ns = reported.window.cpu_ns * 3 / 2;
        }
    });
    let new = written(other.path(), more_work);
    let diff = format!("diff {} {} --fail-if-slower 5%", old.display(), new.display());
    let another = tempfile::tempdir().expect("it is made");
    let altered = written(another.path(), |_| {});
    let journal = fs::read_to_string(altered.join("journal.jsonl")).expect("it reads");
    let journal = journal.replacen("valid", "valib", 1);
    fs::write(altered.join("journal.jsonl"), journal).expect("it is ours");
    let check_altered = format!("--json check {}", altered.display());
    // Each is wrong in its own way, and ends with its own code where the answer is seen.
    let commands = [
        (diff.as_str(), 5),
        ("--json verify no-such", 2),
        ("--json nonsense", 2),
        ("doctor", 6),
        ("--json verify tokio", 6),
        (&check_altered, 7),
    ];
    for (arguments, code) in commands {
        let ends = |to: &str| {
            let program = built("inflight").path;
            let script = format!("ulimit -n 100; exec {} {arguments} > {to}", program.display());
            let mut sh = Command::new("sh");
            sh.args(["-c", &script]).current_dir(&WORKSPACE.root).output().expect("sh starts")
        };
        let seen = ends("/dev/null");
        assert_eq!(seen.status.code(), Some(code), "{arguments}: {seen:?}");
        check(&ends("/dev/full"), 8, "error: failed to write stdout (");
    }
}

#[test]
fn a_file_that_has_no_room_is_named_with_its_bytes_and_what_to_type_once_it_has() {
    let (folder, run) = small_run();
    let output = limited(folder.path(), 8, "report latest");
    check(&output, 8, "make room and compute the rest with `cargo run --release -- report ");
    check(&output, 8, " bytes): File too large");
    let files = support::shell::files_below(&run);
    let halves = files.iter().filter(|file| file.extension().is_some_and(|end| end == "new"));
    assert_eq!(halves.count(), 0, "no half of a file is left");
    assert_eq!(inflight(folder.path(), &["report", "latest"]).status.code(), Some(0));
    check(&inflight(folder.path(), &["check"]), 0, "");
}

#[test]
fn a_run_that_has_no_room_for_its_lock_is_reported_before_anything_is_built() {
    let results = tempfile::tempdir().expect("it is made");
    let order = format!("run tokio --cell batch --out {}", results.path().display());
    let output = limited(&WORKSPACE.root, 0, &order);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(".lock (") && !said.contains("building"), "{said}");
    check(&output, 8, " bytes): File too large");
}

#[test]
fn a_new_model_that_had_no_room_leaves_no_half_of_a_package_that_stops_cargo() {
    let copy = copy();
    let output = limited(copy.path(), 0, "new-model mine");
    check(&output, 8, "crates/model-mine/Cargo.toml (");
    check(&output, 8, " bytes): File too large");
    check(&inflight(copy.path(), &["list", "models"]), 0, "");
}

#[test]
fn a_run_that_had_no_room_to_begin_leaves_no_folder_that_looks_like_one() {
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    for package in ["origin", "model-tokio", "model-event-loop"] {
        built(package);
    }
    let out = results.path().display();
    let order = format!("run tokio --cell batch --out {out}");
    let output = limited(&WORKSPACE.root, 2, &order);
    check_room(&output);
    let left: Vec<PathBuf> =
        fs::read_dir(results.path()).expect("it is there").flatten().map(|e| e.path()).collect();
    assert!(left.iter().all(|path| path.ends_with(".lock")), "{left:?}");
    let resume = inflight(&WORKSPACE.root, &["run", "--resume", "--out", &out.to_string()]);
    check(&resume, 2, "there is no run to go on with below");

    let begun = results.path().join("begun");
    fs::create_dir(&begun).expect("it is ours");
    let name = begun.to_str().expect("our paths are UTF-8");
    for arguments in [&["run", "--resume", name][..], &["check", name]] {
        check(
            &inflight(&WORKSPACE.root, arguments),
            2,
            "holds no run, for it has no schedule.json",
        );
    }
}

/// Checks that a run said which of its files has no room, and by how many bytes.
fn check_room(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(said.contains(".json (") && said.contains(" bytes): File too large"), "{said}");
}

/// Copies a run into a folder beside it, all of it or what was measured.
fn copied(run: &Path, name: &str, is_wanted: impl Fn(&Path) -> bool) {
    let copy = run.with_file_name(name);
    for file in support::shell::files_below(run) {
        let place = file.strip_prefix(run).expect("it is below");
        if is_wanted(place) {
            let to = copy.join(place);
            fs::create_dir_all(to.parent().expect("it is in a folder")).expect("it is ours");
            fs::copy(&file, to).expect("it is ours");
        }
    }
}

#[test]
fn a_copy_of_a_run_under_another_name_is_that_run_with_and_without_what_was_computed() {
    let (folder, run) = small_run();
    let name = run.file_name().and_then(|name| name.to_str()).expect("our paths are UTF-8");
    copied(&run, "zz-backup", |_| true);
    copied(&run, "inflight-zzz", |file| !file.starts_with("derived"));
    let says = |arguments: &[&str]| {
        let output = inflight(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output)
    };
    assert_eq!(says(&["list", "runs"]).lines().count(), 1, "it was measured once");
    for which in ["latest", "zz-backup", "inflight-zzz", &name[..20]] {
        assert!(says(&["check", which]).ends_with(&format!(" {name}\n")), "{which}");
        let cited = says(&["cite", which]);
        assert!(cited.contains(name) && !cited.contains("backup"), "{cited}");
        assert!(!cited.contains("zzz"), "{cited}");
    }
    let index = run.with_file_name("README.md");
    fs::write(index, format!("[page]({name}/derived/report.html)")).expect("it is ours");
    for runs in [&["latest", "inflight-zzz", "--site", "site"][..], &["--site", "site"]] {
        says(&[&["report"], runs].concat());
        let shown = fs::read_dir(folder.path().join("site")).expect("it is there").flatten();
        let mut shown: Vec<_> = shown.map(|entry| entry.file_name()).collect();
        shown.sort();
        assert_eq!(shown, [name, "index.html"], "{runs:?}");
    }
    // What is computed of a copy is computed of the run.
    says(&["report", "inflight-zzz"]);
    assert!(says(&["check", "inflight-zzz"]).contains("are rebuilt byte for byte"));
    // The copies alone are the run too.
    fs::remove_dir_all(&run).expect("it is ours");
    for gone in ["zz-backup", "inflight-zzz"] {
        assert!(says(&["check", "latest"]).ends_with(&format!(" {name}\n")));
        assert!(says(&["list", "runs"]).starts_with(name));
        fs::remove_dir_all(run.with_file_name(gone)).expect("it is ours");
    }
}

#[test]
fn an_unfinished_copy_is_not_gone_on_with_where_its_run_is() {
    let (_folder, run) = small_run();
    let results = run.parent().expect("it lies in the results");
    copied(&run, "zz-backup", |file| file != Path::new("MANIFEST"));
    let refused = harness::newest_unfinished(results).expect_err("the run came to its end");
    assert!(refused.to_string().contains("there is no run to go on with"), "{refused}");
    fs::remove_file(run.join("MANIFEST")).expect("it is ours");
    assert_eq!(harness::newest_unfinished(results).expect("it is one"), run);
    fs::remove_dir_all(&run).expect("it is ours");
    let copy = run.with_file_name("zz-backup");
    assert_eq!(harness::newest_unfinished(results).expect("the copy is the run"), copy);
}
