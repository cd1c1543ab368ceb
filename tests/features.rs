//! The table of features in `tests/README.md` names tests that exist, and says plainly what is
//! open; every file of tests is part of a program; and a test that lacks something says so, or
//! fails where nothing may be missing.

use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::support::skip::skipped_but_in_ci;

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
    for (right, broken) in [
        ("::a_model_that_hangs_is_killed`", "::a_model_that_hangs_is_gone`"),
        ("`tests/failures.rs::a_model_that_hangs", "`tests/gone.rs::a_model_that_hangs"),
        ("`tests/sharing.rs::every_trial_of_a_run_is_a_row_of_its_raw_samples`", "later"),
        ("| 7 |", "| 8 |"),
        ("| 30 |", "| thirty |"),
    ] {
        assert!(page.contains(right), "{right}");
        assert!(!wrong(&page.replacen(right, broken, 1)).is_empty(), "{broken}");
    }
}

/// The programs that have the other files of `tests/` as modules.
const PROGRAMS: [&str; 3] = ["commands", "files", "programs"];

/// Returns those of some files in `tests/` that are not part of just one program, by what programs
/// say.
fn astray(files: &[String], programs: &[String]) -> Vec<String> {
    let parts = |file: &str| {
        let module = format!("mod {file};");
        let lines = programs.iter().flat_map(|text| text.lines());
        lines.filter(|line| *line == module).count()
    };
    files.iter().filter(|file| parts(file) != 1).cloned().collect()
}

#[test]
fn every_file_of_tests_is_part_of_one_program_that_cargo_builds() {
    let manifest = read("Cargo.toml");
    let texts = PROGRAMS.map(|name| read(&format!("tests/{name}.rs")));
    for name in PROGRAMS {
        assert!(manifest.contains(&format!("[[test]]\nname = {name:?}\n")), "{name}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let paths = fs::read_dir(folder).expect("it is there").flatten().map(|entry| entry.path());
    let paths = paths.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let names = paths.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    let mut files: Vec<String> = names.filter(|name| !PROGRAMS.contains(&&**name)).collect();
    assert_eq!(astray(&files, &texts), Vec::<String>::new());

    files.push("forgotten".to_owned());
    assert_eq!(astray(&files, &texts), ["forgotten"]);
    let twice = texts.map(|text| text.replace("mod house;", "mod house;\nmod hold;"));
    assert_eq!(astray(&files[..files.len() - 1], &twice), ["hold"]);
}

#[test]
fn a_test_that_lacks_something_says_so_and_fails_where_nothing_may_be_missing() {
    if std::env::var_os(LACKS).is_some() {
        return skipped_but_in_ci("no such program");
    }
    let own = std::env::current_exe().expect("it has a path");
    let name =
        "features::a_test_that_lacks_something_says_so_and_fails_where_nothing_may_be_missing";
    for (ci, passes) in [(None, true), (Some("1"), true), (Some("true"), false)] {
        let mut inside = Command::new(&own);
        inside.args(["--exact", name]).env(LACKS, "1").env_remove("CI");
        let output = inside.envs(ci.map(|ci| ("CI", ci))).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), passes, "{ci:?}: {output:?}");
        assert_eq!(said.contains("skipped: no such program\n"), passes, "{ci:?}: {output:?}");
    }
}
