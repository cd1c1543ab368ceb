//! What the benches that are run by their own names have in common: what may be asked of them, and
//! how a run is measured, written down and printed.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{CommandFactory, Parser};
use harness::{BASELINE, FLOOR, Failure, How, Workspace};
use record::Run;
use regex::Regex;
use report::Form;

use crate::runner::{self, Asked, Runner, say};

/// What verification that failed exits with.
pub(crate) const VERIFICATION_FAILED: u8 = 3;
/// What a run exits with in which a model did something wrong.
const NOT_SOUND: u8 = 4;

/// Measures every benchmark of this program in a run of its own, and prints what it found.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// Lists, or runs once, only benchmarks whose name matches this regular expression.
    filter: Option<String>,
    /// What may be said to every bench.
    #[command(flatten)]
    runner: Runner,
}

/// What is asked of a bench, and for which benchmarks.
pub(crate) struct Request {
    /// What may be said to every bench.
    pub(crate) runner: Runner,
    filter: Option<String>,
    expression: Option<Regex>,
}

/// Does what the arguments ask for; `name` is the bench's.
pub(crate) fn answer(name: &str, act: fn(Workspace, &Request) -> Result<u8>) -> ExitCode {
    let command = Arguments::command().bin_name(format!("cargo bench --bench {name} --"));
    match runner::read::<Arguments>(command) {
        Ok(arguments) => runner::ended(answered(arguments, act)),
        Err(code) => code,
    }
}

/// Does what a runner asks for.
fn answered(arguments: Arguments, act: fn(Workspace, &Request) -> Result<u8>) -> Result<u8> {
    let Arguments { filter, runner } = arguments;
    let selects = filter.is_some() || !runner.skip.is_empty();
    let all_or_none = "a filter and --skip go with --list and --test alone: this bench measures \
                       all benchmarks or none";
    let may_select = runner.asked() != Asked::Measure;
    ensure!(may_select || !selects, Failure::Usage(all_or_none.to_owned()));
    let expression = filter.as_ref().map(|filter| runner.expression(filter)).transpose()?;
    match runner.asked() {
        Asked::Nothing => Ok(0),
        _ => act(runner::workspace()?, &Request { runner, filter, expression }),
    }
}

impl Request {
    /// Returns whether a benchmark is asked for.
    pub(crate) fn takes(&self, name: &str) -> bool {
        let is_meant = self.expression.as_ref().is_none_or(|filter| filter.is_match(name));
        is_meant && self.runner.keeps(name)
    }

    /// Names the benchmarks that are asked for.
    pub(crate) fn list(&self, names: impl Iterator<Item = String>) -> Result<u8> {
        self.runner.list(names.filter(|name| self.takes(name)))
    }

    /// Checks that there is something to do.
    pub(crate) fn finds(&self, any: bool) -> Result<()> {
        self.runner.finds(any, self.filter.as_deref())
    }
}

/// Measures, writes the run down, and prints the tables.
pub(crate) fn measure(request: &harness::Request) -> Result<u8> {
    let ended = harness::measure(request)?;
    let run = Run::read(&ended.path)?;
    let summary = analysis::summarize(&run, BASELINE, FLOOR);
    let report = ended.path.join("derived/report.html");
    say(&report::summary(&summary, Form::Terminal))?;
    say(&format!("Run     {}\nReport  {}", ended.path.display(), report.display()))?;
    let derived = report::derive(&summary);
    record::write_derived(&ended.path, env!("CARGO_PKG_VERSION"), &derived)?;
    Ok(match ended.how {
        How::Interrupted(code) => code,
        _ if !run.is_sound() => NOT_SOUND,
        _ => 0,
    })
}
