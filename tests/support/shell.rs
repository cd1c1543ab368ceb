//! The command line as a real process, and small runs to use it on.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use record::{Entry, Run, RunFolder, TurnRecord};

use super::fixture::fixture;
use super::{WORKSPACE, built};

/// Blocks of each cell of a small run.
const BLOCKS: u32 = 8;
/// The same of a run whose models have places.
const BLOCKS_RANKED: u32 = 14;

/// Runs the program in a folder.
pub(crate) fn inflight(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(built("inflight").path);
    command.args(arguments).current_dir(folder).output().expect("it starts")
}

/// Returns a folder with every program of this machine but those whose names begin so.
pub(crate) fn without(prefix: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("it is made");
    let path = std::env::var_os("PATH").expect("it is set");
    for program in std::env::split_paths(&path).filter_map(|f| fs::read_dir(f).ok()).flatten() {
        let program = program.expect("it is listed");
        let name = program.file_name();
        if !name.to_string_lossy().starts_with(prefix) {
            // The first of a name counts.
            let _ = symlink(program.path(), folder.path().join(name));
        }
    }
    folder
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
    runs
}

/// The results of one small run with what is derived, written once by each program of tests.
static SMALL_RUN: LazyLock<PathBuf> = LazyLock::new(|| {
    let name = concat!("small-run-of-", env!("CARGO_CRATE_NAME"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    written(&folder, |_| {});
    folder.join("results")
});

/// Returns a folder with results of one small run, and the run.
pub(crate) fn small_run() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("it is made");
    let copied = Command::new("cp").arg("-a").arg(&*SMALL_RUN).arg(folder.path()).status();
    assert!(copied.expect("cp starts").success());
    let results = folder.path().join("results");
    let latest = fs::read_link(results.join("latest")).expect("it is a link to the run");
    (folder, results.join(latest))
}

/// Writes a small run, changed as asked for, and what is derived.
pub(crate) fn written(folder: &Path, change: impl FnOnce(&mut Run)) -> PathBuf {
    let mut run = fixture(BLOCKS);
    change(&mut run);
    with_derived(folder, &run)
}

/// Writes a run that has enough blocks for places, changed as asked for, and what is derived.
pub(crate) fn whole(folder: &Path, change: impl FnOnce(&mut Run)) -> PathBuf {
    let mut run = fixture(BLOCKS_RANKED);
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
    for entry in entries(run) {
        folder.append(&entry).expect("it is written");
    }
    let path = folder.path().to_owned();
    folder.finish().expect("it is written");
    path
}

/// Returns what the journal of a run says that went on to its end without a disturbance.
pub(crate) fn entries(run: &Run) -> Vec<Entry> {
    let mut entries = Vec::new();
    for block in &run.schedule.blocks {
        let of_block = |number: u32| number == block.number;
        for round in run.rounds.iter().filter(|round| of_block(round.block)) {
            let turns = run.turns.iter().filter(|turn| of_block(turn.block));
            let turns = turns.filter(|turn| turn.round == round.round);
            entries.extend(turns.map(|turn| Entry::Turn(Box::new(turn.clone()))));
            entries.push(Entry::Round(round.clone()));
        }
        let record = run.blocks.iter().find(|record| of_block(record.block));
        entries.extend(record.map(|record| Entry::Block(Box::new(record.clone()))));
    }
    entries
}

/// Returns the change of a run that changes each of its turns.
pub(crate) fn each_turn(change: impl Fn(&mut TurnRecord)) -> impl FnOnce(&mut Run) {
    move |run| run.turns.iter_mut().for_each(change)
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

/// Copies what git knows of the workspace, or would add, but for the published runs: they are most
/// of it, and nothing is built of them.
pub(crate) fn copy_workspace(to: &Path) {
    let git = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&WORKSPACE.root)
        .output()
        .expect("git lists the files");
    let list = String::from_utf8_lossy(&git.stdout);
    for file in list.lines().filter(|file| !file.starts_with("results/")) {
        let (source, target) = (WORKSPACE.root.join(file), to.join(file));
        let folder = target.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).expect("it is writable");
        if source.exists() {
            fs::copy(&source, &target).expect("it is writable");
        }
    }
}
