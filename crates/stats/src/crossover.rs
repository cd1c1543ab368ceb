//! From which level on a model costs less than another, if both were compared at every level of
//! something, such as the number in flight.
//!
//! The **crossover** is the smallest level from which the model truly costs less: at that level and
//! at every higher one of those that were measured, the ratio of the costs is below 1. Whatever the
//! ratios do below it, there is one such level, or none in the range.
//!
//! Its interval is read off what is sure at all levels at once. If the verdicts of the levels are
//! those of one family ([`crate::bonferroni`]), so that all of them are right with a confidence of
//! 95 %, then with that confidence the crossover lies above every level at which the model surely
//! costs more, and not above the first from which it surely costs less at every level. The question
//! is that of the lowest effective dose (A. C. Tamhane, Y. Hochberg & C. W. Dunnett, "Multiple test
//! procedures for dose finding", *Biometrics* 52, 1996, 21–37), and a set of levels that holds the
//! true one follows from the tests themselves (J. C. Hsu & R. L. Berger, "Stepwise confidence
//! intervals without multiplicity adjustment for dose-response and toxicity studies", *Journal of
//! the American Statistical Association* 94, 1999, 468–482; here with the adjustment, since levels
//! are asked on both sides). Nothing is assumed of how the ratio moves between levels.
//!
//! It is not a bootstrap: blocks that are drawn twice are ties with themselves, so that a test of
//! ranks says other things of resamples than of blocks, and where ratios cross 1 slowly such an
//! interval holds the truth too seldom (`tests/crossover.rs`).

use crate::verdict::{Criteria, Evidence, Verdict};

/// What is sure of a model at a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// It costs less.
    Less,
    /// It costs more.
    More,
    /// Neither: the models are equivalent, not distinguished, or were not measured.
    Neither,
}

/// The crossover of two models along some levels, reported by the places of levels in ascending
/// order, the first being 0. The number of levels stands for whatever lies beyond them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossover {
    /// The lowest level at which the crossover may lie.
    pub low: usize,
    /// The level from which on the model surely costs less, which is the highest at which the
    /// crossover may lie.
    pub high: usize,
}

impl Sure {
    /// Returns what evidence makes sure: a direction, where the verdict is *different*.
    #[must_use]
    pub fn of(evidence: &Evidence, criteria: &Criteria) -> Self {
        match evidence.verdict(criteria) {
            Verdict::Different if evidence.ratio.value < 1.0 => Self::Less,
            Verdict::Different => Self::More,
            Verdict::Equivalent | Verdict::Inconclusive => Self::Neither,
        }
    }
}

impl Crossover {
    /// Returns the crossover, given what is sure at each level, in ascending order of the levels.
    #[must_use]
    pub fn of(levels: &[Sure]) -> Self {
        let after = |last: Option<usize>| last.map_or(0, |last| last + 1);

        Self {
            low: after(levels.iter().rposition(|sure| *sure == Sure::More)),
            high: after(levels.iter().rposition(|sure| *sure != Sure::Less)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Estimate;

    /// Checks the crossover of levels, each a sign: `<` surely less, `>` surely more, `?` neither.
    fn check(levels: &str, low: usize, high: usize) {
        let sure = |sign: char| match sign {
            '<' => Sure::Less,
            '>' => Sure::More,
            _ => Sure::Neither,
        };
        let levels: Vec<Sure> = levels.chars().map(sure).collect();

        assert_eq!(Crossover::of(&levels), Crossover { low, high }, "{levels:?}");
    }

    #[test]
    fn what_costs_less_at_every_level_has_crossed_at_the_first() {
        check("<<<<", 0, 0);
    }

    #[test]
    fn what_costs_more_at_every_level_crosses_beyond_them() {
        check(">>>>", 4, 4);
    }

    #[test]
    fn where_nothing_is_sure_the_crossover_may_lie_anywhere() {
        check("????", 0, 4);
    }

    #[test]
    fn a_crossing_in_the_middle_lies_between_what_is_sure_on_either_side() {
        check(">>??<<", 2, 4);
        check(">><<<<", 2, 2);
        check("????<<", 0, 4);
        check(">>>???", 3, 6);
    }

    #[test]
    fn a_level_that_costs_more_again_moves_the_crossover_above_it() {
        check("<<><<", 3, 3);
        check("<<<<>", 5, 5);
    }

    #[test]
    fn a_level_that_is_not_sure_leaves_the_crossover_open_up_to_the_next() {
        check("><<?<", 1, 4);
    }

    #[test]
    fn no_levels_have_no_crossover_in_range() {
        check("", 0, 0);
    }

    #[test]
    fn only_a_difference_is_sure_and_the_estimate_says_which_way() {
        let criteria = Criteria { alpha: 0.05, margin: 0.02 };
        let cases = [
            (0.01, 0.9, Sure::Less),
            (0.01, 1.1, Sure::More),
            (0.2, 0.9, Sure::Neither),
            (0.01, 0.99, Sure::Neither),
        ];

        for (adjusted_p, value, expected) in cases {
            let evidence = Evidence { adjusted_p, ratio: Estimate { value, interval: None } };
            assert_eq!(Sure::of(&evidence, &criteria), expected, "{evidence:?}");
        }
    }
}
