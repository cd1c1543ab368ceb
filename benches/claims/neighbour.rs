//! A neighbour that starts to burn CPU time halfway through a run: ratios inside rounds hold, where
//! an order of one model after the other would find a difference that is none. Beside it controls
//! of 1 %, which is within the margin, and of 20 %, which must be found.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{BASELINE, FLOOR, Preset};
use record::{Control, Run};
use rules::CPU;
use stats::{Sample, median};

use crate::Bench;
use crate::collect;
use crate::runner::say;

/// Blocks; the neighbour comes after half of them.
const BLOCKS: u32 = 24;
/// How long the neighbour burns, and then rests.
const BURST: Duration = Duration::from_millis(5);
/// The chance of an interval to miss.
const ALPHA: f64 = 0.05;
/// The controls and what is added to each, in percent.
const CONTROLS: [(&str, u32); 2] = [("+1%", 1), ("+20%", 20)];

/// Measures the run and prints what each order finds.
pub(crate) fn print(bench: &Bench) -> Result<()> {
    let run = measured(bench)?;
    let halves = [0..BLOCKS / 2, BLOCKS / 2..BLOCKS].map(|blocks| {
        let own = run.turns.iter().filter(|t| t.model == BASELINE && blocks.contains(&t.block));
        let costs = own.filter_map(|turn| CPU.of_window(&turn.valid()?.window));
        Sample::new(costs.collect()).map(|costs| median::estimate(&costs, ALPHA))
    });
    for (half, when) in halves.iter().zip(["before", "after"]) {
        let cost = half.context("too few valid turns")?;
        let interval = cost.interval.context("too few valid turns")?;
        say(&format!(
            "{BASELINE} {when} the neighbour came: {:.2} [{:.2}, {:.2}] us a fetch",
            cost.value, interval.low, interval.high
        ))?;
    }
    for control in analysis::figures(&run, BASELINE, FLOOR).cells.iter().flat_map(|c| &c.controls) {
        let interval = control.ratio.interval.context("too few blocks")?;
        say(&format!(
            "inside rounds, {BASELINE} with {} % more costs {:.3} [{:.3}, {:.3}] times as much",
            control.percent, control.ratio.value, interval.low, interval.high
        ))?;
    }
    Ok(())
}

/// Measures the baseline beside its controls; from the middle on a neighbour burns CPU time.
fn measured(bench: &Bench) -> Result<Run> {
    let control = |&(name, percent): &(&str, u32)| Control {
        name: name.to_owned(),
        model: BASELINE.to_owned(),
        percent,
    };
    let preset = Preset {
        name: "neighbour",
        cells: vec![super::cell()],
        blocks: BLOCKS,
        controls: CONTROLS.iter().map(control).collect(),
        ..harness::quick()
    };
    let (burns, over) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| burn(&burns, &over));
        }
        let models = [&bench.floor, &bench.baseline];
        let run = collect::measured(bench, (preset, 1), &models, &mut |turn| {
            burns.store(turn.block + 1 >= BLOCKS / 2, Ordering::Relaxed);
        });
        over.store(true, Ordering::Relaxed);
        run
    })
}

/// Burns a CPU half of the time while it is asked to.
fn burn(burns: &AtomicBool, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        while burns.load(Ordering::Relaxed) && began.elapsed() < BURST {
            std::hint::spin_loop();
        }
        thread::sleep(BURST);
    }
}
