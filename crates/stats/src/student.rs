//! Quantiles of Student's t, for the few places that need a normal distribution.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// How often the interval of the angle is halved: enough to exhaust the digits of a real number.
const HALVINGS: usize = 64;

/// Returns the t below which Student's distribution of `degrees` degrees of freedom has
/// `probability`, a pure number.
///
/// The distribution function of a whole number of degrees is a finite sum (M. Abramowitz &
/// I. A. Stegun, *Handbook of Mathematical Functions*, 1964, 26.7.3 and 26.7.4); it is inverted by
/// halving. `None` means that there are no degrees of freedom or that `probability` is not
/// strictly between 0 and 1.
#[must_use]
pub fn quantile(probability: f64, degrees: usize) -> Option<f64> {
    let valid = degrees > 0 && 0.0 < probability && probability < 1.0;
    let central = (2.0 * probability - 1.0).abs();

    let size = crate::number::real(degrees).sqrt() * angle(central, degrees).tan();
    valid.then_some(if probability < 0.5 { -size } else { size })
}

/// Returns the angle atan(t / sqrt(degrees)) for which |T| <= t has probability `central`.
fn angle(central: f64, degrees: usize) -> f64 {
    let (mut low, mut high) = (0.0, FRAC_PI_2);

    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if central_probability(middle, degrees) < central {
            low = middle;
        } else {
            high = middle;
        }
    }

    f64::midpoint(low, high)
}

/// Returns P(|T| <= sqrt(degrees) tan(angle)) as the sum of Abramowitz & Stegun.
fn central_probability(angle: f64, degrees: usize) -> f64 {
    let square = angle.cos().powi(2);
    let odd = degrees % 2 == 1;
    let mut term = if odd { angle.cos() } else { 1.0 };
    let mut sum = 0.0;

    for power in (degrees % 2..degrees.saturating_sub(1)).step_by(2) {
        sum += term;
        let power = crate::number::real(power);
        term *= square * (power + 1.0) / (power + 2.0);
    }

    if odd { FRAC_2_PI * (angle + angle.sin() * sum) } else { angle.sin() * sum }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    /// Checks a quantile to nine digits.
    fn check(probability: f64, degrees: usize, expected: f64) {
        let quantile = quantile(probability, degrees).unwrap();

        let tolerance = 1e-9 * expected.abs().max(1.0);
        reference::assert_close(quantile, expected, tolerance);
    }

    #[test]
    fn the_middle_is_zero() {
        check(0.5, 1, 0.0);
        check(0.5, 8, 0.0);
    }

    #[test]
    fn one_degree_of_freedom_is_the_distribution_of_cauchy() {
        check(0.75, 1, 1.0);
    }

    #[test]
    fn two_degrees_of_freedom_have_a_closed_form() {
        // t = (2p - 1) sqrt(2 / (1 - (2p - 1)^2)).
        check(0.9, 2, 0.8 * (2.0_f64 / 0.36).sqrt());
    }

    #[test]
    fn the_lower_half_mirrors_the_upper() {
        check(0.025, 5, -quantile(0.975, 5).unwrap());
    }

    #[test]
    fn quantiles_are_those_of_scipy() {
        for row in reference::rows(include_str!("../reference/student.csv")) {
            let degrees = row[1].parse().unwrap();

            check(reference::number(row[0]), degrees, reference::number(row[2]));
        }
    }

    #[test]
    fn there_is_no_quantile_without_degrees_of_freedom() {
        assert_eq!(quantile(0.9, 0), None);
    }

    #[test]
    fn there_is_no_quantile_of_an_impossible_probability() {
        assert_eq!([0.0, 1.0, -0.1, f64::NAN].map(|p| quantile(p, 3)), [None; 4]);
    }
}
