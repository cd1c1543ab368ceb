//! Where things are: the workspace around the current folder, its results, and a run by its name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::{Failure, Workspace};
use record::{INFLIGHT, Unreadable};

/// Names that are less alike than this are not proposed.
const ALIKE: f64 = 0.7;

/// Returns the workspace around the current folder.
pub(crate) fn workspace() -> Result<Workspace> {
    let folder = std::env::current_dir().context("failed to read the current folder")?;
    Workspace::of(&folder)
}

/// Returns the folder of the results around the current one.
pub(crate) fn results() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let around = here.ancestors().map(|folder| folder.join("results"));
    let mut around = around.filter(|results| results.is_dir());
    around.next().unwrap_or_else(|| here.join("results"))
}

/// Returns the folder of a run: its path, the beginning of its name, or `latest`.
pub(crate) fn run(name: &str) -> Result<PathBuf> {
    run_in(&results(), name)
}

/// Returns the folder of a run below some results, or anywhere if its path is given.
pub(crate) fn run_in(results: &Path, name: &str) -> Result<PathBuf> {
    let path = Path::new(name);
    if path.join("schedule.json").exists() {
        return Ok(path.to_owned());
    }
    if name != "latest" && results.join(name).join("schedule.json").exists() {
        return Ok(results.join(name));
    }

    let runs = record::runs(results);
    if let ("latest", Some(last)) = (name, runs.values().next_back()) {
        return Ok(last.clone());
    }
    let begin_so = runs.iter().filter(|(run, _)| run.starts_with(name));
    match begin_so.collect::<Vec<_>>().as_slice() {
        [(_, path)] => Ok((*path).clone()),
        [] if path.is_dir() => Err(not_begun(path).into()),
        [] if results.join(name).is_dir() => Err(not_begun(&results.join(name)).into()),
        [] => Err(no_run(name, &runs.into_keys().collect::<Vec<_>>()).into()),
        several => Err(Failure::Usage(format!(
            "{} runs begin with {name:?}: {} and {}; type more of the name",
            several.len(),
            several[0].0,
            several[several.len() - 1].0
        ))
        .into()),
    }
}

/// Returns what a command line calls a run in a folder: the time it began where that says which,
/// its path where it lies elsewhere.
pub(crate) fn called(folder: &Path) -> String {
    let results = results();
    let is_there = |name: &String| run_in(&results, name).is_ok_and(|found| same(&found, folder));
    let name = record::own_name(folder);
    let time = name.split('-').next().unwrap_or(&name).to_owned();
    Some(time).filter(is_there).unwrap_or_else(|| folder.display().to_string())
}

/// Returns whether two paths lead to one folder.
fn same(one: &Path, other: &Path) -> bool {
    let both = [one, other].map(fs::canonicalize);
    matches!(both, [Ok(one), Ok(other)] if one == other)
}

/// Reads a run by its name.
pub(crate) fn read(name: &str) -> Result<(PathBuf, record::Run)> {
    let path = run(name)?;
    let run = record::Run::read(&path)
        .with_context(|| Unreadable(format!("the run {}", path.display())))?;
    Ok((path, run))
}

/// Computes everything that is said of a run.
pub(crate) fn summary(run: &record::Run) -> analysis::Summary {
    analysis::summarize(run, harness::baseline_of(&run.schedule), harness::FLOOR)
}

/// Returns the name among some that is most like one that is not among them.
pub(crate) fn most_like<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Likeness of two names counts no letters that one of them has more: edits do.
    let alike = names.filter(|other| strsim::jaro_winkler(name, other) >= ALIKE);
    alike.min_by_key(|other| strsim::damerau_levenshtein(name, other))
}

/// Says that a folder is there and holds no run.
fn not_begun(folder: &Path) -> Failure {
    Failure::Usage(format!(
        "{} holds no run, for it has no schedule.json: `{INFLIGHT} run` begins a new one",
        folder.display()
    ))
}

/// Says that there is no such run, and which there are.
fn no_run(name: &str, runs: &[String]) -> Failure {
    let meant = most_like(name, runs.iter().map(String::as_str));
    Failure::Usage(match (meant, runs.last()) {
        (Some(meant), _) => format!("there is no run {name:?}: did you mean {meant}?"),
        (None, Some(last)) => {
            format!(
                "there is no run {name:?}: `{INFLIGHT} list runs` names them, {last} is the last"
            )
        }
        (None, None) => {
            format!("there is no run {name:?}, nor any other: `{INFLIGHT} run` makes one")
        }
    })
}
