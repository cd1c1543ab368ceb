//! From where to where values go.

use serde::Serialize;

use crate::figure::rounded;

/// From the least to the greatest of some values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Span {
    /// The least.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

impl Span {
    /// Returns the span of some values, if any of them is a number.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let each = values.filter(|value| value.is_finite());
        let each = each.map(|value| Self { least: value, most: value });
        each.reduce(|a, b| Self { least: a.least.min(b.least), most: a.most.max(b.most) })
    }

    /// Returns it with six significant digits.
    pub(crate) fn rounded(self) -> Self {
        let [least, most] = [self.least, self.most].map(|end| rounded(end).unwrap_or(end));
        Self { least, most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_goes_from_the_least_to_the_greatest_and_leaves_out_what_is_no_number() {
        let span = Span::of([2.0, f64::NAN, 1.0, 3.0].into_iter());
        assert_eq!(span, Some(Span { least: 1.0, most: 3.0 }));
        assert_eq!(Span::of([f64::NAN].into_iter()), None);
    }
}
