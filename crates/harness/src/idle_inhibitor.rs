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
        Self::keep_by(cpus, |cpu| bind(cpu).and_then(|()| enter_idle_class()))
    }

    /// Keeps CPUs awake, each by a thread that has settled on it.
    fn keep_by(cpus: &[usize], settle: fn(usize) -> Result<()>) -> Result<Self> {
        let mut kept = Self { stop: Arc::new(AtomicBool::new(false)), threads: Vec::new() };
        for &cpu in cpus {
            let (stop, (says, receives)) = (Arc::clone(&kept.stop), mpsc::channel());
            kept.threads.push(thread::spawn(move || spin(settle(cpu), &stop, &says)));
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

/// Spins until asked to stop, if it may; says first whether it may.
fn spin(may: Result<()>, stop: &AtomicBool, says: &Sender<Result<()>>) {
    // A spinner of normal priority, or on another CPU, would disturb what it is to help.
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
    use std::sync::atomic::AtomicUsize;

    use anyhow::ensure;

    use super::*;

    #[test]
    fn a_cpu_that_cannot_be_kept_awake_is_named_and_no_other_is_kept() {
        static SPINNERS: AtomicUsize = AtomicUsize::new(0);
        // As a container refuses it, whatever this machine allows.
        let settle = |cpu: usize| -> Result<()> {
            ensure!(cpu == 0, "the thread may not enter the idle class");
            SPINNERS.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let error = IdleInhibitor::keep_by(&[0, 7, 0], settle).expect_err("7 refuses");
        let said = "failed to keep CPU 7 awake: the thread may not enter the idle class";
        assert_eq!(format!("{error:#}"), said);
        assert_eq!(SPINNERS.load(Ordering::SeqCst), 1, "those that follow do not begin");
        drop(IdleInhibitor::keep_by(&[0, 0], settle).expect("both may"));
    }

    #[test]
    fn a_cpu_that_no_machine_has_is_named_whatever_else_may_be_kept() {
        let error = IdleInhibitor::keep(&[usize::MAX]).expect_err("there is none");
        let said = format!("failed to keep CPU {} awake: there is no such CPU: ", usize::MAX);
        assert!(format!("{error:#}").starts_with(&said), "{error:#}");
    }
}
