//! Promises of `inflight compare`: versions of a library are participants of one run, and wrong use
//! is a sentence that leaves nothing behind.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use cargo_metadata::MetadataCommand;
use record::{Run, State};

use support::shell::{check, inflight, text};
use support::{WORKSPACE, alone};

/// Runs a comparison.
fn compare(arguments: &[&str]) -> Output {
    inflight(&WORKSPACE.root, &[&["compare"], arguments].concat())
}

/// Returns the version of a package that is locked, and the folder of its source.
fn locked(package: &str) -> (String, PathBuf) {
    let metadata = MetadataCommand::new().current_dir(&WORKSPACE.root).exec().expect("it reads");
    let mut packages = metadata.packages.into_iter();
    let found = packages.find(|other| other.name == package).expect("it is locked");
    let folder = found.manifest_path.parent().expect("it lies in a folder").as_std_path();
    (found.version.to_string(), folder.to_owned())
}

/// Copies the files of a folder that cargo needs.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it is ours");
    for entry in fs::read_dir(from).expect("it is there").flatten() {
        let place = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &place),
            false => drop(fs::copy(entry.path(), place).expect("it is ours")),
        }
    }
}

#[test]
fn versions_and_a_checkout_are_rows_of_one_run_against_the_first() {
    let _alone = alone();
    let (version, source) = locked("rayon");
    let folder = tempfile::tempdir().expect("it is made");
    let (checkout, out) = (folder.path().join("my-rayon"), folder.path().join("results"));
    copy(&source, &checkout);
    let names = [format!("rayon@{version}"), format!("rayon@{version}#2"), "rayon@my-rayon".into()];
    let asked = [names[0].clone(), names[0].clone(), format!("rayon@{}", checkout.display())];
    let arguments = [&asked[0], &asked[1], &asked[2], "--blocks", "1", "--seed", "7", "--md"];
    let output =
        compare(&[&arguments[..], &["--out", out.to_str().expect("it is UTF-8")]].concat());
    // One block shows nothing; what a busy machine does to it is none of this test's.
    assert!([Some(0), Some(4)].contains(&output.status.code()), "{output:?}");
    let table = text(&output);
    assert!(table.contains("| version |"), "{table}");

    let folder = fs::read_dir(&out).expect("it is there").flatten();
    let run = folder.map(|entry| entry.path()).find(|path| path.join("MANIFEST").exists());
    let run = Run::read(&run.expect("it was written")).expect("it reads");
    assert_eq!(run.schedule.baseline.as_ref(), Some(&names[0]));
    for name in &names {
        let model = run.schedule.model(name).expect("it is a row");
        let variant = model.variant.as_ref().expect("it says which version it has");
        assert_eq!((&variant.package[..], &variant.version), ("rayon", &version));
        assert_eq!(variant.is_checkout, name.ends_with("my-rayon"));
        let mut turns = run.turns.iter().filter(|turn| turn.model == *name).peekable();
        assert!(turns.peek().is_some(), "{name}");
        assert!(turns.all(|turn| !matches!(turn.state, State::Failed(_))), "{name}");
        assert_eq!(run.versions(name).get("rayon"), Some(&version), "{name}");
    }
    let written = serde_json::to_string(&run.schedule).expect("it is written");
    assert!(!written.contains(checkout.to_str().expect("it is UTF-8")), "no path is written down");
}

#[test]
fn what_cannot_be_compared_is_said_in_a_sentence_before_anything_is_measured() {
    let _alone = alone();
    for (arguments, words) in [
        (&["tokio"][..], "2 values required"),
        (&["tokio", "toky@1.2.3"], "did you mean \"tokio\"?"),
        (&["tokio", "tokio"], "tokio is named twice"),
        (&["tokio", "tokio@latest"], "\"latest\" is no version: expected three numbers"),
        (&["tokio", "tokio@./nowhere"], "there is no folder ./nowhere"),
        (&["tokio", "tokio@./crates"], "holds no package \"tokio\""),
        (&["tokio", "threads@1.2.3"], "threads names no package that it is a model of"),
        (&["tokio", "tokio@quinn=1.2.3"], "the model is not built with a package \"quinn\""),
        (&["tokio", "asyncio@3.12.0"], "asyncio is not built by cargo"),
        (&["tokio", "tokio@999.0.0"], "tokio 999.0.0"),
        (&["tokio", "smol", "--cell", "stedy"], "there is no cell \"stedy\": did you mean"),
        (&["tokio", "smol", "--fail-if-slower", "much"], "expected a percentage"),
    ] {
        check(&compare(arguments), 2, words);
    }
    for half in ["tokio_999.0.0", "tokio_crates", "tokio_quinn_1.2.3"] {
        assert!(!WORKSPACE.target.join("inflight/versions").join(half).exists(), "{half}");
    }
}
