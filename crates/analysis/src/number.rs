//! How figures are written: three significant digits, one unit a column, a verdict in a word.

use stats::verdict::Verdict;
use stats::{Estimate, Interval};
use workload::DelayRange;

/// Digits of a hash that are shown.
const HASH_DIGITS: usize = 12;

/// Writes a figure with three significant digits.
pub fn digits(value: f64) -> String {
    let magnitude = value.abs();
    match () {
        () if !value.is_finite() => "-".to_owned(),
        () if magnitude >= 100.0 => format!("{value:.0}"),
        () if magnitude >= 10.0 => format!("{value:.1}"),
        () => format!("{value:.2}"),
    }
}

/// Writes an estimate with its interval, if it has one.
pub fn with_interval(estimate: &Estimate) -> String {
    let value = digits(estimate.value);
    match estimate.interval {
        Some(Interval { low, high }) => format!("{value} ({} to {})", digits(low), digits(high)),
        None => format!("{value} (too few blocks)"),
    }
}

/// Returns the unit that people say so many nanoseconds in, and how many of them it is.
pub fn unit_of_time(ns: f64) -> (f64, &'static str) {
    match ns.abs() {
        ns if ns >= 1e6 => (1e6, "ms"),
        ns if ns >= 1e3 => (1e3, "us"),
        _ => (1.0, "ns"),
    }
}

/// Writes nanoseconds with their interval, all in the unit that people say the estimate in.
pub(crate) fn time(ns: &Estimate) -> String {
    let (unit_ns, unit) = unit_of_time(ns.value);
    format!("{} {unit}", with_interval(&ns.times(unit_ns.recip())))
}

/// Writes a verdict.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Different => "different",
        Verdict::Equivalent => "equivalent",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// Writes how many there are of something whose name takes an s.
pub fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// Writes a share in percent.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Writes a limit in percent.
pub(crate) fn limit(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// Writes from where to where delays go.
pub fn range(delay_ms: DelayRange) -> String {
    match (delay_ms.lo, delay_ms.hi) {
        (lo, hi) if lo == hi => format!("{lo} ms"),
        (lo, hi) => format!("{lo} to {hi} ms"),
    }
}

/// Returns the digits of a hash that are shown.
pub fn shortened(sha256: &str) -> String {
    sha256.chars().take(HASH_DIGITS).collect()
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

    #[test]
    fn a_time_and_its_interval_are_written_in_the_unit_that_people_say_the_time_in() {
        let written =
            |value, low, high| time(&Estimate { value, interval: Some(Interval { low, high }) });
        assert_eq!(written(84.26, 81.0, 1_002.0), "84.3 (81.0 to 1002) ns");
        assert_eq!(written(18_805.0, 18_101.0, 19_999.0), "18.8 (18.1 to 20.0) us");
        assert_eq!(written(1_120_000.0, 990_000.0, 1_260_000.0), "1.12 (0.99 to 1.26) ms");
        assert_eq!(time(&Estimate { value: 7_500.0, interval: None }), "7.50 (too few blocks) us");
    }
}
