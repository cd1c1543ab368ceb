//! Ratios as percentages: `+23 % (22 to 24)`.

use analysis::Estimate;

/// Writes a ratio as a percentage with its sign.
pub(super) fn percent(ratio: f64) -> String {
    signed(&[ratio]).swap_remove(0) + " %"
}

/// Writes by how much a ratio is away from 1, without a sign.
pub(super) fn distance(ratio: f64) -> String {
    percent(ratio).trim_start_matches(['+', '-']).to_owned()
}

/// Writes a ratio with its interval, if it has one.
pub(super) fn with_interval(ratio: &Estimate) -> String {
    let Some(interval) = ratio.interval else {
        return format!("{} (too few blocks)", percent(ratio.value));
    };
    let numbers = signed(&[ratio.value, interval.low, interval.high]);
    let [low, high] = [1, 2].map(|place| numbers[place].trim_start_matches('+'));
    format!("{} % ({low} to {high})", numbers[0])
}

/// Writes from where to where ratios go.
pub(super) fn range(ratios: &[f64]) -> String {
    let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let numbers = signed(&[low, high]);
    match numbers[0] == numbers[1] {
        true => format!("{} %", numbers[0]),
        false => format!("{} to {} %", numbers[0], numbers[1]),
    }
}

/// Writes ratios as signed percentages, all with the same number of digits: one behind the point
/// where one of them would lose its sign or half of its digits without.
fn signed(ratios: &[f64]) -> Vec<String> {
    let percents: Vec<f64> = ratios.iter().map(|ratio| 100.0 * (ratio - 1.0)).collect();
    let size = |find: fn(f64, f64) -> f64| percents.iter().map(|p| p.abs()).reduce(find);
    let is_small = size(f64::max).is_some_and(|most| most < 9.95);
    let is_near = size(f64::min).is_some_and(|least| least < 0.95);
    let digits = usize::from(is_small || is_near);
    let write = |percent: &f64| match format!("{percent:+.digits$}") {
        _ if !percent.is_finite() => "-".to_owned(),
        text if text.trim_start_matches(['+', '-', '0', '.']).is_empty() => "0".to_owned(),
        text => text,
    };
    percents.iter().map(write).collect()
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
        assert_eq!(written(1.0, 0.98, 1.02), "0 % (-2.0 to 2.0)");
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
    }
}
