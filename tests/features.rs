//! The table of features in `tests/README.md` names tests that exist, and says plainly what is
//! open; and a test that lacks something says so, or fails where nothing may be missing.

#[path = "support/skip.rs"]
mod skip;

use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use skip::skipped_but_in_ci;

/// Set where a test is to lack something.
const LACKS: &str = "INFLIGHT_LACKS";
/// How many features the table has.
const FEATURES: usize = 30;

/// Returns a file of the workspace.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns what is wrong with a table of features.
fn wrong(page: &str) -> Vec<String> {
    let named = Regex::new(r"`([a-z0-9_/.-]+\.rs)::([a-z0-9_]+)`").expect("it is an expression");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.map(|row| row.trim_end_matches('|').split(" | ").collect::<Vec<_>>());
    let rows: Vec<_> = rows.filter(|row| row[0].parse::<usize>().is_ok()).collect();
    let mut wrong = Vec::new();
    for (row, number) in rows.iter().zip(1..) {
        let proof = row.get(2).copied().unwrap_or_default();
        let tests: Vec<_> = named.captures_iter(proof).collect();
        if row.len() != 3 || row[0] != number.to_string() {
            wrong.push(format!("row {number} is not one of three columns: {row:?}"));
        }
        if tests.is_empty() && !proof.starts_with("open: ") {
            wrong.push(format!("row {number} names no test and is not called open"));
        }
        for test in tests {
            let (path, name) = (&test[1], &test[2]);
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            let is_there = fs::read_to_string(file).is_ok_and(|text| is_test(&text, name));
            if !is_there {
                wrong.push(format!("row {number}: {path} has no test {name}"));
            }
        }
    }
    if rows.len() != FEATURES {
        wrong.push(format!("there are {} rows instead of {FEATURES}", rows.len()));
    }
    wrong
}

/// Returns whether a file has a test of that name.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begins = format!("fn {name}(");
    lines.windows(2).any(|pair| pair[0] == "#[test]" && pair[1].starts_with(&begins))
}

#[test]
fn every_feature_has_a_test_that_exists_or_is_called_open() {
    assert_eq!(wrong(&read("tests/README.md")), Vec::<String>::new());
}

#[test]
fn a_test_that_is_gone_or_a_row_without_one_is_found() {
    let page = read("tests/README.md");
    for (right, spoiled) in [
        ("::a_model_that_hangs_is_killed`", "::a_model_that_hangs_is_gone`"),
        ("`tests/failures.rs::a_model_that_hangs", "`tests/gone.rs::a_model_that_hangs"),
        ("`tests/sharing.rs::every_trial_of_a_run_is_a_row_of_its_raw_samples`", "later"),
        ("| 7 |", "| 8 |"),
        ("| 30 |", "| thirty |"),
    ] {
        assert!(page.contains(right), "{right}");
        assert!(!wrong(&page.replacen(right, spoiled, 1)).is_empty(), "{spoiled}");
    }
}

#[test]
fn a_test_that_lacks_something_says_so_and_fails_where_nothing_may_be_missing() {
    if std::env::var_os(LACKS).is_some() {
        return skipped_but_in_ci("no such program");
    }
    let own = std::env::current_exe().expect("it has a path");
    let name = "a_test_that_lacks_something_says_so_and_fails_where_nothing_may_be_missing";
    for (ci, passes) in [(None, true), (Some("1"), true), (Some("true"), false)] {
        let mut inside = Command::new(&own);
        inside.args(["--exact", name]).env(LACKS, "1").env_remove("CI");
        let output = inside.envs(ci.map(|ci| ("CI", ci))).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), passes, "{ci:?}: {output:?}");
        assert_eq!(said.contains("skipped: no such program\n"), passes, "{ci:?}: {output:?}");
    }
}
