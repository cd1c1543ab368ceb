//! Finds and builds models, starts processes, draws the order of blocks, gives turns, and holds
//! each against the origin's receipt; tells beforehand what the machine would do to a result.
//!
//! It knows no model by name but the baseline and the floor, links none, and reaches each by its
//! pipe alone. It computes no more than it needs to stop and to forecast, and draws no tables.

mod alone;
mod awake;
mod block;
mod built;
mod cells;
mod child;
mod compile;
mod cores;
mod descendants;
mod disturbed;
mod doctor;
mod draw;
mod failure;
mod faults;
mod find;
mod footprint;
mod forecast;
mod host;
mod interrupt;
mod machine;
#[cfg(test)]
mod made_up;
mod measure;
mod nameless;
mod origin_process;
mod participant;
mod pictures;
mod primitives;
mod probe;
mod programs;
mod progress;
mod python;
mod quirks;
mod recount;
mod room;
mod run;
mod standing;
mod stays;
mod stop;
mod sweep;
mod verify;

pub use crate::alone::Alone;
pub use crate::awake::Awake;
pub use crate::cells::{PRESETS, Preset, Takes, preset, primitives, quick, smoke};
pub use crate::child::{Child, Silence, Start};
pub use crate::compile::{Program, compile, update_lock};
pub use crate::doctor::{Finding, Health, doctor};
pub use crate::draw::{Basis, draw};
pub use crate::failure::{Failure, exit_code};
pub use crate::faults::{Agreement, FaultCase, FaultVerified, fault_cases, verify_faults};
pub use crate::find::{Workspace, find};
pub use crate::footprint::time_builds;
pub use crate::forecast::{Forecast, forecast};
pub use crate::interrupt::outlive_size_limits;
pub use crate::machine::{Limits, place, preflight};
pub use crate::measure::{Ended, How, Order, earlier, measure, newest_unfinished, resume};
pub use crate::origin_process::{OriginProcess, Told, converse};
pub use crate::participant::time_for;
pub use crate::pictures::{PICTURES, draw_pictures};
pub use crate::primitives::{
    PrimitiveBlocks, PrimitiveWatch, add_primitives, build_primitives, find_primitives,
    judge_primitive, measure_primitive, primitives_line, run_primitives, verify_primitives,
};
pub use crate::probe::probe;
pub use crate::programs::build;
pub use crate::progress::be_quiet;
pub use crate::python::{Interpreter, missing};
pub use crate::quirks::{DEVIATIONS, Finds, Quirk};
pub use crate::recount::recount;
pub use crate::run::{Event, Programs, Watch, run};
pub use crate::sweep::sweep;
pub use crate::verify::{Verified, verify};

/// The model that ratios are taken against.
pub const BASELINE: &str = "tokio";
/// The model that costs the least that any could.
pub const FLOOR: &str = "event-loop";
