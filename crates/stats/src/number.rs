//! Counts as reals and back: the only place where numbers change their type.

/// Returns `count` as a real number; exact up to 2^53, far above any count of trials.
#[expect(clippy::cast_precision_loss, reason = "counts of trials and pairs are far below 2^53")]
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}

/// Returns the number of fetches `count` as a real number; above 2^53 the last digits are lost.
#[expect(clippy::cast_precision_loss, reason = "a rank among 2^53 fetches may be off by a few")]
pub(crate) fn real_of_u64(count: u64) -> f64 {
    count as f64
}

/// Returns the least whole number not below `value`, at least 0; a NaN gives 0.
///
/// What exceeds a whole number by less than a billionth counts as that whole number, as 0.07 times
/// 100 is 7.000000000000001 in binary and is meant to be 7.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is whole after `ceil`, and `as` saturates at both ends"
)]
pub(crate) fn ceiling(value: f64) -> u64 {
    (value - 1e-9).ceil() as u64
}

/// Returns the greatest whole number not above `value`, at least 0; a NaN gives 0.
///
/// What falls short of a whole number by less than a billionth counts as that whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is whole after `floor`, and `as` saturates at both ends"
)]
pub(crate) fn floor(value: f64) -> usize {
    (value + 1e-9).floor() as usize
}

/// Returns the values in ascending order.
pub(crate) fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Returns the middle of ascending values, or the mean of the two middle ones.
///
/// `sorted` must not be empty.
pub(crate) fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;

    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// Returns the arithmetic mean, in the unit of the values; NaN for no values.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / real(values.len())
}

/// Returns the standard deviation of a sample (divisor n - 1), in the unit of the values.
///
/// It is NaN for fewer than two values.
pub(crate) fn standard_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();

    (squares / (real(values.len()) - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that `actual` is `expected` but for rounding.
    fn check(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
    }

    #[test]
    fn the_middle_of_an_odd_number_of_values_is_one_of_them() {
        check(middle(&[1.0, 2.0, 9.0]), 2.0);
    }

    #[test]
    fn the_middle_of_an_even_number_of_values_lies_between_two() {
        check(middle(&[1.0, 2.0, 4.0, 9.0]), 3.0);
    }

    #[test]
    fn the_standard_deviation_divides_by_one_less_than_the_count() {
        check(standard_deviation(&[1.0, 2.0, 3.0]), 1.0);
    }

    #[test]
    fn a_ceiling_forgives_the_rounding_of_binary_fractions() {
        assert_eq!([ceiling(0.07 * 100.0), ceiling(7.001), ceiling(-3.0)], [7, 8, 0]);
    }

    #[test]
    fn a_floor_forgives_the_rounding_of_binary_fractions() {
        assert_eq!([floor(0.29 * 100.0), floor(28.999), floor(f64::NAN)], [29, 28, 0]);
    }
}
