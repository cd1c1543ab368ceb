//! A cell: one workload with its numbers.

use serde::{Deserialize, Serialize};

use crate::{OriginKind, Turn, Workload};

/// One workload with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cell {
    /// What reports call it.
    pub name: String,
    /// The kind of work.
    pub workload: Workload,
    /// The number of slots.
    pub in_flight: u32,
    /// Fetches, or operations, of a turn that end before its window opens.
    pub warmup: u64,
    /// Those that end inside its window.
    pub fetches: u64,
    /// The origin's delays are drawn from this range.
    pub delay_ms: DelayRange,
    /// The length of every body.
    pub body_bytes: u32,
    /// Fetches arrive at this rate, at moments that were fixed in advance. 0 if each starts as soon
    /// as a slot is free.
    #[serde(default, skip_serializing_if = "is_0")]
    pub rate_per_s: u32,
    /// A probe task wakes so often beside the fetches, in microseconds: a unit more, which reports
    /// how long units that are due have to wait. 0 for none.
    #[serde(default, skip_serializing_if = "is_0")]
    pub probe_period_us: u32,
    /// What is to be computed for each reply: the CRC-32 of so many KiB. 0 for nothing.
    #[serde(default, skip_serializing_if = "is_0")]
    pub work_kib: u32,
}

/// The whole milliseconds from which the origin draws the delay of a fetch, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "[u64; 2]", into = "[u64; 2]")]
pub struct DelayRange {
    /// The shortest delay.
    pub lo: u64,
    /// The longest delay.
    pub hi: u64,
}

/// Returns whether there is nothing to write.
pub(crate) fn is_0<N: Default + PartialEq>(number: &N) -> bool {
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

impl Cell {
    /// Returns the cell of a primitive: so many operations a turn after those that warm up, unless
    /// the harness asks for other numbers.
    pub fn of_operations(workload: Workload, (warmup, operations): (u64, u64)) -> Self {
        Self {
            name: workload.name().to_owned(),
            workload,
            in_flight: 1,
            warmup,
            fetches: operations,
            delay_ms: DelayRange { lo: 0, hi: 0 },
            body_bytes: 0,
            rate_per_s: 0,
            probe_period_us: 0,
            work_kib: 0,
        }
    }

    /// Returns how many ids are dealt in a turn: warm-up, window, and the surplus that keeps every
    /// slot busy until the window closes.
    pub fn dealt(&self) -> u64 {
        let ids = Turn::of(self, 0, 0).ids(self);
        ids.end - ids.start
    }

    /// Returns whether fetches arrive at a rate, whether or not those before them have ended.
    pub fn is_open(&self) -> bool {
        self.rate_per_s > 0
    }

    /// Returns the kind of origin that serves it where another was asked for: arrivals that are
    /// timed one by one need one whose timers are finer than a millisecond, and which counts.
    pub fn origin(&self, asked: OriginKind) -> OriginKind {
        let needs_fast = self.is_open() || self.workload.is_held();
        if needs_fast { OriginKind::Fast } else { asked }
    }

    /// Returns how many slots can be busy at once: no more than there are fetches.
    pub fn slots(&self) -> u32 {
        let dealt = u32::try_from(self.dealt()).unwrap_or(u32::MAX);
        self.in_flight.min(dealt)
    }
}
