//! What the benches that are run by their own names have in common: what may be asked of them, and
//! how a run is measured, written down and printed.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use harness::{BASELINE, FLOOR, How, Order, Workspace};
use record::{Run, State};
use report::{Form, Trust};

/// What wrong use exits with.
const WRONG_USE: u8 = 2;
/// What verification that failed exits with.
pub(crate) const VERIFICATION_FAILED: u8 = 3;
/// What a run with a trial that does not count exits with.
const NOT_ALL_VALID: u8 = 4;

/// What is asked of a bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To measure.
    Measure,
    /// To run everything once, tiny, and say how it went.
    Rehearse,
    /// To name the benchmarks.
    List,
}

/// Does what the arguments ask for; `name` is the bench's.
pub(crate) fn answer(name: &str, act: fn(Workspace, Asked) -> Result<u8>) -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    let arguments: Vec<String> =
        arguments.map(|argument| argument.to_string_lossy().into_owned()).collect();
    let asked: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let asked = match asked.as_slice() {
        ["--bench"] => Asked::Measure,
        // Without cargo's `--bench` this is a test.
        [] | ["--test", ..] | ["--bench", "--test"] | ["--nocapture"] => Asked::Rehearse,
        ["--list", ..] | ["--bench", "--list"] => Asked::List,
        _ => {
            let given = asked.iter().filter(|argument| **argument != "--bench");
            let given = given.copied().collect::<Vec<_>>().join(" ");
            eprintln!(
                "error: {given:?} is not understood: expected nothing, --test or --list after \
                 `cargo bench --bench {name} --`"
            );
            return ExitCode::from(WRONG_USE);
        }
    };
    let workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR")));
    match workspace.and_then(|workspace| act(workspace, asked)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {}", model_kit::plain(&format!("{error:#}")));
            ExitCode::from(harness::exit_code(&error))
        }
    }
}

/// Measures, writes the run down, and prints the tables.
pub(crate) fn measure(order: &Order) -> Result<u8> {
    let ended = harness::measure(order)?;
    let run = Run::read(&ended.path)?;
    let figures = report::figures(&run, BASELINE, FLOOR);
    let trust = Trust::of(&run, (BASELINE, FLOOR));
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", model_kit::plain(&report::summary(&run, &figures, Form::Terminal)))?;
    writeln!(stdout, "Run     {}", ended.path.display())?;
    writeln!(stdout, "Report  {}", ended.path.join("derived/report.html").display())?;
    let derived = report::derive_from(&run, &figures, &trust);
    record::write_derived(&ended.path, env!("CARGO_PKG_VERSION"), &derived)?;
    let all_valid = run.trials.iter().all(|trial| trial.state == State::Valid)
        && run.primitives.whole.iter().all(|trial| trial.state == State::Valid);
    Ok(match ended.how {
        How::Interrupted(code) => code,
        _ if !all_valid => NOT_ALL_VALID,
        _ => 0,
    })
}
