//! A line through points that come in blocks which share a disturbance.
//!
//! Slope and height are those of [`crate::theil_sen`] over all points; their intervals come from
//! drawing whole blocks again, with replacement (A. C. Davison & D. V. Hinkley, *Bootstrap Methods
//! and their Application*, 1997, section 3.8).

use crate::Estimate;
use crate::random::SplitMix64;
use crate::resample::{REPEATS, percentile_interval};
use crate::theil_sen::{Point, median_line};

/// The fewest blocks that have an interval: of two, one draw in two is one block twice.
const BLOCKS_MIN: usize = 3;
/// Decides the draws, so that the same points have the same interval.
const SEED: u64 = 0x626c_6f63_6b73;

/// A line through points that come in blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockLine {
    /// The growth of y with x, in units of y per unit of x.
    pub slope: Estimate,
    /// The height of the line at x = 0, in units of y.
    pub height: Estimate,
}

/// Returns the line through the points of all blocks, with intervals of confidence 1 - `alpha`.
///
/// `None` means that a number is not finite or that all x are equal. Fewer than three blocks have
/// no interval.
#[must_use]
pub fn fit(blocks: &[Vec<Point>], alpha: f64) -> Option<BlockLine> {
    let (slope, height) = median_line(&blocks.concat())?;
    let (mut slopes, mut heights) = (Vec::new(), Vec::new());
    if blocks.len() >= BLOCKS_MIN {
        let mut draws = SplitMix64::new(SEED);
        for _ in 0..REPEATS {
            let again = blocks.iter().map(|_| blocks[draws.below(blocks.len())].as_slice());
            if let Some((slope, height)) = median_line(&again.collect::<Vec<_>>().concat()) {
                slopes.push(slope);
                heights.push(height);
            }
        }
    }

    let estimate = |value: f64, replicates: Vec<f64>| {
        let is_whole = replicates.len() == REPEATS;
        let interval = is_whole.then(|| percentile_interval(replicates, alpha)).flatten();
        Estimate { value, interval }
    };
    Some(BlockLine { slope: estimate(slope, slopes), height: estimate(height, heights) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interval;

    /// Returns a block of points on a line, each moved by as much.
    fn block(slope: f64, height: f64, moved: f64) -> Vec<Point> {
        [1.0, 64.0, 256.0, 1_024.0].map(|x| Point { x, y: height + slope * x + moved }).into()
    }

    #[test]
    fn points_on_one_line_have_that_line_and_an_interval_without_width() {
        let line = fit(&[block(2.0, 5.0, 0.0), block(2.0, 5.0, 0.0), block(2.0, 5.0, 0.0)], 0.05);
        let exact =
            |value| Estimate { value, interval: Some(Interval { low: value, high: value }) };
        assert_eq!(line, Some(BlockLine { slope: exact(2.0), height: exact(5.0) }));
    }

    #[test]
    fn what_differs_between_blocks_is_in_the_interval_and_few_blocks_have_none() {
        let blocks = [1.9, 2.0, 2.1].map(|slope| block(slope, 5.0, slope));
        let line = fit(&blocks, 0.05).unwrap();
        let Interval { low, high } = line.slope.interval.unwrap();
        assert!(low < 1.95 && high > 2.05 && (1.95..2.05).contains(&line.slope.value), "{line:?}");
        assert_eq!(fit(&blocks, 0.05).unwrap(), line, "the same points, the same interval");
        assert_eq!(fit(&blocks[..2], 0.05).unwrap().slope.interval, None);
        assert_eq!(fit(&[vec![Point { x: 1.0, y: 2.0 }]], 0.05), None);
    }

    #[test]
    fn one_wild_block_of_five_does_not_bend_the_line() {
        let blocks = [0.0, 0.0, 900.0, 0.0, 0.0].map(|moved| block(2.0, 5.0, moved));
        let line = fit(&blocks, 0.05).unwrap();
        assert!((line.slope.value - 2.0).abs() < 1e-9, "{line:?}");
    }
}
