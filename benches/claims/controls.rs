//! How often the analysis is wrong where the truth is known: runs of identical models, in which
//! every difference is false, and of a model with 5 % of busy work added, which must be found.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use harness::{BASELINE, Basis, FLOOR, Preset, Programs};
use model_kit::{Cell, DelayRange};
use record::{Control, Environment, Integrity, Model, Run, Schedule, TrialRecord};

use stats::verdict::Verdict;

use crate::Bench;
use crate::runner::say;

/// Runs of each kind.
const RUNS: u64 = 40;
/// Blocks in which identical models are compared.
const BLOCKS_IDENTICAL: u32 = 12;
/// Blocks in which the control must be found.
const BLOCKS_CONTROL: u32 = 20;
/// The names of the baseline's copies; with the baseline they are four identical models.
const COPIES: [&str; 3] = ["copy-1", "copy-2", "copy-3"];

/// Measures the runs and prints how often the analysis was wrong.
pub(crate) fn tell(bench: &Bench) -> Result<()> {
    let programs = programs(bench);
    let models = vec![bench.floor.0.clone(), bench.baseline.0.clone()];
    let (mut false_differences, mut found, mut on_target) = (0, 0, 0);
    for seed in 1..=RUNS {
        let run = measured(bench, (&models, &programs), seed)?;
        let differs = any_difference(&as_identical(&run));
        let control = control(&run).context("failed to find the control")?;
        false_differences += u64::from(differs);
        found += u64::from(control.found);
        on_target += u64::from(control.on_target);
        let interval = control.ratio.interval.context("failed to get an interval")?;
        say(&format!(
            "run {seed}: identical models {}; +5 % shows as {:.3} [{:.3}, {:.3}]",
            if differs { "DIFFER" } else { "do not differ" },
            control.ratio.value,
            interval.low,
            interval.high
        ))?;
    }
    say(&format!(
        "of {RUNS} runs of four identical models in {BLOCKS_IDENTICAL} blocks, {false_differences} \
         show a difference; of {RUNS} runs with +5 % in {BLOCKS_CONTROL} blocks, {found} exclude 1 \
         and {on_target} contain 1.05"
    ))?;
    Ok(())
}

/// Returns the programs of the floor and the baseline.
pub(crate) fn programs(bench: &Bench) -> Programs {
    Programs {
        origin: bench.origin.clone(),
        models: [&bench.floor, &bench.baseline]
            .map(|(model, program)| (model.name.clone(), program.clone()))
            .into(),
        missing: Vec::new(),
    }
}

/// Measures one run: the baseline twice, its copies, and the control, in each block.
fn measured(bench: &Bench, (models, programs): (&[Model], &Programs), seed: u64) -> Result<Run> {
    let control = |name: &str, percent| Control {
        name: name.to_owned(),
        model: BASELINE.to_owned(),
        percent,
    };
    let mut controls: Vec<Control> = COPIES.iter().map(|name| control(name, 0)).collect();
    controls.push(control("+5%", 5));
    let (cells, placement) = (vec![cell()], bench.placement.clone());
    let probes = harness::probe(&cells, models, (programs, &placement))?;
    let preset =
        Preset { name: "standard", cells, blocks: BLOCKS_CONTROL, controls, ..harness::quick() };
    let models = models.to_vec();
    let mut schedule =
        harness::draw(Basis { preset, models, missing: Vec::new(), seed, placement, probes });
    for block in &mut schedule.blocks {
        // The floor warms the origin and is not compared; the copies have told what they can after
        // the first blocks.
        let enough = block.number >= BLOCKS_IDENTICAL;
        let leaves = |name: &str| name == FLOOR || (enough && COPIES.contains(&name));
        block.order.retain(|name| !leaves(name));
    }
    let due = (&schedule, schedule.blocks.as_slice());
    let trials = harness::run(due, programs, Vec::new(), &mut |_| Ok(()))?;
    Ok(as_run(schedule, trials))
}

/// Returns the cell: short windows at a high rate.
pub(crate) fn cell() -> Cell {
    let delay_ms = DelayRange { lo: 8, hi: 24 };
    Cell { delay_ms, warmup: 200, fetches: 1_200, ..super::cell() }
}

/// Returns a run that was never written, for the analysis.
pub(crate) fn as_run(schedule: Schedule, trials: Vec<TrialRecord>) -> Run {
    Run {
        id: "controls".to_owned(),
        schedule,
        environment: Environment::read(&std::env::temp_dir(), "wiremock", BTreeMap::new()),
        trials,
        cut: Vec::new(),
        primitives: record::PrimitiveTrials::default(),
        stops: Vec::new(),
        resumes: Vec::new(),
        integrity: Integrity::Whole,
        content_sha256: None,
    }
}

/// Returns the run as if the copies were models of their own, in the blocks that have them.
fn as_identical(run: &Run) -> Run {
    let mut run = run.clone();
    run.schedule.models.retain(|model| model.name == BASELINE);
    let baseline = run.schedule.models[0].clone();
    let copy = |name: &&str| Model { name: (*name).to_owned(), ..baseline.clone() };
    run.schedule.models.extend(COPIES.iter().map(copy));
    run.schedule.controls.clear();
    run.schedule.blocks.truncate(BLOCKS_IDENTICAL as usize);
    let is_of_these = |trial: &TrialRecord| {
        trial.block < BLOCKS_IDENTICAL && run.schedule.models.iter().any(|m| m.name == trial.model)
    };
    run.trials.retain(is_of_these);
    run
}

/// Returns whether any two models are told apart.
fn any_difference(run: &Run) -> bool {
    let figures = report::figures(run, BASELINE, FLOOR);
    let mut pairs = figures.cells.iter().flat_map(|cell| &cell.pairs);
    pairs.any(|pair| pair.verdict == Verdict::Different)
}

/// Returns what the analysis makes of the control.
fn control(run: &Run) -> Option<report::ControlFigures> {
    let figures = report::figures(run, BASELINE, FLOOR);
    let controls = figures.cells.into_iter().flat_map(|cell| cell.controls);
    controls.into_iter().find(|control| control.percent == 5)
}
