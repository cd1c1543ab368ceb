//! What serves the fetches of a block: an origin, or nothing where operations are measured.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use origin::Mount;
use workload::Receipt;

use crate::origin_process::OriginProcess;

/// The origin of a block, if its cell is one of fetches.
#[derive(Debug)]
pub(crate) struct Service(pub(crate) Option<OriginProcess>);

impl Service {
    /// Returns where it is fetched.
    pub(crate) fn origins(&self) -> Vec<SocketAddr> {
        self.0.as_ref().map_or_else(Vec::new, |origin| origin.ready.origins.clone())
    }

    /// Has the origin serve a turn.
    ///
    /// # Errors
    ///
    /// Says why it does not.
    pub(crate) fn mount(&mut self, mount: Mount) -> Result<()> {
        self.0.as_mut().map_or(Ok(()), |origin| origin.mount(mount))
    }

    /// Returns whether the origin answers, and has been stalled.
    pub(crate) fn was_stalled(&mut self) -> bool {
        self.0.as_mut().is_some_and(OriginProcess::was_stalled)
    }

    /// Returns what the origin saw in a turn. Whoever has failed may have met one that no longer
    /// accepts; to ask it costs a connection, which would be counted.
    ///
    /// # Errors
    ///
    /// Says why there is no receipt, or that the origin no longer accepts.
    pub(crate) fn receipt(&mut self, went_well: bool) -> Result<Option<Receipt>> {
        let Some(origin) = &mut self.0 else { return Ok(None) };
        let receipt = origin.receipt()?;
        if !went_well {
            origin.accepts()?;
        }
        Ok(Some(receipt))
    }

    /// Returns what the origin has seen of a turn so far.
    ///
    /// # Errors
    ///
    /// Says why there is no receipt.
    pub(crate) fn seen(&mut self) -> Result<Option<Receipt>> {
        self.0.as_mut().map(OriginProcess::seen).transpose()
    }

    /// Has the origin send the replies that it holds.
    ///
    /// # Errors
    ///
    /// Says why it does not.
    pub(crate) fn release(&mut self) -> Result<()> {
        self.0.as_mut().map_or(Ok(()), OriginProcess::release)
    }

    /// Returns the CPU time that the origin has used so far, if the system reports it.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        self.0.as_ref().map_or(Some(Duration::ZERO), OriginProcess::cpu)
    }
}
