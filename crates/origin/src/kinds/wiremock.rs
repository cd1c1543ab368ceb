//! wiremock: serves cells, each shard on a port and a thread of its own.
//!
//! What comes and the connections are exact in its receipt. What is in flight and how late replies
//! are is estimated by shadow timers, since it hides when a reply leaves.
//!
//! Its memory grows by several KiB a request whatever is switched off (wiremock 0.6 keeps every
//! matched request), so a mount begins by forgetting, and the harness renews the process every
//! block. An accept loop of it ends for good at its first error, so the limit of file descriptors
//! is raised to what the system allows.

mod respond;

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use origin::{Connections, FromOrigin, Ready, Tally, ToOrigin};
use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer};
use workload::OriginKind;

use self::respond::Fetches;
use super::{Kind, listener, raise_descriptors, shards};

/// The servers, and what they count.
struct Origin {
    runtime: Runtime,
    shards: Vec<MockServer>,
    connections: Arc<Mutex<Connections>>,
    tally: Option<Arc<Tally>>,
}

/// Serves cells.
pub(super) const KIND: Kind = Kind { name: OriginKind::Wiremock.name(), serve };

/// Serves until the pipe is closed.
fn serve(arguments: &[String]) -> Result<()> {
    raise_descriptors();
    let mut origin = Origin::start(shards(arguments)?)?;
    let wiremock = workload::hello!().versions.remove("wiremock").unwrap_or_default();
    let origins = origin.shards.iter().map(|shard| *shard.address()).collect();
    let ready = Ready { server: format!("wiremock {wiremock}"), origins };
    origin::speak(ready, |asked| origin.answer(asked))
}

impl Origin {
    /// Starts the servers, each on a port and a thread of its own.
    fn start(count: usize) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut shards = Vec::new();
        for _ in 0..count {
            let listener = listener().context("listen on loopback")?;
            let builder = MockServer::builder().listener(listener).disable_request_recording();
            shards.push(runtime.block_on(builder.start()));
        }
        let addresses: Vec<_> = shards.iter().map(|shard| *shard.address()).collect();
        let connections = Arc::new(Mutex::new(Connections::of(&addresses)));
        Ok(Self { runtime, shards, connections, tally: None })
    }

    /// Returns the answer to one question.
    fn answer(&mut self, asked: ToOrigin) -> Result<FromOrigin> {
        match asked {
            ToOrigin::Mount(mount) => {
                self.reset();
                let tally = Arc::new(Tally::watching(mount, Arc::clone(&self.connections)));
                for shard in &self.shards {
                    let mock = Mock::given(wiremock::matchers::any());
                    let mock = mock.respond_with(Fetches(Arc::clone(&tally)));
                    self.runtime.block_on(mock.mount(shard));
                }
                self.tally = Some(tally);
                Ok(FromOrigin::Mounted)
            }
            ToOrigin::Misbehave(_) => bail!("misbehave: only the faulty origin does"),
            ToOrigin::Release => bail!("release replies: only the fast origin holds them"),
            ToOrigin::Receipt => match &self.tally {
                Some(tally) => Ok(FromOrigin::Receipt(tally.receipt())),
                None => bail!("hand over a receipt: nothing is mounted"),
            },
            ToOrigin::Reset => {
                self.reset();
                Ok(FromOrigin::Reset)
            }
        }
    }

    /// Forgets everything.
    fn reset(&mut self) {
        self.tally = None;
        for shard in &self.shards {
            self.runtime.block_on(shard.reset());
        }
    }
}
