//! Quantiles of all fetches of several blocks together, each with an interval over the blocks.
//!
//! A mean or a median of the blocks' own quantiles is no quantile of the fetches: where one block
//! of twenty stalls, it hides the stall. So fetches are pooled. They are not independent, as those
//! of a block share its process and its minute, so the interval resamples whole blocks.

use crate::{Estimate, histogram, number, random::SplitMix64, resample};

/// The least number of blocks for which an interval is given: with fewer, resampled blocks say too
/// little of those that were not seen.
pub const LEAST_BLOCKS: usize = 10;

/// Returns these quantiles of all blocks together, in the unit of the values, each with its
/// interval of confidence 1 - `alpha`.
///
/// A block is a histogram: pairs of a value and the number of fetches with it, in ascending order
/// of values. The interval is that of the percentile bootstrap over whole blocks (A. C. Davison &
/// D. V. Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8), drawn from `seed`;
/// it is `None` below [`LEAST_BLOCKS`]. A quantile is `None` where nothing was counted, or where
/// [`histogram::quantile`] refuses.
#[must_use]
pub fn quantiles(
    blocks: &[Vec<(u64, u64)>],
    quantiles: &[f64],
    (alpha, seed): (f64, u64),
) -> Vec<Option<Estimate>> {
    let blocks: Vec<&Vec<(u64, u64)>> = blocks.iter().filter(|block| !block.is_empty()).collect();
    let values = values(&blocks);
    let all = pooled(&values, &vec![1; blocks.len()]);
    let mut replicates = vec![Vec::new(); quantiles.len()];
    if blocks.len() >= LEAST_BLOCKS {
        let mut random = SplitMix64::new(seed);
        for _ in 0..resample::REPEATS {
            let drawn = pooled(&values, &weights(blocks.len(), &mut random));
            for (own, q) in replicates.iter_mut().zip(quantiles) {
                own.extend(histogram::quantile(&drawn, *q).map(number::real_of_u64));
            }
        }
    }
    let estimate = |(q, own): (&f64, Vec<f64>)| {
        let value = number::real_of_u64(histogram::quantile(&all, *q)?);
        Some(Estimate { value, interval: resample::percentile_interval(own, alpha) })
    };
    quantiles.iter().zip(replicates).map(estimate).collect()
}

/// Returns every value with its count in each block, in ascending order.
fn values(blocks: &[&Vec<(u64, u64)>]) -> Vec<(u64, Vec<u64>)> {
    let mut all: Vec<u64> = blocks.iter().flat_map(|block| block.iter().map(|(v, _)| *v)).collect();
    all.sort_unstable();
    all.dedup();
    let counts = |value: u64| {
        let of = |block: &&Vec<(u64, u64)>| {
            let found = block.binary_search_by_key(&value, |(own, _)| *own);
            found.map_or(0, |place| block[place].1)
        };
        (value, blocks.iter().map(of).collect())
    };
    all.into_iter().map(counts).collect()
}

/// Returns the histogram of all blocks, each taken so often.
fn pooled(values: &[(u64, Vec<u64>)], weights: &[u64]) -> Vec<(u64, u64)> {
    let sum = |counts: &[u64]| -> u64 {
        counts.iter().zip(weights).map(|(count, weight)| count * weight).sum()
    };
    values.iter().map(|(value, counts)| (*value, sum(counts))).collect()
}

/// Draws so many blocks with replacement, and returns how often each was drawn.
fn weights(blocks: usize, random: &mut SplitMix64) -> Vec<u64> {
    let mut weights = vec![0; blocks];
    for _ in 0..blocks {
        weights[random.below(blocks)] += 1;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the 90th percentile of blocks.
    fn p90(blocks: &[Vec<(u64, u64)>]) -> Option<Estimate> {
        quantiles(blocks, &[0.9], (0.05, 1)).remove(0)
    }

    #[test]
    fn one_block_that_stalls_is_seen_in_the_quantile_of_all_fetches() {
        let mut blocks = vec![vec![(10, 100)]; 12];
        blocks[3] = vec![(10, 20), (5_000, 80)];
        let estimate = quantiles(&blocks, &[0.95], (0.05, 1)).remove(0).unwrap();
        assert!((estimate.value - 5_000.0).abs() < 1e-9, "80 of 1,200 fetches are beyond");
        let interval = estimate.interval.unwrap();
        assert!(interval.low < 11.0 && interval.high > 4_999.0, "blocks without it were drawn");
    }

    #[test]
    fn blocks_that_agree_leave_no_doubt() {
        let estimate = p90(&vec![vec![(10, 80), (20, 20)]; 12]).unwrap();
        let interval = estimate.interval.unwrap();
        assert!((estimate.value - 20.0).abs() < 1e-9);
        assert!((interval.low - 20.0).abs() < 1e-9 && (interval.high - 20.0).abs() < 1e-9);
    }

    #[test]
    fn nine_blocks_have_no_interval_and_no_fetches_no_quantile() {
        assert!(p90(&vec![vec![(10, 100)]; 9]).unwrap().interval.is_none());
        assert_eq!(p90(&[]), None);
        assert_eq!(p90(&[Vec::new()]), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let blocks: Vec<_> = (0..12).map(|block| vec![(10, 50), (20 + block, 50)]).collect();
        assert_eq!(p90(&blocks), p90(&blocks));
    }
}
