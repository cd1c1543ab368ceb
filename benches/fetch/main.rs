//! What `cargo bench` runs: every model, measured in turns, then handed to criterion.
//!
//! Criterion measures one benchmark to its end before the next begins, so the drift of a machine
//! becomes a difference between models. Here all models are measured together, by the harness,
//! and criterion gets what was measured as its samples: its statistics, its history and its
//! reports are over the same turns as the answer that is printed before it gets them.

mod arguments;
mod measure;
mod rehearse;
mod replay;
#[path = "../runner/mod.rs"]
mod runner;
mod setting;

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::replay::Criterion;
use crate::runner::Asked;
use crate::setting::{Entry, Setting};

fn main() -> ExitCode {
    match runner::read(Arguments::command()) {
        Ok(arguments) => runner::ended(run(&arguments)),
        Err(code) => code,
    }
}

/// Does what the arguments ask for, and returns the exit code.
fn run(arguments: &Arguments) -> Result<u8> {
    arguments.check()?;
    let setting = Setting::read(arguments)?;
    match arguments.runner.asked() {
        Asked::List => arguments.runner.list(setting.entries().iter().map(Entry::name)),
        Asked::Nothing => Ok(0),
        Asked::Rehearse => rehearse::rehearse(&setting),
        Asked::Measure => {
            let criterion = Criterion::of(arguments, &setting)?;
            match arguments.compares() {
                true => criterion.replay(&[]).map(|()| 0),
                false => measure::measure(&setting, arguments, criterion),
            }
        }
    }
}
