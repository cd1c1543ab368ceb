//! Events, one at a time: from the moment before a thread sets an event to the moment after its
//! waiter was woken.
//!
//! The setter is a thread beside whatever waits, the same in every program, and sleeps between two
//! events: so the waiter, and the thread that it runs on, have gone to sleep. It waits for each
//! event to be taken before it begins with the next.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::lateness::{Woken, after};
use super::{Done, Work};

/// The side of the waiter. Its setter ends with it.
///
/// ```text
/// while setter.is_left() {
///     wait_for_the_event();
///     setter.woken();
/// }
/// ```
#[derive(Debug)]
pub struct Setter {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
    events: u64,
    taken: u64,
    woken: Woken,
}

/// What both sides know.
#[derive(Debug)]
struct Shared {
    epoch: Instant,
    /// When the event was set last, in nanoseconds since the epoch.
    set_at_ns: AtomicU64,
    /// How many events were taken.
    taken: AtomicU64,
}

impl Setter {
    /// Starts a thread that sets an event as often as a turn asks for.
    ///
    /// # Errors
    ///
    /// Says that the thread cannot be started.
    pub fn start(work: Work, set: impl Fn() + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            epoch: Instant::now(),
            set_at_ns: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        });
        let (gap, events) = (after(work), work.warmup + work.count);
        let its = Arc::clone(&shared);
        let thread = thread::Builder::new().spawn(move || its.set_all(events, gap, &set))?;
        Ok(Self { shared, thread, events, taken: 0, woken: Woken::new(work) })
    }

    /// Returns whether there is an event left to wait for.
    pub fn is_left(&self) -> bool {
        self.taken < self.events
    }

    /// Notes that an event was taken.
    pub fn woken(&mut self) {
        let now_ns = self.shared.now_ns();
        let late_ns = now_ns.saturating_sub(self.shared.set_at_ns.load(Ordering::Acquire));
        self.woken.late_by(Duration::from_nanos(late_ns));
        self.taken += 1;
        self.shared.taken.store(self.taken, Ordering::Release);
        self.thread.thread().unpark();
    }

    /// Ends them, and waits until their thread has left: the next turn has its own.
    pub fn done(self) -> Done {
        let done = self.woken.done();
        // It does not panic, and what it returns is nothing.
        let _ = self.thread.join();
        done
    }
}

impl Shared {
    /// Sets so many events, each after the one before was taken and the gap has passed.
    fn set_all(&self, events: u64, gap: Duration, set: &impl Fn()) {
        for number in 1..=events {
            if !gap.is_zero() {
                thread::sleep(gap);
            }
            self.set_at_ns.store(self.now_ns(), Ordering::Release);
            set();
            while self.taken.load(Ordering::Acquire) < number {
                thread::park();
            }
        }
    }

    /// Returns the time, in nanoseconds since the epoch.
    fn now_ns(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
