//! A plan: what a participant is sent once.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::cell::is_0;
use crate::paced::rate_fault;
use crate::{Cell, Error};

/// What a participant is sent once: a cell at its origin, the workers, the seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The work.
    pub cell: Cell,
    /// Where it is fetched; slot `i` uses the origin `i mod len`.
    pub origins: Vec<SocketAddr>,
    /// Threads on which a runtime runs its units.
    pub workers: u32,
    /// Decides bodies and delays.
    pub seed: u64,
    /// The longest that one fetch may take, if the plan asks for a limit.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
    /// Busy work that each fetch costs on top, in nanoseconds: how a run proves that it would find
    /// a model that costs more. 0 but for such a control.
    #[serde(default, skip_serializing_if = "is_0")]
    pub surcharge_ns: u64,
}

impl Plan {
    /// Returns the plan if it can be carried out.
    ///
    /// # Errors
    ///
    /// Names the first number that makes no sense.
    pub fn checked(self) -> Result<Self, Error> {
        let cell = &self.cell;
        let of_workload = (cell.workload.definition().fault)(cell.warmup).or(rate_fault(cell));
        let fault = match () {
            () if cell.in_flight == 0 => "in_flight is 0, expected at least 1",
            () if cell.fetches == 0 => "fetches is 0, expected at least 1",
            () if cell.delay_ms.lo > cell.delay_ms.hi => "delay_ms ends before it begins",
            () if self.workers == 0 => "workers is 0, expected at least 1",
            () if cell.workload.fetches() && self.origins.is_empty() => {
                "origins is empty, expected at least one address"
            }
            () if !self.origins.iter().all(|origin| origin.ip().is_loopback()) => {
                "origins has an address beyond loopback, and fetches never leave the machine"
            }
            () => match of_workload {
                Some(fault) => fault,
                None => return Ok(self),
            },
        };

        Err(Error::Plan(fault.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DelayRange, Workload};

    #[test]
    fn a_plan_that_leads_out_of_the_machine_is_refused() {
        let refusal = |origins: &[&str]| {
            let cell = Cell {
                name: "batch".to_owned(),
                workload: Workload::Batch,
                in_flight: 1,
                warmup: 0,
                fetches: 1,
                delay_ms: DelayRange { lo: 0, hi: 0 },
                body_bytes: 0,
                ..Cell::least(Workload::Batch)
            };
            let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
            let (workers, seed, deadline_ms, surcharge_ns) = (1, 1, None, 0);
            let plan = Plan { cell, origins, workers, seed, deadline_ms, surcharge_ns };
            plan.checked().err().map(|error| error.to_string())
        };
        assert_eq!(refusal(&["127.0.0.1:80", "127.9.9.9:80", "[::1]:80"]), None);
        for outside in ["192.0.2.1:80", "0.0.0.0:80", "[::]:80", "[2001:db8::1]:80"] {
            let why = refusal(&["127.0.0.1:80", outside]).unwrap();
            assert!(why.contains("an address beyond loopback"), "{outside}: {why}");
        }
    }
}
