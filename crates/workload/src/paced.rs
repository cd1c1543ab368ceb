//! The workload `paced`: fetches arrive at moments that were fixed in advance, whether or not those
//! before them have ended.
//!
//! Arrivals are unbounded and slots are not: a fetch that finds none free waits for one, and that
//! counts. What is timed begins with the moment at which a fetch was due, never with that at which
//! somebody came to it, so that a stall is seen by all who arrive meanwhile (Tene calls the
//! opposite coordinated omission).

use crate::content::split_mix_64;
use crate::list::{Datum, Definition};
use crate::{Cell, Turn, Workload};

/// Its window opens after a warm-up. It has no surplus: whoever comes last is answered last, and
/// how long that takes shows what has piled up.
pub(crate) const DEFINITION: Definition = Definition {
    name: "paced",
    datum: Datum::Turn,
    cpus: 1,
    is_resident: true,
    needs_every_slot: true,
    surplus: |_| 0,
    opens_at: |turn| Some(turn.warmup),
    fault: |warmup| (warmup == 0).then_some("warmup is 0, expected at least 1 for paced"),
};

/// Returns what is wrong with the rate of a cell, or with how its fetches arrive, if anything is.
pub(crate) fn rate_fault(cell: &Cell) -> Option<&'static str> {
    match (cell.workload == Workload::Paced, cell.is_open()) {
        (true, false) => Some("rate_per_s is 0, expected at least 1 for paced"),
        (false, true) => Some("rate_per_s is only for paced"),
        (false, false) if cell.burst > 0 => Some("burst is only for paced"),
        (false, false) if cell.handed_in => Some("handed_in is only for paced"),
        _ => None,
    }
}

/// Returns when each fetch of a turn arrives, in nanoseconds from its beginning, in rising order;
/// nothing if the cell has no rate.
///
/// N of them lie independently and evenly in the first N / rate seconds: this is what a Poisson
/// process looks like of which it is known that N came. It takes no logarithm, so that all
/// languages compute the same, and depends on the turn's seed alone, so that all participants of a
/// round meet the same arrivals.
///
/// Those of a burst come together in the middle of the turn, whatever the seed: early enough for
/// what has piled up to be over before the window closes.
pub fn arrivals_ns(cell: &Cell, turn: &Turn) -> Vec<u64> {
    let ids = turn.ids(cell);
    let count = ids.end - ids.start;
    let span = u128::from(count) * 1_000_000_000 / u128::from(cell.rate_per_s.max(1));
    let span = u64::try_from(span).unwrap_or(u64::MAX).max(1);
    let arrival = |index: u64| match index < u64::from(cell.burst) {
        true => span / 2,
        false => split_mix_64(turn.arrivals_seed ^ index) % span,
    };
    let mut arrivals: Vec<u64> = match cell.is_open() {
        true => (0..count).map(arrival).collect(),
        false => Vec::new(),
    };
    arrivals.sort_unstable();
    arrivals
}

/// Returns the length of the window of a turn if every fetch were sent as it arrives and answered
/// when its delay is over, in nanoseconds: the shortest that any model can have. The seeds are that
/// of the bodies and that of the delays.
pub fn shortest_window_ns(cell: &Cell, turn: &Turn, seeds: (u64, u64)) -> u64 {
    let delay_ns = |id| cell.delay_ms_of(seeds, id).saturating_mul(1_000_000);
    let arrivals = turn.ids(cell).zip(arrivals_ns(cell, turn));
    let mut ends: Vec<u64> = arrivals.map(|(id, at)| at.saturating_add(delay_ns(id))).collect();
    ends.sort_unstable();
    let at = |count: u64| ends.get(usize::try_from(count.saturating_sub(1)).unwrap_or(0)).copied();
    at(turn.closes_at()).zip(at(turn.warmup)).map_or(0, |(last, first)| last - first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DelayRange;

    /// Returns a cell of so many fetches a second.
    fn cell(rate_per_s: u32) -> Cell {
        Cell {
            name: "paced".to_owned(),
            workload: Workload::Paced,
            in_flight: 4,
            warmup: 100,
            fetches: 900,
            delay_ms: DelayRange { lo: 5, hi: 5 },
            body_bytes: 0,
            rate_per_s,
            ..Cell::least(Workload::Paced)
        }
    }

    /// Returns a turn with that seed.
    fn turn(cell: &Cell, arrivals_seed: u64) -> Turn {
        Turn { arrivals_seed, ..Turn::of(cell, 1, 1_000) }
    }

    #[test]
    fn arrivals_follow_from_the_seed_and_come_at_the_rate() {
        let cell = cell(2_000);
        let arrivals = arrivals_ns(&cell, &turn(&cell, 7));
        assert_eq!(arrivals, arrivals_ns(&cell, &turn(&cell, 7)));
        assert_ne!(arrivals, arrivals_ns(&cell, &turn(&cell, 8)));
        assert!(arrivals.is_sorted() && arrivals.len() == 1_000);
        assert!(arrivals.iter().all(|at| *at < 500_000_000));
    }

    #[test]
    fn gaps_between_arrivals_are_those_of_a_poisson_process() {
        // Of a Poisson process the share exp(-1) of all gaps is longer than the mean.
        let cell = Cell { fetches: 100_000, ..cell(1_000) };
        let arrivals = arrivals_ns(&cell, &turn(&cell, 3));
        let longer = arrivals.windows(2).filter(|pair| pair[1] - pair[0] > 1_000_000).count();
        let expected = 36_825;
        assert!(longer.abs_diff(expected) < 600, "{longer} of {}", arrivals.len());
    }

    #[test]
    fn no_window_is_shorter_than_its_arrivals_and_delays_make_it() {
        let cell = cell(2_000);
        let turn = turn(&cell, 7);
        let arrivals = arrivals_ns(&cell, &turn);
        // All delays are equal, so that the order of the ends is that of the arrivals.
        assert_eq!(shortest_window_ns(&cell, &turn, (1, 1)), arrivals[999] - arrivals[99]);
    }

    #[test]
    fn a_burst_arrives_at_once_in_the_middle_and_the_others_as_they_would_without_it() {
        let (steady, burst) = (cell(2_000), Cell { burst: 50, ..cell(2_000) });
        let arrivals = arrivals_ns(&burst, &turn(&burst, 7));
        assert_eq!(arrivals.iter().filter(|at| **at == 250_000_000).count(), 50);
        assert!(arrivals.is_sorted() && arrivals.len() == 1_000);
        let without = arrivals_ns(&steady, &turn(&steady, 7));
        let others = arrivals.iter().filter(|at| **at != 250_000_000);
        assert!(others.clone().all(|at| without.binary_search(at).is_ok()));
        assert_eq!(others.count(), 950);
    }

    #[test]
    fn a_window_with_slow_replies_is_as_long_as_the_last_of_them_makes_it() {
        let slow = Cell { slow_percent: 100, ..cell(2_000) };
        let turn = turn(&slow, 7);
        let arrivals = arrivals_ns(&slow, &turn);
        assert_eq!(shortest_window_ns(&slow, &turn, (1, 1)), arrivals[999] - arrivals[99]);
        let some = Cell { slow_percent: 5, ..slow };
        assert!(shortest_window_ns(&some, &turn, (1, 1)) > arrivals[999] - arrivals[99]);
    }

    #[test]
    fn a_rate_belongs_to_this_workload_and_to_no_other() {
        assert_eq!(rate_fault(&cell(1)), None);
        assert!(rate_fault(&cell(0)).is_some());
        assert!(rate_fault(&Cell { workload: Workload::Steady, ..cell(1) }).is_some());
        assert!(rate_fault(&Cell { burst: 1, ..Cell::least(Workload::Steady) }).is_some());
        assert!(rate_fault(&Cell { handed_in: true, ..Cell::least(Workload::Steady) }).is_some());
        assert!(arrivals_ns(&cell(0), &turn(&cell(0), 7)).is_empty());
    }
}
