//! The count of a turn: ids dealt, fetches ended, and the clocks read when the window opens and
//! closes. Shared by all slots, without a lock and without an allocation per fetch.
//!
//! The window opens when the `warmup`-th fetch has ended and closes when the
//! `warmup + fetches`-th has. Whichever slot ends that fetch reads the clocks just before, so that
//! no model needs a barrier.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use workload::pipe::{Total, Turned};
use workload::{Cell, ErrorCode, Outcome, Turn};

use crate::arrivals::{Arrivals, Histograms};
use crate::pacer::Pacer;
use crate::reading::{self, Reading};

/// Marks a fetch of the window that failed and has no latency.
const NO_LATENCY: u64 = 0;

/// The count of a turn.
#[derive(Debug)]
pub(crate) struct Ledger {
    turn: u32,
    ids: Range<u64>,
    warmup: u64,
    /// How many fetches have ended when the window opens, unless it opens as slots are handed out.
    opens_at: Option<u64>,
    /// How many fetches have ended when the window closes.
    closes_at: u64,
    began: Instant,
    /// When each fetch arrives, where they do so at a rate.
    arrivals: Option<Arrivals>,
    issued: AtomicU64,
    ended: AtomicU64,
    peak: AtomicU64,
    extra_bytes: AtomicU64,
    errors: Box<[AtomicU64]>,
    /// The latency in nanoseconds of each fetch of the window, in the order of their ends.
    latencies: Box<[AtomicU64]>,
    opened: OnceLock<Reading>,
    closed: OnceLock<Reading>,
    /// How late each wake-up of the probe task was, if there is one.
    wake_up_delays_ns: OnceLock<Vec<u64>>,
}

impl Ledger {
    /// Creates the count for a turn of a cell; everything that grows with the window is allocated
    /// here.
    pub(crate) fn new(cell: &Cell, turn: &Turn) -> Self {
        Self {
            turn: turn.number,
            ids: turn.ids(cell),
            warmup: turn.warmup,
            opens_at: turn.opens_at(cell),
            closes_at: turn.closes_at(),
            arrivals: Arrivals::new(cell, turn),
            began: Instant::now(),
            issued: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            extra_bytes: AtomicU64::new(0),
            errors: ErrorCode::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            latencies: (0..turn.fetches).map(|_| AtomicU64::new(NO_LATENCY)).collect(),
            opened: OnceLock::new(),
            closed: OnceLock::new(),
            wake_up_delays_ns: OnceLock::new(),
        }
    }

    /// Opens the window as the slots are handed out, if no fetch is waited for.
    pub(crate) fn hand_out(&self) {
        if self.opens_at.is_none() {
            // What the process has cost since it was started belongs to such a window.
            let _ = self.opened.set(Reading::start_of_process());
        }
    }

    /// Deals the next id, or none when all have been dealt.
    pub(crate) fn deal(&self) -> Option<u64> {
        let index = self.issued.fetch_add(1, Ordering::AcqRel);
        if index >= self.count() {
            self.issued.fetch_sub(1, Ordering::Relaxed);
            return None;
        }

        let now = (index + 1).saturating_sub(self.ended.load(Ordering::Acquire));
        if now > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(now, Ordering::Relaxed);
        }
        Some(self.ids.start + index)
    }

    /// Counts a fetch that has ended.
    pub(crate) fn end(&self, outcome: Outcome) {
        let latency_ns = match outcome {
            Outcome::Ok(latency) => u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX).max(1),
            Outcome::Failed(code) => {
                self.errors[place(code)].fetch_add(1, Ordering::Relaxed);
                NO_LATENCY
            }
        };

        let ended = self.count_end();
        if let Some(entry) = ended.checked_sub(self.warmup + 1).and_then(|i| self.latency(i)) {
            entry.store(latency_ns, Ordering::Relaxed);
        }
    }

    /// Counts an end and returns which it is. Whoever opens or closes the window reads the clocks
    /// before its end counts, and again if another came in between: a thread that lost its CPU
    /// there would charge or spare the window what thousands of others did meanwhile.
    fn count_end(&self) -> u64 {
        loop {
            let before = self.ended.load(Ordering::Acquire);
            let ended = before + 1;
            let reading = if self.opens_at == Some(ended) {
                Some((&self.opened, Reading::opening()))
            } else if ended == self.closes_at {
                Some((&self.closed, Reading::closing()))
            } else {
                None
            };
            let reading = reading.map(|(moment, read)| (moment, read.without(self.pacer())));
            // Acquire and release, so that who is dealt an id next sees this end.
            let order = (Ordering::AcqRel, Ordering::Relaxed);
            if self.ended.compare_exchange(before, ended, order.0, order.1).is_ok() {
                if let Some((moment, reading)) = reading {
                    // Each count of ended fetches is reached once.
                    let _ = moment.set(reading);
                }
                return ended;
            }
        }
    }

    /// Counts a reply that was followed by bytes that belong to none.
    pub(crate) fn count_extra_bytes(&self) {
        self.extra_bytes.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the turn as it is reported to the harness, once every slot rests or has left.
    ///
    /// # Errors
    ///
    /// Says that the window did not close.
    pub(crate) fn turned(&self, threads: u64) -> Result<Turned, String> {
        let (Some(opened), Some(closed)) = (self.opened.get(), self.closed.get()) else {
            let (ended, due) = (self.ended.load(Ordering::Acquire), self.count());
            return Err(format!("the window did not close: {ended} of {due} fetches ended"));
        };

        let Histograms { services: latencies_ns, responses: responses_ns, lags: lags_ns } =
            self.histograms();
        let ended = self.latencies.len() as u64;
        let ok = latencies_ns.iter().map(|(_, count)| count).sum();
        Ok(Turned {
            turn: self.turn,
            window: reading::window(opened, closed, (ended, ok)),
            total: self.total(),
            threads,
            in_flight_peak: self.peak.load(Ordering::Relaxed),
            scheduled: None,
            latencies_ns,
            wake_up_delays_ns: histogram(
                self.wake_up_delays_ns.get().into_iter().flatten().copied(),
            ),
            responses_ns,
            lags_ns,
        })
    }

    /// Returns when each fetch arrives, if they do so at a rate.
    pub(crate) fn arrivals(&self) -> Option<&Arrivals> {
        self.arrivals.as_ref()
    }

    /// Returns who hands its fetches in, if somebody does.
    pub(crate) fn pacer(&self) -> Option<&Pacer> {
        self.arrivals().and_then(Arrivals::pacer)
    }

    /// Returns when the turn began.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// Returns when the window opened, if it has.
    pub(crate) fn opened(&self) -> Option<Instant> {
        self.opened.get().map(|reading| reading.wall)
    }

    /// Returns when the window closed, if it has.
    pub(crate) fn closed(&self) -> Option<Instant> {
        self.closed.get().map(|reading| reading.wall)
    }

    /// Keeps how late the wake-ups of the probe task were.
    pub(crate) fn keep_wake_ups(&self, late_ns: Vec<u64>) {
        // There is one probe task, and it ends once a turn.
        let _ = self.wake_up_delays_ns.set(late_ns);
    }

    /// Returns how many ids there are.
    fn count(&self) -> u64 {
        self.ids.end - self.ids.start
    }

    /// Returns what the fetches of the window waited for: where they arrive at a rate, those that
    /// arrived in it, else those that ended in it.
    fn histograms(&self) -> Histograms {
        if let Some(arrivals) = &self.arrivals {
            return arrivals.histograms();
        }
        let latencies = self.latencies.iter().map(|entry| entry.load(Ordering::Relaxed));
        let services = histogram(latencies.filter(|latency_ns| *latency_ns != NO_LATENCY));
        Histograms { services, ..Histograms::default() }
    }

    /// Returns the entry for the latency of the i-th fetch of the window.
    fn latency(&self, index: u64) -> Option<&AtomicU64> {
        self.latencies.get(usize::try_from(index).ok()?)
    }

    /// Returns what was counted over the whole turn.
    fn total(&self) -> Total {
        let mut errors = BTreeMap::new();
        for (code, count) in ErrorCode::ALL.iter().zip(&self.errors) {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                errors.insert(code.number().to_string(), count);
            }
        }
        let failed: u64 = errors.values().sum();
        Total {
            issued: self.issued.load(Ordering::Relaxed),
            ok: self.ended.load(Ordering::Acquire) - failed,
            errors,
            extra_bytes: self.extra_bytes.load(Ordering::Relaxed),
        }
    }
}

/// Returns times as values, rounded to three digits, and counts.
pub(crate) fn histogram(times_ns: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut counts = BTreeMap::new();
    for time_ns in times_ns {
        *counts.entry(three_digits(time_ns)).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// Returns the place of a code in the table of counts.
fn place(code: ErrorCode) -> usize {
    ErrorCode::ALL.binary_search(&code).expect("every code is in the table, which is sorted")
}

/// Rounds to three significant decimal digits.
fn three_digits(value: u64) -> u64 {
    let unit = match value.checked_ilog10() {
        Some(digits @ 3..) => 10_u64.pow(digits - 2),
        _ => 1,
    };
    (value.saturating_add(unit / 2) / unit).saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{DelayRange, Workload};

    fn steady(warmup: u64, fetches: u64, in_flight: u32) -> Cell {
        Cell {
            name: "steady".to_owned(),
            workload: Workload::Steady,
            in_flight,
            warmup,
            fetches,
            delay_ms: DelayRange { lo: 0, hi: 0 },
            body_bytes: 0,
            ..Cell::least(Workload::Steady)
        }
    }

    /// Returns the count of a turn that does what the cell asks for.
    fn ledger(cell: &Cell) -> Ledger {
        Ledger::new(cell, &Turn::of(cell, 3, 1_000))
    }

    /// Returns what is reported of it.
    fn turned(ledger: &Ledger) -> Result<Turned, String> {
        ledger.turned(1)
    }

    const OK: Outcome = Outcome::Ok(Duration::from_micros(1_234));

    #[test]
    fn the_window_holds_exactly_its_fetches_and_the_total_holds_all() {
        let ledger = ledger(&steady(10, 40, 4));
        let mut ids = Vec::new();
        while let Some(id) = ledger.deal() {
            ids.push(id);
            ledger.end(OK);
        }
        assert_eq!(ids, (1_000..1_054).collect::<Vec<_>>());
        let turned = turned(&ledger).unwrap();
        assert_eq!((turned.window.ended, turned.window.ok), (40, 40));
        assert_eq!((turned.total.issued, turned.total.ok), (54, 54));
        assert_eq!(turned.latencies_ns, [(1_230_000, 40)]);
    }

    #[test]
    fn a_failure_inside_the_window_has_no_latency() {
        let ledger = ledger(&steady(1, 3, 1));
        for outcome in [OK, OK, Outcome::Failed(ErrorCode::BodyMismatch), OK, OK] {
            ledger.deal().unwrap();
            ledger.end(outcome);
        }
        let turned = turned(&ledger).unwrap();
        assert_eq!((turned.window.ended, turned.window.ok), (3, 2));
        assert_eq!(turned.total.errors, BTreeMap::from([("1604".to_owned(), 1)]));
    }

    #[test]
    fn a_window_that_never_closed_is_reported_as_such() {
        let ledger = ledger(&steady(1, 3, 1));
        ledger.deal().unwrap();
        ledger.end(OK);
        assert_eq!(turned(&ledger).unwrap_err(), "the window did not close: 1 of 5 fetches ended");
    }

    #[test]
    fn the_peak_is_the_most_dealt_and_not_ended() {
        let ledger = ledger(&steady(1, 3, 4));
        for _ in 0..3 {
            ledger.deal().unwrap();
        }
        ledger.end(OK);
        ledger.deal().unwrap();
        assert_eq!(ledger.peak.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn values_keep_three_digits() {
        let cases = [(0, 0), (7, 7), (999, 999), (1_234, 1_230), (1_235, 1_240), (99_960, 100_000)];
        for (value, rounded) in cases {
            assert_eq!(three_digits(value), rounded);
        }
        assert!(three_digits(u64::MAX) > u64::MAX / 2);
    }
}
