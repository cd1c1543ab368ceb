//! The cost model from primitives to fetches: what switches, wakes and spawns alone would make a
//! model cost above the floor, beside what it does cost.
//!
//! For each fetch a model is taken to be woken once, by the readiness of a socket. What that costs
//! above the floor is half a round trip of `readiness` in the program of its unit, less half of one
//! in the floor's. The context switches that a model makes above the floor's, beyond those that are
//! in that round trip already, are priced at a switch of `ping-pong` between threads. In a batch,
//! units are started inside the window, at the footprint of `spawn-many`; a steady window has none.
//! All are CPU time. What this leaves out, such as caches, timers, and several events of one wait,
//! is the remainder.

use record::{Model, PrimitiveProgram, Run};
use rules::{SWITCHES, expected};
use stats::Estimate;
use workload::Workload;

use crate::cell_figures::{CellFigures, RowFigures};
use crate::counts::real;
use crate::primitive_figures::{PrimitiveCosts, PrimitiveFigures};

/// From this share of the measured excess on, what is not predicted is too much.
const UNEXPLAINED: f64 = 0.5;

/// What the primitives predict in a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CostModelCell {
    /// The name of the cell.
    pub cell: String,
    /// The bare models whose units have a program of primitives, in the order of the cell's rows.
    pub rows: Vec<CostModelRow>,
}

/// What the primitives predict of a model: microseconds of CPU time per fetch above the floor.
#[derive(Clone, Debug, PartialEq)]
pub struct CostModelRow {
    /// The model.
    pub model: String,
    /// The program that measures its units.
    pub program: String,
    /// Waking its unit once.
    pub wakes_us: f64,
    /// Its context switches beyond the floor's and beyond those of that wake.
    pub switches_us: f64,
    /// Starting its units.
    pub spawns_us: f64,
    /// All of these.
    pub predicted_us: f64,
    /// What was measured, with its 95 % interval.
    pub measured_us: Estimate,
    /// What was measured and not predicted; negative where more was predicted.
    pub remainder_us: f64,
    /// The remainder as a share of what was measured.
    pub unexplained: f64,
    /// What may be said of it.
    pub explained: Explained,
}

/// Whether primitives explain what a model costs above the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained {
    /// They explain at least half of it.
    Yes,
    /// They do not explain this.
    No,
    /// The measured excess cannot be distinguished from nothing.
    Nothing,
}

/// What is needed of the program of a unit.
struct Footprints<'a> {
    program: &'a PrimitiveProgram,
    /// Half a round trip of readiness, in nanoseconds of CPU time.
    wake_ns: f64,
    /// Context switches in it.
    wake_switches: f64,
    /// Starting one of many units, in nanoseconds of CPU time.
    spawn_ns: Option<f64>,
}

/// Returns what the primitives of a run predict; nothing where the floor or a footprint is missing.
pub(crate) fn of(
    run: &Run,
    (cells, figures): (&[CellFigures], &[PrimitiveFigures]),
    floor: &str,
) -> Vec<CostModelCell> {
    let (Some(of_floor), Some(switch_ns)) =
        (footprints(run, figures, floor), thread_switch_ns(figures))
    else {
        return Vec::new();
    };
    let cell = |cell: &CellFigures| {
        let rows = cell.rows.iter();
        let at_floor = rows.clone().find(|row| row.model == floor)?.figures.as_ref()?;
        let row = |name: &str, own: &RowFigures| {
            let model = run.schedule.model(name).filter(|m| m.is_bare() && m.name != floor)?;
            let footprints = footprints(run, figures, name)?;
            let spawns = spawns(cell, model, footprints.program);
            row(name, (own, at_floor), (&footprints, &of_floor), (switch_ns, spawns))
        };
        let rows = rows.filter_map(|r| row(&r.model, r.figures.as_ref()?));
        let rows: Vec<CostModelRow> = rows.collect();
        (!rows.is_empty()).then(|| CostModelCell { cell: cell.cell.name.clone(), rows })
    };
    cells.iter().filter_map(cell).collect()
}

/// Returns what the primitives predict of a model.
fn row(
    model: &str,
    (own, at_floor): (&RowFigures, &RowFigures),
    (footprints, of_floor): (&Footprints<'_>, &Footprints<'_>),
    (switch_ns, spawns): (f64, f64),
) -> Option<CostModelRow> {
    let measured_us = own.excess_us?;
    let wakes_us = (footprints.wake_ns - of_floor.wake_ns) / 1e3;
    let in_wakes = footprints.wake_switches - of_floor.wake_switches;
    let switches = |of: &RowFigures| Some(of.metric(SWITCHES)?.value);
    let switches = switches(own)? - switches(at_floor)? - in_wakes;
    let switches_us = switches * switch_ns / 1e3;
    let spawns_us = if spawns > 0.0 { spawns * footprints.spawn_ns? / 1e3 } else { 0.0 };
    let predicted_us = wakes_us + switches_us + spawns_us;
    let remainder_us = measured_us.value - predicted_us;
    let unexplained = (remainder_us / measured_us.value).abs();
    let explained = match measured_us.interval {
        Some(interval) if interval.contains(0.0) => Explained::Nothing,
        _ if unexplained > UNEXPLAINED => Explained::No,
        _ => Explained::Yes,
    };
    Some(CostModelRow {
        model: model.to_owned(),
        program: footprints.program.name.clone(),
        wakes_us,
        switches_us,
        spawns_us,
        predicted_us,
        measured_us,
        remainder_us,
        unexplained,
        explained,
    })
}

/// Returns the footprints of a model's units.
fn footprints<'a>(
    run: &'a Run,
    figures: &[PrimitiveFigures],
    model: &str,
) -> Option<Footprints<'a>> {
    let mut programs = run.schedule.programs.iter();
    let program = programs.find(|program| program.models.iter().any(|name| name == model))?;
    let readiness = costs(figures, Workload::Readiness, &program.name)?;
    let spawn = costs(figures, Workload::SpawnMany, &program.name);
    Some(Footprints {
        program,
        wake_ns: readiness.cpu_ns?.value / 2.0,
        wake_switches: readiness.switches?.value / 2.0,
        spawn_ns: spawn.and_then(|costs| costs.cpu_ns).map(|cpu_ns| cpu_ns.value),
    })
}

/// Returns how many units a model starts for each fetch inside the window: those of a batch, if its
/// units are those of the program. The threads of a pool are there before.
fn spawns(cell: &CellFigures, model: &Model, program: &PrimitiveProgram) -> f64 {
    let units = f64::from(cell.cell.slots());
    match expected(cell.cell.workload).includes_start && model.unit == program.unit {
        true => units / real(cell.cell.fetches.max(1)),
        false => 0.0,
    }
}

/// Returns the CPU time of one context switch between threads that wake each other.
fn thread_switch_ns(figures: &[PrimitiveFigures]) -> Option<f64> {
    let primitive = Workload::PingPong;
    let ping_pong = figures.iter().find(|figures| figures.primitive == primitive)?;
    let threads = ping_pong.rows.iter().find(|row| row.unit == "thread")?.costs.as_ref()?;
    let switches = threads.switches?.value;
    (switches > 0.0).then_some(threads.cpu_ns?.value / switches)
}

/// Returns what a primitive costs in a program.
fn costs<'a>(
    figures: &'a [PrimitiveFigures],
    primitive: Workload,
    program: &str,
) -> Option<&'a PrimitiveCosts> {
    let figures = figures.iter().find(|figures| figures.primitive == primitive)?;
    figures.rows.iter().find(|row| row.program == program)?.costs.as_ref()
}
