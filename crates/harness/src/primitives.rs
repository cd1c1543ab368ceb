//! Primitives: finds the programs that have them, draws their blocks, runs their trials one by one
//! in fresh processes, and validates each.
//!
//! No origin takes part. A block is every program that has a primitive, once each and adjacent in
//! time, in an order of the same design as the blocks of cells.

mod draw;
mod find;
mod run;
mod trial;
mod validate;

pub use self::draw::add_primitives;
pub(crate) use self::find::build_reported;
pub use self::find::{build_primitives, find_primitives};
pub use self::run::{PrimitiveWatch, run_primitives, verify_primitives};
pub(crate) use self::run::{carry_out, due};
pub use self::trial::{measure_primitive, primitives_line};
pub(crate) use self::validate::revalidate;
pub use self::validate::validate_primitive;

/// How much of primitives a preset measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrimitiveBlocks {
    /// Blocks a primitive, and a session; none means that none is measured.
    pub blocks: u32,
    /// The least length of a batch, in nanoseconds.
    pub batch_ns: u64,
    /// The most that are timed one by one in a trial.
    pub samples_max: u64,
}

impl PrimitiveBlocks {
    /// No primitives.
    pub const NONE: Self = Self { blocks: 0, batch_ns: 0, samples_max: 0 };
    /// Each primitive once and as little as can be validated: that it works, not what it costs.
    pub const ONCE: Self = Self { blocks: 1, batch_ns: 2 * SHORTEST_NS, samples_max: 5 };
    /// Enough for intervals. The smallest batch has ten times the length that is demanded of one,
    /// and is read about a thousand times faster than it lasts.
    pub const MEASURED: Self = Self { blocks: 12, batch_ns: 2_000_000, samples_max: 1_000 };
}

/// No batch may be shorter: what the clocks cost must be lost in it.
const SHORTEST_NS: u64 = 200_000;
/// What costs less than this was not done: the compiler saw that nobody wants it.
const LEAST_NS: f64 = 0.3;
