//! Whether two runs may be compared: what forbids it, and what a reader must know beside it.
//!
//! A difference between two runs is only worth a word if the same work was measured by the same
//! clockwork. Whatever else differs between them does not forbid the comparison, but may be its
//! cause, and is reported.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use record::environment::Fact;
use record::{Integrity, Model, Run, TurnRecord};
use rules::{Metric, expected};
use workload::Cell;

/// What the two runs are called, in their order.
const NAMES: [&str; 2] = ["old", "new"];

/// Why two runs cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A run is not what was measured: its name, and the files that differ.
    Altered(String, Vec<String>),
    /// The machines differ: in what, there in the old run and here in the new.
    Machine(&'static str, String, String),
    /// This run does not say what its CPU is.
    UnknownCpu(String),
    /// Cells of this name are different work.
    Cell(String),
    /// No cell is in both runs.
    NoCell,
    /// No cell that both runs have yields the metric: its key.
    NoCellFor(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered(run, files) => {
                write!(f, "the run {run} was altered after it was measured: {}", files.join(", "))
            }
            Self::Machine(what, old, new) => write!(
                f,
                "the runs come from different machines ({what}: {old} in the old run, {new} in \
                 the new): absolute costs are never compared across machines"
            ),
            Self::UnknownCpu(run) => write!(
                f,
                "the run {run} does not say what its CPU is, so it may come from another machine: \
                 absolute costs are never compared across machines"
            ),
            Self::Cell(name) => write!(f, "the cell {name} is other work in each of the runs"),
            Self::NoCell => write!(f, "the runs have no cell in common"),
            Self::NoCellFor(metric) => {
                write!(f, "the runs have no cell in common that is compared by {metric}")
            }
        }
    }
}

impl Error for Refusal {}

/// Returns the cells that are compared, in the order of the old run.
///
/// # Errors
///
/// Returns the first reason for which nothing may be compared.
pub(crate) fn cells([old, new]: [&Run; 2], metric: Metric) -> Result<Vec<&Cell>, Refusal> {
    for run in [old, new] {
        if let Integrity::Altered(files) = &run.integrity {
            return Err(Refusal::Altered(run.id.clone(), files.clone()));
        }
    }
    for (what, [old, new]) in machine([old, new]) {
        if old != new {
            return Err(Refusal::Machine(what, old, new));
        }
    }
    if !old.environment.has_cpu_of(&new.environment) {
        return Err(Refusal::UnknownCpu(old.id.clone()));
    }

    let cells = &old.schedule.cells;
    let common = cells.iter().filter_map(|cell| Some((cell, new.schedule.cell(&cell.name)?)));
    let common: Vec<(&Cell, &Cell)> = common.collect();
    if let Some((cell, _)) = common.iter().find(|(old, new)| old != new) {
        return Err(Refusal::Cell(cell.name.clone()));
    }
    let compared =
        common.iter().map(|(cell, _)| *cell).filter(|cell| expected(cell.workload).yields(&metric));
    let compared: Vec<&Cell> = compared.collect();
    match (common.is_empty(), compared.is_empty()) {
        (true, _) => Err(Refusal::NoCell),
        (false, true) => Err(Refusal::NoCellFor(metric.key)),
        (false, false) => Ok(compared),
    }
}

/// Returns what makes two machines different ones, with what the runs say of it. One name of a CPU
/// stands for machines of two CPUs and of hundreds, bare and virtual; and whether interrupts are
/// charged to the process that they meet decides what CPU time is.
fn machine(runs: [&Run; 2]) -> [(&'static str, [String; 2]); 4] {
    let reported = |read: fn(&Run) -> String| runs.map(read);
    [
        ("CPU", reported(|run| run.environment.cpu.clone())),
        ("number of CPUs", reported(|run| run.environment.cpus.to_string())),
        ("kind of machine", reported(|run| run.environment.kind.clone())),
        ("IRQ time accounting", reported(|run| run.environment.irq_time_accounting.clone())),
    ]
}

/// Returns what a reader of the comparison must know, a sentence each.
pub(crate) fn notes(runs: [&Run; 2]) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, run) in NAMES.iter().zip(runs) {
        if run.integrity == Integrity::Unfinished {
            notes.push(format!("The {name} run did not come to its end."));
        }
    }
    if runs[0].turns == runs[1].turns {
        notes.push("Both runs hold the very same turns.".to_owned());
    } else if shares_turns(runs) {
        notes.push("The runs share turns, which makes them look more alike.".to_owned());
    }
    for (what, [old, new]) in circumstances(runs) {
        let are_known = [&old, &new].iter().all(|reported| **reported != Fact::default().as_str());
        // What one of them does not report is no difference.
        if old != new && are_known {
            notes.push(format!("The {what} differs: {old} in the old run, {new} in the new."));
        }
    }
    notes.extend(other_cells(runs));
    notes.extend(models(runs));
    notes
}

/// Returns what may have changed costs without being a model, with what the runs say of it.
fn circumstances(runs: [&Run; 2]) -> Vec<(&'static str, [String; 2])> {
    let reported = |read: fn(&Run) -> String| runs.map(read);
    vec![
        ("preset", reported(|run| run.schedule.preset.clone())),
        ("placement", reported(placement)),
        ("version of Inflight", reported(|run| run.schedule.version.clone())),
        ("compiler", reported(|run| run.environment.rustc.clone())),
        ("set of compiler flags", reported(|run| format!("{:?}", run.environment.rustflags))),
        ("profile", reported(|run| run.environment.profile.clone())),
        (
            "choice of the compiler",
            reported(|run| run.environment.build.rustc_chosen_by.to_string()),
        ),
        (
            "wrapper of the compiler",
            reported(|run| run.environment.build.rustc_wrapper.to_string()),
        ),
        (
            "use of RUSTC_BOOTSTRAP",
            reported(|run| run.environment.build.rustc_bootstrap.to_string()),
        ),
        ("incremental building", reported(|run| run.environment.build.incremental.to_string())),
        (
            "replacement of dependencies",
            reported(|run| run.environment.build.config.replacements.to_string()),
        ),
        (
            "variables of cargo's configuration",
            reported(|run| run.environment.build.config.variables.to_string()),
        ),
        ("target", reported(|run| run.environment.build.target.to_string())),
        ("linker", reported(|run| run.environment.build.linker.to_string())),
        ("origin", reported(|run| run.environment.origin.clone())),
        ("kernel", reported(|run| run.environment.kernel.clone())),
        ("clock", reported(|run| run.environment.clocksource.clone())),
        ("frequency governor", reported(|run| run.environment.governor.clone())),
        ("congestion control", reported(|run| run.environment.tcp_congestion_control.clone())),
    ]
}

/// Writes who ran on which CPU.
fn placement(run: &Run) -> String {
    let placement = &run.schedule.placement;
    format!(
        "model CPU {:?}, origin CPU {:?}, {} worker(s), {} shard(s), CPUs kept awake: {}",
        placement.model_cpus,
        placement.origin_cpus,
        placement.workers,
        placement.shards,
        if placement.awake { "yes" } else { "no" },
    )
}

/// Returns which cells only one of the runs has.
fn other_cells([old, new]: [&Run; 2]) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, run, other) in [(NAMES[0], old, new), (NAMES[1], new, old)] {
        let cells = run.schedule.cells.iter().map(|cell| cell.name.as_str());
        let cells: Vec<&str> = cells.filter(|cell| other.schedule.cell(cell).is_none()).collect();
        if !cells.is_empty() {
            notes.push(format!("Only the {name} run has: {}.", cells.join(", ")));
        }
    }
    notes
}

/// Returns how models of both runs are not the same program.
fn models([old, new]: [&Run; 2]) -> Vec<String> {
    let mut notes = Vec::new();
    let models = old.schedule.models.iter();
    for (model, other) in models.filter_map(|m| Some((m, new.schedule.model(&m.name)?))) {
        let libraries = libraries(&[old, new].map(|run| versions(run, &model.name)));
        if !libraries.is_empty() {
            let libraries = libraries.join(", ");
            let name = &model.name;
            notes.push(format!("{name} is built on {libraries}: that may be the cause."));
        }
        if is_set_otherwise(model, other) {
            let name = &model.name;
            notes.push(format!("{name} is set up in another way: that may be the cause."));
        }
    }
    notes
}

/// Returns whether two descriptions of a model differ in what decides how it runs.
fn is_set_otherwise(old: &Model, new: &Model) -> bool {
    let knobs = |model: &Model| -> Vec<(String, String)> {
        model.knobs.iter().map(|knob| (knob.name.clone(), knob.set.clone())).collect()
    };
    old.env != new.env || old.client != new.client || knobs(old) != knobs(new)
}

/// Returns whether runs have a turn in common; two that began in the same millisecond and cost the
/// same are one.
fn shares_turns([old, new]: [&Run; 2]) -> bool {
    let began = |turn: &TurnRecord| (turn.started_utc.clone(), turn.model.clone());
    let known: BTreeMap<(String, String), &TurnRecord> =
        old.turns.iter().map(|turn| (began(turn), turn)).collect();
    new.turns.iter().any(|turn| known.get(&began(turn)).is_some_and(|other| *other == turn))
}

/// Returns the versions that a model reported, if it reported any.
fn versions(run: &Run, model: &str) -> Option<BTreeMap<String, String>> {
    Some(run.versions(model)).filter(|versions| !versions.is_empty())
}

/// Returns which libraries differ, if the model reported its versions in both runs.
fn libraries(versions: &[Option<BTreeMap<String, String>>; 2]) -> Vec<String> {
    let [Some(old), Some(new)] = versions else { return Vec::new() };
    let changed = |(name, version): (&String, &String)| match new.get(name) {
        Some(other) if other == version => None,
        Some(other) => Some(format!("{name} {other} instead of {version}")),
        None => Some(format!("no {name} any more")),
    };
    let added = new.iter().filter(|(name, _)| !old.contains_key(*name));
    let added = added.map(|(name, version)| format!("{name} {version}, which is new"));
    old.iter().filter_map(changed).chain(added).collect()
}
