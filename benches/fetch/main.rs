//! What `cargo bench` runs: every model, measured in random blocks, then handed to criterion.
//!
//! Criterion measures one benchmark to its end before the next begins, so the drift of a machine
//! becomes a difference between models. Here all models are measured together, by the harness,
//! and criterion gets what was measured as its samples: its statistics, its history and its
//! reports are over the same trials as the table that is printed at the end.

mod arguments;
mod measure;
mod rehearse;
mod replay;
mod setting;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::{Action, Arguments};
use crate::setting::Setting;

fn main() -> ExitCode {
    let arguments = match arguments::read() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", model_kit::plain(&format!("{error:#}")));
            ExitCode::from(harness::exit_code(&error))
        }
    }
}

/// Does what the arguments ask for.
fn run(arguments: &Arguments) -> Result<ExitCode> {
    let setting = Setting::read(arguments)?;
    match arguments.action() {
        Action::Test => rehearse::rehearse(&setting),
        Action::List | Action::Compare => {
            replay::replay(&setting.entries(), &[]);
            Ok(ExitCode::SUCCESS)
        }
        Action::Measure => measure::measure(&setting),
    }
}
