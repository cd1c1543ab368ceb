//! How figures are written: three significant digits, one unit a column, a verdict in a word.

use stats::verdict::Verdict;
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

/// Writes a verdict.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Different => "different",
        Verdict::Equivalent => "equivalent",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// Returns a text without what cannot be seen but may act: control characters, and signs that turn
/// the direction of reading.
pub(crate) fn visible(text: &str) -> String {
    let acts = |c: char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (c.is_control() && c != '\n')
    };
    text.chars().filter(|&c| !acts(c)).collect()
}

/// Writes how many there are of something whose name takes an s.
pub(crate) fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
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
