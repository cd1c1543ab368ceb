//! Whether other processes had the CPUs for which the threads of a child waited: one that was
//! starved is late, and does not hang.
//!
//! The kernel also counts how long a thread waited for a CPU, but not before the wait is over, and
//! where it matters waits are long.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use nix::time::ClockId;

use crate::participant::{clock_of, read};

/// A process that is looked at again and again.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    process: u32,
    began: Instant,
    clock: Option<ClockId>,
    cpu: Option<Duration>,
    looks: u32,
    /// In how many looks each thread had a CPU or waited for one, by its id.
    ready: BTreeMap<String, u32>,
}

impl Watched {
    /// Begins with a process.
    pub(crate) fn new(process: u32) -> Self {
        let clock = clock_of(process);
        let (began, cpu) = (Instant::now(), clock.and_then(read));
        Self { process, began, clock, cpu, looks: 0, ready: BTreeMap::new() }
    }

    /// Looks what its threads do.
    pub(crate) fn look(&mut self) {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process));
        for thread in threads.into_iter().flatten().flatten() {
            let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            let ready = self.ready.entry(thread.file_name().to_string_lossy().into_owned());
            *ready.or_default() += u32::from(is_ready(&stat));
        }
        self.looks += 1;
    }

    /// Returns whether it was starved since it is watched; not where its CPU time is unknown.
    pub(crate) fn is_starved(&self) -> bool {
        let cpu = self.clock.and_then(read).zip(self.cpu);
        let used = cpu.map(|(now, then)| now.saturating_sub(then));
        used.is_some_and(|used| self.is_starved_by(self.began.elapsed(), used))
    }

    /// Returns whether it was starved in a time in which it used so much of a CPU: a thread could
    /// have run for half of the time or more, and all together had less than half of a CPU. Threads
    /// that keep each other waiting have more.
    fn is_starved_by(&self, time: Duration, used: Duration) -> bool {
        let most = self.ready.values().max().copied().unwrap_or_default();
        self.looks > 0 && 2 * most >= self.looks && 2 * used < time
    }
}

/// Returns whether a thread has a CPU or waits for one, by what stands behind its name, which is in
/// brackets and may have brackets itself.
fn is_ready(stat: &str) -> bool {
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('R'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns whether a process was starved of whose threads each was ready in so many of ten
    /// looks, and which had a CPU for so many of ten seconds.
    fn is_starved(ready: &[u32], cpu_s: u64) -> bool {
        let ready = ready.iter().enumerate().map(|(id, looks)| (id.to_string(), *looks)).collect();
        let watched = Watched { looks: 10, ready, ..Watched::new(std::process::id()) };
        watched.is_starved_by(Duration::from_secs(10), Duration::from_secs(cpu_s))
    }

    #[test]
    fn one_that_could_have_run_and_got_no_cpu_was_starved_and_one_that_hangs_or_spins_was_not() {
        assert!(is_starved(&[10], 0) && is_starved(&[0, 5], 4));
        // It sleeps, or has a CPU.
        assert!(!is_starved(&[4, 4], 0) && !is_starved(&[10], 10));
        // Its threads have the CPUs for which they wait.
        assert!(!is_starved(&[10; 64], 5));
        assert!(!is_starved(&[], 0));
        assert!(!Watched::new(std::process::id()).is_starved(), "nobody looked");
    }

    #[test]
    fn a_thread_is_ready_by_the_letter_behind_its_name() {
        assert!(is_ready("7 (a) S b) R 1 7") && !is_ready("7 (a) R b) S 1 7") && !is_ready(""));
    }
}
