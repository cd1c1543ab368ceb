//! A cell, one workload with its numbers; a plan, what a participant is told once; and a turn, the
//! bounded piece of work that it is told again and again.

use std::net::SocketAddr;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// So many fetches, at most `in_flight` at once, timed from the first slot to the last
    /// outcome, connecting included.
    Batch,
    /// Always `in_flight` at once, timed after a warm-up, ended while every slot is still busy.
    Steady,
}

/// One workload with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// What reports call it.
    pub name: String,
    /// The kind of work.
    pub workload: Workload,
    /// The number of slots.
    pub in_flight: u32,
    /// Fetches of a turn that end before its window opens.
    pub warmup: u64,
    /// Fetches of a turn that end inside its window.
    pub fetches: u64,
    /// The origin's delays are drawn from this range.
    pub delay_ms: DelayRange,
    /// The length of every body.
    pub body_bytes: u32,
    /// A probe task wakes so often beside the fetches, in microseconds: a unit more, which tells
    /// how long units that are due have to wait. 0 for none.
    #[serde(default, skip_serializing_if = "is_0")]
    pub probe_period_us: u32,
    /// What is to be computed for each reply: the CRC-32 of so many KiB. 0 for nothing.
    #[serde(default, skip_serializing_if = "is_0")]
    pub work_kib: u32,
}

/// The whole milliseconds from which the origin draws the delay of a fetch, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u64; 2]", into = "[u64; 2]")]
pub struct DelayRange {
    /// The shortest delay.
    pub lo: u64,
    /// The longest delay.
    pub hi: u64,
}

/// A bounded piece of work of one participant, while all others are idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its number among the turns of the participant; turn 0 connects and is never counted.
    pub number: u32,
    /// The first id; the others follow it without a gap.
    pub first_id: u64,
    /// Fetches that end before the window opens.
    pub warmup: u64,
    /// Fetches that end inside the window.
    pub fetches: u64,
}

/// What a participant is told once: a cell at its origin, the workers, the seed.
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

/// Returns whether there is nothing to write.
fn is_0<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

impl From<[u64; 2]> for DelayRange {
    fn from([lo, hi]: [u64; 2]) -> Self {
        Self { lo, hi }
    }
}

impl From<DelayRange> for [u64; 2] {
    fn from(range: DelayRange) -> Self {
        [range.lo, range.hi]
    }
}

impl Workload {
    /// Returns whether fewer slots than the cell names would be other work, not less of the same.
    pub fn needs_every_slot(self) -> bool {
        match self {
            Self::Batch => false,
            Self::Steady => true,
        }
    }

    /// Returns whether a participant takes many turns in one process. A batch takes one: what it
    /// costs to start and to connect belongs to it.
    pub fn is_resident(self) -> bool {
        match self {
            Self::Batch => false,
            Self::Steady => true,
        }
    }
}

impl Turn {
    /// Returns the turn of that number that does what a cell asks for.
    pub fn of(cell: &Cell, number: u32, first_id: u64) -> Self {
        Self { number, first_id, warmup: cell.warmup, fetches: cell.fetches }
    }

    /// Returns the ids that are dealt in a cell: warm-up, window, and the surplus that keeps every
    /// slot busy until the window closes.
    pub fn ids(&self, cell: &Cell) -> Range<u64> {
        let surplus = match cell.workload {
            Workload::Batch => 0,
            Workload::Steady => u64::from(cell.in_flight),
        };
        let dealt = self.warmup.saturating_add(self.fetches).saturating_add(surplus);
        self.first_id..self.first_id.saturating_add(dealt)
    }

    /// Returns the turn if a cell can be carried out so.
    ///
    /// # Errors
    ///
    /// Names the first number that makes no sense.
    pub fn checked(self, cell: &Cell) -> Result<Self, Error> {
        let fault = match () {
            () if self.fetches == 0 => "the turn has 0 fetches, expected at least 1",
            () if cell.workload == Workload::Batch && self.warmup > 0 => "a batch has no warm-up",
            () if cell.workload == Workload::Steady && self.warmup == 0 => {
                "the turn has a warmup of 0, expected at least 1 for steady"
            }
            () if self.ids(cell).end == u64::MAX => "the ids of the turn do not fit into 64 bits",
            () => return Ok(self),
        };
        Err(Error::Plan(fault.to_owned()))
    }
}

impl Cell {
    /// Returns how many ids are dealt in a turn: warm-up, window, and the surplus that keeps every
    /// slot busy until the window closes.
    pub fn dealt(&self) -> u64 {
        let ids = Turn::of(self, 0, 0).ids(self);
        ids.end - ids.start
    }

    /// Returns how many slots can be busy at once: no more than there are fetches.
    pub fn slots(&self) -> u32 {
        let dealt = u32::try_from(self.dealt()).unwrap_or(u32::MAX);
        self.in_flight.min(dealt)
    }
}

impl Plan {
    /// Returns the plan if it can be carried out.
    ///
    /// # Errors
    ///
    /// Names the first number that makes no sense.
    pub fn checked(self) -> Result<Self, Error> {
        let cell = &self.cell;
        let fault = match () {
            () if cell.in_flight == 0 => "in_flight is 0, expected at least 1",
            () if cell.fetches == 0 => "fetches is 0, expected at least 1",
            () if cell.workload == Workload::Batch && cell.warmup > 0 => "a batch has no warm-up",
            () if cell.workload == Workload::Steady && cell.warmup == 0 => {
                "warmup is 0, expected at least 1 for steady"
            }
            () if cell.delay_ms.lo > cell.delay_ms.hi => "delay_ms ends before it begins",
            () if self.workers == 0 => "workers is 0, expected at least 1",
            () if self.origins.is_empty() => "origins is empty, expected at least one address",
            () if !self.origins.iter().all(|origin| origin.ip().is_loopback()) => {
                "origins has an address beyond loopback, and fetches never leave the machine"
            }
            () => return Ok(self),
        };

        Err(Error::Plan(fault.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                probe_period_us: 0,
                work_kib: 0,
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
