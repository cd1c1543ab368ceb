//! Finds and builds models, starts processes, draws the order of blocks, gives turns, and holds
//! each against the origin's receipt; reports beforehand what the machine would do to a result.
//!
//! It knows no model by name but the baseline and the floor, links none, and reaches each by its
//! pipe alone. It computes no more than it needs to stop and to forecast, and draws no tables.

mod block;
mod cells;
mod child;
mod cores;
mod descendants;
mod disturbed;
mod doctor;
mod draw;
mod explain;
mod failure;
mod fault_jobs;
mod faults;
mod files;
mod find;
#[cfg(test)]
mod fixture;
mod footprint;
mod forecast;
mod go_on;
mod group;
mod hold;
mod host;
mod idle_inhibitor;
mod interrupt;
mod kernel_threads;
mod language;
mod levers;
mod live;
mod load;
mod locked;
mod machine;
mod manifest;
mod measure;
mod memory;
mod nameless;
mod operations;
mod origin_process;
mod outcome;
mod outside;
mod participant;
mod probe;
mod programs;
mod progress;
mod quirks;
mod resource_limits;
mod revalidate;
mod run;
mod run_lock;
mod service;
mod several;
#[cfg(test)]
#[path = "../../../tests/support/skip.rs"]
mod skip;
mod starved;
mod stays;
mod stop;
mod sweep;
mod terminal;
mod thread_states;
mod verify;
mod versions;

pub use crate::cells::{
    Preset, Takes, of_versions, preset, presets, primitives, quick, smoke, steady_of,
};
pub use crate::child::{Child, ReceiveError, Start};
pub use crate::doctor::{Finding, Health, doctor};
pub use crate::draw::{Basis, draw};
pub use crate::explain::{Explained, explain};
pub use crate::failure::{Failure, exit_code};
pub use crate::fault_jobs::verify_faults;
pub use crate::faults::{Agreement, FaultCase, FaultVerified, fault_cases};
pub use crate::files::put;
pub use crate::find::{Workspace, find, find_primitives};
pub use crate::footprint::time_builds;
pub use crate::forecast::{Forecast, forecast};
pub use crate::hold::Holds;
pub use crate::idle_inhibitor::IdleInhibitor;
pub use crate::interrupt::settle_signals;
pub use crate::language::{Interpreter, Program, compile, missing, update_lock};
pub use crate::machine::{Limits, Workers, place, place_for, preflight};
pub use crate::measure::{
    Ended, How, Request, claim, earlier, measure, measure_claimed, newest_unfinished, resume,
};
pub use crate::operations::PrimitiveBlocks;
pub use crate::origin_process::{OriginProcess, Reported, converse};
pub use crate::outside::standing_alone;
pub use crate::participant::time_for;
pub use crate::probe::probe;
pub use crate::programs::build;
pub use crate::progress::{be_quiet, writing_report};
pub use crate::quirks::{Finds, QUIRKS, Quirk};
pub use crate::revalidate::revalidate;
pub use crate::run::{Event, Programs, Watch, run};
pub use crate::run_lock::RunLock;
pub use crate::sweep::sweep;
pub use crate::terminal::columns;
pub use crate::verify::{Verified, verify};
pub use crate::versions::{Apart, Wanted, prepare};

/// The model that ratios are taken against.
pub const BASELINE: &str = "tokio";
/// The model that costs the least that any could.
pub const FLOOR: &str = "event-loop";

/// Returns the model that the ratios of a run are taken against.
pub fn baseline_of(schedule: &record::Schedule) -> &str {
    schedule.baseline.as_deref().unwrap_or(BASELINE)
}
