//! How long a long history takes: a thousand runs listed, and one of them reported, by the command
//! line as people start it. Their turns are those of the newest run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Program, compile};
use record::{Block, Entry, Run, RunFolder, TurnRecord};

use crate::runner::{self, say};

/// Runs that are listed.
const RUNS: u64 = 1_000;
/// Turns of each, at most.
const TURNS: usize = 500;

/// Makes the runs in a temporary folder, and prints how long both take, the best of three.
pub(crate) fn print() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = compile(&runner::workspace()?, "inflight")?;
    let folder = tempfile::tempdir().context("failed to make a folder")?;
    let results = folder.path().join("results");
    let mut run = shortened(Run::read(&root.join("results/latest"))?);
    let mut last = PathBuf::new();
    for seed in 0..RUNS {
        run.schedule.seed = seed;
        last = write(&results, &run)?;
    }

    let turns = run.turns.len();
    let listed = best(&program, folder.path(), &["list", "runs"])?;
    say(&format!("{RUNS} runs of {turns} turns listed in {} ms", listed.as_millis()))?;
    let last = last.to_str().context("failed to name the run")?;
    let reported = best(&program, folder.path(), &["report", last])?;
    say(&format!("one of them reported in {} ms", reported.as_millis()))?;
    Ok(())
}

/// Returns a run with the first of its blocks, as many as have so many turns.
fn shortened(mut run: Run) -> Run {
    let mut turns = 0;
    let fits = |block: &&Block| {
        turns += block.turns();
        turns <= TURNS
    };
    let blocks: Vec<Block> = run.schedule.blocks.iter().take_while(fits).cloned().collect();
    let has = |number: u32| blocks.iter().any(|block| block.number == number);
    run.turns.retain(|turn| has(turn.block));
    run.rounds.retain(|round| has(round.block));
    run.blocks.retain(|block| has(block.block));
    run.schedule.blocks = blocks;
    run
}

/// Writes a run as it would have been measured, and returns its folder.
fn write(results: &Path, run: &Run) -> Result<PathBuf> {
    let mut folder = RunFolder::create(results, &run.schedule, &run.environment)?;
    for block in &run.blocks {
        for round in run.rounds.iter().filter(|round| round.block == block.block) {
            let own = |turn: &&TurnRecord| (turn.block, turn.round) == (round.block, round.round);
            for turn in run.turns.iter().filter(own) {
                folder.append(&Entry::Turn(Box::new(turn.clone())))?;
            }
            folder.append(&Entry::Round(round.clone()))?;
        }
        folder.append(&Entry::Block(Box::new(block.clone())))?;
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
