//! Ratios as percentages: `+23 % (22 to 24)`. Whatever shows a ratio writes it so, with the same
//! digits.

use analysis::Estimate;

/// Writes a ratio as a percentage with its sign.
pub(crate) fn percent(ratio: f64) -> String {
    signed(&[ratio]).swap_remove(0) + " %"
}

/// Writes by how much a ratio is away from 1, without a sign.
pub(crate) fn distance(ratio: f64) -> String {
    percent(ratio).trim_start_matches(['+', '-']).to_owned()
}

/// Writes a ratio with its interval, if it has one.
pub(crate) fn with_interval(ratio: &Estimate) -> String {
    let Some(interval) = ratio.interval else {
        return format!("{} (too few blocks)", percent(ratio.value));
    };
    let numbers = signed(&[ratio.value, interval.low, interval.high]);
    // The ends carry signs where they are not all those of the value: nobody has to guess.
    let is_more = numbers.iter().all(|number| !number.starts_with('-'));
    let [low, high] = [1, 2].map(|place| match is_more {
        true => numbers[place].trim_start_matches('+'),
        false => &numbers[place],
    });
    format!("{} % ({low} to {high})", numbers[0])
}

/// Writes from where to where ratios go.
pub(crate) fn range(ratios: &[f64]) -> String {
    let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let numbers = signed(&[low, high]);
    match numbers[0] == numbers[1] {
        true => format!("{} %", numbers[0]),
        false => format!("{} to {} %", numbers[0], numbers[1]),
    }
}

/// Writes from where to where ratios are away from 1, without a sign: `20 to 40 %`.
pub(crate) fn span(ratios: &[f64]) -> String {
    let away: Vec<f64> = ratios.iter().map(|ratio| 1.0 + (ratio - 1.0).abs()).collect();
    range(&away).replace('+', "")
}

/// Writes a ratio as a whole percentage with its sign, without the unit: `+23`.
pub(crate) fn whole(ratio: f64) -> String {
    written(100.0 * (ratio - 1.0), 0)
}

/// Writes ratios as signed percentages, all with the same number of digits: one behind the point
/// where one of them would lose its sign or half of its digits without.
fn signed(ratios: &[f64]) -> Vec<String> {
    let percents: Vec<f64> = ratios.iter().map(|ratio| 100.0 * (ratio - 1.0)).collect();
    let size = |find: fn(f64, f64) -> f64| percents.iter().map(|p| p.abs()).reduce(find);
    let is_small = size(f64::max).is_some_and(|most| most < 9.95);
    let is_near = size(f64::min).is_some_and(|least| least < 0.95);
    let digits = usize::from(is_small || is_near);
    percents.iter().map(|percent| written(*percent, digits)).collect()
}

/// Writes a percentage with so many digits behind the point.
fn written(percent: f64, digits: usize) -> String {
    match format!("{percent:+.digits$}") {
        _ if !percent.is_finite() => "-".to_owned(),
        text if text.trim_start_matches(['+', '-', '0', '.']).is_empty() => "0".to_owned(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use analysis::Interval;

    use super::*;

    #[test]
    fn a_ratio_is_a_percentage_with_the_digits_of_its_interval() {
        let written = |value, low, high| {
            with_interval(&Estimate { value, interval: Some(Interval { low, high }) })
        };
        assert_eq!(written(1.229, 1.218, 1.241), "+23 % (22 to 24)");
        assert_eq!(written(0.922, 0.914, 0.93), "-7.8 % (-8.6 to -7.0)");
        assert_eq!(written(2.56, 2.35, 2.73), "+156 % (135 to 173)");
        assert_eq!(written(1.12, 1.003, 1.25), "+12.0 % (0.3 to 25.0)");
        assert_eq!(written(1.0, 0.98, 1.02), "0 % (-2.0 to +2.0)");
        let alone = Estimate { value: 1.5, interval: None };
        assert_eq!(with_interval(&alone), "+50 % (too few blocks)");
    }

    #[test]
    fn a_ratio_that_is_no_number_is_a_dash_and_nothing_is_minus_nothing() {
        assert_eq!(percent(f64::NAN), "- %");
        assert_eq!((percent(0.9999), percent(1.0001)), ("0 %".to_owned(), "0 %".to_owned()));
        assert_eq!((distance(0.88), distance(1.2)), ("12 %".to_owned(), "20 %".to_owned()));
    }

    #[test]
    fn ratios_of_one_kind_are_written_by_their_ends() {
        assert_eq!(range(&[1.66, 1.63, 1.64]), "+63 to +66 %");
        assert_eq!(range(&[2.56]), "+156 %");
        assert_eq!((span(&[0.6, 1.2]), span(&[1.2])), ("20 to 40 %".to_owned(), "20 %".to_owned()));
        assert_eq!((whole(1.234), whole(0.6)), ("+23".to_owned(), "-40".to_owned()));
    }
}
