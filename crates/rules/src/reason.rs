//! Why the figures of a turn may not be used, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who brought something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The model: it counts against it.
    Model,
    /// The origin, which was slow, stopped or died: the round is measured again.
    Origin,
    /// The machine, which was busy, slept, or had its clock set: the round is measured again.
    Machine,
}

/// The validity check that a reason concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Every reply verified, and both sides' counts agree.
    Replies,
    /// As many in flight as the cell asks for.
    InFlight,
    /// As many connections as the manifest says, and the right request heads.
    Connections,
}

/// Why the figures of a turn may not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Fetches failed.
    FetchesFailed {
        /// How many.
        failed: u64,
        /// How many were asked for.
        asked: u64,
        /// How many by each error code.
        codes: BTreeMap<String, u64>,
    },
    /// Not as many fetches were issued as were asked for.
    Issued {
        /// How many.
        issued: u64,
        /// How many were asked for.
        asked: u64,
    },
    /// Fetches that were ok and those that failed do not add up.
    Unbalanced {
        /// Those that were ok.
        ok: u64,
        /// Those that failed.
        failed: u64,
        /// All that were issued.
        issued: u64,
    },
    /// The window holds another number of fetches.
    WindowEnded {
        /// How many.
        ended: u64,
        /// How many were asked for.
        asked: u64,
    },
    /// The window has another number of latencies than fetches that were ok.
    LatenciesMissing {
        /// How many latencies.
        timed: u64,
        /// How many fetches.
        ok: u64,
    },
    /// Fetches of the window failed that the whole turn does not know of.
    WindowOk {
        /// Those that were ok.
        ok: u64,
        /// All.
        ended: u64,
    },
    /// The window took no wall time or no CPU time.
    NoTime,
    /// More wake-ups of the probe task than fit into the window.
    WakeUps {
        /// How many.
        wake_ups: u64,
        /// The length of the window.
        wall_ns: u64,
    },
    /// More CPU time than fits into the window.
    CpuTooLong {
        /// The CPU time.
        cpu_ns: u64,
        /// The length of the window.
        wall_ns: u64,
    },
    /// The kernel charged the process with more than it reported.
    CpuHidden {
        /// CPU time as reported for each fetch or operation.
        reported_ns: u64,
        /// CPU time as charged for the same.
        charged_ns: u64,
    },
    /// The process worked while it had no turn.
    IdleCpu {
        /// CPU time between the turns of its stay.
        idle_ns: u64,
        /// CPU time as charged for these turns.
        charged_ns: u64,
    },
    /// The process started others, whose work nobody counts.
    Descendants {
        /// How many are known of.
        count: u64,
    },
    /// The process ignores the end of its children, so that the kernel counts none of them.
    ChildrenIgnored,
    /// The process did not leave as it should have.
    Unruly {
        /// What it did instead.
        why: String,
    },
    /// A fetch was faster than its delay.
    TooFast {
        /// What it took.
        took_ns: u64,
        /// The shortest delay.
        least_ns: u64,
    },
    /// By Little's law other than the right number of slots were busy.
    SlotsBusy {
        /// How many, in tenths.
        tenths: u64,
        /// How many there are.
        slots: u32,
    },
    /// By Little's law the times of the fetches are too short for what the origin had in flight.
    TimesTooShort {
        /// How many were in flight by their times, in tenths.
        tenths: u64,
        /// How many the origin saw, in tenths.
        seen_tenths: u64,
    },
    /// Requests came later or earlier after their arrival than the model says: the medians, counted
    /// from the least late.
    OtherMoments {
        /// As the model says.
        reported_us: u64,
        /// As the origin saw.
        seen_us: u64,
    },
    /// Requests came later or earlier after their arrival than the model says, while the machine
    /// took so much of its time that it may have held them up.
    HeldUp {
        /// As the model says.
        reported_us: u64,
        /// As the origin saw.
        seen_us: u64,
        /// How long threads of the model waited for a CPU, or the hypervisor had one.
        taken_us: u64,
    },
    /// The origin answered another number of fetches than were issued.
    Answered {
        /// How many it answered.
        answered: u64,
        /// How many were issued.
        issued: u64,
    },
    /// The origin saw requests that are no fetch of the turn.
    Strays {
        /// How many.
        count: u64,
    },
    /// The origin saw other ids than were dealt.
    OtherIds,
    /// A bare model sent other bytes than the bare core.
    OtherHeads,
    /// The origin answered another number of requests slowly than the cell asks for.
    OtherDelays {
        /// How many.
        slow: u64,
        /// How many it should have.
        asked: u64,
    },
    /// The origin's median delay was late, or one reply by so much that it was stalled.
    OriginLate {
        /// By how much.
        late_us: u64,
    },
    /// The origin was too busy to be on time.
    OriginBusy {
        /// The share of its time, in percent.
        percent: u64,
        /// The threads that it has.
        threads: u64,
    },
    /// The origin died, stopped, or no longer accepts.
    OriginFailed {
        /// What it said last, or what was tried.
        why: String,
    },
    /// The time of day parted from the monotonic clock: the machine slept or was paused, or its
    /// clock was set, which cannot be distinguished.
    ClockJumped {
        /// By how much.
        ms: i64,
    },
    /// The hypervisor gave CPU time to others.
    Stolen {
        /// The share of all CPU time, in percent.
        percent: u64,
    },
    /// Other processes used the CPUs.
    Foreign {
        /// The share of all CPU time, in percent.
        percent: u64,
    },
    /// The origin saw too few in flight at the peak.
    Peak {
        /// How many.
        peak: u64,
        /// How many there should be.
        slots: u32,
    },
    /// The origin saw too few in flight in the mean.
    Mean {
        /// How many, in tenths.
        tenths: u64,
        /// How many there should be.
        slots: u32,
    },
    /// The origin saw half of the slots in flight, or fewer, in every turn of a stay.
    Waves {
        /// How many at most.
        peak: u64,
        /// How many there should be.
        slots: u32,
    },
    /// The model had more in flight than it has slots.
    TooMany {
        /// How many.
        peak: u64,
        /// How many slots.
        slots: u32,
    },
    /// Another number of connections than the manifest allows.
    Connections {
        /// How many the origin accepted.
        seen: u64,
        /// The fewest allowed.
        least: u64,
        /// The most allowed.
        most: u64,
    },
    /// A turn of operations was too short to be timed.
    BatchShort {
        /// What it took.
        took_ns: u64,
        /// The least that is needed.
        least_ns: u64,
    },
    /// The turns of a primitive have one length, which makes no slope.
    NoSlope,
    /// A primitive cost less than it can: it was optimised away.
    OptimisedAway {
        /// What it cost, in picoseconds.
        cost_ps: u64,
    },
    /// Another number of threads than the manifest says.
    Threads {
        /// How many.
        seen: u64,
        /// How many the manifest says.
        expected: u64,
    },
    /// Another build than the manifest is of did not have the same number of threads in all turns.
    ThreadsVary {
        /// The fewest.
        least: u64,
        /// The most.
        most: u64,
    },
}

impl Reason {
    /// Returns who brought it about.
    pub fn cause(&self) -> Cause {
        match self {
            Self::OtherDelays { .. }
            | Self::OriginLate { .. }
            | Self::OriginBusy { .. }
            | Self::OriginFailed { .. } => Cause::Origin,
            Self::ClockJumped { .. }
            | Self::Stolen { .. }
            | Self::Foreign { .. }
            | Self::HeldUp { .. } => Cause::Machine,
            _ => Cause::Model,
        }
    }

    /// Returns whether a busy machine can do this to an honest model: what it concerns does not
    /// count, and nobody is blamed. A few slots of a batch come up late and find their fetches
    /// taken; slots whose replies wait for the model's CPU are idle at the origin. What falls short
    /// by more than that is the model's: at half of the slots it fetches in waves. A turn of
    /// operations is short that was forecast while the machine was slow.
    pub fn is_excused(&self) -> bool {
        match *self {
            Self::Connections { seen, least, most } => seen < least && 4 * seen >= 3 * most,
            Self::Peak { peak, slots } => 2 * peak > u64::from(slots),
            Self::Mean { tenths, slots } => 4 * tenths >= 10 * u64::from(slots),
            Self::BatchShort { .. } => true,
            _ => false,
        }
    }

    /// Returns whether it speaks against the model: the model brought it about, and no busy machine
    /// excuses it.
    pub fn blames_the_model(&self) -> bool {
        self.cause() == Cause::Model && !self.is_excused()
    }

    /// Returns the validity check that it concerns.
    pub fn check(&self) -> Check {
        match self {
            Self::Peak { .. } | Self::Mean { .. } | Self::Waves { .. } | Self::TooMany { .. } => {
                Check::InFlight
            }
            Self::Connections { .. } | Self::OtherHeads => Check::Connections,
            _ => Check::Replies,
        }
    }

    /// Returns its kind in a few words, under which such reasons are counted.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::FetchesFailed { .. } => "failed fetches",
            Self::NoTime | Self::CpuTooLong { .. } => "impossible CPU time",
            Self::CpuHidden { .. }
            | Self::IdleCpu { .. }
            | Self::Descendants { .. }
            | Self::ChildrenIgnored => "hidden CPU time",
            Self::TooFast { .. } | Self::TimesTooShort { .. } => "impossible latencies",
            Self::OtherMoments { .. } => "requests at other moments",
            Self::HeldUp { .. } => "requests held up",
            Self::SlotsBusy { .. } => "latencies that do not fill the window",
            Self::OtherDelays { .. } => "other delays",
            Self::OriginLate { .. } => "the origin was late",
            Self::OriginBusy { .. } => "the origin was busy",
            Self::OriginFailed { .. } => "the origin failed",
            Self::ClockJumped { .. } => "the clock jumped",
            Self::Stolen { .. } => "stolen CPU time",
            Self::Foreign { .. } => "other processes",
            Self::Peak { .. } | Self::Mean { .. } | Self::Waves { .. } => "too few in flight",
            Self::TooMany { .. } => "too many in flight",
            Self::Connections { .. } => "other connections",
            Self::OtherHeads => "other request heads",
            Self::Threads { .. } | Self::ThreadsVary { .. } => "other threads",
            Self::Unruly { .. } => "no good end",
            _ => "counts that differ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_origin_or_the_machine_brought_about_is_held_against_no_model() {
        let why = "it died".to_owned();
        let of_origin = [Reason::OriginLate { late_us: 1 }, Reason::OriginFailed { why }];
        assert!(of_origin.iter().all(|reason| reason.cause() == Cause::Origin));
        let of_machine = [Reason::ClockJumped { ms: 1 }, Reason::Stolen { percent: 20 }];
        assert!(of_machine.iter().all(|reason| reason.cause() == Cause::Machine));
        let of_model = [Reason::NoTime, Reason::Strays { count: 1 }, Reason::OtherIds];
        assert!(of_model.iter().all(|reason| reason.cause() == Cause::Model));
        assert!(!of_origin.iter().chain(&of_machine).any(Reason::blames_the_model));
        assert!(of_model.iter().all(Reason::blames_the_model));
        let excused = Reason::Peak { peak: 40, slots: 64 };
        assert!(excused.cause() == Cause::Model && !excused.blames_the_model());
    }

    #[test]
    fn a_reason_is_data_and_comes_back_as_it_was_written() {
        let reason = Reason::Peak { peak: 2, slots: 4 };
        let reported = serde_json::to_string(&reason).unwrap();
        assert_eq!(reported, r#"{"peak":{"peak":2,"slots":4}}"#);
        assert_eq!(serde_json::from_str::<Reason>(&reported).unwrap(), reason);
    }
}
