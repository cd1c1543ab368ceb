//! `cargo bench --bench primitives`: what models are made of, measured as a run of its own.
//!
//! `cargo bench` measures the same primitives in its run, beside the fetches that they are to
//! explain. `-- --test` runs each once, tiny; `-- --list` names them.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use harness::{BASELINE, FLOOR, How, Order, Verified, Workspace};
use record::{PrimitiveProgram, Run, State};
use report::{Form, Trust};

/// What wrong use exits with.
const WRONG_USE: u8 = 2;
/// What verification that failed exits with.
const VERIFICATION_FAILED: u8 = 3;
/// What a run with a trial that does not count exits with.
const NOT_ALL_VALID: u8 = 4;

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(harness::exit_code(&error))
        }
    }
}

/// Does what the arguments ask for.
fn run() -> Result<u8> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR")))?;
    let programs = harness::find_primitives(&workspace, "crates")?;
    match asked.as_slice() {
        ["--bench"] => measure(workspace, programs),
        // Without cargo's `--bench` this is a test.
        [] | ["--test", ..] | ["--bench", "--test"] | ["--nocapture"] => {
            rehearse(&workspace, programs)
        }
        ["--list", ..] | ["--bench", "--list"] => list(&programs),
        _ => {
            let given = asked.iter().filter(|argument| **argument != "--bench");
            let given = given.copied().collect::<Vec<_>>().join(" ");
            eprintln!(
                "error: {given:?} is not understood: expected nothing, --test or --list after \
                 `cargo bench --bench primitives --`"
            );
            Ok(WRONG_USE)
        }
    }
}

/// Names the benchmarks.
fn list(programs: &[PrimitiveProgram]) -> Result<u8> {
    for program in programs {
        for primitive in &program.primitives {
            writeln!(io::stdout(), "{}/{}: benchmark", primitive.name(), program.name)?;
        }
    }
    Ok(0)
}

/// Runs each primitive once and says how it went.
fn rehearse(workspace: &Workspace, found: Vec<PrimitiveProgram>) -> Result<u8> {
    let programs = harness::build_primitives(workspace, &found, None)?;
    let mut works = true;
    harness::verify_primitives(found, &programs, &mut |trial| {
        let one = Verified::of_primitive(trial);
        works &= one.works;
        Ok(writeln!(io::stdout(), "{}", one.line())?)
    })?;
    Ok(if works { 0 } else { VERIFICATION_FAILED })
}

/// Measures, writes the run down, and prints the tables.
fn measure(workspace: Workspace, primitives: Vec<PrimitiveProgram>) -> Result<u8> {
    let results = workspace.root.join("results");
    let (preset, models) = (harness::primitives(), Vec::new());
    let order =
        Order { workspace, results, preset, models, primitives, seed: None, supersedes: None };
    let ended = harness::measure(&order)?;
    let run = Run::read(&ended.path)?;
    let figures = report::figures(&run, BASELINE, FLOOR);
    let trust = Trust::of(&run, (BASELINE, FLOOR));
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", report::summary(&run, &figures, Form::Terminal))?;
    writeln!(stdout, "Run  {}", ended.path.display())?;
    let derived = report::derive_from(&run, &figures, &trust);
    record::write_derived(&ended.path, env!("CARGO_PKG_VERSION"), &derived)?;
    Ok(match ended.how {
        How::Interrupted(code) => code,
        _ if run.primitives.whole.iter().any(|t| t.state != State::Valid) => NOT_ALL_VALID,
        _ => 0,
    })
}
