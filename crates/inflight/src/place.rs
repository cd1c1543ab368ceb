//! Where things are: the workspace around the current folder, its results, and a run by its name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::{Failure, Workspace};
use record::Unreadable;

/// Names that are less alike than this are not proposed.
const ALIKE: f64 = 0.7;

/// Returns the workspace around the current folder.
pub(crate) fn workspace() -> Result<Workspace> {
    let folder = std::env::current_dir().context("failed to read the current folder")?;
    Workspace::of(&folder).map_err(|_| {
        let why = "this needs a checkout of Inflight, since models are built from it: change into \
                   one and try again";
        Failure::Usage(why.to_owned()).into()
    })
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

    let runs = runs(results);
    if let ("latest", Some(last)) = (name, runs.last()) {
        return Ok(results.join(last));
    }
    let begin_so: Vec<&String> = runs.iter().filter(|run| run.starts_with(name)).collect();
    match begin_so.as_slice() {
        [one] => Ok(results.join(one)),
        [] => Err(no_run(name, &runs).into()),
        several => Err(Failure::Usage(format!(
            "{} runs begin with {name:?}: {} and {}; type more of the name",
            several.len(),
            several[0],
            several[several.len() - 1]
        ))
        .into()),
    }
}

/// Returns the names of all runs below some results, the oldest first.
pub(crate) fn runs(results: &Path) -> Vec<String> {
    let entries = fs::read_dir(results).into_iter().flatten().flatten();
    let is_run = |path: &PathBuf| !path.is_symlink() && path.join("schedule.json").exists();
    let folders = entries.map(|entry| entry.path()).filter(is_run);
    let mut names: Vec<String> =
        folders.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect();
    names.sort();
    names
}

/// Reads a run by its name.
pub(crate) fn read(name: &str) -> Result<(PathBuf, record::Run)> {
    let path = run(name)?;
    let run = record::Run::read(&path)
        .with_context(|| Unreadable(format!("the run {}", path.display())))?;
    Ok((path, run))
}

/// Returns the name among some that is most like one that is not among them.
pub(crate) fn most_like<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = names.map(|other| (strsim::jaro_winkler(name, other), other));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score >= ALIKE).map(|(_, name)| name)
}

/// Says that there is no such run, and which there are.
fn no_run(name: &str, runs: &[String]) -> Failure {
    let meant = most_like(name, runs.iter().map(String::as_str));
    Failure::Usage(match (meant, runs.last()) {
        (Some(meant), _) => format!("there is no run {name:?}: did you mean {meant}?"),
        (None, Some(last)) => {
            format!("there is no run {name:?}: `inflight list runs` names them, {last} is the last")
        }
        (None, None) => {
            format!("there is no run {name:?}, nor any other: `inflight run` makes one")
        }
    })
}
