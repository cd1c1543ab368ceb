//! What is written down of a run: its schedule before the first turn, each turn as it ends, the
//! machine it ran on, and last a manifest. The measured part of a run is never edited.
//!
//! A run is a folder. `schedule.json` comes first and is synced to disk before anything is
//! measured; `journal.jsonl` grows by one line a turn, failures included, each with a checksum, and
//! is synced after every block; `environment.json` says where it ran; `MANIFEST` is written
//! last, so its presence means that the run is complete.

mod brief;
pub mod environment;
mod fault;
mod folder;
mod held;
mod integrity;
mod journal;
mod memory;
mod model;
mod name;
mod placement;
mod program;
mod quirk;
mod run;
mod schedule;
mod sweep;

pub use crate::brief::Brief;
pub use crate::environment::Environment;
pub use crate::fault::{Unreadable, Unwritable};
pub use crate::folder::{RunFolder, sha256, write_derived};
pub use crate::integrity::{Integrity, differing_derived};
pub use crate::journal::{
    Again, Begin, BlockRecord, Entry, Host, Resume, RoundRecord, State, StayRecord, Stop,
    TurnRecord,
};
pub use crate::memory::{Held, MemoryReading};
pub use crate::model::{Allocator, Knob, Lever, Model, Need, Variant};
pub use crate::name::{own_name, runs};
pub use crate::placement::Placement;
pub use crate::program::{Described, PrimitiveProgram};
pub use crate::quirk::Quirk;
pub use crate::run::Run;
pub use crate::schedule::{
    Absent, Block, Control, Family, Missing, Probe, Schedule, Session, StopRule,
};
pub use crate::sweep::{Along, Sweep};
pub use workload::OriginKind;

/// What starts the command line from a checkout: commands are printed so that they can be typed.
pub const INFLIGHT: &str = "cargo run --release --";
