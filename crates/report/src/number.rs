//! How figures are written: three significant digits, one unit a column.

use stats::{Estimate, Interval};

/// Writes a figure with three significant digits.
pub(crate) fn digits(value: f64) -> String {
    let magnitude = value.abs();
    match () {
        () if !value.is_finite() => "-".to_owned(),
        () if magnitude >= 100.0 => format!("{value:.0}"),
        () if magnitude >= 10.0 => format!("{value:.1}"),
        () => format!("{value:.2}"),
    }
}

/// Writes an estimate with its interval, if it has one.
pub(crate) fn with_interval(estimate: &Estimate) -> String {
    let value = digits(estimate.value);
    match estimate.interval {
        Some(Interval { low, high }) => format!("{value} [{}, {}]", digits(low), digits(high)),
        None => format!("{value} [too few blocks]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits() {
        for (value, text) in [(1.234, "1.23"), (14.06, "14.1"), (1322.4, "1322"), (-0.5, "-0.50")] {
            assert_eq!(digits(value), text);
        }
        assert_eq!(digits(f64::NAN), "-");
    }
}
