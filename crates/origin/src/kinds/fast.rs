//! fast: serves cells at the least cost, from one event loop a shard.
//!
//! It answers as wiremock does, byte for byte, but ends each connection with its reply where a cell
//! asks for that. What it counts is exact: a fetch is in flight from the moment at which its
//! request was read to that at which its reply was handed to the kernel, as far as there was room
//! for it.
//! Its timers keep to some hundredths of a millisecond, and a connection takes less than 0.3 kB of
//! its memory.
//!
//! A second argument has each shard listen at so many addresses: a backlog is no longer than the
//! system allows, and a port takes no more connections than there are local ports.

mod connection;
mod server;
mod timers;

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use anyhow::{Context, Result, bail};
use mio::Waker;
use origin::{FromOrigin, Ready, Tally, ToOrigin};
use workload::OriginKind;

use self::server::Server;
use super::{Kind, count, listener, raise_descriptors, shards};

/// Serves cells.
pub(super) const KIND: Kind = Kind { name: OriginKind::Fast.name(), serve };

/// The most addresses of a shard.
const ADDRESSES_MAX: usize = 64;

/// What a shard is to do.
struct Assignment {
    order: Order,
    /// Receives a word when it is done.
    done: Sender<()>,
}

/// What can be asked of a shard.
#[derive(Clone)]
enum Order {
    /// Serve this from now on, if anything, and count it.
    Serve(Option<Arc<Tally>>),
    /// Send what is held, and hold nothing any more.
    Release,
}

/// A shard, as the thread of the pipe sees it.
struct Shard {
    assignments: Sender<Assignment>,
    waker: Waker,
}

/// The shards, and what they count.
struct Origin {
    shards: Vec<Shard>,
    tally: Option<Arc<Tally>>,
}

/// Serves until the pipe is closed.
fn serve(arguments: &[String]) -> Result<()> {
    raise_descriptors();
    let (mut shards, mut origins) = (Vec::new(), Vec::new());
    let addresses = count(arguments.get(1), (ADDRESSES_MAX, "addresses a shard"))?;
    for _ in 0..self::shards(arguments)? {
        let mut listeners = Vec::new();
        for _ in 0..addresses {
            let listener = listener().context("listen on loopback")?;
            origins.push(listener.local_addr().context("read the address of a listener")?);
            listeners.push(listener);
        }
        let (assignments, received) = mpsc::channel();
        let (server, waker) = Server::start(listeners, received).context("make an event loop")?;
        thread::Builder::new().spawn(|| server.run()).context("start a thread")?;
        shards.push(Shard { assignments, waker });
    }
    let mut origin = Origin { shards, tally: None };
    let server = format!("fast {}", env!("CARGO_PKG_VERSION"));
    origin::speak(Ready { server, origins }, |asked| origin.answer(asked))
}

impl Origin {
    /// Returns the answer to one question.
    fn answer(&mut self, asked: ToOrigin) -> Result<FromOrigin> {
        match asked {
            ToOrigin::Mount(mount) => {
                // What came for the turn before is no longer counted when this one's count begins.
                self.serve(None)?;
                let tally = Arc::new(Tally::new(mount));
                self.serve(Some(tally))?;
                Ok(FromOrigin::Mounted)
            }
            ToOrigin::Misbehave(_) => bail!("misbehave: only the faulty origin does"),
            ToOrigin::Receipt => match &self.tally {
                Some(tally) => Ok(FromOrigin::Receipt(tally.receipt())),
                None => bail!("hand over a receipt: nothing is mounted"),
            },
            ToOrigin::Release => {
                self.order(&Order::Release)?;
                Ok(FromOrigin::Released)
            }
            ToOrigin::Reset => {
                self.serve(None)?;
                Ok(FromOrigin::Reset)
            }
        }
    }

    /// Has all shards serve this, and returns once they do.
    fn serve(&mut self, tally: Option<Arc<Tally>>) -> Result<()> {
        self.order(&Order::Serve(tally.clone()))?;
        self.tally = tally;
        Ok(())
    }

    /// Has all shards do something, and returns once it is done.
    fn order(&mut self, order: &Order) -> Result<()> {
        let (done, served) = mpsc::channel();
        for shard in &self.shards {
            let assignment = Assignment { order: order.clone(), done: done.clone() };
            shard
                .assignments
                .send(assignment)
                .ok()
                .context("reach a shard: its thread has ended")?;
            shard.waker.wake().context("wake a shard")?;
        }
        drop(done);
        for _ in &self.shards {
            served.recv().context("receive from a shard: its thread has ended")?;
        }
        Ok(())
    }
}
