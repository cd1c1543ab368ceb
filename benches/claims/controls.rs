//! How often the analysis is wrong where the truth is known: runs of identical models, in which
//! every difference is false, and of models with 2 and 5 % of busy work added, which must be found.

use anyhow::{Context, Result};
use harness::{BASELINE, FLOOR, Preset};
use record::{Control, Model, Run};
use stats::verdict::Verdict;

use crate::Bench;
use crate::collect::measured;
use crate::runner::say;

/// Runs of each kind.
pub(crate) const RUNS: u64 = 40;
/// Blocks of a run, which takes about a minute.
const BLOCKS: u32 = 14;
/// Rounds of a block.
const ROUNDS: u32 = 9;
/// The names of the baseline's copies; with the baseline they are four identical models.
const COPIES: [&str; 3] = ["tokio+0%", "copy-2", "copy-3"];
/// The controls, by the share that is added.
const CONTROLS: [(&str, u32); 2] = [("+2%", 2), ("+5%", 5)];

/// Measures the runs and prints how often the analysis was wrong.
pub(crate) fn print(bench: &Bench) -> Result<()> {
    let (mut false_differences, mut found, mut on_target) = (0, [0; 2], [0; 2]);
    for seed in 1..=RUNS {
        let run = one(bench, seed)?;
        let names = [[BASELINE].as_slice(), &COPIES].concat();
        let differs = any_difference(&as_identical(&run), &names);
        false_differences += u64::from(differs);
        let mut line = format!("run {seed}: identical models ");
        line += if differs { "DIFFER" } else { "do not differ" };
        for (place, (_, percent)) in CONTROLS.iter().enumerate() {
            let control = control(&run, *percent).context("failed to find a control")?;
            let interval = control.ratio.interval.context("failed to get an interval")?;
            found[place] += u64::from(control.found);
            on_target[place] += u64::from(control.on_target);
            let (low, high) = (interval.low, interval.high);
            let shown = format!("{:.3} [{low:.3}, {high:.3}]", control.ratio.value);
            line = format!("{line}; +{percent} % shows as {shown}");
        }
        say(&line)?;
    }
    say(&format!(
        "of {RUNS} runs of {BLOCKS} blocks of {ROUNDS} rounds, {false_differences} show a \
         difference between four identical models; +2 % is found in {} and +5 % in {}; the \
         intervals contain 1.02 in {} and 1.05 in {}",
        found[0], found[1], on_target[0], on_target[1]
    ))?;
    Ok(())
}

/// Measures one run: the baseline, its copies, and the controls, in each block.
fn one(bench: &Bench, seed: u64) -> Result<Run> {
    let control = |name: &str, percent| Control {
        name: name.to_owned(),
        model: BASELINE.to_owned(),
        percent,
    };
    let copies = COPIES.iter().map(|name| control(name, 0));
    let controls = copies.chain(CONTROLS.iter().map(|(name, share)| control(name, *share)));
    let preset = Preset {
        name: "controls",
        cells: vec![super::cell()],
        blocks: BLOCKS,
        rounds: ROUNDS,
        controls: controls.collect(),
        ..harness::quick()
    };
    measured(bench, (preset, seed), &[&bench.floor, &bench.baseline], &mut |_| {})
}

/// Returns the run as if the copies were models of their own.
fn as_identical(run: &Run) -> Run {
    let mut run = run.clone();
    run.schedule.models.retain(|model| model.name == BASELINE);
    let baseline = run.schedule.models[0].clone();
    let copy = |name: &&str| Model { name: (*name).to_owned(), ..baseline.clone() };
    run.schedule.models.extend(COPIES.iter().map(copy));
    run.schedule.controls.clear();
    run.schedule.family = record::Family::AllPairs;
    run.turns.retain(|turn| run.schedule.models.iter().any(|m| m.name == turn.model));
    run
}

/// Returns whether any two of some models are distinguished.
pub(crate) fn any_difference(run: &Run, names: &[&str]) -> bool {
    let figures = analysis::figures(run, harness::baseline_of(&run.schedule), FLOOR);
    let is_one = |name: &String| names.contains(&name.as_str());
    let mut pairs = figures.cells.iter().flat_map(|cell| &cell.pairs);
    pairs.any(|own| own.verdict == Verdict::Different && is_one(&own.model) && is_one(&own.other))
}

/// Returns what the analysis makes of a control.
fn control(run: &Run, percent: u32) -> Option<analysis::ControlFigures> {
    let figures = analysis::figures(run, BASELINE, FLOOR);
    let controls = figures.cells.into_iter().flat_map(|cell| cell.controls);
    controls.into_iter().find(|control| control.percent == percent)
}
