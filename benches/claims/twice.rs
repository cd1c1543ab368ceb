//! How often `inflight compare` finds a difference where there is none: the baseline is built apart
//! twice, as two rows of it are, and the two take turns as the default comparison has them.

use std::slice;

use anyhow::{Context, Result};
use harness::{Apart, BASELINE, Program};
use record::{Allocator, Lever, Model};

use crate::Bench;
use crate::collect::{measured, ratio_lines};
use crate::controls::{RUNS, any_difference};
use crate::runner::say;

/// What changes nothing: memory comes from the C library, as without it.
const NOTHING: Lever = Lever::Allocator(Allocator::System);

/// Measures the runs and prints in how many of them the two differ.
pub(crate) fn print(bench: &Bench) -> Result<()> {
    let (one, other) = (built(bench, "tokio+system")?, built(bench, "tokio+system#2")?);
    let names = [one.0.name.as_str(), &other.0.name];
    let mut differ = 0;
    for seed in 1..=RUNS {
        let preset = harness::of_versions(names[0]);
        let run = measured(bench, (preset, seed), &[&bench.floor, &one, &other], &mut |_| {})?;
        differ += u64::from(any_difference(&run, &names));
        say(&format!("run {seed}: {}", ratio_lines(&run).join("; ")))?;
    }
    say(&format!("of {RUNS} comparisons of {BASELINE} with itself, {differ} show a difference"))
}

/// Builds the baseline apart, as a row of that name.
fn built(bench: &Bench, name: &str) -> Result<(Model, Program)> {
    let apart = Apart { version: None, levers: vec![NOTHING] };
    let model = harness::prepare(&bench.workspace, (&bench.baseline.0, name), &apart)?;
    let mut programs = harness::build(&bench.workspace, (slice::from_ref(&model), &[]))?;
    let program = programs.models.remove(name).context("failed to find the program")?;
    Ok((model, program))
}
