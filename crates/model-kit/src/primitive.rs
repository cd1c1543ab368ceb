//! What a program is built with that measures **primitives**: the smallest things that models are
//! made of, such as a switch between two tasks, a spawn, a wake.
//!
//! A program speaks the pipe of a model, with a plan of another kind: hello, plan, trial. The plan
//! names one primitive. Most are done many times in batches of several lengths, by [`Slope`]: what
//! one costs is the slope of the time on the count, and everything that a batch costs beside is in
//! the intercept. How late an event or a timer wakes its waiter is not batched, which would turn a
//! latency into a throughput: each is timed alone, by [`Setter`] and [`Lateness`].
//!
//! [`tasks`] has all primitives of tasks, once for every runtime, as [`crate::asynchronous`] has
//! the one driver of slots: two runtimes differ in nothing but themselves.

mod lateness;
mod serve;
mod setter;
mod signal;
mod slope;
pub mod tasks;

pub use self::lateness::Lateness;
pub use self::serve::{pin, serve};
pub use self::setter::Setter;
pub use self::signal::Signal;
pub use self::slope::Slope;
pub use workload::primitive::{
    FromProgram, Point, Primitive, PrimitivePlan, PrimitiveTrial, ToProgram,
};
