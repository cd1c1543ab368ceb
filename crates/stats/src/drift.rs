//! Drift: whether what is left of the trials grows or shrinks from the first block to the last.
//!
//! Blocks cancel drift in every comparison; it is reported because a machine that warms up for an
//! hour is worth knowing about.

use crate::{Sample, number, random::SplitMix64, rank, resample};

/// How the residuals go with time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Spearman's rank correlation of the block's index and its residual, from -1 to 1.
    pub correlation: f64,
    /// The chance of a correlation at least that far from 0 if the order of blocks is of no
    /// account.
    pub p: f64,
}

/// Returns the drift of `residuals`, which stand in the order of their blocks.
///
/// The correlation is that of the ranks, equal residuals sharing the mean of theirs (C. Spearman,
/// *American Journal of Psychology* 15, 1904, 72–101); it is 0 where all residuals are equal. Its
/// two-sided p-value comes from orders drawn from `seed`, so that it is at least 1 / 2000.
#[must_use]
pub fn over_blocks(residuals: &Sample, seed: u64) -> Drift {
    let count = number::real(residuals.values().len());
    let centre = |doubled: usize| number::real(doubled) - (count + 1.0);
    let ranks = rank::doubled_midranks(residuals.values()).into_iter().map(centre);
    let mut ranks: Vec<f64> = ranks.collect();

    let squares: f64 = ranks.iter().map(|rank| rank * rank).sum();
    let squares_of_indices = count * (count * count - 1.0) / 3.0;
    let observed = covariation(&ranks);

    let mut random = SplitMix64::new(seed);
    let p = resample::permutation_p(observed.abs(), || {
        random.shuffle(&mut ranks);
        covariation(&ranks).abs()
    });

    let scale = (squares * squares_of_indices).sqrt();
    Drift { correlation: if scale > 0.0 { observed / scale } else { 0.0 }, p }
}

/// Returns the sum of the products of ranks and indices, both doubled.
///
/// The ranks are centred and sum to 0, so that the indices need not be.
fn covariation(ranks: &[f64]) -> f64 {
    ranks.iter().enumerate().map(|(index, rank)| rank * 2.0 * number::real(index)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    /// Checks the correlation of `residuals` with their order, and its p-value within `tolerance`.
    fn check(residuals: &[f64], correlation: f64, p: (f64, f64)) {
        let drift = over_blocks(&Sample::new(residuals.to_vec()).unwrap(), 5);

        reference::assert_close(drift.correlation, correlation, 1e-12);
        reference::assert_close(drift.p, p.0, p.1);
    }

    #[test]
    fn steady_growth_has_a_correlation_of_one_and_the_least_p() {
        let growing: Vec<f64> = (0..20).map(f64::from).collect();

        check(&growing, 1.0, (0.0005, 1e-12));
    }

    #[test]
    fn steady_decline_has_a_correlation_of_minus_one_and_the_least_p() {
        let shrinking: Vec<f64> = (0..20).map(|block| -f64::from(block)).collect();

        check(&shrinking, -1.0, (0.0005, 1e-12));
    }

    #[test]
    fn equal_residuals_do_not_drift() {
        check(&[2.0, 2.0, 2.0, 2.0], 0.0, (1.0, 0.0));
    }

    #[test]
    fn a_single_block_does_not_drift() {
        check(&[2.0], 0.0, (1.0, 0.0));
    }

    #[test]
    fn correlations_and_p_values_are_those_of_r() {
        for row in reference::rows(include_str!("../reference/drift.csv")) {
            let p = reference::number(row[2]);

            // Five standard errors of a share of 1999 drawn orders.
            let tolerance = 5.0 * (p * (1.0 - p) / 1_999.0).sqrt() + 1.0 / 2_000.0;
            check(&reference::numbers(row[0]), reference::number(row[1]), (p, tolerance));
        }
    }
}
