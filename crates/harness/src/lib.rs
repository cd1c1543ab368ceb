//! Finds and builds models, starts processes, draws the order of blocks, runs trials, and holds
//! each against the origin's receipt.
//!
//! It knows no model by name but the baseline and the floor, links none, and reaches each by its
//! pipe alone. It computes no statistics and draws no tables.

mod awake;
mod cells;
mod child;
mod compile;
mod draw;
mod find;
mod judge;
mod machine;
mod run;
mod session;
mod terms;

pub use crate::awake::Awake;
pub use crate::cells::{Preset, quick, smoke};
pub use crate::child::{Child, Silence, Start};
pub use crate::compile::{Program, compile};
pub use crate::draw::{Basis, draw};
pub use crate::find::{Workspace, find};
pub use crate::judge::{is_of_the_machine, judge};
pub use crate::machine::{Limits, place, preflight};
pub use crate::run::{Event, Programs, Watch, run};
pub use crate::session::{OriginProcess, Told, converse, time_for};
pub use crate::terms::evaluate;

/// The model that ratios are taken against.
pub const BASELINE: &str = "tokio";
/// The model that costs the least that any could.
pub const FLOOR: &str = "event-loop";
