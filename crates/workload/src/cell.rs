//! A cell: one workload with its numbers.

use serde::{Deserialize, Serialize};

use crate::content::{IDS_A_TURN, delay_ms, split_mix_64};
use crate::{OriginKind, Turn, Workload};

/// The most slots of which every participant of a block keeps its connections: an origin may open
/// no more files than a process.
const KEPT_MAX: u32 = 256;
/// Connections of an address of the origin: half of the usual longest backlog, so that none is
/// dropped however fast a model connects, and fewer than there are local ports.
const CONNECTIONS_AN_ADDRESS: u32 = 2_048;

/// How many times as long as its delay a slow reply takes.
pub const SLOW_TIMES: u64 = 20;

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
    /// So many of a hundred replies, drawn by seed and id, take [`SLOW_TIMES`] their delay.
    #[serde(default, skip_serializing_if = "is_0")]
    pub slow_percent: u32,
    /// So many of the fetches that arrive at a rate do so at one moment, in the middle of the turn.
    #[serde(default, skip_serializing_if = "is_0")]
    pub burst: u32,
    /// Fetches that arrive at a rate are handed in by the kit, not waited for by the model's timer.
    #[serde(default, skip_serializing_if = "is_0")]
    pub handed_in: bool,
    /// The longest that a fetch may take, in milliseconds, which the plan says. 0 for no limit.
    #[serde(default, skip_serializing_if = "is_0")]
    pub deadline_ms: u64,
    /// Who serves it, if not who serves the run.
    #[serde(default, skip_serializing_if = "is_0")]
    pub origin: OriginKind,
    /// Threads on which a runtime runs its units, if not as many as the run says. 0 for those.
    #[serde(default, skip_serializing_if = "is_0")]
    pub workers: u32,
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
        Self { warmup, fetches: operations, ..Self::least(workload) }
    }

    /// Returns the least cell of a workload: one slot and one fetch, without delay or body, and
    /// nothing that only some cells ask for.
    pub fn least(workload: Workload) -> Self {
        Self {
            name: workload.name().to_owned(),
            workload,
            in_flight: 1,
            warmup: 0,
            fetches: 1,
            delay_ms: DelayRange { lo: 0, hi: 0 },
            body_bytes: 0,
            rate_per_s: 0,
            probe_period_us: 0,
            work_kib: 0,
            slow_percent: 0,
            burst: 0,
            handed_in: false,
            deadline_ms: 0,
            origin: OriginKind::default(),
            workers: 0,
        }
    }

    /// Returns whether the reply for an id is slow. The seed is that of the bodies, which a plan
    /// has, so that whoever holds a turn against its receipt knows how many are.
    pub fn is_slow(&self, seed: u64, id: u64) -> bool {
        let slow = u64::from(self.slow_percent);
        slow > 0 && split_mix_64(!seed ^ (id % IDS_A_TURN)) % 100 < slow
    }

    /// Returns the origin's delay for an id, in milliseconds, by the seed of the bodies and that of
    /// the delays.
    pub fn delay_ms_of(&self, (seed, delay_seed): (u64, u64), id: u64) -> u64 {
        let times = if self.is_slow(seed, id) { SLOW_TIMES } else { 1 };
        delay_ms(delay_seed, id, self.delay_ms).saturating_mul(times)
    }

    /// Returns the longest delay that a reply may have, in milliseconds.
    pub fn delay_ms_max(&self) -> u64 {
        let times = if self.slow_percent > 0 { SLOW_TIMES } else { 1 };
        self.delay_ms.hi.saturating_mul(times)
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
    /// timed one by one need one whose timers are finer than a millisecond, and which counts; where
    /// connections end, it is one that closes first, and counts each of them; where there are many,
    /// one that needs little for each.
    pub fn served_by(&self, asked: OriginKind) -> OriginKind {
        let needs_fast = self.origin == OriginKind::Fast
            || self.is_open()
            || self.is_large()
            || self.workload.is_held()
            || self.workload.ends_connections();
        if needs_fast { OriginKind::Fast } else { asked }
    }

    /// Returns whether it has so many slots that a participant takes each turn in a process of its
    /// own, while no other is there.
    pub fn is_large(&self) -> bool {
        self.workload.is_resident() && self.in_flight > KEPT_MAX
    }

    /// Returns whether a participant takes turn after turn in one process, beside those of others.
    pub fn stays(&self) -> bool {
        self.workload.is_resident() && !self.is_large()
    }

    /// Returns at how many addresses each shard of its origin listens.
    pub fn addresses(&self) -> u32 {
        let has_many = self.is_large() || self.workload.is_held();
        if has_many { self.in_flight.div_ceil(CONNECTIONS_AN_ADDRESS) } else { 1 }
    }

    /// Returns how many fetches a second it asks for, about: those that arrive, or as many as its
    /// delays let through.
    pub fn asked_per_s(&self) -> u64 {
        let both_ms = (self.delay_ms.lo + self.delay_ms.hi).max(1);
        let through = 2_000 * u64::from(self.in_flight) / both_ms;
        if self.is_open() { self.rate_per_s.into() } else { through }
    }

    /// Returns what a steady cell is called that somebody gives by its numbers.
    pub fn name_of_numbers(&self) -> String {
        let DelayRange { lo, hi } = self.delay_ms;
        format!("steady-{}-{lo}-{hi}ms-{}B", self.in_flight, self.body_bytes)
    }

    /// Returns how many slots can be busy at once: no more than there are fetches.
    pub fn slots(&self) -> u32 {
        let dealt = u32::try_from(self.dealt()).unwrap_or(u32::MAX);
        self.in_flight.min(dealt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a cell of so many slots.
    fn cell(workload: Workload, in_flight: u32) -> Cell {
        let delay_ms = DelayRange { lo: 10, hi: 30 };
        Cell { workload, in_flight, delay_ms, ..Cell::of_operations(workload, (0, 1)) }
    }

    #[test]
    fn no_address_gets_more_connections_than_its_backlog_has_room_for() {
        for workload in [Workload::Hold, Workload::Steady] {
            let addresses = |slots| cell(workload, slots).addresses();
            assert_eq!([1, 2_048, 2_049, 19_000].map(addresses), [1, 1, 2, 10]);
        }
        assert_eq!(cell(Workload::Batch, 10_000).addresses(), 1);
    }

    #[test]
    fn participants_stay_unless_their_connections_are_too_many_for_one_origin() {
        let stays = |workload, slots| cell(workload, slots).stays();
        assert!(stays(Workload::Steady, 256) && !stays(Workload::Steady, 257));
        assert!(!stays(Workload::Batch, 1) && !stays(Workload::Hold, 257));
        let origin = |slots| cell(Workload::Steady, slots).served_by(OriginKind::Wiremock);
        assert_eq!([256, 257].map(origin), [OriginKind::Wiremock, OriginKind::Fast]);
    }

    #[test]
    fn as_many_replies_are_slow_as_a_cell_says_and_each_takes_so_many_times_its_delay() {
        let cell = Cell { slow_percent: 5, ..cell(Workload::Paced, 1) };
        let is_slow = |id: &u64| cell.is_slow(7, *id);
        let slow = (0..20_000).filter(is_slow).count();
        assert!(slow.abs_diff(1_000) < 150, "{slow}");
        let id = (0..1_000).find(is_slow).unwrap();
        assert_eq!(cell.delay_ms_of((7, 9), id), SLOW_TIMES * delay_ms(9, id, cell.delay_ms));
        assert_eq!(cell.delay_ms_of((7, 9), id + IDS_A_TURN), cell.delay_ms_of((7, 9), id));
        assert_eq!((cell.delay_ms_max(), Cell::least(Workload::Paced).delay_ms_max()), (600, 0));
        let usual = Cell { slow_percent: 0, ..cell.clone() };
        assert_eq!(usual.delay_ms_of((7, 9), id), delay_ms(9, id, cell.delay_ms));
    }

    #[test]
    fn a_cell_asks_for_as_many_fetches_as_its_delays_let_through() {
        assert_eq!(cell(Workload::Steady, 100).asked_per_s(), 5_000);
    }
}
