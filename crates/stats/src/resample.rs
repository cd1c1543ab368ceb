//! What all resampling has in common: how often it is repeated and how the repeats are read.

use crate::{Interval, number};

/// How many resamples are drawn: with one more, the levels 0.05 and 0.01 fall on whole ranks.
pub(crate) const REPEATS: usize = 1_999;

/// Returns the percentile interval of confidence 1 - `alpha` over replicates of a statistic.
///
/// Its ends are the replicates of rank (R + 1) alpha / 2 from below and from above (A. C. Davison
/// & D. V. Hinkley, *Bootstrap Methods and their Application*, 1997, section 5.3.1). `None` means
/// that there are too few replicates for that level.
pub(crate) fn percentile_interval(replicates: Vec<f64>, alpha: f64) -> Option<Interval> {
    let sorted = number::sorted(replicates);
    let rank = number::floor(number::real(sorted.len() + 1) * alpha.clamp(0.0, 1.0) / 2.0);
    let index = rank.min(sorted.len().div_ceil(2)).checked_sub(1)?;

    Some(Interval { low: sorted[index], high: sorted[sorted.len() - 1 - index] })
}

/// Returns the p-value of `observed` among the statistics that `draw` yields under the null.
///
/// The observed order counts as one of the draws, so that p is never 0 and the test never rejects
/// too often (B. Phipson & G. K. Smyth, *Statistical Applications in Genetics and Molecular
/// Biology* 9, 2010, article 39). What equals `observed` but for rounding counts as equal.
pub(crate) fn permutation_p(observed: f64, mut draw: impl FnMut() -> f64) -> f64 {
    let least = observed - 1e-12 * observed.abs();
    let extreme = (0..REPEATS).filter(|_| draw() >= least).count();

    number::real(extreme + 1) / number::real(REPEATS + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the interval of the replicates 1 to 1999, in descending order, at level `alpha`.
    fn check(alpha: f64, expected: Option<(f64, f64)>) {
        let replicates = (1..=REPEATS).rev().map(number::real).collect();

        let expected = expected.map(|(low, high)| Interval { low, high });
        assert_eq!(percentile_interval(replicates, alpha), expected, "{alpha}");
    }

    #[test]
    fn a_level_cuts_the_same_number_of_replicates_at_both_ends() {
        check(0.05, Some((50.0, 1_950.0)));
    }

    #[test]
    fn a_level_beyond_the_replicates_gives_no_interval() {
        check(0.0009, None);
        check(f64::NAN, None);
    }

    #[test]
    fn the_ends_never_cross() {
        check(1.0, Some((1_000.0, 1_000.0)));
    }

    #[test]
    fn a_statistic_that_no_draw_reaches_has_the_least_p() {
        assert!((permutation_p(1.0, || 0.5) - 1.0 / 2_000.0).abs() < 1e-15);
    }

    #[test]
    fn a_statistic_that_every_draw_equals_but_for_rounding_has_a_p_of_one() {
        assert!((permutation_p(0.3, || 0.1 * 3.0 - 1e-16) - 1.0).abs() < 1e-15);
    }
}
