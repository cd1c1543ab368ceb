//! Adding a model touches nothing but its own folder.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use harness::Workspace;
use model_kit::Workload;

use crate::support::misbehaving::{behaving, scripted};
use crate::support::shell::{check, copy_workspace, text};
use crate::support::{WORKSPACE, beside, built, cell, placement, plan, test_model};

#[test]
fn a_folder_with_a_manifest_is_a_model_and_no_other_file_names_it() {
    let model = test_model("example");
    assert_eq!(model.package, "model-example");
    let search = Command::new("git")
        .args(["grep", "-l", "model-example", "--", "*.rs", "*.toml"])
        .current_dir(&WORKSPACE.root)
        .output()
        .expect("git searches");
    let files = String::from_utf8_lossy(&search.stdout);
    let others = files.lines().filter(|file| !file.contains("example/") && !file.contains("newc"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn the_three_steps_of_the_readme_add_a_model() {
    let _beside = beside();
    let copy = tempfile::tempdir().expect("there is room for a copy");
    copy_workspace(copy.path());

    // Step one: copy a folder and change its name.
    let mine = copy.path().join("crates/model-mine");
    fs::create_dir_all(mine.join("src")).expect("it is writable");
    let example = copy.path().join("tests/models/example");
    let manifest = fs::read_to_string(example.join("Cargo.toml")).expect("it is there");
    let manifest = manifest.replace("model-example", "model-mine");
    fs::write(mine.join("Cargo.toml"), manifest).expect("it is writable");
    fs::copy(example.join("src/main.rs"), mine.join("src/main.rs")).expect("it is writable");

    // Any call of cargo notices the new member; then it is found, built and run like the others.
    let mut workspace = Workspace::of(copy.path()).expect("cargo describes the copy");
    // What others have written is compiled already, there.
    workspace.target.clone_from(&WORKSPACE.target);
    let models = harness::find(&workspace, "crates").expect("every manifest is read");
    let model = models.iter().find(|model| model.name == "mine").expect("it is found");
    let lock = Command::new("cargo")
        .args(["update", "--workspace", "--offline", "--quiet"])
        .current_dir(copy.path())
        .output();
    assert!(lock.expect("cargo starts").status.success());
    let program = harness::compile(&workspace, &model.package).expect("it builds");
    let origin = behaving();
    let plan = plan(cell(Workload::Batch, 4, 24), scripted(&origin));
    let reported = harness::converse(model, &program, (&plan, &placement().model_cpus));
    assert_eq!(reported.expect("it fetches").turned.total.ok, 24);
}

/// Returns the program, to be run in a copy of the workspace.
fn program(copy: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(built("inflight").path);
    // What others have written is compiled already, there.
    command.args(arguments).current_dir(copy).env("CARGO_TARGET_DIR", &WORKSPACE.target);
    command
}

/// Checks that an answer which is lost is reported as such, whatever it would have been.
fn loses(mut command: Command) {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let lost = command.stdout(full).output().expect("it starts");
    let said = String::from_utf8_lossy(&lost.stderr);
    assert_eq!(lost.status.code(), Some(8), "{said}");
    assert!(said.contains("error: failed to write stdout ("), "{said}");
}

#[test]
fn a_new_model_compiles_and_fails_its_verification_until_its_loop_is_written() {
    let _beside = beside();
    let copy = tempfile::tempdir().expect("there is room for a copy");
    copy_workspace(copy.path());
    let inflight =
        |arguments: &[&str]| program(copy.path(), arguments).output().expect("it starts");
    let made = inflight(&["new-model", "my-model"]);
    check(&made, 0, "");
    let mine = copy.path().join("crates/model-my-model");
    let manifest = fs::read_to_string(mine.join("Cargo.toml")).expect("it is written");
    assert!(manifest.contains("name = \"model-my-model\"") && !manifest.contains("xample"));
    assert!(fs::read_to_string(mine.join("src/main.rs")).expect("it is written").contains("loop"));

    let verified = inflight(&["verify", "my-model"]);
    let said = String::from_utf8_lossy(&verified.stdout);
    assert_eq!(verified.status.code(), Some(3), "{said}{verified:?}");
    assert!(said.contains("FAIL") && said.contains("still to be written"), "{said}");
    loses(program(copy.path(), &["verify", "my-model", "--cell", "batch"]));

    // A copy of each kind of model passes; where what one needs is unavailable, it says so.
    let (rust, python, go) = ("main.rs", "model.py", "model.go");
    for (way, file) in [
        ("blocking", rust),
        ("async", rust),
        ("readiness", rust),
        ("completion", rust),
        ("python", python),
        ("go", go),
    ] {
        let name = format!("my-{way}");
        let made = inflight(&["new-model", &name, "--like", way]);
        check(&made, 0, "");
        assert!(text(&made).ends_with(&format!("change src/{file}.\n")), "{}", text(&made));
        let verified = inflight(&["verify", &name, "--cell", "batch"]);
        match verified.status.code() {
            Some(6) => check(&verified, 6, "cannot run here"),
            _ => check(&verified, 0, ""),
        }
    }
    check(&inflight(&["new-model", "mine", "--like", "magic"]), 2, "possible values: blocking");

    for (name, words) in [
        ("my-model", "already, in crates/model-my-model"),
        ("tokio", "already, in crates/model-tokio"),
        ("example", "already, in tests/models/example"),
        ("kit", "already, in crates/model-kit"),
        ("My_Model", "cannot be a model's"),
        ("../evil", "cannot be a model's"),
        ("a--b", "cannot be a model's"),
    ] {
        check(&inflight(&["new-model", name]), 2, words);
    }
}
