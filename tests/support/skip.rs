//! What a test does that needs what is not here, such as a program or a namespace: it says so.
//! What `.ci/run` installs has to be there where `CI` is `true`.

#![allow(dead_code, reason = "each that has it uses its part")]

use std::io::Write;
use std::process::Command;
use std::{env, io};

/// Says that a test checks nothing here, and what it lacks.
pub(crate) fn skipped(what: &str) {
    noted(&format!("skipped: {what}"));
}

/// Says the same of what `.ci/run` installs; where `CI` is `true`, fails.
pub(crate) fn skipped_but_in_ci(what: &str) {
    assert!(env::var("CI").as_deref() != Ok("true"), "{what}");
    skipped(what);
}

/// Says what is not checked here though nothing is missing, past the harness of the tests, which
/// hides what a test prints that passes.
pub(crate) fn noted(what: &str) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// Returns whether a command succeeds here; where it does not, what needs it is skipped.
pub(crate) fn is_possible(command: &mut Command, what: &str) -> bool {
    let is_possible = succeeds(command);
    if !is_possible {
        skipped(what);
    }
    is_possible
}

/// Returns the command that gives a program a namespace of its own, `--net` or `--mount`, in which
/// it is root; a trial of what it is to do in there says whether that can be had.
pub(crate) fn unshare(kind: &str, trial: &[&str]) -> Option<Command> {
    let ways: [&[&str]; 2] = [&[kind], &["--map-root-user", kind]];
    let started = |way: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(way);
        unshare
    };
    let way = ways.into_iter().find(|way| succeeds(started(way).args(trial)));
    if way.is_none() {
        skipped(&format!("`unshare {kind} {}` fails", trial.join(" ")));
    }
    way.map(started)
}

/// Returns whether a command starts and succeeds.
fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
