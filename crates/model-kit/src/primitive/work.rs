//! The operations of a turn, and what they came to.

use workload::pipe::{Scheduled, Total, Turned, Window};

use crate::content::split_mix_64;
use crate::reading::{self, Reading};
use crate::{Plan, Turn, Workload};

/// The operations of a turn.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Which primitive.
    pub workload: Workload,
    /// How many warm up, and are not counted.
    pub warmup: u64,
    /// How many are asked for.
    pub count: u64,
    /// Decides the lengths of timers.
    pub seed: u64,
}

/// Operations that are under way, and timed together.
#[derive(Debug)]
pub struct Batch(Reading);

/// What the operations of a turn came to.
#[derive(Debug)]
pub struct Done {
    pub(super) window: Window,
    /// All that were done, those that warm up included.
    pub(super) all: u64,
    pub(super) latencies_ns: Vec<(u64, u64)>,
}

impl Work {
    /// Returns what a turn of a plan asks for.
    pub(super) fn of(plan: &Plan, turn: &Turn) -> Self {
        Self {
            workload: plan.cell.workload,
            warmup: turn.warmup,
            count: turn.fetches,
            seed: split_mix_64(plan.seed ^ u64::from(turn.number)),
        }
    }

    /// Begins operations that are timed together: the clocks start last.
    pub fn begin(self) -> Batch {
        Batch(Reading::opening())
    }
}

impl Batch {
    /// Ends operations of which so many were done, counted by what they leave behind.
    pub fn end(self, counted: u64) -> Done {
        let closed = Reading::closing();
        let window = reading::window(&self.0, &closed, (counted, counted));
        Done { window, all: counted, latencies_ns: Vec::new() }
    }
}

impl Done {
    /// Returns it as it is reported of a turn.
    pub(super) fn turned(self, turn: &Turn, scheduled: Option<Scheduled>) -> Turned {
        let issued = turn.closes_at();
        let (errors, extra_bytes) = ([].into(), 0);
        Turned {
            turn: turn.number,
            window: self.window,
            total: Total { issued, ok: self.all, errors, extra_bytes },
            threads: reading::threads(),
            in_flight_peak: 1,
            scheduled,
            latencies_ns: self.latencies_ns,
            wake_up_delays_ns: Vec::new(),
            responses_ns: Vec::new(),
            lags_ns: Vec::new(),
        }
    }
}
