//! How small a difference this many blocks of this noise would have shown.

use crate::{Sample, number, student};

/// The power at which the smallest detectable effect is stated: four times out of five.
pub const POWER: f64 = 0.80;

/// Returns the smallest true difference that a two-sided test at `alpha` finds with probability
/// [`POWER`], in the unit of `noise`.
///
/// `noise` are the differences of two copies of one model, block by block; for natural logarithms
/// of ratios the result r means a relative difference of `r.exp_m1()`. The formula is
/// `(t(1 - alpha / 2) + t(0.80)) s / sqrt(n)` with quantiles of n - 1 degrees of freedom, s being
/// the standard deviation of the noise (J. Cohen, *Statistical Power Analysis for the
/// Behavioral Sciences*, 2nd ed. 1988, chapter 2, in the usual approximation by two central
/// quantiles). It assumes normal noise and takes s as known; with s from twenty blocks and the
/// signed-rank test, three of four such differences are found. `None` means fewer than two blocks,
/// or an `alpha` not strictly between 0 and 1.
#[must_use]
pub fn smallest_detectable(noise: &Sample, alpha: f64) -> Option<f64> {
    let blocks = noise.values().len();
    let degrees = blocks.checked_sub(1)?;
    let two_sided = (alpha < 1.0).then_some(1.0 - alpha / 2.0)?;

    let quantiles = student::quantile(two_sided, degrees)? + student::quantile(POWER, degrees)?;
    Some(quantiles * number::standard_deviation(noise.values()) / number::real(blocks).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    /// Checks the smallest detectable effect under `noise`.
    fn check(noise: &[f64], alpha: f64, expected: Option<f64>) {
        let effect = smallest_detectable(&Sample::new(noise.to_vec()).unwrap(), alpha);

        assert_eq!(effect.is_some(), expected.is_some(), "{noise:?}");
        reference::assert_close(effect.unwrap_or(0.0), expected.unwrap_or(0.0), 1e-10);
    }

    #[test]
    fn one_block_detects_nothing() {
        check(&[0.1], 0.05, None);
    }

    #[test]
    fn no_noise_hides_nothing() {
        check(&[0.1, 0.1, 0.1], 0.05, Some(0.0));
    }

    #[test]
    fn an_impossible_level_is_refused() {
        check(&[0.1, 0.2], 0.0, None);
        check(&[0.1, 0.2], 1.0, None);
    }

    #[test]
    fn noise_of_one_and_a_half_percent_hides_one_percent_in_twenty_blocks() {
        // Twenty values of alternating sign, scaled to a standard deviation of exactly 0.015.
        let size = 0.015 * (19.0_f64 / 20.0).sqrt();
        let noise: Vec<f64> = [size, -size].repeat(10);

        let effect = smallest_detectable(&Sample::new(noise).unwrap(), 0.05).unwrap();

        reference::assert_close(effect, 0.0099, 0.00005);
    }

    #[test]
    fn effects_are_those_of_scipy() {
        for row in reference::rows(include_str!("../reference/effect.csv")) {
            let expected = reference::number(row[2]);

            check(&reference::numbers(row[0]), reference::number(row[1]), Some(expected));
        }
    }
}
