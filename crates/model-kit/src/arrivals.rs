//! When the fetches of a turn arrive that do so at a rate, and what each of them waited for.
//!
//! Nothing is corrected or interpolated afterwards: each fetch is timed from the moment at which it
//! was due, by whoever sent it and by whoever saw its end.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use workload::{Cell, Turn, arrivals_ns};

use crate::ledger::histogram;
use crate::pacer::Pacer;

/// Marks a fetch that did not end well.
const NO_TIME: u64 = 0;

/// The arrivals of a turn.
#[derive(Debug)]
pub(crate) struct Arrivals {
    began: Instant,
    /// From the beginning of the turn, rising.
    due_ns: Box<[u64]>,
    first_id: u64,
    /// How many come before those that are timed.
    warmup: usize,
    /// How many are known to have come.
    arrived: AtomicU64,
    /// Who hands them in, if the model's timer does not wait for them.
    pacer: Option<Pacer>,
    /// What each fetch of the window waited for.
    times: Box<[Times]>,
}

/// What a fetch waited for, from its arrival on.
#[derive(Debug, Default)]
struct Times {
    response_ns: AtomicU64,
    lag_ns: AtomicU64,
}

/// The times in nanoseconds of the fetches of a window that were ok, as values and counts.
#[derive(Debug, Default)]
pub(crate) struct Histograms {
    /// From sending to the end.
    pub(crate) services: Vec<(u64, u64)>,
    /// From arrival to the end.
    pub(crate) responses: Vec<(u64, u64)>,
    /// From arrival to sending.
    pub(crate) lags: Vec<(u64, u64)>,
}

impl Arrivals {
    /// Creates the arrivals of a turn that begins now; nothing if its cell has no rate.
    pub(crate) fn new(cell: &Cell, turn: &Turn) -> Option<Self> {
        let due_ns: Box<[u64]> = arrivals_ns(cell, turn).into();
        let warmup = usize::try_from(turn.warmup).unwrap_or(usize::MAX);
        let times = due_ns.iter().skip(warmup).map(|_| Times::default()).collect();
        let (first_id, arrived) = (turn.first_id, AtomicU64::new(0));
        let pacer = cell.handed_in.then(Pacer::default);
        let began = Instant::now();
        cell.is_open().then_some(Self { began, due_ns, first_id, warmup, arrived, pacer, times })
    }

    /// Returns who hands them in, if somebody does.
    pub(crate) fn pacer(&self) -> Option<&Pacer> {
        self.pacer.as_ref()
    }

    /// Returns the ids in the order in which they arrive.
    pub(crate) fn ids(&self) -> Range<u64> {
        self.first_id..self.first_id + self.due_ns.len() as u64
    }

    /// Says that a fetch has arrived, and all before it.
    pub(crate) fn arrive(&self, id: u64) {
        self.arrived.fetch_max(self.place(id) as u64 + 1, Ordering::Relaxed);
    }

    /// Returns when a fetch arrives.
    pub(crate) fn due(&self, id: u64) -> Instant {
        self.began + Duration::from_nanos(self.due_ns.get(self.place(id)).copied().unwrap_or(0))
    }

    /// Returns whether a fetch has arrived, or was handed in where somebody does that.
    ///
    /// Only for the first that has not is the clock read: a loop asks this of each of its slots
    /// whenever it wakes.
    pub(crate) fn has_arrived(&self, id: u64) -> bool {
        let place = self.place(id) as u64;
        let known = self.arrived.load(Ordering::Relaxed);
        if place != known || self.pacer.is_some() {
            return place < known;
        }
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let arrived = self.due_ns.partition_point(|due| *due <= now) as u64;
        self.arrived.fetch_max(arrived, Ordering::Relaxed);
        place < arrived
    }

    /// Keeps what a fetch waited for that was ok.
    pub(crate) fn keep(&self, id: u64, (sent, ended): (Instant, Instant)) {
        let place = self.place(id).checked_sub(self.warmup);
        let Some(times) = place.and_then(|place| self.times.get(place)) else { return };
        let due = self.due(id);
        let since = |moment: Instant| {
            u64::try_from(moment.saturating_duration_since(due).as_nanos()).unwrap_or(u64::MAX)
        };
        times.lag_ns.store(since(sent), Ordering::Relaxed);
        times.response_ns.store(since(ended).max(NO_TIME + 1), Ordering::Relaxed);
    }

    /// Returns what was kept.
    pub(crate) fn histograms(&self) -> Histograms {
        let read = |times: &Times| {
            (times.response_ns.load(Ordering::Relaxed), times.lag_ns.load(Ordering::Relaxed))
        };
        let all = || self.times.iter().map(read).filter(|(response, _)| *response != NO_TIME);
        Histograms {
            services: histogram(all().map(|(response, lag)| response.saturating_sub(lag))),
            responses: histogram(all().map(|(response, _)| response)),
            lags: histogram(all().map(|(_, lag)| lag)),
        }
    }

    /// Returns the place of an id among all of the turn.
    fn place(&self, id: u64) -> usize {
        usize::try_from(id - self.first_id).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DelayRange, Workload};

    /// Returns a cell of so many fetches a second, one of which warms up.
    fn cell(rate_per_s: u32) -> Cell {
        Cell {
            name: "paced".to_owned(),
            workload: Workload::Paced,
            in_flight: 4,
            warmup: 1,
            fetches: 3,
            delay_ms: DelayRange { lo: 0, hi: 0 },
            body_bytes: 0,
            rate_per_s,
            ..Cell::least(Workload::Paced)
        }
    }

    /// Returns the arrivals of a turn.
    fn arrivals(rate_per_s: u32) -> Option<Arrivals> {
        let cell = cell(rate_per_s);
        Arrivals::new(&cell, &Turn { arrivals_seed: 5, ..Turn::of(&cell, 1, 1_000) })
    }

    #[test]
    fn response_is_lag_and_service_whoever_is_late() {
        let arrivals = arrivals(1_000).unwrap();
        let after = |ms| arrivals.due(1_002) + Duration::from_millis(ms);
        arrivals.keep(1_002, (after(3), after(10)));
        let Histograms { services, responses, lags } = arrivals.histograms();
        assert_eq!(responses, [(10_000_000, 1)]);
        assert_eq!((lags, services), (vec![(3_000_000, 1)], vec![(7_000_000, 1)]));
    }

    #[test]
    fn what_arrives_before_the_window_is_not_timed() {
        let arrivals = arrivals(1_000).unwrap();
        arrivals.keep(1_000, (arrivals.due(1_000), arrivals.due(1_000)));
        assert!(arrivals.histograms().responses.is_empty());
    }

    #[test]
    fn a_fetch_arrives_at_its_moment_and_not_before() {
        let slow = arrivals(1).unwrap();
        assert!(!slow.has_arrived(1_003), "it is due in a second");
        let fast = arrivals(1_000_000).unwrap();
        while !fast.has_arrived(1_000) {}
        while !(1_001..1_004).all(|id| fast.has_arrived(id)) {}
        assert!(Instant::now() >= fast.due(1_003));
    }

    #[test]
    fn a_cell_without_a_rate_has_no_arrivals() {
        assert!(arrivals(0).is_none());
    }
}
