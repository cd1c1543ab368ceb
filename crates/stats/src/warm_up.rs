//! Whether a trial was steady: its first third against the rest.
//!
//! A trial that is still warming up measures its length, not its model. E. Barrett et al.
//! ("Virtual machine warmup blows hot and cold", *OOPSLA* 2017) look for any number of change
//! points; the question here is smaller, as a trial is only to be used or marked, and so is the
//! test. It compares medians and so misses a change within the first few windows, which moves the
//! trial little, as well as a cost that goes up and comes back.

use crate::{Sample, number};

/// The least number of windows that are judged: with fewer, a third is no group.
pub const LEAST_WINDOWS: usize = 6;

/// The least change that counts, in logarithmic cost: the margin below which costs are the same.
pub const LEAST_CHANGE: f64 = 0.02;

/// How many standard errors a change must exceed.
const ERRORS: f64 = 3.0;

/// The standard deviation of a normal distribution divided by its median absolute deviation
/// (F. R. Hampel, *Journal of the American Statistical Association* 69, 1974, 383–393).
const NORMAL_PER_MAD: f64 = 1.482_602_218_505_602;

/// What became of the cost per fetch within a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The first third costs what the rest costs.
    Flat,
    /// The first third costs more.
    WarmUp,
    /// The first third costs less.
    SlowDown,
}

/// Returns the class of a trial from the logarithmic cost per fetch of its windows of equal fetch
/// count, in order of time.
///
/// The medians of the first third and of the rest differ if their distance exceeds both
/// [`LEAST_CHANGE`] and three standard errors. The noise of a window is taken from the median
/// absolute deviation of first differences, to which a single step adds but one outlier; a median
/// of n windows has the variance pi / 2n of that noise squared. `None` means fewer than
/// [`LEAST_WINDOWS`] windows.
#[must_use]
pub fn class(windows: &Sample) -> Option<Class> {
    let windows = windows.values();
    if windows.len() < LEAST_WINDOWS {
        return None;
    }

    let (first, rest) = windows.split_at(windows.len() / 3);
    let change = median(first) - median(rest);
    let error = noise(windows) * errors_per_noise(first.len(), rest.len());

    Some(if change.abs() <= LEAST_CHANGE.max(ERRORS * error) {
        Class::Flat
    } else if change > 0.0 {
        Class::WarmUp
    } else {
        Class::SlowDown
    })
}

/// Returns the standard error of the distance of two medians, for a noise of 1.
fn errors_per_noise(first: usize, rest: usize) -> f64 {
    let variances = 1.0 / number::real(first) + 1.0 / number::real(rest);

    (std::f64::consts::FRAC_PI_2 * variances).sqrt()
}

/// Returns the standard deviation of a window's noise, as if it were normal.
fn noise(windows: &[f64]) -> f64 {
    let steps: Vec<f64> = windows.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let middle = median(&steps);
    let quirks: Vec<f64> = steps.iter().map(|step| (step - middle).abs()).collect();

    NORMAL_PER_MAD * median(&quirks) / std::f64::consts::SQRT_2
}

/// Returns the median of values in any order.
fn median(values: &[f64]) -> f64 {
    number::middle(&number::sorted(values.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the class of twenty windows of 1 % noise whose cost at window i is raised by `extra`.
    fn check(extra: impl Fn(usize) -> f64, expected: Class) {
        let noise = [0.4, -1.1, 0.9, -0.2, 1.3, -0.8, 0.1, -1.4, 0.7, 0.3];
        let window = |index: usize| 3.0 + noise[index % 10] / 100.0 + extra(index);

        let windows = Sample::new((0..20).map(window).collect()).unwrap();

        assert_eq!(class(&windows), Some(expected));
    }

    #[test]
    fn noise_alone_is_flat() {
        check(|_| 0.0, Class::Flat);
    }

    #[test]
    fn an_expensive_first_third_is_a_warm_up() {
        check(|index| if index < 6 { 0.06 } else { 0.0 }, Class::WarmUp);
    }

    #[test]
    fn a_cheap_first_third_is_a_slow_down() {
        check(|index| if index < 6 { -0.06 } else { 0.0 }, Class::SlowDown);
    }

    #[test]
    fn a_cost_that_falls_all_the_time_is_a_warm_up() {
        check(|index| -0.01 * number::real(index), Class::WarmUp);
    }

    #[test]
    fn one_wild_window_is_not_a_change() {
        check(|index| if index == 2 { 3.0 } else { 0.0 }, Class::Flat);
    }

    #[test]
    fn a_change_within_the_noise_is_flat() {
        check(|index| if index < 6 { 0.021 } else { 0.0 }, Class::Flat);
    }

    #[test]
    fn a_change_below_the_margin_is_flat_without_any_noise() {
        let step = |size: f64| Sample::new([[size; 6], [0.0; 6], [0.0; 6]].concat()).unwrap();

        assert_eq!(class(&step(0.019)), Some(Class::Flat));
        assert_eq!(class(&step(0.021)), Some(Class::WarmUp));
    }

    #[test]
    fn the_noise_of_a_window_is_that_of_a_normal_distribution() {
        // Differences of 1 and -1 in turn have a median absolute deviation of 1.
        let noise = noise(&[0.0, 1.0, 0.0, 1.0, 0.0]);

        assert!((noise - 1.048_358_082_507_5).abs() < 1e-12, "{noise}");
    }

    #[test]
    fn a_steady_rise_is_not_noise() {
        assert!(noise(&[0.0, 1.0, 2.0, 3.0, 4.0]).abs() < 1e-12);
    }

    #[test]
    fn the_error_of_a_distance_adds_the_variances_of_both_medians() {
        // sqrt(pi / 2 (1 / 6 + 1 / 14)).
        assert!((errors_per_noise(6, 14) - 0.611_555).abs() < 1e-5);
    }

    #[test]
    fn fewer_than_six_windows_have_no_class() {
        assert_eq!(class(&Sample::new(vec![1.0; 5]).unwrap()), None);
        assert_eq!(class(&Sample::new(vec![1.0; 6]).unwrap()), Some(Class::Flat));
    }
}
