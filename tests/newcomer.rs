//! Adding a model touches nothing but its own folder.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::Workspace;
use model_kit::Workload;

use support::scripted::{Script, Scripted};
use support::{WORKSPACE, cell, placement, plan, test_model};

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
    let workspace = Workspace::of(copy.path()).expect("cargo describes the copy");
    let models = harness::find(&workspace, "crates").expect("every manifest is read");
    let model = models.iter().find(|model| model.name == "mine").expect("it is found");
    let lock = Command::new("cargo")
        .args(["update", "--workspace", "--offline", "--quiet"])
        .current_dir(copy.path())
        .output();
    assert!(lock.expect("cargo starts").status.success());
    let program = harness::compile(&workspace, &model.package).expect("it builds");
    let origin = Scripted::start(|_| Script::Serve);
    let plan = plan(cell(Workload::Batch, 4, 24), vec![origin.address]);
    let told = harness::converse(model, &program, (&plan, &placement().model_cpus));
    assert_eq!(told.expect("it fetches").trial.total.ok, 24);
}

/// Copies what git knows of the workspace, or would add.
fn copy_workspace(to: &Path) {
    let git = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&WORKSPACE.root)
        .output()
        .expect("git lists the files");
    for file in String::from_utf8_lossy(&git.stdout).lines() {
        let (source, target) = (WORKSPACE.root.join(file), to.join(file));
        let folder = target.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).expect("it is writable");
        if source.exists() {
            fs::copy(&source, &target).expect("it is writable");
        }
    }
}
