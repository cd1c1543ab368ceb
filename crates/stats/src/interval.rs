//! The two shapes an answer has: an interval, and an estimate with an interval or without one.

/// All values from `low` to `high`, both included, in the unit of the estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The least value that the data do not rule out.
    pub low: f64,
    /// The greatest value that the data do not rule out.
    pub high: f64,
}

impl Interval {
    /// Returns whether `value`, in the unit of the interval, is one of its values.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Returns half the distance between the ends, in the unit of the interval.
    ///
    /// On the logarithmic scale this is what a stop rule compares with its target, as an error of
    /// 0.02 there is one of about 2 %.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Returns the interval of the ratio, when `self` is an interval of its natural logarithm.
    #[must_use]
    pub fn exp(&self) -> Self {
        Self { low: self.low.exp(), high: self.high.exp() }
    }
}

/// A single value drawn from data, and how far it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value itself.
    pub value: f64,
    /// Its interval; `None` where the data are too few for a finite one at the level asked for.
    pub interval: Option<Interval>,
}

impl Estimate {
    /// Returns the estimate of the ratio, when `self` estimates its natural logarithm.
    #[must_use]
    pub fn exp(&self) -> Self {
        Self { value: self.value.exp(), interval: self.interval.map(|interval| interval.exp()) }
    }

    /// Returns the estimate of what it is a ratio to, which is a positive number, times that ratio.
    #[must_use]
    pub fn times(&self, number: f64) -> Self {
        let times = |own: Interval| Interval { low: own.low * number, high: own.high * number };
        Self { value: self.value * number, interval: self.interval.map(times) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks whether the interval from 1 to 2 contains `value`.
    fn check(value: f64, expected: bool) {
        let interval = Interval { low: 1.0, high: 2.0 };

        assert_eq!(interval.contains(value), expected, "{value}");
    }

    #[test]
    fn both_ends_belong_to_an_interval() {
        check(1.0, true);
        check(2.0, true);
    }

    #[test]
    fn values_beyond_the_ends_do_not_belong() {
        check(0.999, false);
        check(2.001, false);
    }

    #[test]
    fn no_number_is_in_no_interval() {
        check(f64::NAN, false);
    }

    #[test]
    fn half_the_width_is_measured_from_the_middle() {
        assert!((Interval { low: -1.0, high: 2.0 }.half_width() - 1.5).abs() < 1e-15);
    }

    #[test]
    fn a_logarithmic_estimate_becomes_a_ratio_with_all_its_parts() {
        let logarithm = Estimate { value: 0.0, interval: Some(Interval { low: -1.0, high: 1.0 }) };

        let ratio = logarithm.exp();

        let expected = Interval { low: (-1.0_f64).exp(), high: 1.0_f64.exp() };
        assert_eq!(ratio, Estimate { value: 1.0, interval: Some(expected) });
    }

    #[test]
    fn an_estimate_without_interval_stays_without() {
        assert_eq!(Estimate { value: 0.0, interval: None }.exp().interval, None);
    }
}
