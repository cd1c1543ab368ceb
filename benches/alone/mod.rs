//! What the benches that are run by their own names have in common: what may be asked of them, and
//! how a run is measured, written down and printed.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{CommandFactory, Parser};
use harness::{BASELINE, FLOOR, Failure, How, Order, Workspace};
use record::Run;
use report::Form;

use crate::runner::{self, Asked, Runner, say};

/// What verification that failed exits with.
pub(crate) const VERIFICATION_FAILED: u8 = 3;
/// What a run exits with in which a model did something wrong.
const NOT_SOUND: u8 = 4;

/// Measures every benchmark of this program in a run of its own, and prints what it found.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// What may be said to every bench.
    #[command(flatten)]
    runner: Runner,
}

/// Does what the arguments ask for; `name` is the bench's.
pub(crate) fn answer(name: &str, act: fn(Workspace, &Runner) -> Result<u8>) -> ExitCode {
    let command = Arguments::command().bin_name(format!("cargo bench --bench {name} --"));
    match runner::read::<Arguments>(command) {
        Ok(Arguments { runner }) => runner::ended(answered(&runner, act)),
        Err(code) => code,
    }
}

/// Does what a runner asks for.
fn answered(runner: &Runner, act: fn(Workspace, &Runner) -> Result<u8>) -> Result<u8> {
    let all_or_none = "--skip goes with --list alone: this bench takes all benchmarks or none";
    ensure!(runner.list || runner.skip.is_empty(), Failure::Usage(all_or_none.to_owned()));
    match runner.asked() {
        Asked::Nothing => Ok(0),
        _ => act(runner::workspace()?, runner),
    }
}

/// Measures, writes the run down, and prints the tables.
pub(crate) fn measure(order: &Order) -> Result<u8> {
    let ended = harness::measure(order)?;
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
