//! Quantiles of a histogram, as one trial's latencies come in one.

use crate::number;

/// Returns the least value that at least the share `quantile` of all fetches does not exceed, in
/// the unit of the values.
///
/// `buckets` are pairs of a value and the number of fetches with it, in ascending order of values.
/// The value is one of them, never a value between two: definition 1 of R. J. Hyndman & Y. Fan,
/// "Sample quantiles in statistical packages", *American Statistician* 50, 1996, 361–365. `None`
/// means that nothing was counted, that the values do not ascend, or that `quantile` is not between
/// 0 and 1. A quantile needs fetches beyond it: p99 of fewer than a thousand is hardly a number.
#[must_use]
pub fn quantile(buckets: &[(u64, u64)], quantile: f64) -> Option<u64> {
    let ascending = buckets.is_sorted_by(|left, right| left.0 < right.0);
    let total = buckets.iter().try_fold(0_u64, |sum, &(_, count)| sum.checked_add(count))?;
    if !ascending || total == 0 || !(0.0..=1.0).contains(&quantile) {
        return None;
    }

    let rank = number::ceiling(quantile * number::real_of_u64(total)).clamp(1, total);
    let mut counted = 0;
    let reaches = |&&(_, count): &&(u64, u64)| {
        counted += count;
        counted >= rank
    };

    buckets.iter().find(reaches).map(|&(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    /// Checks a quantile.
    fn check(buckets: &[(u64, u64)], q: f64, expected: Option<u64>) {
        assert_eq!(quantile(buckets, q), expected, "{buckets:?} at {q}");
    }

    #[test]
    fn the_ends_are_the_least_and_the_greatest_value_that_was_counted() {
        check(&[(5, 0), (10, 1), (20, 3), (30, 0)], 0.0, Some(10));
        check(&[(5, 0), (10, 1), (20, 3), (30, 0)], 1.0, Some(20));
    }

    #[test]
    fn a_share_that_is_reached_exactly_needs_no_further_value() {
        check(&[(10, 50), (20, 50)], 0.5, Some(10));
        check(&[(10, 50), (20, 50)], 0.501, Some(20));
    }

    #[test]
    fn a_share_of_a_whole_number_of_fetches_is_not_rounded_up() {
        // 0.07 times 100 is a little more than 7 in binary.
        check(&[(10, 7), (20, 93)], 0.07, Some(10));
    }

    #[test]
    fn the_ninety_ninth_percentile_leaves_one_in_a_hundred_above() {
        check(&[(1, 989), (2, 1), (3, 10)], 0.99, Some(2));
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        check(&[], 0.5, None);
        check(&[(10, 0)], 0.5, None);
    }

    #[test]
    fn values_that_do_not_ascend_are_refused() {
        check(&[(20, 1), (10, 1)], 0.5, None);
        check(&[(10, 1), (10, 1)], 0.5, None);
    }

    #[test]
    fn an_impossible_quantile_is_refused() {
        check(&[(10, 1)], 1.1, None);
        check(&[(10, 1)], -0.1, None);
        check(&[(10, 1)], f64::NAN, None);
    }

    #[test]
    fn more_fetches_than_a_word_can_count_are_refused() {
        check(&[(10, u64::MAX), (20, 1)], 0.5, None);
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        for row in reference::rows(include_str!("../reference/histogram.csv")) {
            let counts = row[0].split_whitespace().map(|count| count.parse().unwrap());
            let buckets: Vec<(u64, u64)> = (1..).zip(counts).collect();

            check(&buckets, reference::number(row[1]), Some(row[2].parse().unwrap()));
        }
    }
}
