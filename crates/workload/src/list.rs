//! The list of the workloads, and what each has to say of itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::primitives::{many, many_apart, one_by_one};
use crate::{Cell, Turn, batch, churn, hold, paced, steady};

/// The kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// So many fetches, at most `in_flight` at once, timed from the first slot to the last
    /// outcome, connecting included.
    Batch,
    /// Always `in_flight` at once, timed after a warm-up, ended while every slot is still busy.
    Steady,
    /// Fetches that arrive at a given rate, at moments fixed in advance, whether or not those
    /// before them have ended.
    Paced,
    /// Always `in_flight` at once, each on a connection of its own, which the origin ends.
    Churn,
    /// All `in_flight` at once, held by the origin until what they take was read.
    Hold,
    /// A generator is resumed and yields a value.
    Generator,
    /// A task yields to its executor and is resumed, among 64 that do the same.
    Switch,
    /// Two units wake each other in turn: one round trip.
    PingPong,
    /// The same on two CPUs.
    PingPongApart,
    /// A unit is started and waited for, one at a time.
    Spawn,
    /// Units are started and waited for, 64 at a time.
    SpawnMany,
    /// A unit with a small stack is started and waited for.
    #[serde(rename = "spawn-64k")]
    Spawn64k,
    /// Two units send each other a byte over a pair of sockets in turn: one round trip.
    Readiness,
    /// A value is handed from one unit to another through a queue of 64 places.
    Queue,
    /// A lock that is free is taken, and what it guards is counted up.
    Lock,
    /// The same by two units, each of which lets the other run while it holds the lock.
    LockContended,
    /// From the setting of an event by another thread to its waiter, one right after the other.
    #[serde(rename = "event-0")]
    Event0,
    /// The same with 50 us between two of them.
    #[serde(rename = "event-50us")]
    Event50us,
    /// The same with 1 ms between two of them.
    #[serde(rename = "event-1ms")]
    Event1ms,
    /// The same with 10 ms between two of them.
    #[serde(rename = "event-10ms")]
    Event10ms,
    /// How late a timer of 1 to 2 ms is.
    #[serde(rename = "timer-1ms")]
    Timer1ms,
    /// How late a timer of 10 to 11 ms is.
    #[serde(rename = "timer-10ms")]
    Timer10ms,
    /// How late a timer of 1 to 2 ms is while 10,000 others are armed.
    #[serde(rename = "timer-1ms-of-10k")]
    TimerOfMany,
}

/// What the turns of a participant in a block say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datum {
    /// What a turn costs for each of its fetches, held against another's of the same round.
    Turn,
    /// What one more operation costs: the slope over turns of different lengths.
    Slope,
    /// How long operations take that are timed one by one, each so much after the one before, or
    /// after the length of its timer.
    Timed(Duration),
}

/// What a workload says of itself. A slot starts its next fetch as soon as it is free, as long as
/// the turn has one left, or, of a cell with a rate, when that arrives; how many there are, and
/// which of them are measured, differs.
pub(crate) struct Definition {
    /// What the pipe and reports call it.
    pub(crate) name: &'static str,
    /// What the turns of a participant in a block say together.
    pub(crate) datum: Datum,
    /// How many CPUs it needs at least.
    pub(crate) cpus: usize,
    /// Whether a participant takes many turns in one process.
    pub(crate) is_resident: bool,
    /// Whether fewer slots than the cell names would be other work, not less of the same.
    pub(crate) needs_every_slot: bool,
    /// How many fetches follow the window, so that every slot is busy until it closes.
    pub(crate) surplus: fn(&Cell) -> u64,
    /// How many fetches of a turn have ended when its window opens; nothing if it opens as the
    /// slots are handed out.
    pub(crate) opens_at: fn(&Turn) -> Option<u64>,
    /// What is wrong with so many fetches of warm-up, if anything is.
    pub(crate) fault: fn(u64) -> Option<&'static str>,
}

impl Workload {
    /// Every workload, in the order of reports: those that fetch, then the primitives.
    pub const ALL: [Self; 23] = [
        Self::Batch,
        Self::Steady,
        Self::Paced,
        Self::Churn,
        Self::Hold,
        Self::Generator,
        Self::Switch,
        Self::PingPong,
        Self::PingPongApart,
        Self::Spawn,
        Self::SpawnMany,
        Self::Spawn64k,
        Self::Readiness,
        Self::Queue,
        Self::Lock,
        Self::LockContended,
        Self::Event0,
        Self::Event50us,
        Self::Event1ms,
        Self::Event10ms,
        Self::Timer1ms,
        Self::Timer10ms,
        Self::TimerOfMany,
    ];

    /// Returns what it says of itself.
    pub(crate) fn definition(self) -> &'static Definition {
        match self {
            Self::Batch => &batch::DEFINITION,
            Self::Steady => &steady::DEFINITION,
            Self::Paced => &paced::DEFINITION,
            Self::Churn => &churn::DEFINITION,
            Self::Hold => &hold::DEFINITION,
            Self::Generator => const { &many("generator") },
            Self::Switch => const { &many("switch") },
            Self::PingPong => const { &many("ping-pong") },
            Self::PingPongApart => const { &many_apart("ping-pong-apart") },
            Self::Spawn => const { &many("spawn") },
            Self::SpawnMany => const { &many("spawn-many") },
            Self::Spawn64k => const { &many("spawn-64k") },
            Self::Readiness => const { &many("readiness") },
            Self::Queue => const { &many("queue") },
            Self::Lock => const { &many("lock") },
            Self::LockContended => const { &many("lock-contended") },
            Self::Event0 => const { &one_by_one("event-0", 0) },
            Self::Event50us => const { &one_by_one("event-50us", 50) },
            Self::Event1ms => const { &one_by_one("event-1ms", 1_000) },
            Self::Event10ms => const { &one_by_one("event-10ms", 10_000) },
            Self::Timer1ms => const { &one_by_one("timer-1ms", 1_000) },
            Self::Timer10ms => const { &one_by_one("timer-10ms", 10_000) },
            Self::TimerOfMany => const { &one_by_one("timer-1ms-of-10k", 1_000) },
        }
    }

    /// Returns what the pipe and reports call it.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Returns the primitives, in the order of reports.
    pub fn primitives() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|workload| !workload.fetches())
    }

    /// Returns what the turns of a participant in a block say together.
    pub fn datum(self) -> Datum {
        self.definition().datum
    }

    /// Returns whether its work is to fetch from an origin.
    pub fn fetches(self) -> bool {
        self.datum() == Datum::Turn
    }

    /// Returns how many CPUs it needs at least.
    pub fn cpus(self) -> usize {
        self.definition().cpus
    }

    /// Returns whether a participant takes many turns in one process.
    pub fn is_resident(self) -> bool {
        self.definition().is_resident
    }

    /// Returns whether the origin holds every reply until it is told to send them.
    pub fn is_held(self) -> bool {
        self == Self::Hold
    }

    /// Returns whether the origin ends each connection with its reply.
    pub fn ends_connections(self) -> bool {
        self == Self::Churn
    }

    /// Returns whether fewer slots than the cell names would be other work, not less of the same.
    pub fn needs_every_slot(self) -> bool {
        self.definition().needs_every_slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_has_one_name_on_the_pipe_and_in_reports() {
        for workload in Workload::ALL {
            assert_eq!(serde_json::to_value(workload).unwrap(), workload.name());
        }
        assert!(serde_json::from_str::<Workload>("\"ping\"").is_err());
    }
}
