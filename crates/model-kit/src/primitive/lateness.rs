//! Timers, one at a time: how much later than asked for a timer wakes whoever waits for it.

use std::time::{Duration, Instant};

use super::{Done, Work};
use crate::Datum;

use crate::content::split_mix_64;
use crate::ledger::histogram;
use crate::reading::{self, Reading};

/// A timer is longer than its name by up to this: timers that begin where the last one ended keep
/// step with the ticks of a runtime, and would show one phase of them alone.
const PHASES: Duration = Duration::from_millis(1);

/// Measures timers, one after the other.
///
/// ```text
/// while let Some(length) = lateness.next() {
///     sleep(length);
///     lateness.woken();
/// }
/// ```
#[derive(Debug)]
pub struct Lateness {
    work: Work,
    length: Duration,
    begun: u64,
    due: Option<Instant>,
    woken: Woken,
}

/// What is known of those that have woken.
#[derive(Debug)]
pub(super) struct Woken {
    work: Work,
    late_ns: Vec<u64>,
    number: u64,
    opened: Option<Reading>,
}

impl Lateness {
    /// Begins the timers of a turn.
    pub fn new(work: Work) -> Self {
        let (length, woken) = (after(work), Woken::new(work));
        Self { work, length, begun: 0, due: None, woken }
    }

    /// Returns how long to sleep now; nothing after the last.
    #[expect(clippy::should_implement_trait, reason = "a loop over it could not say who woke")]
    pub fn next(&mut self) -> Option<Duration> {
        if self.begun == self.work.warmup + self.work.count {
            return None;
        }
        let phases = u64::try_from(PHASES.as_nanos()).unwrap_or(u64::MAX);
        let more = split_mix_64(self.work.seed.wrapping_add(self.begun)) % phases;
        let length = self.length + Duration::from_nanos(more);
        self.begun += 1;
        self.due = Some(Instant::now() + length);
        Some(length)
    }

    /// Notes that a timer has woken its waiter.
    pub fn woken(&mut self) {
        let now = Instant::now();
        if let Some(due) = self.due.take() {
            self.woken.late_by(now.saturating_duration_since(due));
        }
    }

    /// Ends them.
    pub fn done(self) -> Done {
        self.woken.done()
    }
}

/// Returns the length of a timer, or the time between two events; none where they are not timed
/// one by one.
pub(super) fn after(work: Work) -> Duration {
    match work.workload.datum() {
        Datum::Timed(after) => after,
        Datum::Turn | Datum::Slope => Duration::ZERO,
    }
}

impl Woken {
    /// Begins with none.
    pub(super) fn new(work: Work) -> Self {
        let room = usize::try_from(work.count).unwrap_or_default().min(1 << 20);
        Self { work, late_ns: Vec::with_capacity(room), number: 0, opened: None }
    }

    /// Takes one that was late by so much; the clocks of the whole start when the warm-up is over.
    pub(super) fn late_by(&mut self, late: Duration) {
        self.number += 1;
        if self.number > self.work.warmup {
            self.late_ns.push(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
        } else if self.number == self.work.warmup {
            self.opened = Some(Reading::opening());
        }
    }

    /// Ends them.
    pub(super) fn done(self) -> Done {
        let closed = Reading::closing();
        let opened = self.opened.unwrap_or_else(Reading::closing);
        let counted = self.late_ns.len() as u64;
        Done {
            window: reading::window(&opened, &closed, (counted, counted)),
            all: self.number,
            latencies_ns: histogram(self.late_ns.into_iter()),
        }
    }
}
