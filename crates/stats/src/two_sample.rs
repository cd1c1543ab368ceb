//! How far two samples lie apart that are not paired, by the rank-sum test and its estimate.
//!
//! Two runs share no block, so nothing pairs their trials. If both samples come from one
//! distribution, every choice of n of the n + m places for the first sample is as likely as any
//! other, and counting choices gives the distribution of the rank sum exactly (H. B. Mann & D. R.
//! Whitney, "On a test of whether one of two random variables is stochastically larger than the
//! other", *Annals of Mathematical Statistics* 18, 1947, 50–60). The estimate is the median of all
//! differences between a value of one sample and a value of the other; its interval holds the
//! shifts that the test does not reject (J. L. Hodges & E. L. Lehmann, *Annals of Mathematical
//! Statistics* 34, 1963, 598–611).
//!
//! No normal approximation is used, for samples of any size: what remains of a level after a
//! correction for many models lies far out in the tail. Counting takes a time that grows as the
//! fourth power of n + m, and is a moment for a hundred blocks a side.
//!
//! Equal values, in one sample or in both, share the mean of their ranks, and p is counted over the
//! ranks thus shared: it is exact with ties too. The interval is always that of the distribution
//! without ties; with ties it holds the truth at least as often as it promises (Hollander, Wolfe &
//! Chicken, *Nonparametric Statistical Methods*, 3rd ed. 2014, section 4.3).

use crate::{Estimate, Sample, number, order_statistic, rank};

/// Returns how much higher `new` lies than `old`, in their unit, with its interval of confidence
/// 1 - `alpha`.
///
/// The interval is `None` where the samples are too small: at 0.05 below four values a side.
/// Exchanging the samples changes every sign and nothing else.
#[must_use]
pub fn shift(old: &Sample, new: &Sample, alpha: f64) -> Estimate {
    let differences = differences(old.values(), new.values());
    let null = null_distribution(old.values().len(), new.values().len());

    Estimate {
        value: number::middle(&differences),
        interval: order_statistic::interval(&differences, &null, alpha),
    }
}

/// Returns the ratio of `new` to `old`, a pure number, from samples of natural logarithms, with
/// its interval of confidence 1 - `alpha`.
///
/// It is [`shift`] exponentiated; the interval is `None` for the same small samples.
#[must_use]
pub fn ratio(old: &Sample, new: &Sample, alpha: f64) -> Estimate {
    shift(old, new, alpha).exp()
}

/// Returns the exact two-sided p-value of `old` and `new` against one distribution of both.
///
/// It is the chance of a rank sum at least as far from its mean as the one observed; where all
/// values are equal, p is 1.
#[must_use]
pub fn p_value(old: &Sample, new: &Sample) -> f64 {
    let chosen = old.values().len();
    let ranks = rank::doubled_midranks(&[old.values(), new.values()].concat());
    let distribution = sums_of_chosen(&ranks, chosen);

    // The mean of the doubled ranks is one more than the number of values.
    let mean = chosen * (ranks.len() + 1);
    let observed = ranks[..chosen].iter().sum::<usize>().abs_diff(mean);
    let extreme = distribution.iter().enumerate().filter(|(sum, _)| sum.abs_diff(mean) >= observed);
    extreme.map(|(_, probability)| probability).sum::<f64>().min(1.0)
}

/// Returns P(U = u) for u = 0 to n m, where U counts the pairs of untied samples of n and m values
/// in which the first sample's value is the greater.
#[must_use]
pub fn null_distribution(n: usize, m: usize) -> Vec<f64> {
    let ranks: Vec<usize> = (1..=n + m).collect();

    sums_of_chosen(&ranks, n).split_off(n * (n + 1) / 2)
}

/// Returns all differences between a value of `new` and a value of `old`, in ascending order.
pub(crate) fn differences(old: &[f64], new: &[f64]) -> Vec<f64> {
    let pairs = new.iter().flat_map(|new| old.iter().map(move |old| new - old));

    number::sorted(pairs.collect())
}

/// Returns P(sum = s) for s from 0, where every choice of so many ranks is as likely as any other.
fn sums_of_chosen(ranks: &[usize], chosen: usize) -> Vec<f64> {
    // One row for each number of ranks chosen so far.
    let mut rows: Vec<Vec<f64>> = vec![Vec::new(); chosen + 1];
    rows[0].push(1.0);

    for &rank in ranks {
        for count in (0..=chosen).rev() {
            let (fewer, rest) = rows.split_at_mut(count);
            offer(rank, &mut rest[0], fewer.last().map_or(&[], Vec::as_slice));
        }
    }

    let last = rows.pop().unwrap_or_default();
    let total: f64 = last.iter().sum();
    last.into_iter().map(|weight| weight / total).collect()
}

/// Offers a rank to the choices of a `row`: those of `fewer`, which hold one rank less, may take
/// it. All weights are halved, which keeps them from growing beyond all bounds: they only matter
/// beside each other.
fn offer(rank: usize, row: &mut Vec<f64>, fewer: &[f64]) {
    for weight in row.iter_mut() {
        *weight /= 2.0;
    }
    if fewer.is_empty() {
        return;
    }

    row.resize(row.len().max(fewer.len() + rank), 0.0);
    for (weight, other) in row[rank..].iter_mut().zip(fewer) {
        *weight += other / 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{self, assert_close};
    use crate::{Interval, signed_rank};

    /// Returns a sample of `values`.
    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).unwrap()
    }

    /// Checks the p-value of two samples, from both sides.
    fn check_p(old: &[f64], new: &[f64], expected: f64) {
        assert_close(p_value(&sample(old), &sample(new)), expected, 1e-12);
        assert_close(p_value(&sample(new), &sample(old)), expected, 1e-12);
    }

    /// Checks the shift of two samples, whose interval may be absent.
    fn check_shift(samples: (&[f64], &[f64]), alpha: f64, expected: (f64, Option<(f64, f64)>)) {
        let estimate = shift(&sample(samples.0), &sample(samples.1), alpha);

        let interval = expected.1.map(|(low, high)| Interval { low, high });
        reference::assert_estimate(&estimate, &Estimate { value: expected.0, interval }, 1e-12);
    }

    #[test]
    fn four_values_a_side_have_the_first_interval_at_five_percent() {
        let (old, new) = ([1.0, 2.0, 3.0, 4.0], [11.0, 12.0, 13.0, 14.0]);

        check_shift((&old, &new), 0.05, (10.0, Some((7.0, 13.0))));
        check_shift((&old[1..], &new), 0.05, (9.5, None));
    }

    #[test]
    fn a_single_value_a_side_is_its_own_estimate() {
        check_shift((&[1.0], &[4.0]), 0.05, (3.0, None));
    }

    #[test]
    fn samples_apart_have_the_least_p_there_is() {
        // 2 of the 70 choices of four among eight are as extreme.
        check_p(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0], 2.0 / 70.0);
    }

    #[test]
    fn values_that_are_all_equal_have_a_p_of_one_and_no_shift() {
        check_p(&[3.0; 5], &[3.0; 4], 1.0);
        check_shift((&[3.0; 5], &[3.0; 4]), 0.05, (0.0, Some((0.0, 0.0))));
    }

    #[test]
    fn the_two_zeros_of_floating_point_are_equal() {
        check_p(&[0.0, 1.0], &[-0.0, 1.0], 1.0);
    }

    #[test]
    fn one_wild_value_moves_the_shift_little() {
        let (old, new) = ([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0, 1e9]);

        check_shift((&old, &new), 0.05, (0.0, Some((-3.0, 1e9 - 2.0))));
    }

    #[test]
    fn the_permeability_of_membranes_in_hollander_and_wolfe_gives_their_values() {
        // Nonparametric Statistical Methods, 3rd ed., examples 4.1, 4.3 and 4.4; the interval is
        // one of 96 %.
        let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let early = [1.15, 0.88, 0.90, 0.74, 1.21];

        check_p(&term, &early, 2.0 * 0.127_206_127_206_127_2);
        check_shift((&term, &early), 0.04, (-0.305, Some((-0.76, 0.15))));
    }

    #[test]
    fn shifts_and_intervals_are_those_of_r() {
        for row in reference::rows(include_str!("../reference/two_sample_shift.csv")) {
            let (old, new) = (reference::numbers(row[0]), reference::numbers(row[1]));
            let cells: Vec<f64> = row[2..].iter().map(|cell| reference::number(cell)).collect();

            check_shift((&old, &new), cells[0], (cells[1], Some((cells[2], cells[3]))));
        }
    }

    #[test]
    fn p_values_are_those_of_r_and_of_an_enumeration_where_there_are_ties() {
        for row in reference::rows(include_str!("../reference/two_sample_p.csv")) {
            let (old, new) = (reference::numbers(row[0]), reference::numbers(row[1]));

            check_p(&old, &new, reference::number(row[2]));
        }
    }

    #[test]
    fn a_ratio_is_the_exponential_of_the_shift_of_logarithms() {
        let (old, new) = (sample(&[0.1, 0.4, 0.2, 0.7]), sample(&[0.3, 0.9, 0.5, 0.8]));

        assert_eq!(ratio(&old, &new, 0.05), shift(&old, &new, 0.05).exp());
    }

    #[test]
    fn exchanging_the_samples_mirrors_shift_and_interval() {
        let (old, new) = (sample(&[0.3, -0.1, 0.25, 0.7, 0.11]), sample(&[0.2, -0.3, 0.5, 0.9]));

        let (there, back) = (shift(&old, &new, 0.05), shift(&new, &old, 0.05));

        let mirrored = back.interval.map(|i| Interval { low: -i.high, high: -i.low });
        assert_eq!(there, Estimate { value: -back.value, interval: mirrored });
    }

    #[test]
    fn the_distribution_sums_to_one_and_is_symmetrical() {
        let distribution = null_distribution(5, 9);

        assert_eq!(distribution.len(), 5 * 9 + 1);
        assert_close(distribution.iter().sum(), 1.0, 1e-15);
        for (up, down) in distribution.iter().zip(distribution.iter().rev()) {
            assert_close(*up, *down, 1e-15);
        }
    }

    #[test]
    fn sums_over_all_choices_are_those_of_the_signed_ranks() {
        // A subset of the ranks 1 to 8 is a choice of some number of them.
        let ranks: Vec<usize> = (1..=8).collect();
        let mut mixed = vec![0.0; 37];
        let sizes = [1.0, 8.0, 28.0, 56.0, 70.0, 56.0, 28.0, 8.0, 1.0];
        for (chosen, size) in sizes.into_iter().enumerate() {
            for (sum, share) in sums_of_chosen(&ranks, chosen).into_iter().enumerate() {
                mixed[sum] += share * size / 256.0;
            }
        }

        for (sum, expected) in signed_rank::null_distribution(8).into_iter().enumerate() {
            assert_close(mixed[sum], expected, 1e-15);
        }
    }

    #[test]
    fn large_samples_are_counted_too() {
        let distribution = null_distribution(60, 60);

        assert_close(distribution.iter().sum(), 1.0, 1e-12);
    }
}
