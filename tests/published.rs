//! The table in README.md is the newest published run's, rebuilt from its folder.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{BASELINE, FLOOR};
use record::{Integrity, Run};
use report::Form;

use support::WORKSPACE;

/// What stands around the table.
const BEGIN: &str = "<!-- newest table: begin -->\n";
const END: &str = "<!-- newest table: end -->";

/// Returns the folders of the runs that git tracks, the newest last.
fn published() -> Vec<PathBuf> {
    let git = Command::new("git")
        .args(["ls-files", "results/*/MANIFEST"])
        .current_dir(&WORKSPACE.root)
        .output()
        .expect("git lists the files");
    let list = String::from_utf8_lossy(&git.stdout).into_owned();
    let folder = |file: &str| WORKSPACE.root.join(file).parent().map(Path::to_owned);
    let mut runs: Vec<PathBuf> = list.lines().filter_map(folder).collect();
    runs.sort();
    assert!(!runs.is_empty(), "a run is published");
    runs
}

/// Returns the summary of a run as Markdown.
fn summary(run: &Run) -> String {
    report::summary(run, &report::figures(run, BASELINE, FLOOR), Form::Markdown)
}

#[test]
fn every_published_run_is_complete_and_reads() {
    for path in published() {
        let run = Run::read(&path).expect("it reads");
        assert_eq!(run.integrity, Integrity::Whole, "{}", path.display());
        // Nothing that was planned is missing, but for what the rule of the schedule has stopped.
        assert_eq!(run.next_block(), None, "{}", path.display());
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for path in published() {
        let derived = || report::derive(&Run::read(&path).expect("it reads"), BASELINE, FLOOR);
        assert_eq!(derived(), derived());
        for (name, bytes) in derived() {
            let kept = fs::read(path.join("derived").join(&name)).expect("it is there");
            assert!(bytes == kept, "{} of {}", name, path.display());
        }
    }
}

#[test]
fn the_table_in_the_readme_is_the_newest_run_s() {
    let path = WORKSPACE.root.join("README.md");
    let readme = fs::read_to_string(&path).expect("it is there");
    let (before, rest) = readme.split_once(BEGIN).expect("the mark is there");
    let (_, after) = rest.split_once(END).expect("the mark is there");
    let newest = published().pop().expect("a run is published");
    let table = summary(&Run::read(&newest).expect("it reads"));
    let fresh = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    if std::env::var_os("INFLIGHT_BLESS").is_some() {
        fs::write(&path, &fresh).expect("it is writable");
        return;
    }
    assert_eq!(readme, fresh, "run `INFLIGHT_BLESS=1 cargo test --test published` to renew it");
}
