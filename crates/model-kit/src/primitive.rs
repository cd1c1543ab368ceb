//! What a program is built with that measures **primitives**: the smallest things that models are
//! made of, such as a switch between two tasks, a spawn, a wake.
//!
//! A program takes turns as a model does, and its plan names one primitive. Most are done many
//! times in a turn, by [`Work::begin`]: turns have different lengths, and what one costs is the
//! slope of the time on the count. How late an event or a timer wakes its waiter is not batched,
//! which would turn a latency into a throughput: each is timed alone, by [`Setter`] and
//! [`Lateness`].
//!
//! [`tasks`] has all primitives of tasks, once for every runtime, as [`crate::asynchronous`] has
//! the one driver of slots: two runtimes differ in nothing but themselves.

mod lateness;
mod serve;
mod setter;
mod signal;
pub mod tasks;
mod work;

pub use self::lateness::Lateness;
pub use self::serve::{cpus, pin, serve};
pub use self::setter::Setter;
pub use self::signal::Signal;
pub use self::work::{Batch, Done, Work};
