//! What the machine did while a round ran: how busy it was, with what, and how fast.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use record::{Host, Placement};

use crate::child::on_cpus;
use crate::doctor::network::time_wait_count;
use crate::doctor::quota;

/// The kernel keeps the time of CPUs in hundredths of a second on every machine that Linux runs on.
const TICK_NS: u64 = 10_000_000;
/// Turns of the loop that shows how fast a CPU is: about a millisecond.
const PROBE_TURNS: u64 = 1_000_000;

/// What was read at one moment.
#[derive(Clone, Debug)]
pub(crate) struct HostReading {
    capacity_ticks: u64,
    busy_ticks: u64,
    steal_ticks: u64,
    children_ns: u64,
    own_ns: u64,
    probe_per_ms: u64,
    throttled: Vec<u64>,
}

impl HostReading {
    /// Reads before a round, and tries how fast a model's CPU is.
    pub(crate) fn before(placement: &Placement) -> Option<Self> {
        let probe_per_ms = on_cpus(&placement.model_cpus, probe).ok()?;
        Some(Self { probe_per_ms, ..Self::now(placement)? })
    }

    /// Reads after a round and returns what happened since. The kernel may take some idle time
    /// back, so that a counter is a little less than before. `used` are the CPU times of the
    /// participants that live and of the origin, before and after.
    pub(crate) fn since(
        &self,
        placement: &Placement,
        (before, after): ((Duration, Duration), (Duration, Duration)),
    ) -> Option<Host> {
        let grown = |before: Duration, after: Duration| {
            u64::try_from(after.saturating_sub(before).as_nanos()).unwrap_or(u64::MAX)
        };
        // Some sandboxes report CPUs whose clocks stand still: nothing is known of those.
        let now = Self::now(placement).filter(|now| now.capacity_ticks > self.capacity_ticks)?;
        Some(Host {
            capacity_ns: now.capacity_ticks.saturating_sub(self.capacity_ticks) * TICK_NS,
            busy_ns: now.busy_ticks.saturating_sub(self.busy_ticks) * TICK_NS,
            steal_ns: now.steal_ticks.saturating_sub(self.steal_ticks) * TICK_NS,
            models_ns: now.children_ns.saturating_sub(self.children_ns) + grown(before.0, after.0),
            origin_ns: grown(before.1, after.1),
            harness_ns: now.own_ns.saturating_sub(self.own_ns),
            probe_per_ms: self.probe_per_ms,
            // Only who carries a round out reads the time of day, and waits for origins.
            clock_jump_ms: 0,
            unclosed: false,
            throttled: most_grown(&self.throttled, &now.throttled),
            lingering: time_wait_count(),
        })
    }

    /// Reads the counters of the CPUs of a placement.
    fn now(placement: &Placement) -> Option<Self> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let times = placement.cpus().into_iter().map(|cpu| Times::of(&text, cpu));
        let times = times.collect::<Option<Vec<_>>>()?;
        let sum = |part: fn(&Times) -> u64| times.iter().map(part).sum();
        Some(Self {
            capacity_ticks: sum(|times| times.busy + times.idle + times.steal),
            busy_ticks: sum(|times| times.busy),
            steal_ticks: sum(|times| times.steal),
            children_ns: used(UsageWho::RUSAGE_CHILDREN)?,
            own_ns: used(UsageWho::RUSAGE_SELF)?,
            probe_per_ms: 0,
            throttled: quota::throttled_each(&quota::groups()),
        })
    }
}

/// Returns by how much that counter grew which grew most. The groups are named in one order at both
/// moments; a harness that was moved to other groups meanwhile learns nothing of them.
fn most_grown(before: &[u64], after: &[u64]) -> Option<u64> {
    let pairs = before.iter().zip(after).filter(|_| before.len() == after.len());
    pairs.map(|(before, after)| after.saturating_sub(*before)).max()
}

/// How a CPU spent its time, in ticks.
#[derive(Debug, PartialEq, Eq)]
struct Times {
    busy: u64,
    idle: u64,
    steal: u64,
}

impl Times {
    /// Reads the line of a CPU: user, nice, system, idle, iowait, irq, softirq, steal.
    fn of(stat: &str, cpu: usize) -> Option<Self> {
        let name = format!("cpu{cpu}");
        let mut lines = stat.lines().map(str::split_whitespace);
        let mut words =
            lines.find_map(|mut words| (words.next() == Some(&name)).then_some(words))?;
        let mut ticks = [0; 8];
        for tick in &mut ticks {
            *tick = words.next()?.parse().ok()?;
        }
        let [user, nice, system, idle, iowait, irq, softirq, steal] = ticks;
        Some(Self { busy: user + nice + system + irq + softirq, idle: idle + iowait, steal })
    }
}

/// Returns the CPU time of this process, or of its children that have ended.
fn used(who: UsageWho) -> Option<u64> {
    let usage = getrusage(who).ok()?;
    let spent = usage.user_time().num_nanoseconds() + usage.system_time().num_nanoseconds();
    u64::try_from(spent).ok()
}

/// Returns how fast this CPU goes through a loop in which each turn needs the one before.
fn probe() -> u64 {
    let began = Instant::now();
    let mut word = black_box(1_u64);
    for _ in 0..PROBE_TURNS {
        word = word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    black_box(word);
    let nanoseconds = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
    PROBE_TURNS * 1_000_000 / nanoseconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_cpu_is_read_and_that_of_another_is_not() {
        let stat = "cpu  9 9 9 9 9 9 9 9\ncpu1 1 2 3 40 5 6 7 8 0 0\ncpu10 0 0 0 0 0 0 0 0 0 0\n";
        assert_eq!(Times::of(stat, 1), Some(Times { busy: 19, idle: 45, steal: 8 }));
        assert_eq!(Times::of(stat, 2), None);
    }

    #[test]
    fn a_group_that_withheld_the_cpu_is_seen_beside_one_that_did_so_oftener_before() {
        assert_eq!(most_grown(&[900, 3], &[900, 5]), Some(2));
        assert_eq!(most_grown(&[0], &[0]), Some(0));
        assert_eq!(most_grown(&[], &[]), None);
        assert_eq!(most_grown(&[4], &[4, 7]), None);
    }
}
