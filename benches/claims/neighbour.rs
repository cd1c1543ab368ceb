//! A neighbour that starts to burn CPU time halfway through a run: ratios inside blocks hold, where
//! an order of one model after the other would find a difference that is none. Beside it controls
//! of 1 %, which is within the margin, and of 20 %, which must be found.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{BASELINE, Basis, Event, FLOOR, Preset, Programs};
use record::{Control, Run};
use stats::{Sample, median};

use crate::Bench;
use crate::controls::{as_run, cell, programs};
use crate::runner::say;

/// Blocks; the neighbour comes after half of them.
const BLOCKS: u32 = 24;
/// How long the neighbour burns, and then rests.
const TURN: Duration = Duration::from_millis(5);
/// The chance of an interval to miss.
const ALPHA: f64 = 0.05;
/// The controls and what is added to each, in percent.
const CONTROLS: [(&str, u32); 3] = [("+0%", 0), ("+1%", 1), ("+20%", 20)];

/// Measures the run and prints what each order finds.
#[expect(clippy::cast_precision_loss, reason = "counts of a window are far below 2^52")]
pub(crate) fn tell(bench: &Bench) -> Result<()> {
    let run = measured(bench, &programs(bench))?;
    let halves = [0..BLOCKS / 2, BLOCKS / 2..BLOCKS].map(|blocks| {
        let own = run.trials.iter().filter(|t| t.model == BASELINE && blocks.contains(&t.block));
        let windows = own.filter_map(|trial| Some(&trial.valid()?.window));
        let costs = windows.map(|window| window.cpu_ns as f64 / window.ended as f64 / 1e3);
        Sample::new(costs.collect()).map(|costs| median::estimate(&costs, ALPHA))
    });
    for (half, when) in halves.iter().zip(["before", "after"]) {
        let cost = half.context("too few valid trials")?;
        let interval = cost.interval.context("too few valid trials")?;
        say(&format!(
            "{BASELINE} {when} the neighbour came: {:.2} [{:.2}, {:.2}] us a fetch",
            cost.value, interval.low, interval.high
        ))?;
    }
    for control in report::figures(&run, BASELINE, FLOOR).cells.iter().flat_map(|c| &c.controls) {
        let interval = control.ratio.interval.context("too few blocks")?;
        say(&format!(
            "inside blocks, {BASELINE} with {} % more costs {:.3} [{:.3}, {:.3}] times as much",
            control.percent, control.ratio.value, interval.low, interval.high
        ))?;
    }
    Ok(())
}

/// Measures the baseline beside its controls; from the middle on a neighbour burns CPU time.
fn measured(bench: &Bench, programs: &Programs) -> Result<Run> {
    let control = |&(name, percent): &(&str, u32)| Control {
        name: name.to_owned(),
        model: BASELINE.to_owned(),
        percent,
    };
    let controls = CONTROLS.iter().map(control).collect();
    let models = vec![bench.floor.0.clone(), bench.baseline.0.clone()];
    let (cells, placement) = (vec![cell()], bench.placement.clone());
    let probes = harness::probe(&cells, &models, (programs, &placement))?;
    let preset = Preset { name: "standard", cells, blocks: BLOCKS, controls, ..harness::quick() };
    let basis = Basis { preset, models, missing: Vec::new(), seed: 1, placement, probes };
    let mut schedule = harness::draw(basis);
    for block in &mut schedule.blocks {
        block.order.retain(|name| name != FLOOR);
    }

    let (burns, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let trials = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| burn(&burns, &over));
        }
        let due = (&schedule, schedule.blocks.as_slice());
        let trials = harness::run(due, programs, Vec::new(), &mut |event| {
            if let Event::Trial(trial) = event {
                burns.store(trial.block + 1 >= BLOCKS / 2, Ordering::Relaxed);
            }
            Ok(())
        });
        over.store(true, Ordering::Relaxed);
        trials
    })?;
    Ok(as_run(schedule, trials))
}

/// Burns a CPU half of the time while it is asked to.
fn burn(burns: &AtomicBool, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        while burns.load(Ordering::Relaxed) && began.elapsed() < TURN {
            std::hint::spin_loop();
        }
        thread::sleep(TURN);
    }
}
