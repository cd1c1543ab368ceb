//! Ratios as readers say them: so many percent more or less, with the interval.

use analysis::number::digits;
use analysis::{Estimate, Interval};

/// Below so many percent a digit after the point is shown.
const FINE: f64 = 10.0;
/// The sign that readers and screen readers take for a minus.
const MINUS: &str = "\u{2212}";

/// Writes a ratio with its interval`+23 % (22 to 24)`.
pub(crate) fn more(ratio: &Estimate) -> String {
    let value = share(ratio.value);
    let Some(Interval { low, high }) = ratio.interval else {
        return format!("{}\u{a0}% (too few blocks)", signed(value, decimals(&[value])));
    };
    let (low, high) = (share(low), share(high));
    let decimals = decimals(&[value, low, high]);
    // The ends carry signs where they are not all the value's own: nobody has to guess.
    let end = |end: f64| match value > 0.0 && low >= 0.0 {
        true => format!("{end:.decimals$}"),
        false => signed(end, decimals),
    };
    format!("{}\u{a0}% ({} to {})", signed(value, decimals), end(low), end(high))
}

/// Writes an estimate with its interval in its own unit, such as `3.84 (3.24 to 4.24)`.
pub(crate) fn with_ends(estimate: &Estimate) -> String {
    let value = digits(estimate.value);
    match estimate.interval {
        Some(Interval { low, high }) => format!("{value} ({} to {})", digits(low), digits(high)),
        None => value,
    }
}

/// Writes a ratio as a change in whole percent, without the unit: `+23`.
pub(crate) fn change(ratio: f64) -> String {
    signed(share(ratio), 0)
}

/// Writes by how much a ratio is more or less than one, without sign and interval: `23 %`.
pub(crate) fn apart(ratio: f64) -> String {
    let value = share(ratio).abs();
    format!("{value:.*}\u{a0}%", decimals(&[value]))
}

/// Writes the least and the greatest of some ratios: `20 to 40 %`.
pub(crate) fn span(ratios: &[f64]) -> String {
    let shares = || ratios.iter().map(|ratio| share(*ratio).abs());
    let (least, most) = (shares().fold(f64::INFINITY, f64::min), shares().fold(0.0, f64::max));
    let decimals = decimals(&[most]);
    let [low, high] = [least, most].map(|end| format!("{end:.decimals$}"));
    if low == high { format!("{low}\u{a0}%") } else { format!("{low} to {high}\u{a0}%") }
}

/// Returns how much more than one a ratio is, in percent.
fn share(ratio: f64) -> f64 {
    100.0 * (ratio - 1.0)
}

/// Returns how many digits after the point some percentages need.
fn decimals(shares: &[f64]) -> usize {
    usize::from(shares.iter().all(|share| share.abs() < FINE))
}

/// Writes a number with its sign.
fn signed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let is_zero = text.chars().all(|digit| "0.".contains(digit));
    match (is_zero, value < 0.0) {
        (true, _) => text,
        (false, true) => format!("{MINUS}{text}"),
        (false, false) => format!("+{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_written_in_percent_with_as_many_digits_as_its_interval() {
        let ratio = |value, low, high| Estimate { value, interval: Some(Interval { low, high }) };
        for (ratio, text) in [
            (ratio(1.234, 1.221, 1.244), "+23\u{a0}% (22 to 24)"),
            (ratio(0.922, 0.914, 0.93), "\u{2212}7.8\u{a0}% (\u{2212}8.6 to \u{2212}7.0)"),
            (ratio(0.99, 0.91, 1.06), "\u{2212}1.0\u{a0}% (\u{2212}9.0 to +6.0)"),
            (ratio(1.0, 1.0, 1.0), "0.0\u{a0}% (0.0 to 0.0)"),
            (Estimate { value: 1.5, interval: None }, "+50\u{a0}% (too few blocks)"),
        ] {
            assert_eq!(more(&ratio), text);
        }
        assert_eq!((apart(0.922), apart(1.4)), ("7.8\u{a0}%".to_owned(), "40\u{a0}%".to_owned()));
        assert_eq!(
            (span(&[1.2, 1.4]), span(&[1.2])),
            ("20 to 40\u{a0}%".into(), "20\u{a0}%".into())
        );
    }
}
