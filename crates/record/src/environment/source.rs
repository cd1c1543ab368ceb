//! How the kernel's files are read: a line, a number, a field, the choice in brackets.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use super::fact::{Fact, NONE};

/// Returns what a file says: "none" if it is empty, and "unknown" if it cannot be read.
pub(super) fn line(path: impl AsRef<Path>) -> Fact {
    let text = fs::read_to_string(path).ok();
    let first = text.map(|text| text.lines().next().unwrap_or_default().trim().to_owned());
    first.map(|line| if line.is_empty() { NONE.to_owned() } else { line }).into()
}

/// Returns the number that a file holds.
pub(super) fn number<T: FromStr>(path: impl AsRef<Path>) -> Option<T> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Returns the value of a `key: value` line.
pub(super) fn field(path: &str, key: &str) -> Fact {
    fs::read_to_string(path).ok().and_then(|text| value(&text, key).map(str::to_owned)).into()
}

/// Returns the value of the first `key: value` line of a text.
pub(super) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    let mut values = pairs.filter(|(name, _)| name.trim() == key);
    values.next().map(|(_, value)| value.trim())
}

/// Returns the KiB of a line of `/proc/meminfo`.
pub(super) fn memory_kib(key: &str) -> Option<u64> {
    field("/proc/meminfo", key).as_str().trim_end_matches(" kB").parse().ok()
}

/// Returns the choice that a file marks with brackets, as in `always [madvise] never`.
pub(super) fn choice(path: &str) -> Fact {
    let reported = line(path);
    let marked = reported.as_str().split(['[', ']', '(', ')']).nth(1).map(str::to_owned);
    marked.into()
}

/// Returns the names in a folder, sorted.
pub(super) fn names(folder: impl AsRef<Path>) -> Option<Vec<String>> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Some(names)
}

/// Returns how many names in a folder are a word followed by a number, as in `node0`.
pub(super) fn numbered(folder: &str, word: &str) -> Option<Vec<String>> {
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    let mut names = names(folder)?;
    names.retain(|name| name.strip_prefix(word).is_some_and(is_number));
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "model\t\t: 17\nmodel name\t: AMD EPYC\n";
        assert_eq!(value(text, "model name"), Some("AMD EPYC"));
        assert_eq!(value(text, "name"), None);
    }

    #[test]
    fn an_empty_file_says_none_and_a_missing_one_is_unknown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(line(file.path()).as_str(), "none");
        assert_eq!(line("/proc/no such file"), Fact::default());
    }

    #[test]
    fn the_choice_is_what_stands_in_brackets() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, chosen) in [("always [madvise] never\n", "madvise"), ("never\n", "unknown")] {
            fs::write(file.path(), text).unwrap();
            assert_eq!(choice(file.path().to_str().unwrap()).as_str(), chosen);
        }
    }
}
