//! A sample: numbers checked once, so that every statistic over them is total.

/// At least one finite number, in the order of the blocks they come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The numbers, never empty, never infinite, never NaN.
    values: Vec<f64>,
}

impl Sample {
    /// Returns the sample of `values`, whose unit it keeps.
    ///
    /// `None` means that there are no values or that one of them is not finite.
    #[must_use]
    pub fn new(values: Vec<f64>) -> Option<Self> {
        let valid = !values.is_empty() && values.iter().all(|value| value.is_finite());

        valid.then_some(Self { values })
    }

    /// Returns the numbers in the order in which they were given.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks whether `values` make a sample.
    fn check(values: &[f64], expected: bool) {
        assert_eq!(Sample::new(values.to_vec()).is_some(), expected, "{values:?}");
    }

    #[test]
    fn finite_numbers_make_a_sample() {
        check(&[1.0, -2.0, 0.0], true);
    }

    #[test]
    fn no_numbers_make_no_sample() {
        check(&[], false);
    }

    #[test]
    fn a_number_that_is_not_finite_invalidates_the_sample() {
        check(&[1.0, f64::NAN], false);
        check(&[f64::INFINITY, 1.0], false);
    }

    #[test]
    fn a_sample_keeps_the_order_of_its_blocks() {
        assert_eq!(Sample::new(vec![2.0, 1.0]).unwrap().values(), [2.0, 1.0]);
    }
}
