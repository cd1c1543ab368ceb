//! The command line as a real process, and small runs to use it on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use record::{Entry, Run, RunFolder, TrialRecord};

use super::{WORKSPACE, built};

/// Blocks of a small run.
const BLOCKS: usize = 16;

/// Runs the program in a folder.
pub(crate) fn inflight(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(built("inflight").path);
    command.args(arguments).current_dir(folder).output().expect("it starts")
}

/// Checks the exit code, and that stderr says these words in one sentence.
pub(crate) fn check(output: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}{}", text(output));
    assert!(said.contains(words) && !said.contains("panicked"), "{said}");
    assert!(said.lines().count() <= 8, "{said}");
}

/// Returns what was said on stdout.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the folders of the runs that git tracks, the newest last.
pub(crate) fn published() -> Vec<PathBuf> {
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

/// Returns the first published run, which stays what it is whatever is published later.
pub(crate) fn first_published() -> PathBuf {
    published().remove(0)
}

/// Reads the newest published run that compares all models; others answer questions of their own.
pub(crate) fn newest_comparison() -> Run {
    let mut runs = published().into_iter().map(|path| Run::read(&path).expect("it reads"));
    let compares = |run: &Run| ["quick", "standard", "publish"].contains(&&*run.schedule.preset);
    runs.rfind(compares).expect("such a run is published")
}

/// Returns a folder with results of one small run, made of the first blocks of a published one,
/// and the run.
pub(crate) fn small_run() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("it is made");
    let path = written(folder.path(), |_| {});
    (folder, path)
}

/// Writes a run of the first blocks of a published one, changed as asked for, and what is derived.
pub(crate) fn written(folder: &Path, change: impl FnOnce(&mut Run)) -> PathBuf {
    let mut run = Run::read(&first_published()).expect("it reads");
    run.schedule.blocks.truncate(BLOCKS);
    let last = u32::try_from(BLOCKS).expect("they are few");
    run.trials.retain(|trial| trial.block < last);
    change(&mut run);
    with_derived(folder, &run)
}

/// Writes a whole published run, changed as asked for, and what is derived: places need blocks.
pub(crate) fn whole(folder: &Path, change: impl FnOnce(&mut Run)) -> PathBuf {
    let mut run = Run::read(&first_published()).expect("it reads");
    change(&mut run);
    with_derived(folder, &run)
}

/// Writes a run, and what is derived from it.
fn with_derived(folder: &Path, run: &Run) -> PathBuf {
    let path = stored(&folder.join("results"), run);
    let name = path.to_str().expect("our paths are UTF-8");
    let derived = inflight(folder, &["report", name]);
    assert!(derived.status.success(), "{}", String::from_utf8_lossy(&derived.stderr));
    path
}

/// Writes a run as it would have been measured, and returns its folder.
pub(crate) fn stored(results: &Path, run: &Run) -> PathBuf {
    let folder = RunFolder::create(results, &run.schedule, &run.environment);
    let mut folder = folder.expect("it is written");
    for trial in &run.trials {
        folder.append(&Entry::Trial(Box::new(trial.clone()))).expect("it is written");
    }
    let path = folder.path().to_owned();
    folder.finish().expect("it is written");
    path
}

/// Returns the change of a run that changes each of its trials.
pub(crate) fn each_trial(change: impl Fn(&mut TrialRecord)) -> impl FnOnce(&mut Run) {
    move |run| run.trials.iter_mut().for_each(change)
}

/// Returns every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path()).flat_map(|path| match path.is_dir() {
        true => files_below(&path),
        false => vec![path],
    });
    files.collect()
}

/// Copies what git knows of the workspace, or would add.
pub(crate) fn copy_workspace(to: &Path) {
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
