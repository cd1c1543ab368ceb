//! Ctrl-C and termination: the first signal ends the trial that is under way, what was measured
//! stays; the second ends the process at once.
//!
//! Signals belong to the process, and so does what is kept here. A thread sleeps until one comes;
//! nothing polls while something is measured.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The signal that came first, or 0.
static CAME: AtomicI32 = AtomicI32::new(0);
/// The process groups of the children that live.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
/// Signals are watched once.
static WATCHED: Once = Once::new();

/// Begins to watch for signals.
///
/// # Errors
///
/// Says that the system refuses.
pub(crate) fn watch() -> Result<()> {
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

/// Returns the signals that this process ignores, a bit each.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Returns the exit code that a signal asks for, if one came: 128 and its number.
pub(crate) fn exit_code() -> Option<u8> {
    match CAME.load(Ordering::Acquire) {
        0 => None,
        signal => u8::try_from(128 + signal).ok(),
    }
}

/// Notes that a child lives.
pub(crate) fn born(group: Pid) {
    groups().insert(group.as_raw());
}

/// Notes that a child has ended.
pub(crate) fn dead(group: Pid) {
    groups().remove(&group.as_raw());
}

/// Takes a signal: ends every child, or, when one came before, this process.
fn take(signal: i32) {
    if CAME.compare_exchange(0, signal, Ordering::AcqRel, Ordering::Acquire).is_err() {
        std::process::exit(128 + signal);
    }
    for &group in groups().iter() {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

/// Returns the groups; a thread that panicked has left them whole.
fn groups() -> MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}
