//! Keeps CPUs from falling asleep while something is measured.
//!
//! A virtual machine gives an idle virtual CPU back to its host. Taking it up again can cost
//! several times the fetch that it is taken up for, and is charged to the model. A thread of the
//! lowest scheduling class on each CPU keeps it taken; whatever is measured displaces it at once.
//! `benches/README.md` records what this changes.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use record::Placement;
use thread_priority::ThreadPriority;
use thread_priority::unix::{
    NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

/// CPUs that are kept awake until this is dropped.
#[derive(Debug)]
pub struct Awake {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Awake {
    /// Keeps the CPUs of a placement awake, if it says so.
    pub fn for_placement(placement: &Placement) -> Option<Self> {
        placement.awake.then(|| Self::keep(&placement.cpus()))
    }

    /// Keeps these CPUs awake; those for which the system refuses stay as they are.
    pub fn keep(cpus: &[usize]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let keep = |&cpu| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || spin(cpu, &stop))
        };
        Self { threads: cpus.iter().map(keep).collect(), stop }
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Spins on a CPU, in the idle class, until told to stop.
fn spin(cpu: usize, stop: &AtomicBool) {
    // A spinner of normal priority, or on another CPU, would disturb what it is to help.
    if !bind(cpu) || !enter_idle_class() {
        return;
    }
    while !stop.load(Ordering::Relaxed) {
        // Without a pause instruction, which a virtual CPU may take for an invitation to yield.
        for turn in 0..1_000_u32 {
            black_box(turn);
        }
    }
}

/// Tries, in a thread that ends at once, whether the system would let each of these CPUs be kept
/// awake.
pub(crate) fn is_allowed(cpus: &[usize]) -> bool {
    let cpus = cpus.to_vec();
    let tried = thread::Builder::new().spawn(|| cpus.into_iter().all(bind) && enter_idle_class());
    tried.is_ok_and(|tried| tried.join().unwrap_or(false))
}

/// Binds the calling thread to a CPU; returns whether the system allows it.
fn bind(cpu: usize) -> bool {
    let mut set = CpuSet::new();
    set.set(cpu).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set)).is_ok()
}

/// Moves the calling thread to the idle class, for good; returns whether the system allows it.
fn enter_idle_class() -> bool {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle).is_ok()
}
