//! The clocks and counters of this process, as one fetch of the window leaves them.

use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};

use crate::pipe::{self, Scheduled};

/// What was read at one moment.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) wall: Instant,
    cpu: Duration,
    usage: Option<Usage>,
}

impl Reading {
    /// Reads the wall clock alone: nothing had been used when the process was started.
    pub(crate) fn start_of_process() -> Self {
        Self { wall: Instant::now(), cpu: Duration::ZERO, usage: None }
    }

    /// Reads as a window opens, or a batch of primitives begins: what is slow to read first, the
    /// clocks last.
    pub(crate) fn opening() -> Self {
        let usage = usage();
        let cpu = cpu();
        Self { wall: Instant::now(), cpu, usage }
    }

    /// Reads as a window closes, or a batch of primitives ends: the clocks first.
    pub(crate) fn closing() -> Self {
        let wall = Instant::now();
        let cpu = cpu();
        Self { wall, cpu, usage: usage() }
    }
}

/// Returns what the window cost, in which so many fetches ended, and so many of them ok.
pub(crate) fn window(opened: &Reading, closed: &Reading, (ended, ok): (u64, u64)) -> pipe::Window {
    let grown = |counter: fn(&Usage) -> i64| {
        let read = |reading: &Reading| reading.usage.as_ref().map_or(0, counter);
        u64::try_from(read(closed) - read(opened)).unwrap_or(0)
    };
    // A process that has been started has pages, and one that has waited has given the CPU up:
    // where there was never any of it, the kernel does not count.
    let counted = |sign: fn(&Usage) -> i64, counter: fn(&Usage) -> i64| {
        let is_counted = closed.usage.as_ref().is_some_and(|usage| sign(usage) > 0);
        is_counted.then(|| grown(counter))
    };
    let switches = |counter| counted(Usage::voluntary_context_switches, counter);
    pipe::Window {
        ended,
        ok,
        wall_ns: nanoseconds(closed.wall - opened.wall),
        cpu_ns: nanoseconds(closed.cpu.saturating_sub(opened.cpu)),
        user_ns: grown(|usage| usage.user_time().num_nanoseconds()),
        system_ns: grown(|usage| usage.system_time().num_nanoseconds()),
        switches_voluntary: switches(Usage::voluntary_context_switches),
        switches_involuntary: switches(Usage::involuntary_context_switches),
        faults_minor: counted(Usage::minor_page_faults, Usage::minor_page_faults),
    }
}

/// Returns the CPU time of all threads of this process.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.expect("Linux has a CPU clock for every process").into()
}

/// Returns the counters that the kernel keeps for this process.
fn usage() -> Option<Usage> {
    getrusage(UsageWho::RUSAGE_SELF).ok()
}

/// Returns how many threads this process has now.
pub(crate) fn threads() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// Returns what the scheduler gave to the threads that are alive now.
pub(crate) fn scheduled() -> Option<Scheduled> {
    let mut sum = Scheduled::default();
    for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        // A thread that has ended meanwhile has no figures.
        let Ok(text) = std::fs::read_to_string(task.path().join("schedstat")) else { continue };
        let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
        sum.cpu_ns += numbers.next()?;
        sum.run_delay_ns += numbers.next()?;
    }
    Some(sum)
}

/// Returns a duration in whole nanoseconds.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_the_kernel_does_not_count_is_unknown_and_not_none_of_it() {
        thread::sleep(Duration::from_millis(1));
        let of = |who| {
            let closed = Reading { usage: getrusage(who).ok(), ..Reading::closing() };
            let window = window(&Reading::start_of_process(), &closed, (1, 1));
            [window.switches_voluntary, window.switches_involuntary, window.faults_minor]
        };
        assert!(of(UsageWho::RUSAGE_SELF).into_iter().all(|count| count.is_some()));
        // This process has no children, so that it reads what a sandbox shows that counts nothing.
        assert_eq!(of(UsageWho::RUSAGE_CHILDREN), [None; 3]);
    }
}
