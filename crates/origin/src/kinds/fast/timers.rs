//! Timers finer than the millisecond that epoll can wait for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

/// What is due at which moment, and the one timer of the kernel that waits for the first of it.
pub(super) struct Timers {
    queue: BinaryHeap<Reverse<Due>>,
    timer: TimerFd,
    /// The moment for which it is set, if it is.
    set: Option<Instant>,
}

/// A reply that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at: Instant,
    /// Its place among all replies of the shard: that of a connection which was closed belongs to
    /// none any more.
    pub(super) serial: u64,
    /// The connection.
    pub(super) key: u32,
}

impl Timers {
    /// Makes the kernel's timer, which reports under a token.
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        registry.register(&mut SourceFd(&timer.as_fd().as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { queue: BinaryHeap::new(), timer, set: None })
    }

    /// Adds a reply that is due.
    pub(super) fn push(&mut self, due: Due) {
        self.queue.push(Reverse(due));
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    /// Returns one whose moment has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Due> {
        let Reverse(first) = *self.queue.peek()?;
        (first.at <= now).then(|| self.queue.pop()).flatten().map(|Reverse(due)| due)
    }

    /// Sets the kernel's timer for the first of them, unless it is set so. It is registered for its
    /// edges: each expiry is one, whether or not somebody has read the one before.
    pub(super) fn arm(&mut self) -> io::Result<()> {
        let first = self.queue.peek().map(|Reverse(due)| due.at);
        if let Some(at) = first.filter(|_| first != self.set) {
            // A time of zero would disarm it.
            let wait = at.saturating_duration_since(Instant::now()).max(NANOSECOND);
            let wait = Expiration::OneShot(TimeSpec::from(wait));
            self.timer.set(wait, TimerSetTimeFlags::empty())?;
        }
        self.set = first;
        Ok(())
    }
}

/// The shortest time that the kernel's timer waits.
const NANOSECOND: std::time::Duration = std::time::Duration::from_nanos(1);
