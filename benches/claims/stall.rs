//! The textbook case: 100 fetches arrive a second for 100 s, in 10 s of which the origin answers
//! nobody. A tenth of the fetches meet the stall, so that p99 is nine tenths of it in every model;
//! a closed loop sends nothing meanwhile, meets it once, and shows a millisecond.
//!
//! The stall is scheduled, a delay as any other, and no speed of a machine is in what is asserted.

use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, Result, anyhow, ensure};
use harness::{OriginProcess, Program};
use model_kit::pipe::Turned;
use model_kit::{Cell, DelayRange, Plan, Workload};
use origin::Mount;
use record::{Model, OriginKind};
use stats::histogram::quantile;

use crate::Bench;
use crate::runner::say;

/// For how long the origin answers nobody.
const STALL_MS: u64 = 10_000;
/// What p99 of response times is at least and at most, by how many fetches meet the stall.
const P99_MS: (f64, f64) = (8_000.0, 10_000.0);
/// What p99 of a closed loop is below, which meets the stall once.
const CLOSED_MS: f64 = 100.0;
/// Models that are measured at the same time: each mostly waits, and no cost is looked at.
const AT_ONCE: usize = 4;
/// Decides the bodies.
const SEED: u64 = 1;

/// What 99 of 100 fetches of a model do not exceed, in milliseconds.
struct Shown {
    response: f64,
    service: f64,
    closed: f64,
}

/// Measures all compiled models that can hold the cell, and prints p99 of each.
pub(crate) fn print(bench: &Bench) -> Result<()> {
    let mut outside = Vec::new();
    for some in bench.compiled()?.chunks(AT_ONCE) {
        for ((model, _), shown) in some.iter().zip(together(bench, some)) {
            let Shown { response, service, closed } = shown?;
            say(&format!(
                "{:<18} p99 of response times {response:.0} ms, of service times {service:.0} ms; \
                 of a closed loop {closed:.1} ms",
                model.name
            ))?;
            if !(P99_MS.0..=P99_MS.1).contains(&response) || closed >= CLOSED_MS {
                outside.push(model.name.clone());
            }
        }
    }
    let (least, most) = P99_MS;
    let outside = outside.join(", ");
    ensure!(
        outside.is_empty(),
        "p99 is not between {least} and {most} ms, or that of a closed loop not below {CLOSED_MS} \
         ms: {outside}"
    );
    Ok(())
}

/// Measures some models at the same time, each at an origin of its own.
fn together(bench: &Bench, models: &[(Model, Program)]) -> Vec<Result<Shown>> {
    thread::scope(|scope| {
        let begin = |one| scope.spawn(move || shown(bench, one));
        let begun: Vec<_> = models.iter().map(begin).collect();
        let ended = begun.into_iter().map(ScopedJoinHandle::join);
        ended.map(|shown| shown.unwrap_or_else(|_| Err(anyhow!("a thread panicked")))).collect()
    })
}

/// Measures a model.
fn shown(bench: &Bench, one: &(Model, Program)) -> Result<Shown> {
    let (open, closed) = (turned(bench, one, open())?, turned(bench, one, closed())?);
    Ok(Shown {
        response: p99_ms(&open.responses_ns)?,
        service: p99_ms(&open.latencies_ns)?,
        closed: p99_ms(&closed.latencies_ns)?,
    })
}

/// Returns the cell of fetches that arrive: enough slots for all that meet the stall, so that each
/// is sent as it arrives.
fn open() -> Cell {
    Cell {
        name: "stall".to_owned(),
        in_flight: 1_200,
        warmup: 1,
        fetches: 10_000,
        delay_ms: DelayRange { lo: 1, hi: 1 },
        body_bytes: 128,
        rate_per_s: 100,
        ..Cell::least(Workload::Paced)
    }
}

/// Returns the same of one slot, which fetches again when it is answered.
fn closed() -> Cell {
    let (workload, origin) = (Workload::Steady, OriginKind::Fast);
    Cell { workload, origin, in_flight: 1, rate_per_s: 0, ..open() }
}

/// Lets a model carry a cell out at an origin that stalls, and returns what it reported.
fn turned(bench: &Bench, (model, program): &(Model, Program), cell: Cell) -> Result<Turned> {
    let mut origin = OriginProcess::start_for(&bench.origin, &bench.placement, &cell)?;
    origin.mount(Mount { stall_ms: Some(STALL_MS), ..Mount::whole(&cell, SEED) })?;
    let (workers, cpus) = bench.placement.of_models(&cell);
    let origins = origin.ready.origins.clone();
    let plan = Plan { cell, origins, workers, seed: SEED, deadline_ms: None, surcharge_ns: 0 };
    let reported = harness::converse(model, program, (&plan, cpus));
    let turned = reported.map_err(|why| anyhow!("{}: {why}", model.name))?.turned;
    let errors = &turned.total.errors;
    ensure!(errors.is_empty(), "{}: fetches failed: {errors:?}", model.name);
    Ok(turned)
}

/// Returns what 99 of 100 fetches do not exceed, in milliseconds.
fn p99_ms(times_ns: &[(u64, u64)]) -> Result<f64> {
    let p99_ns = quantile(times_ns, 0.99).context("failed to time any fetch")?;
    Ok(crate::real(p99_ns) / 1e6)
}
