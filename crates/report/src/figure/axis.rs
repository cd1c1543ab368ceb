//! The horizontal axis of a figure: where a value lies, and which values are written.

use crate::figure::percent::change;

/// At most so many values are written.
const TICKS_MAX: usize = 6;
/// How far the ends of a logarithmic axis lie beyond the values, as a factor.
const ROOM: f64 = 1.04;

/// A horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    /// The quantity and its unit.
    pub(crate) name: String,
    /// The value at the left end.
    low: f64,
    /// The value at the right end.
    high: f64,
    /// Whether equal steps are equal factors.
    is_log: bool,
    /// The values that are written.
    ticks: Vec<f64>,
    /// Whether a factor is written as what it is more or less than one, in percent.
    is_change: bool,
}

impl Axis {
    /// Returns an axis from zero to a little beyond the greatest value: costs are never cut off.
    pub(crate) fn from_zero(name: &str, values: impl Iterator<Item = f64>) -> Self {
        let greatest = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let step = step_of(greatest.max(f64::MIN_POSITIVE) / 5.0);
        let high = (greatest / step).ceil().max(1.0) * step;
        Self::new(name, (0.0, high), false, multiples(step, high))
    }

    /// Returns an axis of factors that holds all values.
    pub(crate) fn of_factors(name: &str, values: impl Iterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.filter(|value| value.is_finite() && *value > 0.0).collect();
        let low = values.iter().copied().reduce(f64::min).unwrap_or(1.0) / ROOM;
        let high = values.iter().copied().reduce(f64::max).unwrap_or(1.0) * ROOM;
        Self::new(&format!("{name} (log)"), (low, high), true, factors(low, high))
    }

    /// Returns an axis between two values, written at these.
    pub(crate) fn between(name: &str, ends: (f64, f64), ticks: Vec<f64>) -> Self {
        Self::new(name, ends, false, ticks)
    }

    /// Returns an axis.
    fn new(name: &str, (low, high): (f64, f64), is_log: bool, ticks: Vec<f64>) -> Self {
        Self { name: name.to_owned(), low, high, is_log, ticks, is_change: false }
    }

    /// Returns the axis of factors with the changes in percent that they are.
    pub(crate) fn of_changes(name: &str, values: impl Iterator<Item = f64>) -> Self {
        let axis = Self::of_factors(name, values);
        Self { is_change: true, ticks: changes(axis.low, axis.high), ..axis }
    }

    /// Returns where a value lies, in percent of the width; what lies beyond an end is put there.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let scaled = |value: f64| if self.is_log { value.ln() } else { value };
        let (low, high) = (scaled(self.low), scaled(self.high));
        let share = (scaled(value) - low) / (high - low);
        if share.is_finite() { 100.0 * share.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Returns the values that are written.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        self.ticks.iter().copied()
    }

    /// Returns the values that are written, with their places.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let text = |tick: f64| if self.is_change { change(tick) } else { plain(tick) };
        self.ticks.iter().map(move |&tick| (self.place(tick), text(tick)))
    }
}

/// Returns the least of 1, 2 and 5 times a power of ten that is not below a value.
fn step_of(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= value * 0.999_999).unwrap_or(10.0 * power)
}

/// Returns the multiples of a step from 0 to an end.
fn multiples(step: f64, high: f64) -> Vec<f64> {
    let ticks = (0_u8..20).map(|index| f64::from(index) * step);
    ticks.take_while(|tick| *tick <= high * 1.000_001).collect()
}

/// Returns round factors between two ends: as many as fit.
fn factors(low: f64, high: f64) -> Vec<f64> {
    let fine = [1.0, 1.1, 1.2, 1.3, 1.5, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0];
    for mantissas in [&fine[..], &[1.0, 1.2, 1.5, 2.0, 3.0, 5.0], &[1.0, 2.0, 5.0], &[1.0]] {
        let powers = (-6..=6).map(|power| 10_f64.powi(power));
        let ticks = powers.flat_map(|power| mantissas.iter().map(move |factor| factor * power));
        let below_one = (mantissas.len() == fine.len()).then_some([0.8, 0.9]);
        let ticks = ticks.chain(below_one.into_iter().flatten());
        let mut ticks: Vec<f64> = ticks.filter(|tick| (low..=high).contains(tick)).collect();
        ticks.sort_by(f64::total_cmp);
        if ticks.len() <= TICKS_MAX || mantissas.len() == 1 {
            return thinned(ticks);
        }
    }
    Vec::new()
}

/// Returns factors between two ends that are round changes in percent, far enough apart for their
/// letters on the narrowest phone.
fn changes(low: f64, high: f64) -> Vec<f64> {
    /// The least distance of two, as a share of the axis.
    const APART: f64 = 0.16;
    /// What a letter takes on a phone of 360 pixels, and what stays free between two texts,
    /// likewise: 8 and 3 of the 184 pixels that the axis has there.
    const LETTER: f64 = 0.0435;
    const GAP: f64 = 0.016;
    let sets: [&[f64]; 9] = [
        &[0.98, 0.99, 1.0, 1.01, 1.02],
        &[0.9, 0.95, 1.0, 1.05, 1.1],
        &[0.8, 0.9, 1.0, 1.1, 1.2, 1.3],
        &[0.6, 0.8, 1.0, 1.2, 1.4],
        &[0.5, 0.7, 1.0, 1.2, 1.5, 2.0],
        &[0.5, 0.7, 1.0, 1.5, 2.0, 2.5, 3.5],
        &[0.5, 0.7, 1.0, 1.5, 2.0, 3.0],
        &[0.2, 0.5, 1.0, 1.5, 2.5, 4.0, 7.0],
        &[0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0],
    ];
    let inside = |set: &[f64]| {
        set.iter().copied().filter(|tick| (low..=high).contains(tick)).collect::<Vec<f64>>()
    };
    let fits = |ticks: &Vec<f64>| {
        let share = |pair: &[f64]| (pair[1] / pair[0]).ln() / (high / low).ln();
        let letters = |pair: &[f64]| pair.iter().map(|tick| change(*tick).chars().count()).sum();
        let takes = |pair: &[f64]| (LETTER * counted(letters(pair)) / 2.0 + GAP).max(APART);
        ticks.len() > 2 && ticks.windows(2).all(|pair| share(pair) > takes(pair))
    };
    sets.into_iter().map(inside).find(fits).unwrap_or_else(|| vec![1.0])
}

/// Returns a few letters as a number of them.
fn counted(letters: usize) -> f64 {
    u32::try_from(letters).map_or(f64::MAX, f64::from)
}

/// Returns every n-th value, so that they fit.
fn thinned(ticks: Vec<f64>) -> Vec<f64> {
    let step = ticks.len().div_ceil(TICKS_MAX).max(1);
    ticks.into_iter().step_by(step).collect()
}

/// Writes a round number without needless digits.
fn plain(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what an axis writes.
    fn written(axis: &Axis) -> Vec<String> {
        axis.ticks().map(|(_, text)| text).collect()
    }

    #[test]
    fn an_axis_of_costs_begins_at_zero_and_ends_beyond_the_greatest() {
        let axis = Axis::from_zero("us", [3.0, 52.3].into_iter());
        assert_eq!(written(&axis), ["0", "20", "40", "60"]);
        assert!((axis.place(0.0), axis.place(30.0)) == (0.0, 50.0));
        assert_eq!(written(&Axis::from_zero("us", [0.37].into_iter())).len(), 5);
    }

    #[test]
    fn equal_factors_are_equal_steps_and_one_is_always_inside() {
        let axis = Axis::of_factors("times", [0.9, 2.3].into_iter());
        let step = |a: f64, b: f64| axis.place(b) - axis.place(a);
        assert!((step(1.0, 1.2) - step(1.5, 1.8)).abs() < 1e-9);
        assert!(axis.place(1.0) > 0.0 && axis.place(1.0) < 100.0);
        for (low, high) in [(0.9, 2.3), (0.98, 1.02), (0.5, 40.0), (0.001, 5000.0), (1.0, 1.0)] {
            let ticks = written(&Axis::of_factors("times", [low, high].into_iter()));
            assert!(ticks.len() <= TICKS_MAX && !ticks.is_empty(), "{low} {high} {ticks:?}");
        }
    }

    #[test]
    fn changes_are_written_in_percent_and_never_close_to_each_other() {
        let changes = |low, high| written(&Axis::of_changes("times", [low, high].into_iter()));
        assert_eq!(changes(0.83, 3.2), ["0", "+50", "+100", "+200"]);
        assert_eq!(changes(0.78, 1.22), ["\u{2212}20", "\u{2212}10", "0", "+10", "+20"]);
        // Of +100 and +150 the letters would touch on a phone of 360 pixels.
        assert_eq!(changes(0.8, 2.72), ["0", "+50", "+100"]);
        assert_eq!(changes(1.0, 1.0), ["0"]);
    }

    #[test]
    fn nothing_is_drawn_outside() {
        let axis = Axis::from_zero("us", [10.0].into_iter());
        for value in [-5.0, 500.0, f64::NAN, f64::INFINITY] {
            assert!((0.0..=100.0).contains(&axis.place(value)));
        }
        assert_eq!(written(&Axis::from_zero("us", [].into_iter())).first().unwrap(), "0");
    }
}
