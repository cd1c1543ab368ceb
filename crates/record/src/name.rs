//! What a run is called: by what its measured files say, whatever its folder is called and whether
//! anything was computed from it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::{Entry, sha256};

/// How much of a journal is read for its first line, in bytes.
const BEGIN_BYTES_MAX: u64 = 64 * 1024;
/// With how many digits of its schedule's hash the name of a run ends.
pub(crate) const HASH_DIGITS: usize = 8;
/// The longest name of a run, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Returns the name of the run in a folder: the one that its journal begins with, or where it was
/// written before journals had one, that of the folder beside it that ends in the hash of its
/// schedule, as each run's own does; without such a folder that of its own.
pub fn own_name(path: &Path) -> String {
    let begun = first_line(&path.join("journal.jsonl")).and_then(|line| begun_as(&line));
    begun.or_else(|| hashed(path)).unwrap_or_else(|| name_of(path))
}

/// Returns the name of a folder.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the name of the folder, the one given or one beside it, that ends in the hash of the
/// schedule there.
fn hashed(path: &Path) -> Option<String> {
    let end = format!("-{}", &sha256(&fs::read(path.join("schedule.json")).ok()?)[..HASH_DIGITS]);
    let beside = fs::read_dir(path.parent()?).into_iter().flatten().flatten();
    let mut names: Vec<String> = beside.map(|entry| name_of(&entry.path())).collect();
    names.retain(|name| name.ends_with(&end) && is_name(name));
    names.into_iter().min()
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

/// Returns whether a text may be the name of a run: it becomes that of a folder.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.chars().all(plain)
}

/// Returns the first line of a journal, if it is whole.
fn first_line(path: &Path) -> Option<String> {
    let is_file = fs::symlink_metadata(path).is_ok_and(|about| about.is_file());
    let file = File::open(path).ok().filter(|_| is_file)?;
    let mut begin = String::new();
    BufReader::new(file.take(BEGIN_BYTES_MAX)).read_line(&mut begin).ok()?;
    begin.strip_suffix('\n').map(str::to_owned)
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
