//! Keeps CPUs from falling asleep, for the claims that measure what this changes.
//!
//! A virtual machine gives an idle virtual CPU back to its host. Taking it up again can cost
//! several times the fetch that it is taken up for, and is charged to the model. A thread of the
//! lowest scheduling class on each CPU keeps it taken; whatever is measured displaces it at once.
//! No run does so: `benches/README.md` says why.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use thread_priority::ThreadPriority;
use thread_priority::unix::{
    NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

/// CPUs that are kept awake until this is dropped.
#[derive(Debug)]
pub struct IdleInhibitor {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl IdleInhibitor {
    /// Keeps these CPUs awake.
    ///
    /// # Errors
    ///
    /// Names the CPU for which the system refuses, and why: then none is kept awake, so that what
    /// is measured beside is never credited with a spinner that was not there.
    pub fn keep(cpus: &[usize]) -> Result<Self> {
        let mut kept = Self { stop: Arc::new(AtomicBool::new(false)), threads: Vec::new() };
        for &cpu in cpus {
            let (stop, (says, receives)) = (Arc::clone(&kept.stop), mpsc::channel());
            kept.threads.push(thread::spawn(move || spin(cpu, &stop, &says)));
            let began = receives.recv().context("a spinner ended before it began")?;
            began.with_context(|| format!("failed to keep CPU {cpu} awake"))?;
        }
        Ok(kept)
    }
}

impl Drop for IdleInhibitor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Spins on a CPU, in the idle class, until asked to stop; says first whether it may.
fn spin(cpu: usize, stop: &AtomicBool, says: &Sender<Result<()>>) {
    // A spinner of normal priority, or on another CPU, would disturb what it is to help.
    let may = bind(cpu).and_then(|()| enter_idle_class());
    let may_not = may.is_err();
    if says.send(may).is_err() || may_not {
        return;
    }
    while !stop.load(Ordering::Relaxed) {
        // Without a pause instruction, which a virtual CPU may take for an invitation to yield.
        for turn in 0..1_000_u32 {
            black_box(turn);
        }
    }
}

/// Binds the calling thread to a CPU.
fn bind(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu).context("there is no such CPU")?;
    sched_setaffinity(Pid::from_raw(0), &set).context("the thread may not be bound to it")
}

/// Moves the calling thread to the idle class, for good.
fn enter_idle_class() -> Result<()> {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle)
        .map_err(|error| anyhow!("{error:?}"))
        .context("the thread may not enter the idle class")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_that_cannot_be_kept_awake_is_named_and_no_other_is_kept() {
        let error = IdleInhibitor::keep(&[0, 1023]).expect_err("there is no CPU 1023 here");
        assert!(format!("{error:#}").starts_with("failed to keep CPU 1023 awake: "), "{error:#}");
    }
}
