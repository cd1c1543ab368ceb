//! An estimate as JSON: with six significant digits, since what lies below is noise and logarithms
//! of two machines may differ in the sixteenth, and with a reason where there is no number.

use serde::Serialize;
use stats::Estimate;

/// Why an estimate has no interval.
pub(crate) const TOO_FEW: &str = "too few blocks for an interval";
/// Why there is no estimate of what some machines hide.
pub(crate) const UNREPORTED: &str = "the machine did not report it";

/// An estimate, or why there is none.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Figure {
    /// The estimate.
    value: Option<f64>,
    /// Where its interval begins.
    low: Option<f64>,
    /// Where it ends.
    high: Option<f64>,
    /// Why there is no estimate, or no interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl Figure {
    /// Writes an estimate.
    pub(crate) fn of(estimate: &Estimate) -> Self {
        Self::or_without(estimate, TOO_FEW)
    }

    /// Writes an estimate, and why it has no interval if it has none.
    pub(crate) fn or_without(estimate: &Estimate, reason: &'static str) -> Self {
        let interval = estimate.interval;
        Self {
            value: rounded(estimate.value),
            low: interval.and_then(|interval| rounded(interval.low)),
            high: interval.and_then(|interval| rounded(interval.high)),
            reason: interval.is_none().then_some(reason),
        }
    }

    /// Writes an estimate, or why there is none.
    pub(crate) fn or(estimate: Option<&Estimate>, reason: &'static str) -> Self {
        estimate.map_or(Self { value: None, low: None, high: None, reason: Some(reason) }, Self::of)
    }
}

/// Returns a figure with six significant digits, if it is a number.
pub fn rounded(value: f64) -> Option<f64> {
    format!("{value:.5e}").parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_six_digits_and_what_is_no_number_becomes_nothing() {
        let cases = [(1.234_567_89, Some(1.234_57)), (0.0, Some(0.0)), (f64::NAN, None)];
        for (value, expected) in cases {
            assert_eq!(rounded(value), expected);
        }
        assert_eq!(rounded(123_456_789.0), Some(123_457_000.0));
        assert_eq!(rounded(f64::INFINITY), None);
    }
}
