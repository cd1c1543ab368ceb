//! Models outside the repository: their folder is all that there is of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use record::Run;

use crate::support::shell::{check, text};
use crate::support::{WORKSPACE, alone, beside, built};

/// Runs the program in the repository, with models in a folder outside.
fn inflight(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(built("inflight").path);
    command.args(arguments).arg("--models").arg(folder).current_dir(&WORKSPACE.root);
    command.output().expect("it starts")
}

/// Returns every file of the repository that git knows or would add, and when it was changed.
fn files() -> Vec<(PathBuf, std::time::SystemTime)> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let listed = git.current_dir(&WORKSPACE.root).output().expect("git lists the files");
    let listed = String::from_utf8(listed.stdout).expect("our paths are UTF-8");
    let paths = listed.lines().map(|path| WORKSPACE.root.join(path));
    let changed = |path: PathBuf| Some((path.clone(), fs::metadata(path).ok()?.modified().ok()?));
    paths.filter_map(changed).collect()
}

#[test]
fn a_folder_outside_is_a_model_and_nothing_in_the_repository_changes() {
    let _alone = alone();
    let (before, folder) = (files(), tempfile::tempdir().expect("it is made"));
    let made = inflight(&["new-model", "guest", "--like", "blocking"], folder.path());
    check(&made, 0, "");
    assert!(text(&made).contains(" verify guest --models "), "{}", text(&made));
    assert!(text(&inflight(&["list", "models"], folder.path())).contains("\nguest "));
    check(&inflight(&["verify", "guest", "--cell", "batch"], folder.path()), 0, "");

    // It is measured as others are, under its name.
    let results = tempfile::tempdir().expect("it is made");
    let out = results.path().to_str().expect("it is UTF-8");
    let asked = ["run", "guest", "--preset", "smoke", "--cell", "batch", "--out", out];
    let output = inflight(&asked, folder.path());
    let run = fs::read_dir(out).expect("it is there").flatten().map(|entry| entry.path());
    let run = run.filter(|path| path.join("MANIFEST").exists()).map(|path| Run::read(&path));
    let run = run.flatten().next().unwrap_or_else(|| panic!("{output:?}"));
    assert!(run.turns.iter().any(|turn| turn.model == "guest"));
    assert!(run.environment.programs_sha256.contains_key("model-guest"));

    // What is changed in it is built anew, and nothing was written into it.
    let main = folder.path().join("model-guest/src/main.rs");
    let source = fs::read_to_string(&main).expect("it is there");
    fs::write(&main, source.replace("fn main() -> ExitCode {", BROKEN)).expect("it is writable");
    let verified = inflight(&["verify", "guest", "--cell", "batch"], folder.path());
    assert_eq!(verified.status.code(), Some(3), "{}", text(&verified));
    let below = fs::read_dir(folder.path().join("model-guest")).expect("it is there").flatten();
    let mut below: Vec<_> = below.map(|entry| entry.file_name()).collect();
    below.sort();
    assert_eq!(below, ["Cargo.toml", "src"]);
    assert_eq!(files(), before);
}

/// The beginning of a program that fails before it says who it is.
const BROKEN: &str = "fn main() -> ExitCode {\n    if std::env::args().count() == 1 {\n        \
                      return ExitCode::FAILURE;\n    }";

#[test]
fn a_model_in_another_language_may_lie_outside_too() {
    let _beside = beside();
    let folder = tempfile::tempdir().expect("it is made");
    for way in ["python", "go"] {
        let name = format!("guest-{way}");
        check(&inflight(&["new-model", &name, "--like", way], folder.path()), 0, "");
        let verified = inflight(&["verify", &name, "--cell", "batch"], folder.path());
        match verified.status.code() {
            Some(6) => check(&verified, 6, "cannot run here"),
            _ => check(&verified, 0, ""),
        }
    }
}

#[test]
fn the_manifest_of_a_model_outside_is_one_that_cargo_reads_by_itself() {
    let folder = tempfile::tempdir().expect("it is made");
    for way in ["blocking", "async", "completion", "readiness", "python", "go"] {
        let name = format!("guest-{way}");
        check(&inflight(&["new-model", &name, "--like", way], folder.path()), 0, "");
        let manifest = folder.path().join(format!("model-{name}/Cargo.toml"));
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]);
        let read = cargo.arg(&manifest).output().expect("cargo starts");
        let wrong = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{wrong}{}", fs::read_to_string(manifest).expect("it is"));
    }
}

#[test]
fn a_folder_without_models_and_a_name_that_is_taken_are_reported() {
    let folder = tempfile::tempdir().expect("it is made");
    let list = |folder: &Path| inflight(&["list", "models"], folder);
    check(&list(Path::new("/no/such/folder")), 2, "there is no folder /no/such/folder");
    check(&list(folder.path()), 2, "holds no model, expected a Cargo.toml");
    check(&inflight(&["new-model", "tokio"], folder.path()), 2, "already, in crates/model-tokio");
    check(&inflight(&["new-model", "guest"], folder.path()), 0, "");
    check(&inflight(&["new-model", "guest"], folder.path()), 2, "already, in ");

    let manifest = folder.path().join("model-guest/Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("it is there");
    fs::write(&manifest, text.replace("model-guest", "model-tokio")).expect("it is writable");
    check(&list(folder.path()), 2, "there are two packages model-tokio, in ");
    fs::write(&manifest, text.replace("unit = ", "unity = ")).expect("it is writable");
    check(&list(folder.path()), 1, "failed to read [package.metadata.inflight] of model-guest");
}
