//! What is found out of each cell before the schedule is drawn: what the origin can do, and what a
//! fetch costs about.
//!
//! The ceiling is the rate of the floor against an origin that answers without delay. It says how
//! far from its limit the origin stays in the cell, and the costs say what may be claimed at all.

use anyhow::{Context, Result, anyhow, ensure};
use record::{Model, Placement, Probe};
use workload::pipe::Turned;
use workload::{Cell, DelayRange, Receipt, Workload};

use crate::origin_process::OriginProcess;
use crate::{FLOOR, Programs, interrupt};

/// Fetches of a probe, and the most of them for each slot: one slot would need long on a machine
/// that is busy.
const FETCHES: (u64, u64) = (2_000, 60);
/// Fetches before them, likewise.
const WARM_UP: (u64, u64) = (400, 10);
/// Times that a model carries out the cell itself; the median of its costs is taken.
const TIMES: usize = 3;
/// How often a probe is tried whose origin fails or is stalled.
const TRIES_MAX: u32 = 3;
/// Decides bodies and delays of all probes.
const SEED: u64 = 1;

/// Probes the cells; `models` hold the floor and the baseline, which is named.
///
/// # Errors
///
/// Says which probe failed.
pub fn probe(
    (cells, baseline): (&[Cell], &str),
    models: &[Model],
    (programs, placement): (&Programs, &Placement),
) -> Result<Vec<Probe>> {
    let run = |name: &str, cell: &Cell, placement: &Placement| {
        let model = models.iter().find(|model| model.name == name);
        let model = model.with_context(|| format!("failed to find the model {name}"))?;
        // An origin that dies or is stopped is replaced; what fails again and again is reported.
        let mut left = TRIES_MAX;
        loop {
            left -= 1;
            match fetch(model, cell, (programs, placement)) {
                Err(_) if left > 0 && interrupt::exit_code().is_none() => {}
                probed => {
                    let what = || format!("failed to probe cell {:?} with {name}", cell.name);
                    return probed.with_context(what);
                }
            }
        }
    };
    let probe = |cell: &Cell| {
        let placement = &placement.serving(cell);
        let run = |name: &str, cell: &Cell| run(name, cell, placement);
        let many = many(cell);
        let undelayed = Cell { delay_ms: DelayRange { lo: 0, hi: 0 }, ..many.clone() };
        let (ceiling, _) = run(FLOOR, &undelayed)?;
        let (_, receipt) = run(FLOOR, &many)?;
        // Turns are short: as one of many fetches a steady cell shows better what a fetch costs.
        let own = if cell.workload.is_resident() { &many } else { cell };
        let typical = |name: &str| {
            let times = if cell.is_large() { 1 } else { TIMES };
            let costs = (0..times).map(|_| Ok(cost(&run(name, own)?.0)));
            let mut costs = costs.collect::<Result<Vec<u64>>>()?;
            costs.sort_unstable();
            Ok::<u64, anyhow::Error>(costs[costs.len() / 2])
        };
        let window = &ceiling.window;
        Ok(Probe {
            cell: cell.name.clone(),
            ceiling_per_s: window.ended * 1_000_000_000 / window.wall_ns.max(1),
            floor_ns: typical(FLOOR)?,
            baseline_ns: typical(baseline)?,
            origin_ns: receipt.cpu_ns / receipt.answered.max(1),
        })
    };
    cells.iter().map(probe).collect()
}

/// Returns the cell as the origin has it when always as many fetches are in flight, and
/// many are made.
fn many(cell: &Cell) -> Cell {
    let at_most = |(all, each): (u64, u64)| all.min(each.saturating_mul(cell.in_flight.into()));
    let (warmup, fetches) = (at_most(WARM_UP), at_most(FETCHES));
    let ends = cell.workload.ends_connections();
    let workload = if ends { cell.workload } else { Workload::Steady };
    let asked = Cell { workload, warmup, fetches, handed_in: false, ..cell.clone() };
    Cell { rate_per_s: 0, burst: 0, slow_percent: 0, probe_period_us: 0, work_kib: 0, ..asked }
}

/// Returns the CPU time per fetch of a window, in whole nanoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn cost(turned: &Turned) -> u64 {
    turned.window.cpu_ns_each() as u64
}

/// Lets a model carry out a cell at an origin of its own.
fn fetch(
    model: &Model,
    cell: &Cell,
    (programs, placement): (&Programs, &Placement),
) -> Result<(Turned, Receipt)> {
    let mut origin = OriginProcess::start_for(&programs.origin, placement, cell)?;
    let program = programs.models.get(&model.name).context("failed to find its program")?;
    let reported = origin.serve((model, program), (cell.clone(), SEED), placement)?;
    // What a model says of an origin that died or was stopped meanwhile is not the model's fault,
    // and a rate that was found meanwhile is not the origin's.
    ensure!(!origin.was_stalled(), "the origin was stalled");
    let receipt = origin.receipt().and_then(|receipt| origin.accepts().map(|()| receipt))?;
    let turned = reported.map_err(|why| anyhow!("{why}"))?.turned;
    ensure!(turned.total.errors.is_empty(), "fetches failed: {:?}", turned.total.errors);
    Ok((turned, receipt))
}
