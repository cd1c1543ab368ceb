//! Ratios as a page and its figures write them: with the sign that readers and screen readers take
//! for a minus, and with a space that no line ends at.

use analysis::number::digits;
use analysis::{Estimate, Interval};

use crate::percent;

/// Writes a ratio with its interval: `+23 % (22 to 24)`.
pub(crate) fn more(ratio: &Estimate) -> String {
    typeset(&percent::with_interval(ratio))
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
    typeset(&percent::whole(ratio))
}

/// Writes by how much a ratio is more or less than one, without sign and interval: `23 %`.
pub(crate) fn apart(ratio: f64) -> String {
    typeset(&percent::distance(ratio))
}

/// Writes the least and the greatest of some ratios: `20 to 40 %`.
pub(crate) fn span(ratios: &[f64]) -> String {
    typeset(&percent::span(ratios))
}

/// Writes the least and the greatest of some ratios with their signs: `−10 to +166 %`.
pub(crate) fn range(ratios: &[f64]) -> String {
    typeset(&percent::range(ratios))
}

/// Sets a text of numbers.
fn typeset(text: &str) -> String {
    text.replace('-', "\u{2212}").replace(" %", "\u{a0}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_has_the_signs_and_spaces_of_a_page() {
        let ratio = |value, low, high| Estimate { value, interval: Some(Interval { low, high }) };
        for (ratio, text) in [
            (ratio(1.234, 1.221, 1.244), "+23\u{a0}% (22 to 24)"),
            (ratio(0.922, 0.914, 0.93), "\u{2212}7.8\u{a0}% (\u{2212}8.6 to \u{2212}7.0)"),
            (ratio(0.99, 0.91, 1.06), "\u{2212}1.0\u{a0}% (\u{2212}9.0 to +6.0)"),
            (ratio(1.0, 1.0, 1.0), "0\u{a0}% (0 to 0)"),
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
