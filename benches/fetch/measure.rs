//! Measures all models in random blocks, writes the run, hands the trials to criterion, and
//! prints the table.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use harness::{BASELINE, Basis, Event, FLOOR, OriginProcess, Preset, Programs};
use record::{Environment, Integrity, Run, RunFolder, Schedule, State};
use report::Form;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::progress::Progress;
use crate::replay;
use crate::setting::{Failure, Setting};

/// What a run with a trial that does not count exits with.
const NOT_ALL_VALID: u8 = 4;
/// What a run that Ctrl-C has cut exits with.
const INTERRUPTED: u8 = 130;

/// Measures, and reports.
pub(crate) fn measure(setting: &Setting) -> Result<ExitCode> {
    setting.preflight()?;
    let _alone = alone(&setting.workspace.root)?;
    let models = setting.models();
    let programs = setting.build(&models)?;
    let preset = Preset { cells: setting.cells(), ..setting.preset.clone() };
    let (seed, placement) = (seed(), harness::place()?);
    let schedule = harness::draw(Basis { preset, models, seed, placement });

    let path = run(setting, &schedule, &programs)?;
    let run = Run::read(&path)?;
    let table = keep_tables(&run, &path)?;
    if run.integrity == Integrity::Whole {
        replay::replay(&setting.entries(), &run.trials);
    }
    print(&table, &path)?;
    Ok(match () {
        () if run.integrity != Integrity::Whole => ExitCode::from(INTERRUPTED),
        () if run.trials.iter().any(|trial| trial.state != State::Valid) => {
            ExitCode::from(NOT_ALL_VALID)
        }
        () => ExitCode::SUCCESS,
    })
}

/// Carries the schedule out and writes it down. Ctrl-C ends it after the trial that is under way,
/// and what was measured stays; a second one ends it at once.
fn run(setting: &Setting, schedule: &Schedule, programs: &Programs) -> Result<PathBuf> {
    let root = &setting.workspace.root;
    let server = OriginProcess::start(&programs.origin, &schedule.placement)?.ready.server.clone();
    let mut hashes = programs
        .models
        .iter()
        .map(|(name, program)| (format!("model-{name}"), program.sha256.clone()));
    let origin = ("origin".to_owned(), programs.origin.sha256.clone());
    let hashes = hashes.by_ref().chain([origin]).collect();
    let environment = Environment::read(root, &server, hashes);
    let mut folder = RunFolder::create(&root.join("results"), schedule, &environment)?;
    let path = folder.path().to_owned();

    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(&interrupted))?;
        flag::register(signal, Arc::clone(&interrupted))?;
    }
    let mut progress = Progress::new(schedule);
    let ended = harness::run(schedule, programs, &mut |event| {
        progress.tell(&event);
        match event {
            Event::Block(_, trials) => folder.append(trials),
            Event::Trial(..) if interrupted.load(Ordering::Relaxed) => bail!("interrupted"),
            Event::Trial(..) => Ok(()),
        }
    });
    progress.end();
    match ended {
        Ok(_) => folder.finish()?,
        Err(_) if interrupted.load(Ordering::Relaxed) => {
            eprintln!("interrupted: what follows is what was measured before");
        }
        Err(error) => return Err(error),
    }
    Ok(path)
}

/// Makes sure that no other run measures in this checkout, until the file is dropped.
fn alone(root: &Path) -> Result<File> {
    let results = root.join("results");
    let path = results.join(".lock");
    let failed = || format!("failed to write {}", path.display());
    fs::create_dir_all(&results).with_context(failed)?;
    let lock = File::create(&path).with_context(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::Preflight(
            "another run is measuring in this checkout: wait until it has ended".to_owned(),
        )
        .into()),
        Err(TryLockError::Error(error)) => Err(error).with_context(failed),
    }
}

/// Keeps the table beside the run, before criterion has its say, and returns it for a terminal.
fn keep_tables(run: &Run, path: &Path) -> Result<String> {
    let figures = report::figures(run, BASELINE, FLOOR);
    let derived = path.join("derived");
    let text = report::summary(run, &figures, Form::Markdown);
    fs::create_dir_all(&derived)
        .and_then(|()| fs::write(derived.join("summary.md"), text))
        .with_context(|| format!("failed to write {}", derived.display()))?;

    Ok(report::summary(run, &figures, Form::Terminal))
}

/// Prints the table, and where everything is.
fn print(table: &str, path: &Path) -> Result<()> {
    let derived = path.join("derived");
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "\n{table}")?;
    writeln!(stdout, "Run        {}", path.display())?;
    writeln!(stdout, "Table      {}", derived.join("summary.md").display())?;
    writeln!(stdout, "Criterion  target/criterion/report/index.html")?;
    Ok(())
}

/// Returns a seed that no two runs share.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // The low digits are those that differ; a seed is easier to copy when it is short.
    u64::try_from(since.as_micros() % 1_000_000_000).unwrap_or_default()
}
