//! The signed-rank test of paired differences, by its exact distribution and without tables.
//!
//! The differences are ranked by size; W+ is the sum of the ranks of the positive ones. If a
//! difference is as likely to be positive as negative, every subset of the ranks is as likely as
//! any other to be the positive one, and counting subsets gives the distribution of W+ exactly
//! (F. Wilcoxon, "Individual comparisons by ranking methods", *Biometrics Bulletin* 1, 1945,
//! 80–83). No normal approximation is used: the levels that remain after a correction for many
//! pairs lie far out in the tail, where the approximation is worst.

use crate::{Sample, order_statistic, rank};

/// Returns P(W+ = s) for s = 0 to n(n + 1)/2, where W+ sums the ranks of n untied differences.
#[must_use]
pub fn null_distribution(n: usize) -> Vec<f64> {
    let ranks: Vec<usize> = (1..=n).collect();

    subset_sums(&ranks)
}

/// Returns q, the largest whole number with P(W+ <= q - 1) <= `alpha` / 2 for n differences.
///
/// The q-th Walsh average from below and the q-th from above enclose an interval of confidence
/// 1 - `alpha`; 0 means that n is too small for a finite one (Hollander, Wolfe & Chicken,
/// *Nonparametric Statistical Methods*, 3rd ed. 2014, section 3.3).
#[must_use]
pub fn critical(n: usize, alpha: f64) -> usize {
    order_statistic::critical(&null_distribution(n), alpha)
}

/// Returns the exact two-sided p-value of `differences` against a symmetrical distribution
/// around 0.
///
/// Differences of 0 say nothing about the direction and are dropped, as Wilcoxon did; where all
/// are 0, p is 1. Equal sizes share the mean of their ranks, and the distribution is that of the
/// ranks thus shared, so that p is exact with ties as well.
#[must_use]
pub fn p_value(differences: &Sample) -> f64 {
    let nonzero: Vec<f64> = differences.values().iter().copied().filter(|&d| d != 0.0).collect();
    let sizes: Vec<f64> = nonzero.iter().map(|difference| difference.abs()).collect();
    let ranks = rank::doubled_midranks(&sizes);

    let total: usize = ranks.iter().sum();
    let positive: usize =
        ranks.iter().zip(&nonzero).filter(|&(_, &d)| d > 0.0).map(|(rank, _)| rank).sum();
    let extreme = positive.min(total - positive);

    let tail: f64 = subset_sums(&ranks)[..=extreme].iter().sum();
    (2.0 * tail).min(1.0)
}

/// Returns P(sum = s) for s from 0, where every rank is in the sum with probability 1/2.
fn subset_sums(ranks: &[usize]) -> Vec<f64> {
    let mut distribution = vec![1.0];

    for &rank in ranks {
        let without = distribution.iter().map(|probability| probability / 2.0);
        let mut next: Vec<f64> = without.collect();
        next.resize(distribution.len() + rank, 0.0);
        for (with, probability) in next[rank..].iter_mut().zip(&distribution) {
            *with += probability / 2.0;
        }
        distribution = next;
    }

    distribution
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{self, assert_close};

    /// Checks the p-value of `differences`.
    fn check(differences: &[f64], expected: f64) {
        assert_close(p_value(&Sample::new(differences.to_vec()).unwrap()), expected, 1e-12);
    }

    #[test]
    fn six_differences_of_one_sign_have_the_least_p_of_six() {
        check(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2.0 / 64.0);
        check(&[-1.0, -2.0, -3.0, -4.0, -5.0, -6.0], 2.0 / 64.0);
    }

    #[test]
    fn a_balance_of_ranks_has_a_p_of_one() {
        check(&[1.0, 2.0, -3.0], 1.0);
    }

    #[test]
    fn differences_of_zero_are_dropped() {
        check(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -0.0], 2.0 / 64.0);
    }

    #[test]
    fn only_differences_of_zero_have_a_p_of_one() {
        check(&[0.0, 0.0, 0.0], 1.0);
    }

    #[test]
    fn equal_sizes_are_counted_exactly() {
        // W+ of ranks 2, 2, 2 is 6, 4, 2 or 0 with probabilities 1, 3, 3 and 1 in 8.
        check(&[1.0, 1.0, -1.0], 1.0);
        check(&[1.0, 1.0, 1.0], 0.25);
    }

    #[test]
    fn p_values_are_those_of_an_enumeration_of_all_signs() {
        for row in reference::rows(include_str!("../reference/signed_rank_p.csv")) {
            check(&reference::numbers(row[0]), reference::number(row[1]));
        }
    }

    #[test]
    fn critical_values_are_those_of_r() {
        for row in reference::rows(include_str!("../reference/signed_rank_critical.csv")) {
            let (n, alpha) = (row[0].parse().unwrap(), reference::number(row[1]));

            assert_eq!(critical(n, alpha), row[2].parse().unwrap(), "n = {n}, alpha = {alpha}");
        }
    }

    #[test]
    fn critical_values_at_five_percent_are_the_ones_in_print() {
        let printed = [(6, 1), (8, 4), (10, 9), (12, 14), (15, 26), (20, 53), (25, 90), (30, 138)];

        for (n, q) in printed {
            assert_eq!(critical(n, 0.05), q, "n = {n}");
        }
    }

    #[test]
    fn fewer_than_six_differences_have_no_critical_value_at_five_percent() {
        assert_eq!(critical(5, 0.05), 0);
        assert_eq!(critical(0, 0.05), 0);
    }

    #[test]
    fn the_distribution_sums_to_one_and_is_symmetrical() {
        let distribution = null_distribution(11);
        let reversed: Vec<f64> = distribution.iter().rev().copied().collect();

        assert_eq!(distribution, reversed);
        assert_close(distribution.iter().sum(), 1.0, 1e-15);
    }
}
