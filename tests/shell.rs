//! What the command line promises to terminals, pipes, shells and scripts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use model_kit::Cell;
use record::Run;
use regex::Regex;
use serde_json::Value;

use crate::support;
use crate::support::shell::{check, inflight, small_run, stored, text};
use crate::support::skip::skipped;
use crate::support::{WORKSPACE, built};

/// Runs a script in a folder, in which `$inflight` is the program.
fn sh(folder: &Path, script: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder).env("inflight", built("inflight").path);
    command.output().expect("sh starts")
}

/// Returns the names of the commands, as help reports them.
fn commands() -> Vec<String> {
    let help = text(&inflight(&WORKSPACE.root, &["--help"]));
    let name = Regex::new(r"(?m)^  ([a-z][a-z-]+)  ").expect("it is an expression");
    let listed = help.split_once("Commands:").expect("it lists them").1;
    let listed = listed.split_once("Options:").expect("options follow").0;
    let names = name.captures_iter(listed).map(|found| found[1].to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn every_help_begins_with_examples_that_are_not_wrong_use() {
    let commands = commands();
    assert!(commands.len() >= 14, "{commands:?}");
    for command in [&[String::new()], &commands[..]].concat() {
        let arguments: Vec<&str> =
            [command.as_str(), "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let output = inflight(&WORKSPACE.root, &arguments);
        let said = text(&output);
        assert!(output.status.success() && said.starts_with("Examples:\n  inflight "), "{said}");
        let examples = said.split("\n\n").next().unwrap_or_default();
        for example in examples.lines().skip(1) {
            let words = example.trim().split("  ").next().unwrap_or_default();
            let words = words.split(['>', '|']).next().unwrap_or_default();
            // With help beside them, arguments are parsed and nothing is done.
            let parsed = sh(&WORKSPACE.root, &words.replace("inflight", "$inflight --help"));
            assert!(parsed.status.success(), "{words}");
        }
    }
}

#[test]
fn the_manual_and_the_completions_know_every_command() {
    let page = text(&inflight(&WORKSPACE.root, &["man"]));
    for command in commands() {
        let roff = command.replace('-', "\\-");
        assert!(page.contains(&format!("inflight\\-{roff}(1)")), "{command}: {page}");
        let own = text(&inflight(&WORKSPACE.root, &["man", &command]));
        assert!(own.contains(".SH EXAMPLES") && own.contains(".SH NAME"), "{own}");
        for shell in ["bash", "zsh", "fish"] {
            let script = text(&inflight(&WORKSPACE.root, &["completions", shell]));
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
    check(&inflight(&WORKSPACE.root, &["man", "nonsense"]), 2, "there is no command");
    let bash = sh(&WORKSPACE.root, "$inflight completions bash | bash -n");
    assert!(bash.status.success() && bash.stderr.is_empty(), "{bash:?}");
}

#[test]
fn every_command_that_reads_answers_in_one_document_and_so_does_every_error() {
    let (folder, _) = small_run();
    let good: [&[&str]; 12] = [
        &["list", "runs"],
        &["list", "faults"],
        &["report", "latest", "latest"],
        &["list", "cells"],
        &["rank", "latest"],
        &["diff", "latest", "latest"],
        &["check", "latest"],
        &["report", "latest"],
        &["cite", "latest"],
        &["export", "latest", "--to", "csv"],
        &["completions", "bash"],
        &["man"],
    ];
    for arguments in good {
        let output = inflight(folder.path(), &[arguments, &["--json"]].concat());
        let reported = serde_json::from_slice::<Value>(&output.stdout);
        assert!(
            output.status.success() && reported.is_ok_and(|reported| !reported.is_null()),
            "{arguments:?}"
        );
    }
    let bad: [&[&str]; 6] = [
        &["cite", "1999"],
        &["cite", "latest", "--as", "poem"],
        &["export", "latest"],
        &["merge", "latest", "--out", "x"],
        &["nonsense"],
        &["man", "nonsense"],
    ];
    for arguments in bad {
        let output = inflight(folder.path(), &[arguments, &["--json"]].concat());
        let reported: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        assert_eq!(reported["error"]["exit_code"], 2, "{reported}");
        assert_eq!(output.status.code(), Some(2), "{reported}");
        assert!(reported["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

#[test]
fn a_run_goes_by_its_path_its_name_the_beginning_of_it_or_as_the_latest() {
    let (folder, path) = small_run();
    let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
    let place = path.to_str().expect("our paths are UTF-8");
    let cite = |run: &str| text(&inflight(folder.path(), &["cite", run, "--as", "methods"]));
    let expected = cite("latest");
    assert!(expected.contains(&name), "{expected}");
    for run in [place, &name, &name[..name.len() - 3]] {
        assert_eq!(cite(run), expected, "{run}");
    }
    let mut other = Run::read(&path).expect("it reads");
    other.schedule.seed += 1;
    stored(&folder.path().join("results"), &other);
    check(&inflight(folder.path(), &["cite", "20"]), 2, "2 runs begin with \"20\"");
}

#[test]
fn colour_is_for_terminals_and_for_whoever_asks_for_it() {
    let (folder, _) = small_run();
    let coloured = |words: &str| {
        let output = sh(folder.path(), words);
        let bytes = [output.stdout, output.stderr].concat();
        bytes.contains(&0x1b)
    };
    assert!(coloured("$inflight check latest --color always"));
    for plain in [
        "$inflight check latest",
        "$inflight check latest --color never",
        "NO_COLOR=1 $inflight check latest",
        "TERM=dumb $inflight check latest",
        "$inflight check 1999",
    ] {
        assert!(!coloured(plain), "{plain}");
    }
    // The words are the same without it.
    let plain = sh(folder.path(), "$inflight check latest");
    let painted = sh(folder.path(), "$inflight check latest --color always");
    let escape = Regex::new("\u{1b}\\[[0-9;]*m").expect("it is an expression");
    assert_eq!(escape.replace_all(&text(&painted), ""), text(&plain));
}

#[test]
fn a_terminal_gets_colour_unless_it_is_dumb_or_says_no() {
    if !sh(Path::new("/"), "command -v script").status.success() {
        return skipped("`script`, of util-linux, is not installed");
    }
    let (folder, _) = small_run();
    let seen = |environment: &str| {
        let asked = format!("script -qec 'env {environment} $inflight check latest' /dev/null");
        text(&sh(folder.path(), &asked)).contains("\u{1b}[")
    };
    assert!(seen("-u NO_COLOR TERM=xterm"));
    for plain in ["NO_COLOR=1 TERM=xterm", "-u NO_COLOR TERM=dumb", "-u NO_COLOR CI=1 TERM=dumb"] {
        assert!(!seen(plain), "{plain}");
    }
}

#[test]
fn a_reader_that_leaves_and_a_closed_stdout_are_no_failure_but_a_full_one_is() {
    let (_folder, path) = small_run();
    let name = path.display();
    for (script, code) in [
        (format!("($inflight export {name} --to csv; echo $? >&2) | head -1"), "0"),
        (format!("($inflight export {name} --to bencher --json; echo $? >&2) | head -1"), "0"),
        (format!("$inflight cite {name} >&-; echo $? >&2"), "0"),
        (format!("$inflight cite {name} > /dev/full; echo $? >&2"), "8"),
        (format!("$inflight cite {name} --json > /dev/full; echo $? >&2"), "8"),
    ] {
        let output = sh(&path, &script);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let (reported, ended) = said.trim().rsplit_once('\n').unwrap_or(("", said.trim()));
        assert_eq!(ended, code, "{script}");
        let words = if code == "0" { "" } else { "error: failed to write stdout (" };
        assert!(
            reported.starts_with(words) && reported.is_empty() == words.is_empty(),
            "{reported}"
        );
    }
}

#[test]
fn a_narrow_terminal_loses_no_word() {
    let (folder, _) = small_run();
    let help = sh(&WORKSPACE.root, "COLUMNS=40 $inflight run --help");
    // The line of usage is never broken.
    let lines: Vec<String> = text(&help).lines().map(str::to_owned).collect();
    let wide = |line: &&String| line.chars().count() > 40 && !line.starts_with("Usage: ");
    assert_eq!(lines.iter().find(wide), None);
    let words = |columns: &str| {
        let said = text(&sh(folder.path(), &format!("COLUMNS={columns} $inflight rank latest")));
        said.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words("40"), words("200"));
}

#[test]
fn quiet_reports_no_progress_and_errors_all_the_same() {
    let _alone = support::alone();
    let results = tempfile::tempdir().expect("it is made");
    let out = results.path().to_str().expect("our paths are UTF-8");
    let run = ["run", "tokio", "--cell", "batch", "--blocks", "1", "--out", out, "--quiet"];
    let output = inflight(&WORKSPACE.root, &run);
    match output.status.code() {
        Some(6) => check(&output, 6, "another run is measuring"),
        code => {
            assert!(matches!(code, Some(0 | 4)), "{output:?}");
            assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(text(&output).contains("tokio"));
        }
    }
    check(&inflight(&WORKSPACE.root, &["cite", "1999", "--quiet"]), 2, "there is no run");
}

#[test]
fn runs_are_listed_with_what_they_are_and_those_that_cannot_be_read_too() {
    let (folder, path) = small_run();
    let results = folder.path().join("results");
    let mut other = Run::read(&path).expect("it reads");
    other.schedule.seed += 1;
    let unfinished = stored(&results, &other);
    fs::remove_file(unfinished.join("MANIFEST")).expect("it is ours");
    other.schedule.seed += 1;
    let broken = stored(&results, &other);
    fs::write(broken.join("schedule.json"), "{").expect("it is ours");

    let output = inflight(folder.path(), &["list", "runs", "--json"]);
    let reported: Vec<Value> = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let state = |path: &PathBuf| {
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        let run = reported.iter().find(|run| run["run"] == *name).expect("it is listed");
        run["state"].as_str().expect("a text").to_owned()
    };
    assert_eq!((state(&path), state(&unfinished)), ("complete".into(), "unfinished".into()));
    assert!(state(&broken).starts_with("cannot be read: "));
    let whole = reported.iter().find(|run| run["state"] == "complete").expect("it is listed");
    let counts: BTreeMap<&str, u64> = ["models", "blocks", "turns"]
        .into_iter()
        .map(|key| (key, whole[key].as_u64().expect("a count")))
        .collect();
    let run = Run::read(&path).expect("it reads");
    let (blocks, models) = (run.schedule.blocks.len(), run.schedule.models.len());
    let all = [("blocks", blocks), ("models", models), ("turns", run.turns.len())];
    assert_eq!(counts, BTreeMap::from(all.map(|(name, count)| (name, count as u64))));
}

#[test]
fn every_cell_of_a_preset_is_listed_those_that_hold_fetches_too() {
    let listed = |more: &[&str]| inflight(&WORKSPACE.root, &[&["list", "cells"], more].concat());
    let said = text(&listed(&[]));
    let reported: Value = serde_json::from_slice(&listed(&["--json"]).stdout).expect("it is JSON");
    for preset in harness::presets() {
        let mut all = reported.as_array().expect("it is a list").iter();
        let own = all.find(|own| own["preset"] == preset.name).expect("it is listed");
        let cells = own["cells"].as_array().expect("they are a list");
        let names: Vec<&str> = cells.iter().filter_map(|cell| cell["name"].as_str()).collect();
        let expected: Vec<Cell> = [preset.cells, preset.holds.cells()].concat();
        assert_eq!(names, expected.iter().map(|cell| cell.name.as_str()).collect::<Vec<_>>());
        assert_eq!(own["blocks"].as_array().map(Vec::len), Some(names.len()), "{own}");
        assert!(names.iter().all(|name| said.contains(&format!("  {name}: "))), "{said}");
    }
}

#[test]
fn every_fault_is_listed_with_what_a_bare_model_says_of_it() {
    let output = inflight(&WORKSPACE.root, &["list", "faults"]);
    let said = text(&output);
    assert_eq!(said.lines().count(), harness::fault_cases().len(), "{said}");
    for line in ["F01  refused                  1201", "F27  chunks                   ok"] {
        assert!(said.lines().any(|other| other == line), "{said}");
    }
}
