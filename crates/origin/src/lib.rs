//! The servers that answer, each in a process of its own, and what they say over their pipe.
//!
//! This library holds the messages, the pipe and the count, which every origin shares; the program
//! holds the server. The pipe is the one of [`workload::pipe`]: one JSON object a line, the
//! harness asks, the origin answers.

mod connections;
mod faults;
mod kernel;
mod script;
mod tally;
mod template;

use std::io;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use workload::{Cell, Receipt, Turn, pipe};

pub use crate::connections::Connections;
pub use crate::faults::{End, FAULTS, Fault, Pace, Verdict};
pub use crate::script::{FULL, REFUSING, Record, SCRIPTED, Script};
pub use crate::tally::Tally;
pub use crate::template::{GOOD, reply};

/// By which name the kind is started that misbehaves.
pub const FAULTY: &str = "faulty";

/// What the harness asks an origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToOrigin {
    /// Forget everything and serve this turn.
    Mount(Mount),
    /// Forget everything and misbehave like this; only the faulty origin does.
    Misbehave(Script),
    /// Say what was seen since the mount.
    Receipt,
    /// Send all replies that are held, and hold none from now on; only the fast origin does.
    Release,
    /// Forget everything and serve nothing.
    Reset,
}

/// What an origin answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromOrigin {
    /// The first line: who serves, and where.
    Ready(Ready),
    /// The turn is served.
    Mounted,
    /// What was seen since the mount.
    Receipt(Receipt),
    /// What a faulty origin has seen and done since it was sent its script.
    Record(Record),
    /// Nothing is held any more.
    Released,
    /// Nothing is served.
    Reset,
}

/// Who serves, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The kind of server, with its version.
    pub server: String,
    /// One address a shard.
    pub origins: Vec<SocketAddr>,
}

/// What is to be served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// The cell, which gives the range of the delays and the length of the bodies.
    pub cell: Cell,
    /// The turn, which gives the ids and the window of which the mean is taken.
    pub turn: Turn,
    /// Decides the bodies.
    pub seed: u64,
    /// Decides the delays, by the place of an id in the turn.
    pub delay_seed: u64,
    /// How long a stall lasts that begins in the middle of the window: fetches that are due
    /// meanwhile are delayed until it is over; where none arrives, each of the next `in_flight` ids
    /// is delayed so much longer. It is scheduled as any other delay, and disturbs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall_ms: Option<u64>,
}

impl Mount {
    /// Returns the mount of a cell that is one turn from id 0.
    pub fn whole(cell: &Cell, seed: u64) -> Self {
        let (cell, turn) = (cell.clone(), Turn::of(cell, 0, 0));
        Self { cell, turn, seed, delay_seed: seed, stall_ms: None }
    }
}

/// Says who serves, and answers what is asked over stdin and stdout until the pipe is closed, which
/// ends the process.
///
/// # Errors
///
/// Says what could not be read, written or answered.
pub fn speak(ready: Ready, mut answer: impl FnMut(ToOrigin) -> Result<FromOrigin>) -> Result<()> {
    // When the harness dies, so does the origin; else the closed pipe ends it.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    pipe::write(&mut output, &FromOrigin::Ready(ready))?;
    while let Some(asked) = pipe::read(&mut input).context("read what is asked")? {
        pipe::write(&mut output, &answer(asked)?)?;
    }
    // Dropping a server with replies under way may spin; the end of the process does not.
    std::process::exit(0);
}
