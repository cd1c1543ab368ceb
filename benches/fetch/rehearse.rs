//! `cargo bench -- --test`: each model once on each cell, verified, one line each.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use harness::{Basis, Event, Preset, is_of_the_machine};
use record::{State, TrialRecord};

use crate::setting::Setting;

/// What verification that failed exits with.
const VERIFICATION_FAILED: u8 = 3;

/// Runs each model once on each cell and says how it went.
pub(crate) fn rehearse(setting: &Setting) -> Result<ExitCode> {
    setting.preflight()?;
    let models = setting.models();
    let programs = setting.build(&models)?;
    let preset = Preset { cells: setting.cells(), ..harness::smoke() };
    let placement = harness::place()?;
    let schedule = harness::draw(Basis { preset, models, seed: 1, placement });

    let mut failed = 0;
    harness::run(&schedule, &programs, &mut |event| {
        if let Event::Block(_, trials) = event {
            for trial in trials {
                failed += usize::from(!passes(trial));
                writeln!(io::stdout(), "{}", line(trial))?;
            }
        }
        Ok(())
    })?;
    match failed {
        0 => Ok(ExitCode::SUCCESS),
        _ => Ok(ExitCode::from(VERIFICATION_FAILED)),
    }
}

/// Returns whether a trial proves that the model works, be the machine ever so busy.
fn passes(trial: &TrialRecord) -> bool {
    match &trial.state {
        State::Valid => true,
        State::Void(reasons) => reasons.iter().all(|reason| is_of_the_machine(reason)),
        State::Failed(_) => false,
    }
}

/// Returns the line of a trial.
fn line(trial: &TrialRecord) -> String {
    let verdict = match &trial.state {
        State::Valid => "OK".to_owned(),
        State::Void(reasons) if passes(trial) => format!("OK, though {}", reasons.join("; ")),
        State::Void(reasons) => format!("FAIL void: {}", reasons.join("; ")),
        State::Failed(reason) => format!("FAIL {reason}"),
    };
    format!("{}/{}: {verdict}", trial.cell, trial.model)
}
