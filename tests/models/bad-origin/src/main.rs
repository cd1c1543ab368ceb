//! An origin of plain threads that misbehaves as the name says by which it is started.
//!
//! The harness gives an origin nothing but its shards, so a test asks for a fault by a link of that
//! name.
//! It always has one shard, and counts as the real origin does: an arrival when the request is
//! read, the end when the delay is over.

mod server;

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, thread};

use anyhow::{Context, Result, bail};
use origin::Ready;

use crate::server::Server;

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing.
    None,
    /// Each request costs so much CPU time, one after the other, that they queue unread.
    Saturated,
    /// Each request costs more CPU time than the one before.
    Costlier,
    /// Each request leaves memory behind.
    Leaking,
    /// It answers at once, and counts as if it waited.
    AtOnce,
    /// It answers each request with status 500 after its delay, and counts it as answered.
    Failing,
    /// It answers each request with status 500 at once, and counts it as answered.
    FailingAtOnce,
    /// At a request in the middle of its second trial it loses every connection, and goes on.
    Restarting,
    /// At the same request it ceases to accept connections, and serves those that it has.
    Deaf,
}

impl Fault {
    /// Returns the fault of that name.
    fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "saturated" => Some(Self::Saturated),
            "costlier" => Some(Self::Costlier),
            "leaking" => Some(Self::Leaking),
            "at-once" => Some(Self::AtOnce),
            "failing" => Some(Self::Failing),
            "failing-at-once" => Some(Self::FailingAtOnce),
            "restarting" => Some(Self::Restarting),
            "deaf" => Some(Self::Deaf),
            _ => None,
        }
    }

    /// Returns whether it honours delays.
    fn waits(self) -> bool {
        !matches!(self, Self::AtOnce | Self::FailingAtOnce)
    }

    /// Returns the status line that it answers with.
    fn status(self) -> &'static str {
        match self {
            Self::Failing | Self::FailingAtOnce => "500 Internal Server Error",
            _ => "200 OK",
        }
    }
}

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until the pipe is closed.
fn serve() -> Result<()> {
    let path = env::args().next().unwrap_or_default();
    let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy();
    let Some(fault) = Fault::named(&name) else { bail!("misbehave: no fault is called {name}") };

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listen on loopback")?;
    let origins = vec![listener.local_addr().context("read the port")?];
    let server = Arc::new(Server::new(fault, listener));
    let accepting = Arc::clone(&server);
    thread::spawn(move || accepting.accept());

    let ready = Ready { server: format!("bad-origin, {name}"), origins };
    origin::speak(ready, |asked| server.answer(asked))
}
