//! What a run is called: by what its measured files say, whatever its folder is called and whether
//! anything was computed from it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::fault;
use crate::folder::{DERIVED, sha256};
use crate::{Entry, Environment};

/// How much of a journal is read for its first lines, in bytes.
const BEGIN_BYTES_MAX: u64 = 64 * 1024;
/// The longest name of a run, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Returns the name of the run in a folder: the one that its journal begins with.
///
/// A journal that was written before this was has none. Its run has the name of the folder, unless
/// somebody has given it another one, which the hash of the schedule shows; then the one by which
/// its summary calls it; then one that is made as names are, of when the first turn began.
pub fn own_name(path: &Path) -> String {
    let folder = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lines = first_lines(&path.join("journal.jsonl"));
    if let Some(name) = lines.first().and_then(|line| begun_as(line)) {
        return name;
    }
    let Ok(schedule) = fault::read(&path.join("schedule.json")) else { return folder };
    let hash = format!("-{}", &sha256(&schedule)[..8]);
    if folder.ends_with(&hash) {
        return folder;
    }
    let named = summary_name(path).filter(|name| name.ends_with(&hash));
    named.or_else(|| made(path, &lines, &hash)).unwrap_or(folder)
}

/// Returns the folders of all runs below some results by the runs' own names, the oldest first. Of
/// a run and its copies, the folder that has the run's name is the run.
pub fn runs(results: &Path) -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(results).into_iter().flatten().flatten();
    let is_run = |path: &PathBuf| !path.is_symlink() && path.join("schedule.json").exists();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_run).collect();
    // Whatever the order in which the disk has them.
    folders.sort();
    let mut runs = BTreeMap::new();
    for path in folders {
        let name = own_name(&path);
        if !runs.contains_key(&name) || path.ends_with(&name) {
            runs.insert(name, path);
        }
    }
    runs
}

/// Returns the name that stands in the first line of a journal.
fn begun_as(line: &str) -> Option<String> {
    match Entry::from_line(line).ok()? {
        Entry::Begin(begin) => begin.run.filter(|name| is_name(name)),
        _ => None,
    }
}

/// Returns the name by which its summary calls a run.
fn summary_name(path: &Path) -> Option<String> {
    /// The one field of a summary that is read.
    #[derive(Deserialize)]
    struct Named {
        run: String,
    }
    let summary = fault::read(&path.join(DERIVED[0]).join("summary.json")).ok()?;
    let Named { run } = serde_json::from_slice(&summary).ok()?;
    is_name(&run).then_some(run)
}

/// Returns a name that is made of when the first turn or trial began, of the machine, and of the
/// end that it is given.
fn made(path: &Path, lines: &[String], end: &str) -> Option<String> {
    let environment = fault::read(&path.join("environment.json")).ok()?;
    let environment: Environment = serde_json::from_slice(&environment).ok()?;
    let line: Value = serde_json::from_str(lines.get(1)?).ok()?;
    let began = ["turn", "primitive"].iter().find_map(|kind| line[kind]["started_utc"].as_str())?;
    let (second, _) = began.split_once('.').unwrap_or((began.trim_end_matches('Z'), ""));
    let name = format!("{}Z-{}{end}", second.replace(['-', ':'], ""), environment.class());
    is_name(&name).then_some(name)
}

/// Returns whether a text may be the name of a run: it becomes that of a folder.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.chars().all(plain)
}

/// Returns the first whole lines of a journal.
fn first_lines(path: &Path) -> Vec<String> {
    let is_file = fs::symlink_metadata(path).is_ok_and(|about| about.is_file());
    let Some(file) = File::open(path).ok().filter(|_| is_file) else { return Vec::new() };
    let mut begin = Vec::new();
    let _ = file.take(BEGIN_BYTES_MAX).read_to_end(&mut begin);
    let whole = begin.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
    String::from_utf8_lossy(&begin[..whole]).lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_lead_elsewhere_is_none() {
        for wrong in ["", "../x", "a/b", "a b", "a\u{1b}b", &"a".repeat(101)] {
            assert!(!is_name(wrong), "{wrong:?}");
        }
        assert!(is_name("20261129T000556Z-2c-container-4c749970"));
    }
}
