//! Batches of several lengths: what one of many costs is the slope of the time on the count.
//!
//! The counts are near k, 2k, 4k and 8k, each changed by up to a fifth so that no batch keeps step
//! with a tick of the system, and they come in an order drawn from the seed, so that what drifts is
//! not taken for a slope. All four come twice, in two orders: the two halves of a trial can be
//! compared with each other.

use super::{Point, PrimitivePlan, PrimitiveTrial};
use crate::content::split_mix_64;
use crate::reading::{self, Reading};

/// The counts of a half, in units of the smallest.
const LENGTHS: [u64; 4] = [1, 2, 4, 8];
/// How often all of them come.
const HALVES: u64 = 2;
/// A count is changed by up to this share, in thousandths.
const JITTER_PERMILLE: u64 = 200;
/// Batches grow by this factor until one is long enough.
const GROWTH: u64 = 4;

/// Measures batches, one after the other. The first ones find out how many make a batch that is
/// long enough, warm everything up, and are not reported.
///
/// ```text
/// while let Some(count) = slope.next() {
///     slope.ended(do_so_many(count));
/// }
/// ```
#[derive(Debug)]
pub struct Slope {
    batch_ns: u64,
    seed: u64,
    /// The counts that are left, the next one last; none before the length is known.
    counts: Option<Vec<u64>>,
    count: u64,
    /// What a batch took that was long enough, until a second one says the same: one that was
    /// interrupted looks long and is not.
    long_ns: Option<u64>,
    opened: Option<Reading>,
    points: Vec<Point>,
}

impl Slope {
    /// Begins the batches of a plan.
    pub fn new(plan: &PrimitivePlan) -> Self {
        Self {
            batch_ns: plan.batch_ns,
            seed: plan.seed,
            counts: None,
            count: 1,
            long_ns: None,
            opened: None,
            points: Vec::new(),
        }
    }

    /// Returns how many the next batch has, and starts its clocks last; nothing after the last.
    #[expect(clippy::should_implement_trait, reason = "a loop over it could not give counts back")]
    pub fn next(&mut self) -> Option<u64> {
        if let Some(counts) = &mut self.counts {
            self.count = counts.pop()?;
        }
        self.opened = Some(Reading::opening());
        Some(self.count)
    }

    /// Ends a batch in which so many were counted.
    pub fn ended(&mut self, counted: u64) {
        let closed = Reading::closing();
        let Some(opened) = self.opened.take() else { return };
        let point = reading::point(&opened, &closed, (self.count, counted));
        match self.counts {
            Some(_) => self.points.push(point),
            None if counted != self.count => {
                // What cannot count will not learn it: the harness is to see it.
                self.points.push(point);
                self.counts = Some(Vec::new());
            }
            None if point.wall_ns < self.batch_ns => {
                self.long_ns = None;
                self.count = self.count.saturating_mul(GROWTH);
            }
            None => match self.long_ns {
                None => self.long_ns = Some(point.wall_ns),
                Some(first_ns) => {
                    let wall_ns = first_ns.min(point.wall_ns);
                    self.counts = Some(counts(self.smallest(wall_ns), self.seed));
                }
            },
        }
    }

    /// Returns the trial.
    pub fn trial(self) -> PrimitiveTrial {
        PrimitiveTrial { points: self.points, latencies_ns: Vec::new() }
    }

    /// Returns the smallest count, of which a batch is long enough even when it is changed.
    fn smallest(&self, wall_ns: u64) -> u64 {
        let least = u128::from(self.count) * u128::from(self.batch_ns) / u128::from(wall_ns.max(1));
        let least = least * 1_000 / u128::from(1_000 - JITTER_PERMILLE);
        u64::try_from(least).unwrap_or(u64::MAX).max(2 * 1_000 / JITTER_PERMILLE)
    }
}

/// Draws the counts of a trial, the first to be done last.
fn counts(smallest: u64, seed: u64) -> Vec<u64> {
    let mut draws = (0..).map(|number: u64| split_mix_64(seed.wrapping_add(number)));
    let mut draw = move || draws.next().unwrap_or_default();
    let mut counts = Vec::new();
    for _ in 0..HALVES {
        let mut half = LENGTHS;
        for last in (1..half.len()).rev() {
            let other = usize::try_from(draw() % (last as u64 + 1)).unwrap_or(last);
            half.swap(last, other);
        }
        for length in half {
            let share = 1_000 - JITTER_PERMILLE + draw() % (2 * JITTER_PERMILLE + 1);
            let count = u128::from(smallest) * u128::from(length * share) / 1_000;
            counts.push(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitive::Primitive;

    /// Returns a plan of short batches.
    fn plan(seed: u64) -> PrimitivePlan {
        let primitive = Primitive::Generator;
        PrimitivePlan { primitive, batch_ns: 1_000, samples: 0, workers: 1, cpus: vec![0], seed }
    }

    #[test]
    fn each_half_has_every_length_once_and_no_count_is_off_by_more_than_a_fifth() {
        for seed in 0..100 {
            let drawn = counts(1_000, seed);
            assert_eq!(drawn.len(), 8);
            for half in drawn.chunks(4) {
                let mut half = half.to_vec();
                half.sort_unstable();
                for (count, length) in half.iter().zip(LENGTHS) {
                    assert!((800 * length..=1_200 * length).contains(count), "{seed}: {half:?}");
                }
            }
        }
        assert_eq!(counts(1_000, 7), counts(1_000, 7));
        assert!((0..20).any(|seed| counts(1_000, seed)[0] > counts(1_000, seed)[1]));
        assert!((0..20).any(|seed| counts(1_000, seed)[0] < counts(1_000, seed)[1]));
    }

    #[test]
    fn all_batches_are_reported_and_those_that_find_the_length_are_not() {
        let mut slope = Slope::new(&plan(3));
        let mut batches = 0;
        while let Some(count) = slope.next() {
            std::thread::sleep(std::time::Duration::from_nanos(100 * count));
            slope.ended(count);
            batches += 1;
        }
        let trial = slope.trial();
        assert_eq!(trial.points.len(), 8);
        assert!(batches > 8, "{batches}");
        assert!(trial.points.iter().all(|point| point.counted == point.count && point.wall_ns > 0));
    }

    #[test]
    fn a_wrong_count_ends_the_batches_and_is_reported() {
        let mut slope = Slope::new(&plan(3));
        while let Some(count) = slope.next() {
            slope.ended(count - 1);
        }
        let points = slope.trial().points;
        assert_eq!((points.len(), points[0].count, points[0].counted), (1, 1, 0));
    }
}
