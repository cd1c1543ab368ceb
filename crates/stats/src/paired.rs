//! Costs of two models in the same blocks, and the two ways to compare them: ratio and excess.
//!
//! What disturbs a machine for minutes disturbs both trials of a block alike, so that it cancels
//! inside a pair. Comparing the same trials unpaired gives it all back.

use crate::Sample;

/// The costs of a model and of its reference, block by block.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    /// The model's cost and the reference's, each positive and finite; never empty.
    pairs: Vec<(f64, f64)>,
}

impl Paired {
    /// Returns the pairs of `costs` and `reference`, which stand in the same order of blocks and
    /// have the same unit.
    ///
    /// Where the reference is a baseline that runs twice in every block, its cost is the geometric
    /// mean of the two. `None` means that the lengths differ, that there is no block, or that a
    /// cost is not positive and finite.
    #[must_use]
    pub fn new(costs: &[f64], reference: &[f64]) -> Option<Self> {
        let positive = |cost: &f64| cost.is_finite() && *cost > 0.0;
        let valid = !costs.is_empty()
            && costs.len() == reference.len()
            && costs.iter().chain(reference).all(positive);

        let pairs = costs.iter().copied().zip(reference.iter().copied()).collect();
        valid.then_some(Self { pairs })
    }

    /// Returns the pairs, the model's cost first, in the order of the blocks.
    #[must_use]
    pub fn pairs(&self) -> &[(f64, f64)] {
        &self.pairs
    }

    /// Returns ln(cost / reference) of every block: a pure number, below 0 where the model is
    /// cheaper.
    ///
    /// Exchanging model and reference changes the sign of every value and nothing else.
    #[must_use]
    pub fn log_ratios(&self) -> Sample {
        let ratio = |(cost, reference): &(f64, f64)| cost.ln() - reference.ln();

        Sample::new(self.pairs.iter().map(ratio).collect()).expect("logarithms of costs are finite")
    }

    /// Returns cost - reference of every block, in the unit of the costs.
    #[must_use]
    pub fn differences(&self) -> Sample {
        let difference = |(cost, reference): &(f64, f64)| cost - reference;

        Sample::new(self.pairs.iter().map(difference).collect())
            .expect("a difference of positive finite costs is finite")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks whether `costs` and `reference` make pairs.
    fn check(costs: &[f64], reference: &[f64], expected: bool) {
        let paired = Paired::new(costs, reference);

        assert_eq!(paired.is_some(), expected, "{costs:?} {reference:?}");
    }

    #[test]
    fn positive_costs_of_the_same_blocks_make_pairs() {
        check(&[1.0, 2.0], &[3.0, 4.0], true);
    }

    #[test]
    fn different_numbers_of_blocks_make_no_pairs() {
        check(&[1.0, 2.0], &[3.0], false);
    }

    #[test]
    fn no_blocks_make_no_pairs() {
        check(&[], &[], false);
    }

    #[test]
    fn a_cost_of_nothing_makes_no_pair() {
        check(&[0.0], &[1.0], false);
        check(&[1.0], &[-1.0], false);
    }

    #[test]
    fn a_cost_that_is_not_finite_makes_no_pair() {
        check(&[1.0], &[f64::INFINITY], false);
        check(&[f64::NAN], &[1.0], false);
    }

    #[test]
    fn a_cheaper_model_has_negative_log_ratios_and_differences() {
        let paired = Paired::new(&[1.0], &[2.0]).unwrap();

        assert_eq!(paired.log_ratios().values(), [-(2.0_f64.ln())]);
        assert_eq!(paired.differences().values(), [-1.0]);
    }

    #[test]
    fn exchanging_the_models_changes_only_the_sign() {
        let (costs, reference) = ([1.1, 2.7, 3.3], [1.3, 2.2, 9.1]);
        let there = Paired::new(&costs, &reference).unwrap().log_ratios();
        let back = Paired::new(&reference, &costs).unwrap().log_ratios();

        let negated: Vec<f64> = back.values().iter().map(|value| -value).collect();
        assert_eq!(there.values(), negated);
    }
}
