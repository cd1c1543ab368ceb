//! Reads the small texts in which a kernel reports its state, and says figures as people do.

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// Returns the text of a file without the white space around it, if it can be read.
pub(super) fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// Returns the number that is all a file says.
pub(super) fn number<T: FromStr>(path: impl AsRef<Path>) -> Option<T> {
    text(path)?.parse().ok()
}

/// Returns the number that follows a word: `MemFree: 7 kB` and `tw 7` are 7.
pub(super) fn after(text: &str, word: &str) -> Option<u64> {
    let mut words = text.split_whitespace();
    words.find(|found| found.trim_end_matches(':') == word)?;
    words.next()?.parse().ok()
}

/// Returns a counter of `/proc/net/netstat`, where a line of names stands before one of numbers.
pub(super) fn counter(text: &str, family: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(": "));
    let (_, names) = lines.find(|(found, _)| *found == family)?;
    let (_, numbers) = lines.find(|(found, _)| *found == family)?;
    let place = names.split_whitespace().position(|found| found == name)?;
    numbers.split_whitespace().nth(place)?.parse().ok()
}

/// Returns a share as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Returns what is said where something cannot be read.
pub(super) fn unseen(what: impl Display, matters: &str) -> String {
    format!("{what} cannot be seen here: {matters}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_after_a_word_is_read() {
        let text = "sockets: used 10\nTCP: inuse 1 orphan 0 tw 23\nMemFree:  5 kB";
        assert_eq!(after(text, "tw"), Some(23));
        assert_eq!(after(text, "MemFree"), Some(5));
        assert_eq!(after(text, "TCP"), None);
        assert_eq!(after(text, "absent"), None);
        assert_eq!(after("tw", "tw"), None);
    }

    #[test]
    fn a_counter_is_read_from_below_its_name() {
        let text = "TcpExt: A ListenOverflows\nTcpExt: 1 7\nIpExt: A B\nIpExt: 3 4\n";
        assert_eq!(counter(text, "TcpExt", "ListenOverflows"), Some(7));
        assert_eq!(counter(text, "IpExt", "A"), Some(3));
        assert_eq!(counter(text, "IpExt", "C"), None);
        assert_eq!(counter("TcpExt: A\n", "TcpExt", "A"), None);
    }

    #[test]
    fn a_file_that_is_absent_or_says_something_else_has_no_number() {
        assert_eq!(number::<u64>("/proc/absent"), None);
        assert_eq!(number::<u64>("/proc/version"), None);
    }
}
