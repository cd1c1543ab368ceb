//! How long a long history takes: a thousand runs listed, and one of them reported, by the command
//! line as people start it. Their trials are those of a published run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Program, compile};
use record::{Block, Entry, Run, RunFolder};

use crate::runner::{self, say};

/// Runs that are listed.
const RUNS: u64 = 1_000;
/// Trials of each, at most.
const TRIALS: usize = 500;
/// The run that they are made of.
const MADE_OF: &str = "results/20261122T234941Z-2c-container-2120e8dd";

/// Makes the runs in a temporary folder, and prints how long both take, the best of three.
pub(crate) fn tell() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = compile(&runner::workspace()?, "inflight")?;
    let folder = tempfile::tempdir().context("failed to make a folder")?;
    let results = folder.path().join("results");
    let mut run = shortened(Run::read(&root.join(MADE_OF))?);
    let mut last = PathBuf::new();
    for seed in 0..RUNS {
        run.schedule.seed = seed;
        last = write(&results, &run)?;
    }

    let trials = run.trials.len();
    let listed = best(&program, folder.path(), &["list", "runs"])?;
    say(&format!("{RUNS} runs of {trials} trials listed in {} ms", listed.as_millis()))?;
    let last = last.to_str().context("failed to name the run")?;
    let reported = best(&program, folder.path(), &["report", last])?;
    say(&format!("one of them reported in {} ms", reported.as_millis()))?;
    Ok(())
}

/// Returns a run with the first of its blocks, as many as have so many trials.
fn shortened(mut run: Run) -> Run {
    let mut trials = 0;
    let fits = |block: &&Block| {
        trials += block.order.len();
        trials <= TRIALS
    };
    let blocks: Vec<Block> = run.schedule.blocks.iter().take_while(fits).cloned().collect();
    run.trials.retain(|trial| blocks.iter().any(|block| block.number == trial.block));
    run.schedule.blocks = blocks;
    run
}

/// Writes a run as it would have been measured, and returns its folder.
fn write(results: &Path, run: &Run) -> Result<PathBuf> {
    let mut folder = RunFolder::create(results, &run.schedule, &run.environment)?;
    for trial in &run.trials {
        folder.append(&Entry::Trial(Box::new(trial.clone())))?;
    }
    let path = folder.path().to_owned();
    folder.finish()?;
    Ok(path)
}

/// Returns the shortest time of three that a command takes from start to end.
fn best(program: &Program, folder: &Path, arguments: &[&str]) -> Result<Duration> {
    let time = |_| {
        let began = Instant::now();
        let mut command = Command::new(&program.path);
        let status = command.args(arguments).current_dir(folder).stdout(Stdio::null()).status();
        ensure!(status.context("failed to start")?.success(), "failed to carry out {arguments:?}");
        Ok(began.elapsed())
    };
    let times = (0..3).map(time).collect::<Result<Vec<_>>>()?;
    times.into_iter().min().context("failed to time anything")
}
