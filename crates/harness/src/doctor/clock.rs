//! Time: the clock, what reading it costs, and how late a sleeper wakes.

use std::thread;
use std::time::{Duration, Instant};

use record::Environment;

use super::text::{text, unseen};
use super::{Opinion, Readings};

/// Clocks that are read without asking the kernel or the hypervisor, the best first.
const GOOD_SOURCES: [&str; 4] =
    ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"];
/// Where the kernel reports its clocks.
const FOLDER: &str = "/sys/devices/system/clocksource/clocksource0";

/// A fetch of the floor costs some 18 us and reads the clock twice: that adds a hundredth.
const READING_GOOD: Duration = Duration::from_nanos(100);
/// That would add a tenth, which is more than some models differ by.
const READING_BAD: Duration = Duration::from_micros(1);

/// The sleep that is tried: a tick of the timers of most runtimes.
const NAP: Duration = Duration::from_millis(1);
/// Sleeps that are tried: enough to see the 99th percentile.
const NAPS: usize = 200;
/// How long they may take together, since a machine may be late by more than they are long.
const NAPS_TIME: Duration = Duration::from_millis(600);
/// A sleeper of a quiet machine wakes within 0.1 ms, most of which is the kernel's timer slack.
const LATE_GOOD: Duration = Duration::from_micros(200);
/// One wake-up in a hundred may take longer, up to a sleep's own length.
const LATE_RARELY: Duration = Duration::from_millis(1);
/// A steady turn is invalid whose origin was later than this at the median.
const LATE_BAD: Duration = Duration::from_millis(3);

/// What was read of time.
#[derive(Default)]
pub(super) struct Clock {
    /// The clock in use.
    pub(super) source: Option<String>,
    /// The clocks that could be.
    pub(super) sources: Vec<String>,
    /// What one reading costs.
    pub(super) reading: Option<Duration>,
    /// How late sleepers woke.
    pub(super) late: Option<Late>,
    /// Whether the time of interrupts is taken out of that of processes: `on` or `off`.
    pub(super) irq_time: Option<String>,
}

/// How late sleepers woke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Late {
    /// The median.
    pub(super) p50: Duration,
    /// The 99th percentile.
    pub(super) p99: Duration,
}

impl Clock {
    /// Reads and tries them.
    pub(super) fn read(environment: &Environment) -> Self {
        let sources = text(format!("{FOLDER}/available_clocksource")).unwrap_or_default();
        Self {
            source: known(&environment.clocksource),
            sources: sources.split_whitespace().map(ToOwned::to_owned).collect(),
            reading: environment.kernel_settings.clock_reading_ns.map(Duration::from_nanos),
            late: late(&mut nap_all()),
            irq_time: known(&environment.irq_time_accounting),
        }
    }
}

/// Checks how late sleepers wake.
pub(super) fn wake_ups(readings: &Readings) -> Opinion {
    let Some(Late { p50, p99 }) = readings.clock.late else {
        let matters = "what waking up costs is unknown";
        return Opinion::doubtful(unseen("How late a sleeper wakes", matters));
    };
    let found = format!("A sleep of 1 ms ends {p50:.0?} late at the median and {p99:.0?} at p99");
    if p50 > LATE_BAD {
        return Opinion::bad(format!(
            "{found}: the origin would be as late, and turns be invalid."
        ));
    }
    if p50 > LATE_GOOD || p99 > LATE_RARELY {
        return Opinion::doubtful(format!(
            "{found}: idle CPUs wake slowly, which adds to latencies and is partly charged as CPU \
             time."
        ));
    }
    Opinion::good(format!("{found}."))
}

/// Checks the clock.
pub(super) fn source(readings: &Readings) -> Opinion {
    let good = |source: &str| GOOD_SOURCES.contains(&source);
    let Some(source) = &readings.clock.source else {
        return Opinion::doubtful(unseen("The clock of the kernel", "its cost is measured below"));
    };
    if good(source) {
        return Opinion::good(format!("The clock {source} is read without a system call."));
    }
    let opinion = Opinion::doubtful(format!(
        "The clock {source} is slow to read, and every fetch pays for reading it twice."
    ));
    let sources = &readings.clock.sources;
    match GOOD_SOURCES.iter().find(|name| sources.iter().any(|source| source == *name)) {
        Some(better) => {
            opinion.fix(format!("echo {better} | sudo tee {FOLDER}/current_clocksource"))
        }
        None => opinion.fix(format!("cat {FOLDER}/available_clocksource")),
    }
}

/// Checks what reading the clock costs.
pub(super) fn reading(readings: &Readings) -> Opinion {
    let Some(cost) = readings.clock.reading else {
        return Opinion::doubtful(unseen("What reading the clock costs", "every fetch pays it"));
    };
    let found = format!("Reading the clock takes {} ns", cost.as_nanos());
    let fix = format!("cat {FOLDER}/current_clocksource");
    match cost {
        cost if cost < READING_GOOD => Opinion::good(format!("{found}.")),
        cost if cost < READING_BAD => Opinion::doubtful(format!(
            "{found}, which every fetch pays twice and which hides differences between models."
        ))
        .fix(fix),
        _ => Opinion::bad(format!(
            "{found}, so that a good part of what a fetch costs would be the clock's."
        ))
        .fix(fix),
    }
}

/// Checks whom interrupts are charged to.
pub(super) fn irq_time(readings: &Readings) -> Opinion {
    match readings.clock.irq_time.as_deref() {
        Some("off") => Opinion::good(
            "Interrupts are charged to the process that they interrupt: absolute costs compare \
             with machines that do so too.",
        ),
        Some(_) => Opinion::good(
            "Interrupts are charged to nobody, which hides much of what loopback costs: absolute \
             costs compare with machines that do so too.",
        ),
        None => Opinion::doubtful(unseen(
            "Whether interrupts are charged to processes",
            "absolute costs compare with no other machine",
        )),
    }
}

/// Returns what is known.
pub(super) fn known(said: &str) -> Option<String> {
    (said != "unknown" && !said.is_empty()).then(|| said.to_owned())
}

/// Sleeps many times, and returns by how much each was too long.
fn nap_all() -> Vec<Duration> {
    let began = Instant::now();
    let nap = |_| {
        let asleep = Instant::now();
        thread::sleep(NAP);
        asleep.elapsed().saturating_sub(NAP)
    };
    (0..NAPS).take_while(|_| began.elapsed() < NAPS_TIME).map(nap).collect()
}

/// Returns the quantiles of some latenesses, if there are any.
fn late(lates: &mut [Duration]) -> Option<Late> {
    lates.sort_unstable();
    let at = |percent: usize| lates.get(lates.len() * percent / 100).copied();
    Some(Late { p50: at(50)?, p99: at(99)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_taken_from_the_sorted_latenesses() {
        let mut lates: Vec<Duration> = (0..200).rev().map(Duration::from_micros).collect();
        let expected = (Duration::from_micros(100), Duration::from_micros(198));
        let found = late(&mut lates).unwrap();
        assert_eq!((found.p50, found.p99), expected);
        assert_eq!(late(&mut []), None);
        assert!(late(&mut [NAP]).is_some());
    }

    #[test]
    fn what_is_unknown_is_not_known() {
        assert_eq!(known("unknown"), None);
        assert_eq!(known("tsc").as_deref(), Some("tsc"));
    }
}
