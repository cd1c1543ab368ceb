//! Everything around a program: the hello, the plan, and one turn after the other.

use std::error::Error as StdError;
use std::io;
use std::process::ExitCode;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::{Done, Work};
use crate::pipe::{FromModel, Hello};
use crate::serve::{ended, greet, next_turn, send, since};
use crate::{Error, Plan, reading};

/// Why a program cannot do what it is asked for.
type Why = Box<dyn StdError + Send + Sync>;

/// Serves one plan as a program of primitives: prints the hello, reads the plan, lets `begin` make
/// ready for it, and does the work of each turn by what that returns. What goes wrong is one
/// sentence on stderr and exit code 1.
pub fn serve<W>(hello: Hello, begin: impl FnOnce(&Plan) -> Result<W, Why>) -> ExitCode
where
    W: FnMut(Work) -> Result<Done, Why>,
{
    ended(serve_one(hello, begin))
}

/// Serves one plan, or says what went wrong.
fn serve_one<W>(hello: Hello, begin: impl FnOnce(&Plan) -> Result<W, Why>) -> Result<(), Error>
where
    W: FnMut(Work) -> Result<Done, Why>,
{
    let Some(plan) = greet(hello)? else { return Ok(()) };
    let failed = |error: Why| Error::Model(error.to_string());
    let mut work = begin(&plan).map_err(failed)?;
    send(&FromModel::Ready)?;
    while let Some(turn) = next_turn(&plan)? {
        let before = reading::scheduled();
        let done = work(Work::of(&plan, &turn)).map_err(failed)?;
        let scheduled = since(before, reading::scheduled());
        send(&FromModel::Turned(done.turned(&turn, scheduled)))?;
    }
    Ok(())
}

/// Binds the calling thread to one CPU.
///
/// # Errors
///
/// Says that the system refuses.
pub fn pin(cpu: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// Returns the CPUs that the calling thread may use, in rising order.
///
/// # Errors
///
/// Says that the system refuses.
pub fn cpus() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false)).collect())
}
