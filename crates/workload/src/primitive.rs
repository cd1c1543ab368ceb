//! The primitives by name, and the messages of the pipe: a plan for one of them, and its trial.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::pipe::Hello;

/// A primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Primitive {
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

/// What the harness sends to a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToProgram {
    /// The work of this process.
    Plan(PrimitivePlan),
}

/// What a program sends to the harness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromProgram {
    /// The first line: who speaks.
    Hello(Hello),
    /// The last line: what was counted and what it cost.
    Trial(PrimitiveTrial),
}

/// All that a program is sent for one trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrimitivePlan {
    /// The one primitive that is measured.
    pub primitive: Primitive,
    /// The least length of a batch, in nanoseconds, where the primitive is done in batches.
    pub batch_ns: u64,
    /// How many are timed one by one, where it is not.
    pub samples: u64,
    /// Threads on which a runtime runs its units.
    pub workers: u32,
    /// The CPUs that the process may use; a unit that is bound to a CPU is bound to one of them.
    pub cpus: Vec<usize>,
    /// Decides the counts, their order, and the lengths of timers.
    pub seed: u64,
}

/// What was counted and what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrimitiveTrial {
    /// The batches in the order in which they ran; a single one where each is timed alone.
    pub points: Vec<Point>,
    /// How late each was, as pairs of value (three digits) and count, where each is timed alone.
    pub latencies_ns: Vec<(u64, u64)>,
}

/// One batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Point {
    /// How many were asked for.
    pub count: u64,
    /// How many were done, counted by what they leave behind: messages, joins, bytes, wakes.
    pub counted: u64,
    /// What they took by the monotonic clock.
    pub wall_ns: u64,
    /// CPU time of all threads of the process.
    pub cpu_ns: u64,
    /// Times a thread gave the CPU up.
    pub switches_voluntary: u64,
    /// Times a thread lost the CPU.
    pub switches_involuntary: u64,
}

impl Primitive {
    /// Every primitive, in the order of reports.
    pub const ALL: [Self; 18] = [
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

    /// Returns what the pipe and the reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Switch => "switch",
            Self::PingPong => "ping-pong",
            Self::PingPongApart => "ping-pong-apart",
            Self::Spawn => "spawn",
            Self::SpawnMany => "spawn-many",
            Self::Spawn64k => "spawn-64k",
            Self::Readiness => "readiness",
            Self::Queue => "queue",
            Self::Lock => "lock",
            Self::LockContended => "lock-contended",
            Self::Event0 => "event-0",
            Self::Event50us => "event-50us",
            Self::Event1ms => "event-1ms",
            Self::Event10ms => "event-10ms",
            Self::Timer1ms => "timer-1ms",
            Self::Timer10ms => "timer-10ms",
            Self::TimerOfMany => "timer-1ms-of-10k",
        }
    }

    /// Returns the time between two events, or the length of a timer, where each is timed alone;
    /// nothing where they are done in batches.
    pub fn alone(self) -> Option<Duration> {
        match self {
            Self::Event0 => Some(Duration::ZERO),
            Self::Event50us => Some(Duration::from_micros(50)),
            Self::Event1ms | Self::Timer1ms | Self::TimerOfMany => Some(Duration::from_millis(1)),
            Self::Event10ms | Self::Timer10ms => Some(Duration::from_millis(10)),
            _ => None,
        }
    }

    /// Returns how many CPUs it needs.
    pub fn cpus(self) -> usize {
        match self {
            Self::PingPongApart => 2,
            _ => 1,
        }
    }
}

impl PrimitivePlan {
    /// Returns the plan if it can be carried out.
    ///
    /// # Errors
    ///
    /// Names the first number that makes no sense.
    pub fn checked(self) -> Result<Self, Error> {
        let alone = self.primitive.alone().is_some();
        let fault = match () {
            () if alone && self.samples == 0 => "samples is 0, expected at least 1",
            () if !alone && self.batch_ns == 0 => "batch_ns is 0, expected at least 1",
            () if self.workers == 0 => "workers is 0, expected at least 1",
            () if self.cpus.len() < self.primitive.cpus() => "cpus are too few for this primitive",
            () => return Ok(self),
        };
        Err(Error::Plan(fault.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primitive_has_one_name_on_the_pipe_and_in_reports() {
        for primitive in Primitive::ALL {
            let reported = serde_json::to_value(primitive).unwrap();
            assert_eq!(reported, primitive.name());
        }
        let read: Result<Primitive, _> = serde_json::from_str("\"ping\"");
        assert!(read.is_err());
    }

    #[test]
    fn a_plan_without_work_is_refused() {
        let plan = PrimitivePlan {
            primitive: Primitive::Event0,
            batch_ns: 0,
            samples: 0,
            workers: 1,
            cpus: vec![0],
            seed: 1,
        };
        let fault = |plan: &PrimitivePlan| plan.clone().checked().unwrap_err().to_string();
        assert!(fault(&plan).contains("samples is 0"));
        let batch = PrimitivePlan { primitive: Primitive::Spawn, ..plan.clone() };
        assert!(fault(&batch).contains("batch_ns is 0"));
        let apart = PrimitivePlan { primitive: Primitive::PingPongApart, batch_ns: 1, ..plan };
        assert!(fault(&apart).contains("cpus are too few"));
    }
}
