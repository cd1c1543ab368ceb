//! What is expected of a turn: the laws that it must keep, and the reasons for which its figures
//! may not be used.
//!
//! The participant times, the origin counts, and the kernel charges: a turn on which they disagree
//! is invalid, whatever it cost. Laws that one turn has too few fetches for are held over a stay in
//! a block. A reason is data; its sentence is written in one place, and nothing reads it back.
//!
//! What differs between workloads is said by each in a file of its own, and what is read off a turn
//! is a list of metrics: no other code asks for the name of either.

mod batch;
mod ceiling;
mod churn;
mod expected;
mod hold;
mod metric;
mod paced;
mod primitives;
mod reason;
mod sentence;
mod slope;
mod stay;
mod steady;
mod terms;
mod threads;
mod turn;

pub use crate::ceiling::is_beyond_ceiling;
pub use crate::expected::{Expected, expected};
pub use crate::metric::{Better, CPU, FAULTS, MEMORY, METRICS, Metric, Read, SWITCHES, WALL};
pub use crate::primitives::{Operation, PUBLISHED_IN, operation};
pub use crate::reason::{Cause, Check, Reason};
pub use crate::slope::SHORTEST_NS;
pub use crate::stay::{
    BEST_TURNS_MIN, Charged, MEAN_PERCENT_MIN, STAY_CHARGED_PERCENT_MAX, Stay, validate_all,
    validate_stay,
};
pub use crate::terms::{Sizes, evaluate, is_upper_bound};
pub use crate::threads::{threads_of, threads_vary};
pub use crate::turn::{Claims, Evidence, STALLED_MS, validate};
