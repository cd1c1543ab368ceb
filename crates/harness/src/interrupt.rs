//! Ctrl-C and termination: the first signal ends the trial that is under way, what was measured
//! stays; the second ends the process at once.
//!
//! Signals belong to the process, and so does what is kept here. A thread sleeps until one comes;
//! nothing polls while something is measured.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::versions;

/// What this process has met.
static PROCESS: Family = Family::new();
/// Signals are watched once.
static WATCHED: Once = Once::new();
/// Whether something is measured that is to be kept.
static MEASURES: AtomicBool = AtomicBool::new(false);

/// Begins to watch for signals before something is measured.
///
/// # Errors
///
/// Says that the system refuses.
pub(crate) fn watch() -> Result<()> {
    MEASURES.store(true, Ordering::Release);
    watch_builds()
}

/// Begins to watch for signals before something is built: until something is measured, each ends
/// this process at once, as it does unwatched, but leaves nothing behind that is half built.
///
/// # Errors
///
/// Says that the system refuses.
pub(crate) fn watch_builds() -> Result<()> {
    // Who started this with a signal ignored, as nohup does, wants it ignored.
    let ignored = ignored();
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let wanted = wanted.filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = Signals::new(wanted).context("failed to watch for signals")?;
    WATCHED.call_once(|| {
        thread::spawn(move || {
            for signal in &mut signals {
                take(signal);
            }
        });
    });
    Ok(())
}

/// Settles the signals that whoever starts this may have set otherwise: a write beyond the limit on
/// the size of files fails as a write on a full disk does, where the system would end the process
/// without a word, and children can be waited for, which they cannot where their end is ignored.
pub fn settle_signals() {
    let is_ignored = |signal: i32| ignored() & (1 << (signal - 1)) != 0;
    // Who started this with the signal ignored gets the same, and so do the programs it starts.
    if !is_ignored(SIGXFSZ) {
        let _ = flag::register(SIGXFSZ, Arc::default());
    }
    // What is handled here is as the system has it in the programs that this starts.
    if is_ignored(SIGCHLD) {
        let _ = flag::register(SIGCHLD, Arc::default());
    }
}

/// Returns the signals that this process ignores, a bit each.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Returns the exit code that a signal asks for, if one came: 128 and its number.
pub(crate) fn exit_code() -> Option<u8> {
    match PROCESS.came.load(Ordering::Acquire) {
        0 => None,
        signal => u8::try_from(128 + signal).ok(),
    }
}

/// Notes that a child lives; one that is born after a signal is killed at once.
pub(crate) fn born(group: Pid) {
    PROCESS.born(group);
}

/// Notes that a child has ended.
pub(crate) fn dead(group: Pid) {
    PROCESS.groups().remove(&group.as_raw());
}

/// Takes a signal: ends every child, or, when one came before or nothing is measured, this process.
fn take(signal: i32) {
    let is_first = PROCESS.end(signal);
    versions::forget_unbuilt();
    if !is_first || !MEASURES.load(Ordering::Acquire) {
        std::process::exit(128 + signal);
    }
}

/// A process that signals can end, with its children.
struct Family {
    /// The signal that came first, or 0.
    came: AtomicI32,
    /// The process groups of the children that live.
    groups: Mutex<BTreeSet<i32>>,
}

impl Family {
    const fn new() -> Self {
        Self { came: AtomicI32::new(0), groups: Mutex::new(BTreeSet::new()) }
    }

    /// Notes a child, under the lock that [`Family::end`] takes after it has noted its signal: so
    /// one of the two sees it.
    fn born(&self, group: Pid) {
        let mut groups = self.groups();
        groups.insert(group.as_raw());
        if self.came.load(Ordering::Acquire) != 0 {
            let _ = killpg(group, Signal::SIGKILL);
        }
    }

    /// Ends every child; returns whether this signal is the first.
    fn end(&self, signal: i32) -> bool {
        if self.came.compare_exchange(0, signal, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return false;
        }
        for &group in self.groups().iter() {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        true
    }

    /// Returns the groups; a thread that panicked has left them whole.
    fn groups(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command};

    use super::*;

    /// Starts a child that nobody waits a minute for, and notes it.
    fn child(family: &Family) -> Child {
        let child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        family.born(Pid::from_raw(i32::try_from(child.id()).unwrap()));
        child
    }

    #[test]
    fn a_signal_ends_the_children_that_live_and_those_that_are_born_later() {
        let family = Family::new();
        let mut early = child(&family);
        assert!(family.end(SIGINT), "the first signal is distinguished from a second");
        assert!(!family.end(SIGINT));
        let mut late = child(&family);
        for child in [&mut early, &mut late] {
            assert_eq!(child.wait().unwrap().signal(), Some(Signal::SIGKILL as i32));
        }
    }
}
