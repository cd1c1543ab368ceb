//! The level of one model: the median over blocks, with the interval of the sign test.
//!
//! The interval assumes nothing about the shape of the distribution: the number of values below
//! the true median is that of heads among n fair coins (W. R. Thompson, "On confidence ranges for
//! the median", *Annals of Mathematical Statistics* 7, 1936, 122–128).

use crate::{Estimate, Sample, number, order_statistic};

/// Returns the median, in the unit of `sample`, with its interval of confidence 1 - `alpha`.
///
/// The interval is `None` where n is too small: at 0.05 below six values.
#[must_use]
pub fn estimate(sample: &Sample, alpha: f64) -> Estimate {
    let sorted = number::sorted(sample.values().to_vec());
    let null = fair_coins(sorted.len());

    Estimate {
        value: number::middle(&sorted),
        interval: order_statistic::interval(&sorted, &null, alpha),
    }
}

/// Returns P(heads = k) for k = 0 to `n` among `n` fair coins.
fn fair_coins(n: usize) -> Vec<f64> {
    let mut distribution = vec![1.0];

    for _ in 0..n {
        let tails = distribution.iter().copied().chain([0.0]);
        let heads = [0.0].into_iter().chain(distribution.iter().copied());
        distribution = tails.zip(heads).map(|(tail, head)| f64::midpoint(tail, head)).collect();
    }

    distribution
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interval, reference};

    /// Checks the estimate of `values`, whose interval may be absent.
    fn check(values: &[f64], alpha: f64, expected: (f64, Option<(f64, f64)>)) {
        let actual = estimate(&Sample::new(values.to_vec()).unwrap(), alpha);

        let interval = expected.1.map(|(low, high)| Interval { low, high });
        reference::assert_estimate(&actual, &Estimate { value: expected.0, interval }, 1e-12);
    }

    #[test]
    fn the_order_of_values_does_not_matter() {
        check(&[9.0, 1.0, 2.0], 0.05, (2.0, None));
    }

    #[test]
    fn five_values_have_no_interval_at_five_percent() {
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.05, (3.0, None));
    }

    #[test]
    fn the_interval_of_six_values_spans_all_of_them() {
        check(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.05, (3.5, Some((1.0, 6.0))));
    }

    #[test]
    fn intervals_are_those_of_the_binomial_quantiles_of_scipy() {
        for row in reference::rows(include_str!("../reference/median.csv")) {
            let (n, alpha) = (row[0].parse::<u32>().unwrap(), reference::number(row[1]));
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            let from_end = reference::number(row[2]);
            let interval = (from_end, f64::from(n) + 1.0 - from_end);

            check(&values, alpha, (f64::midpoint(1.0, f64::from(n)), Some(interval)));
        }
    }
}
