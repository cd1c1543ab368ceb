//! The servers that answer, each in a process of its own, and what they tell over their pipe.
//!
//! This library holds the messages alone; the program holds the server. The pipe is the one of
//! [`model_kit::pipe`]: one JSON object a line, the harness asks, the origin answers.

use std::net::SocketAddr;

use model_kit::{Cell, Receipt};
use serde::{Deserialize, Serialize};

/// What the harness asks an origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToOrigin {
    /// Forget everything and serve this cell.
    Mount(Mount),
    /// Say what was seen since the mount.
    Receipt,
    /// Forget everything and serve nothing.
    Reset,
}

/// What an origin answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromOrigin {
    /// The first line: who serves, and where.
    Ready(Ready),
    /// The cell is served.
    Mounted,
    /// What was seen since the mount.
    Receipt(Receipt),
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
    /// The cell, which gives delays and bodies, and the window of which the mean is taken.
    pub cell: Cell,
    /// Decides bodies and delays.
    pub seed: u64,
}
