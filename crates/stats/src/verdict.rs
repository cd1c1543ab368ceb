//! What may be said about a pair of models: different, equivalent, or nothing yet.
//!
//! A difference that is not significant is not an equality, hence three words and not two. All
//! comparisons are made on the logarithmic scale, so that exchanging the two models exchanges the
//! direction and keeps the word.

use crate::{Estimate, Interval};

/// What may be said about a pair of models in one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The models differ by more than the margin.
    Different,
    /// The models differ by less than the margin, if at all.
    Equivalent,
    /// The trials do not settle it.
    Inconclusive,
}

/// What the trials say about a pair of models.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The p-value of the pair, adjusted over its family ([`crate::bonferroni`]).
    pub adjusted_p: f64,
    /// The cost ratio of the pair, with the interval that holds for all pairs of the family at
    /// once: [`crate::hodges_lehmann::ratio`] at alpha divided by the number of pairs.
    pub ratio: Estimate,
}

/// What is asked of the evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Criteria {
    /// The accepted chance of any false difference in the family, such as 0.05.
    pub alpha: f64,
    /// The least relative difference that matters, such as 0.02: ratios between 1 / 1.02 and 1.02
    /// count as the same.
    pub margin: f64,
}

impl Evidence {
    /// Returns the verdict of this evidence.
    ///
    /// `Different` needs a rejection and an estimate outside the margin; `Equivalent` needs the
    /// whole simultaneous interval inside it, which is two one-sided tests in one (D. J.
    /// Schuirmann, *Journal of Pharmacokinetics and Biopharmaceutics* 15, 1987, 657–680). Without
    /// an interval nothing is ever equivalent. Both are of one level, so that a pair is called
    /// different only where its interval excludes 1.
    #[must_use]
    pub fn verdict(&self, criteria: &Criteria) -> Verdict {
        let margin = criteria.margin.ln_1p();
        let rejected = self.adjusted_p <= criteria.alpha;
        let inside =
            |interval: &Interval| -margin < interval.low.ln() && interval.high.ln() < margin;

        if rejected && self.ratio.value.ln().abs() > margin {
            Verdict::Different
        } else if self.ratio.interval.as_ref().is_some_and(inside) {
            Verdict::Equivalent
        } else {
            Verdict::Inconclusive
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the verdict at 5 % with a margin of 2 %, for a pair seen from one side.
    fn decide(adjusted_p: f64, value: f64, interval: Option<(f64, f64)>) -> Verdict {
        let interval = interval.map(|(low, high)| Interval { low, high });
        let evidence = Evidence { adjusted_p, ratio: Estimate { value, interval } };

        evidence.verdict(&Criteria { alpha: 0.05, margin: 0.02 })
    }

    /// Checks the verdict on a pair, seen from both sides.
    fn check(adjusted_p: f64, value: f64, interval: Option<(f64, f64)>, expected: Verdict) {
        let back = interval.map(|(low, high)| (1.0 / high, 1.0 / low));

        assert_eq!(decide(adjusted_p, value, interval), expected, "there: {value}");
        assert_eq!(decide(adjusted_p, 1.0 / value, back), expected, "back: {value}");
    }

    #[test]
    fn a_rejected_pair_beyond_the_margin_is_different() {
        check(0.05, 1.03, Some((1.01, 1.05)), Verdict::Different);
    }

    #[test]
    fn a_rejected_pair_beyond_the_margin_is_different_without_an_interval() {
        check(0.01, 1.5, None, Verdict::Different);
    }

    #[test]
    fn a_pair_that_is_not_rejected_is_not_different() {
        check(0.051, 1.5, Some((0.9, 2.5)), Verdict::Inconclusive);
    }

    #[test]
    fn a_rejected_pair_within_the_margin_is_not_different() {
        check(0.001, 1.019, Some((1.01, 1.03)), Verdict::Inconclusive);
    }

    #[test]
    fn a_rejected_pair_with_its_interval_inside_the_margin_is_equivalent() {
        check(0.001, 1.01, Some((1.005, 1.015)), Verdict::Equivalent);
    }

    #[test]
    fn an_interval_that_leaves_the_margin_is_not_equivalent() {
        check(1.0, 1.0, Some((0.99, 1.021)), Verdict::Inconclusive);
        check(1.0, 1.0, Some((0.975, 1.01)), Verdict::Inconclusive);
    }

    #[test]
    fn without_an_interval_nothing_is_equivalent() {
        check(1.0, 1.0, None, Verdict::Inconclusive);
    }

    #[test]
    fn a_saving_counts_like_the_surcharge_seen_from_the_other_side() {
        // 1 - 0.9801 is less than 2 %, but seen from the other side the ratio is 1.0203.
        check(0.01, 0.9801, Some((0.97, 0.99)), Verdict::Different);
        check(0.01, 0.9805, Some((0.97, 0.99)), Verdict::Inconclusive);
    }

    #[test]
    fn evidence_that_is_no_number_settles_nothing() {
        check(f64::NAN, f64::NAN, Some((f64::NAN, f64::NAN)), Verdict::Inconclusive);
    }
}
