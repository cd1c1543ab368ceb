//! A sentence for each reason, for people.

use std::fmt;

use crate::Reason;

impl fmt::Display for Reason {
    #[expect(clippy::too_many_lines, reason = "one sentence a reason, all in one place")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FetchesFailed { failed, asked, codes } => {
                let codes = codes.iter().map(|(code, count)| format!("{count} x {code}"));
                let codes = codes.collect::<Vec<_>>().join(", ");
                write!(f, "{failed} of {asked} fetches failed: {codes}")
            }
            Self::Issued { issued, asked } => {
                write!(f, "{issued} issued of {asked} that were asked for")
            }
            Self::Unbalanced { ok, failed, issued } => {
                write!(f, "{ok} ok and {failed} failed do not make {issued} issued")
            }
            Self::WindowEnded { ended, asked } => {
                write!(f, "{ended} ended in the window of {asked} that were asked for")
            }
            Self::LatenciesMissing { timed, ok } => {
                write!(f, "{timed} latencies for {ok} that were ok")
            }
            Self::WindowOk { ok, ended } => {
                write!(f, "{ok} of {ended} fetches in the window were ok")
            }
            Self::NoTime => f.write_str("the window took no time"),
            Self::WakeUps { wake_ups, wall_ns } => {
                write!(f, "{wake_ups} wake-ups of the probe task do not fit into {wall_ns} ns")
            }
            Self::CpuTooLong { cpu_ns, wall_ns } => {
                write!(f, "{cpu_ns} ns of CPU time do not fit into {wall_ns} ns")
            }
            Self::CpuHidden { reported_ns, charged_ns } => write!(
                f,
                "it reported {reported_ns} ns of CPU time for what the kernel charged {charged_ns}"
            ),
            Self::Descendants { count } => write!(
                f,
                "it started other processes ({count}), whose CPU time nobody counts: do the work \
                 in the process itself"
            ),
            Self::IdleCpu { idle_ns, charged_ns } => write!(
                f,
                "it used {idle_ns} ns of CPU time between turns, which no turn counts, beside \
                 {charged_ns} in them: do the work of a turn before reporting it"
            ),
            Self::ChildrenIgnored => f.write_str(
                "it ignores the end of its children (SIGCHLD), so that nobody can count what they \
                 do: leave that signal as it is",
            ),
            Self::Unruly { why } => f.write_str(why),
            Self::BatchShort { took_ns, least_ns } => {
                write!(f, "a turn took {took_ns} ns, at least {least_ns} are needed to time it")
            }
            Self::NoSlope => f.write_str("its turns have one length, which makes no slope"),
            Self::OptimisedAway { cost_ps } => {
                write!(f, "one costs {cost_ps} ps, so it was optimised away")
            }
            Self::TooFast { took_ns, least_ns } => {
                write!(f, "a fetch took {:.1} ms of at least {:.1} ms", ms(*took_ns), ms(*least_ns))
            }
            Self::SlotsBusy { tenths, slots } => {
                write!(f, "by its latencies {} of {slots} slots were busy", tenth(*tenths))
            }
            Self::TimesTooShort { tenths, seen_tenths } => {
                let (timed, seen) = (tenth(*tenths), tenth(*seen_tenths));
                write!(f, "by its times {timed} fetches were in flight, the origin saw {seen}")
            }
            Self::OtherMoments { reported_us, seen_us } => write!(
                f,
                "it says that half of its requests left {reported_us} us later than the most \
                 punctual, the origin saw {seen_us} us"
            ),
            Self::HeldUp { reported_us, seen_us, taken_us } => write!(
                f,
                "the machine held requests up: half left {reported_us} us later than the most \
                 punctual and came {seen_us} us later, while threads waited {:.1} ms for a CPU",
                ms(taken_us * 1_000)
            ),
            Self::Answered { answered, issued } => {
                write!(f, "the origin answered {answered} fetches, the model issued {issued}")
            }
            Self::Strays { count } => {
                write!(f, "the origin saw {count} requests that are no fetch of this turn")
            }
            Self::OtherIds => f.write_str("the origin saw other ids than were dealt"),
            Self::OtherHeads => f.write_str("its request heads are not those of the bare core"),
            Self::OtherDelays { slow, asked } => {
                write!(f, "the origin answered {slow} requests slowly, expected {asked}")
            }
            Self::OriginLate { late_us } => {
                write!(f, "the origin was late by {:.1} ms", ms(late_us * 1_000))
            }
            Self::OriginBusy { percent, .. } => {
                write!(f, "the origin was busy for {percent} % of its threads' time")
            }
            Self::OriginFailed { why } => write!(f, "the origin failed, not the model: {why}"),
            Self::ClockJumped { ms } => write!(
                f,
                "the clock jumped by {ms} ms: the machine slept or was paused, or its clock was set"
            ),
            Self::Stolen { percent } => {
                write!(f, "the hypervisor gave {percent} % of all CPU time to others")
            }
            Self::Foreign { percent } => {
                write!(f, "other processes used {percent} % of all CPU time")
            }
            Self::Peak { peak, slots } => {
                write!(f, "the origin saw at most {peak} of {slots} in flight")
            }
            Self::Waves { peak, slots } => {
                write!(f, "the origin saw {peak} of {slots} in flight in the best of its turns")
            }
            Self::Mean { tenths, slots } => {
                write!(f, "the origin saw {} of {slots} in flight in the mean", tenth(*tenths))
            }
            Self::TooMany { peak, slots } => {
                write!(f, "the model had {peak} in flight in {slots} slots")
            }
            Self::Connections { seen, least, most } if least == most => {
                write!(f, "the origin accepted {seen} connections, exactly {most} are expected")
            }
            Self::Connections { seen, least, .. } if seen < least => {
                write!(f, "the origin accepted {seen} connections, at least {least} are expected")
            }
            Self::Connections { seen, most, .. } => {
                write!(f, "the origin accepted {seen} connections, at most {most} are allowed")
            }
            Self::Threads { seen, expected } => {
                write!(f, "the process had {seen} threads, its manifest says {expected}")
            }
            Self::ThreadsVary { least, most } => write!(
                f,
                "it had {least} threads in one turn and {most} in another: start all threads \
                 before the first turn"
            ),
        }
    }
}

/// Returns nanoseconds in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "a tenth of a millisecond is all that is shown")]
fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// Writes a number that is given in tenths.
fn tenth(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}
