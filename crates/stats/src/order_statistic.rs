//! The interval between two order statistics, found by counting what a rank test would reject.
//!
//! Three estimates of this crate (the median of values, of Walsh averages and of slopes between
//! points) have a test that counts how many of the sorted quantities lie below a supposed truth.
//! The values such a test does not reject at level alpha are those between the k-th quantity from
//! below and the k-th from above: an interval of confidence 1 - alpha (Hollander, Wolfe & Chicken,
//! *Nonparametric Statistical Methods*, 3rd ed. 2014, sections 3.3, 3.6 and 9.3).

use crate::Interval;

/// Returns how many counts c have P(count <= c) <= alpha / 2, where `null[c]` = P(count = c).
pub(crate) fn critical(null: &[f64], alpha: f64) -> usize {
    let tail = alpha.clamp(0.0, 1.0) / 2.0;
    let cumulative = null.iter().scan(0.0, |sum, probability| {
        *sum += probability;
        Some(*sum)
    });

    cumulative.take_while(|&sum| sum <= tail).count()
}

/// Returns the interval of confidence 1 - `alpha` between two of the `sorted` quantities.
///
/// `null` is the distribution of the number of quantities below the truth, thus one longer than
/// `sorted`. `None` means that not even the outermost quantities reach that confidence.
pub(crate) fn interval(sorted: &[f64], null: &[f64], alpha: f64) -> Option<Interval> {
    let from_end = critical(null, alpha).min(sorted.len().div_ceil(2));
    let index = from_end.checked_sub(1)?;

    Some(Interval { low: sorted[index], high: sorted[sorted.len() - 1 - index] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distribution of heads among four fair coins.
    const COINS: [f64; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

    /// Checks the interval of four quantities at level `alpha`.
    fn check(alpha: f64, expected: Option<(f64, f64)>) {
        let interval = interval(&[1.0, 2.0, 3.0, 4.0], &COINS, alpha);

        assert_eq!(interval, expected.map(|(low, high)| Interval { low, high }), "{alpha}");
    }

    #[test]
    fn a_level_that_is_reached_exactly_gives_the_outermost_quantities() {
        check(0.125, Some((1.0, 4.0)));
    }

    #[test]
    fn a_level_out_of_reach_gives_no_interval() {
        check(0.124, None);
        check(0.0, None);
    }

    #[test]
    fn a_weaker_level_moves_inwards() {
        check(0.625, Some((2.0, 3.0)));
    }

    #[test]
    fn the_ends_never_cross() {
        check(1.0, Some((2.0, 3.0)));
        check(7.0, Some((2.0, 3.0)));
    }

    #[test]
    fn a_level_that_is_no_number_gives_no_interval() {
        check(f64::NAN, None);
    }
}
