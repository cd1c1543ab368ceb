//! The typical difference or ratio of paired trials, by Hodges and Lehmann.
//!
//! The estimate is the median of all Walsh averages `(d[b] + d[c]) / 2`, b <= c; its interval holds
//! the values that the signed-rank test does not reject (J. L. Hodges & E. L. Lehmann, "Estimates
//! of location based on rank tests", *Annals of Mathematical Statistics* 34, 1963, 598–611). It is
//! nearly as precise as the mean under normal noise, a stalled trial moves it little, and the
//! interval is exact for every number of blocks if the differences are symmetrical.
//!
//! For k statements that shall hold together, ask for `alpha / k` (Bonferroni).

use crate::{Estimate, Sample, number, order_statistic, signed_rank};

/// Returns the typical difference, in the unit of `differences`, with its interval of confidence
/// 1 - `alpha`.
///
/// The interval is `None` where n is too small: at 0.05 below six blocks, at 0.05 / 45 below
/// eleven. Exchanging the models changes every sign and nothing else.
#[must_use]
pub fn difference(differences: &Sample, alpha: f64) -> Estimate {
    let walsh = walsh_averages(differences.values());
    let null = signed_rank::null_distribution(differences.values().len());

    Estimate {
        value: number::middle(&walsh),
        interval: order_statistic::interval(&walsh, &null, alpha),
    }
}

/// Returns the typical ratio, a pure number, from natural logarithms of ratios, with its interval
/// of confidence 1 - `alpha`.
///
/// It is [`difference`] of the logarithms, exponentiated; the interval is `None` for the same
/// small n.
#[must_use]
pub fn ratio(log_ratios: &Sample, alpha: f64) -> Estimate {
    difference(log_ratios, alpha).exp()
}

/// Returns the means of all pairs of values, each value with itself included, in ascending order.
fn walsh_averages(values: &[f64]) -> Vec<f64> {
    let mut averages = Vec::with_capacity(values.len() * (values.len() + 1) / 2);

    for (index, &left) in values.iter().enumerate() {
        for &right in &values[index..] {
            averages.push(f64::midpoint(left, right));
        }
    }

    number::sorted(averages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interval, reference};

    /// Checks the estimate of `differences`, whose interval may be absent.
    fn check(differences: &[f64], alpha: f64, expected: (f64, Option<(f64, f64)>)) {
        let estimate = difference(&Sample::new(differences.to_vec()).unwrap(), alpha);

        let interval = expected.1.map(|(low, high)| Interval { low, high });
        reference::assert_estimate(&estimate, &Estimate { value: expected.0, interval }, 1e-12);
    }

    #[test]
    fn a_single_difference_is_its_own_estimate() {
        check(&[3.0], 0.05, (3.0, None));
    }

    #[test]
    fn five_blocks_have_no_interval_at_five_percent() {
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.05, (3.0, None));
    }

    #[test]
    fn the_interval_of_six_blocks_spans_all_of_them() {
        check(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.05, (3.5, Some((1.0, 6.0))));
    }

    #[test]
    fn a_stricter_level_needs_more_blocks() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        let eleven: Vec<f64> = (1..=11).map(f64::from).collect();

        check(&ten, 0.05 / 45.0, (5.5, None));
        check(&eleven, 0.05 / 45.0, (6.0, Some((1.0, 11.0))));
    }

    #[test]
    fn one_wild_block_moves_the_estimate_little() {
        check(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1e9], 0.05, (0.0, Some((0.0, 5e8))));
    }

    #[test]
    #[expect(clippy::approx_constant, reason = "3.14 is a patient's score")]
    fn the_depression_scores_of_hollander_and_wolfe_give_their_interval() {
        // Nonparametric Statistical Methods, 3rd ed., example 3.1; the interval is one of 96.1 %.
        let before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        let after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        let differences: Vec<f64> = before.iter().zip(after).map(|(x, y)| x - y).collect();

        check(&differences, 0.04, (0.46, Some((0.01, 0.786))));
    }

    #[test]
    fn estimates_and_intervals_are_those_of_r() {
        for row in reference::rows(include_str!("../reference/hodges_lehmann.csv")) {
            let expected: Vec<f64> = row[2..].iter().map(|cell| reference::number(cell)).collect();
            let interval = Some((expected[1], expected[2]));

            check(&reference::numbers(row[0]), reference::number(row[1]), (expected[0], interval));
        }
    }

    #[test]
    fn a_ratio_is_the_exponential_of_the_difference_of_logarithms() {
        let logarithms = Sample::new((1..=8).map(|b| f64::from(b).ln()).collect()).unwrap();

        assert_eq!(ratio(&logarithms, 0.05), difference(&logarithms, 0.05).exp());
    }

    #[test]
    fn exchanging_the_models_mirrors_estimate_and_interval() {
        let there = Sample::new(vec![0.3, -0.1, 0.25, 0.7, 0.11, 0.2, -0.3]).unwrap();
        let back = Sample::new(there.values().iter().map(|value| -value).collect()).unwrap();

        let (there, back) = (difference(&there, 0.05), difference(&back, 0.05));

        let mirrored = back.interval.map(|i| Interval { low: -i.high, high: -i.low });
        assert_eq!(there, Estimate { value: -back.value, interval: mirrored });
    }
}
