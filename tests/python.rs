//! Models in Python: where they can run they are a family of their own, and where something is
//! missing their rows say what, and nothing else changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use analysis::RowState;
use model_kit::Workload;
use record::{Model, Run, State};

use crate::support;
use crate::support::shell::without;
use crate::support::skip::skipped;
use crate::support::{MODELS, WORKSPACE, alone, basis, beside, built, cell, house, models_below};

/// What is said where none can run.
const NO_PYTHON: &str = "no Python that can run models";

/// Returns whether a model is in Python.
fn is_python(model: &Model) -> bool {
    model.language.as_deref() == Some("Python")
}

/// Measures one block of a batch with a path, into a folder.
fn run(path: &Path, results: &Path) -> Output {
    let mut command = Command::new(built("inflight").path);
    command
        .args(["run", "--preset", "smoke", "--cell", "batch", "--verbose", "--out"])
        .arg(results);
    command.args(["asyncio", "python-generator"]);
    command.env("PATH", path).current_dir(&WORKSPACE.root).output().expect("it starts")
}

#[test]
fn without_python_its_rows_say_so_and_the_rest_is_measured() {
    let _alone = alone();
    let (path, results) = (without("python"), tempfile::tempdir().expect("it is made"));
    let output = run(path.path(), results.path());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("asyncio is missing: no python3 was found"), "{said}");
    assert!(
        table.contains("asyncio and python-generator: missing: no python3 was found"),
        "{table}{said}"
    );
    assert!(table.contains("`sudo apt-get install python3` fixes it"), "{table}");

    let run = fs::read_dir(results.path()).expect("it is there").flatten();
    let run = run.map(|entry| entry.path()).find(|path| path.join("schedule.json").exists());
    let run = Run::read(&run.expect("a run is there")).expect("it reads");
    let names: Vec<&str> = run.schedule.missing.iter().map(|m| m.model.as_str()).collect();
    assert_eq!(names, ["asyncio", "python-generator"]);
    // A missing row is no reason for another exit code.
    let took: BTreeSet<&str> = run.turns.iter().map(|turn| turn.model.as_str()).collect();
    assert_eq!(took, BTreeSet::from(["event-loop", "tokio"]));
    let code = if run.is_sound() { 0 } else { 4 };
    assert_eq!(output.status.code(), Some(code), "{said}");
    let figures = analysis::figures(&run, harness::BASELINE, harness::FLOOR);
    let missing =
        figures.cells[0].languages[0].rows.iter().filter(|row| row.state == RowState::Missing);
    assert_eq!(missing.count(), 2);
}

#[test]
fn every_other_language_has_its_baseline_and_none_is_the_baseline_or_the_floor() {
    for model in models_below("crates") {
        let Some(baseline) = &model.baseline else { continue };
        let baseline = models_below("crates").into_iter().find(|other| other.name == *baseline);
        assert_eq!(baseline.expect("it is a model").language, model.language, "{}", model.name);
        assert!(![harness::BASELINE, harness::FLOOR].contains(&model.name.as_str()));
    }
}

#[test]
fn a_program_in_python_is_known_by_its_hash_and_its_packages_by_that_of_their_list() {
    for model in MODELS.iter().filter(|model| is_python(model)) {
        let found = built(&model.package).interpreter.expect("it was found");
        assert!(found.path.is_absolute() && found.path.exists(), "{}", found.path.display());
        assert!(found.versions.contains_key("python"));
        assert_eq!(found.lists_sha256.len(), model.requirements.len(), "{}", model.name);
        assert_eq!(found.versions.len() > 1, !model.requirements.is_empty(), "{}", model.name);
    }
}

/// Asks the kit for the code of each error of the system that has one while connecting.
const CONNECTING: &str = "
import errno, inflight_codes
for name, code in [('ECONNREFUSED', 1201), ('ETIMEDOUT', 1202), ('ECONNRESET', 1203),
                   ('ECONNABORTED', 1203), ('EHOSTUNREACH', 1204), ('ENETUNREACH', 1204),
                   ('EADDRNOTAVAIL', 1002), ('EMFILE', 1001), ('ENFILE', 1001),
                   ('ENOMEM', 1004), ('ENOBUFS', 1004), ('EPERM', 1999)]:
    reported = inflight_codes.Code.while_connecting(OSError(getattr(errno, name), name))
    assert reported == code, f'{name} is {reported}, expected {code}'
";

#[test]
fn what_the_system_says_while_connecting_has_the_codes_of_the_shared_core() {
    let mut models = MODELS.iter().filter(|model| is_python(model));
    let Some(python) = models.find_map(|model| built(&model.package).interpreter) else {
        return skipped(NO_PYTHON);
    };
    let kit = WORKSPACE.root.join("crates/python-kit/src");
    let mut asked = Command::new(python.path);
    let output = asked.args(["-B", "-c", CONNECTING]).env("PYTHONPATH", kit).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn nothing_that_is_set_in_the_environment_changes_what_python_imports() {
    if MODELS.iter().all(|model| model.name != "asyncio") {
        return skipped(NO_PYTHON);
    }
    let _beside = beside();
    let folder = tempfile::tempdir().expect("it is made");
    fs::write(folder.path().join("json.py"), "raise SystemExit('imported')").expect("it is");
    let mut model = house("asyncio");
    let folder = folder.path().to_str().expect("it is UTF-8").to_owned();
    model.env.insert("PYTHONPATH".to_owned(), folder);
    let basis = basis(&[house("tokio"), model], cell(Workload::Batch, 4, 8), 1);
    for trial in support::run(basis, built("origin"), |_| {}) {
        assert!(!matches!(trial.state, State::Failed(_)), "{}: {:?}", trial.model, trial.state);
    }
}

/// Reads what the threads of a process got while threads of it end.
const RACE: &str = "
import inflight_ledger, threading
def churn():
    for _ in range(2000):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
churning = [threading.Thread(target=churn) for _ in range(4)]
for thread in churning:
    thread.start()
read = 0
while any(thread.is_alive() for thread in churning):
    assert inflight_ledger.scheduled()
    read += 1
print(read)
";

#[test]
fn threads_that_end_while_their_figures_are_read_end_no_model() {
    let kit = WORKSPACE.root.join("crates/python-kit/src");
    let mut python = Command::new("python3");
    let output = python.args(["-c", RACE]).env("PYTHONPATH", kit).output().expect("it starts");
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrong}");
    let read: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a count");
    assert!(read > 0);
}
