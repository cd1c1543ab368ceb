//! An honest thread a slot, whose trial is changed before it is told.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use model_kit::pipe::{self, FromModel, Hello, ToModel, Trial};

use crate::units;

/// Speaks the pipe as the kit does, and lies as `how` says.
pub(crate) fn serve(hello: Hello, how: &str) -> ExitCode {
    match speak(hello, how) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Says hello, fetches honestly, and tells another story.
fn speak(hello: Hello, how: &str) -> Result<(), Box<dyn Error>> {
    pipe::write(&mut io::stdout().lock(), &FromModel::Hello(hello))?;
    let Some(ToModel::Plan(plan)) = pipe::read(&mut io::stdin().lock())? else { return Ok(()) };

    let mut trial = model_kit::rehearse(&plan, |slots| {
        units::run("", slots).expect("a thread a slot can be had");
    })?;
    lie(&mut trial, how);
    pipe::write(&mut io::stdout().lock(), &FromModel::Trial(trial))?;
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}

/// Changes what was counted.
fn lie(trial: &mut Trial, how: &str) {
    let (window, total) = (&mut trial.window, &mut trial.total);
    match how {
        "twice the fetches" => (total.issued, total.ok) = (total.issued * 2, total.ok * 2),
        "half the latencies" => trial.latencies_ns.iter_mut().for_each(|(ns, _)| *ns /= 2),
        "the best latency" => {
            let best = trial.latencies_ns.first().map_or(0, |(ns, _)| *ns);
            trial.latencies_ns.iter_mut().for_each(|(ns, _)| *ns = best);
        }
        "half the wall time" => window.wall_ns /= 2,
        "half the CPU time" => window.cpu_ns /= 2,
        "twice the wall time" => window.wall_ns *= 2,
        "no errors" => {
            // What failed has no latency: each is told to have taken just its delay.
            let fetches = window.ended;
            (total.ok, window.ok) = (total.issued, fetches);
            total.errors.clear();
            trial.latencies_ns = vec![(100_000_000, fetches)];
        }
        _ => {}
    }
}
