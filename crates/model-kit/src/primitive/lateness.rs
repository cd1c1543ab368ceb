//! Timers, one at a time: how much later than asked for a timer wakes whoever waits for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{PrimitivePlan, PrimitiveTrial};
use crate::content::split_mix_64;
use crate::ledger::three_digits;
use crate::reading::{self, Reading};

/// The first ones warm up and are not reported.
pub(super) const WARM_UP: u64 = 2;
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
    length: Duration,
    samples: u64,
    seed: u64,
    begun: u64,
    due: Option<Instant>,
    woken: Woken,
}

/// What is known of those that have woken.
#[derive(Debug)]
pub(super) struct Woken {
    late_ns: Vec<u64>,
    number: u64,
    opened: Option<Reading>,
}

impl Lateness {
    /// Begins the timers of a plan.
    pub fn new(plan: &PrimitivePlan) -> Self {
        Self {
            length: plan.primitive.alone().unwrap_or_default(),
            samples: plan.samples,
            seed: plan.seed,
            begun: 0,
            due: None,
            woken: Woken::new(plan.samples),
        }
    }

    /// Returns how long to sleep now; nothing after the last.
    #[expect(clippy::should_implement_trait, reason = "a loop over it could not say who woke")]
    pub fn next(&mut self) -> Option<Duration> {
        if self.begun == self.samples + WARM_UP {
            return None;
        }
        let phases = u64::try_from(PHASES.as_nanos()).unwrap_or(u64::MAX);
        let more = split_mix_64(self.seed.wrapping_add(self.begun)) % phases;
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

    /// Returns the trial.
    pub fn trial(self) -> PrimitiveTrial {
        self.woken.trial(self.samples)
    }
}

impl Woken {
    /// Begins with none.
    pub(super) fn new(samples: u64) -> Self {
        let room = usize::try_from(samples).unwrap_or_default().min(1 << 20);
        Self { late_ns: Vec::with_capacity(room), number: 0, opened: None }
    }

    /// Takes one that was late by so much; the clocks of the whole start when the warm-up is over.
    pub(super) fn late_by(&mut self, late: Duration) {
        self.number += 1;
        if self.number > WARM_UP {
            self.late_ns.push(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
        } else if self.number == WARM_UP {
            self.opened = Some(Reading::opening());
        }
    }

    /// Returns the trial of so many.
    pub(super) fn trial(self, samples: u64) -> PrimitiveTrial {
        let closed = Reading::closing();
        let counted = self.late_ns.len() as u64;
        let point = self.opened.map(|opened| reading::point(&opened, &closed, (samples, counted)));
        let mut counts = BTreeMap::new();
        for late_ns in self.late_ns {
            *counts.entry(three_digits(late_ns)).or_insert(0) += 1;
        }
        PrimitiveTrial {
            points: point.into_iter().collect(),
            latencies_ns: counts.into_iter().collect(),
        }
    }
}
