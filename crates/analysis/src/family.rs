//! The family of a cell: which models are compared, what may be said of each pair, and which
//! places that leaves to a model.
//!
//! A quick run compares each model with the baseline. From `standard` on every pair is compared,
//! since a place says something about all others. Whatever is said of one family holds together:
//! p-values and intervals have the level that all of them keep at once (Bonferroni), so that no
//! verdict contradicts the interval that is drawn beside it.

use std::collections::BTreeSet;

use record::Family;
use stats::ranking::{self, Difference, RankInterval};
use stats::verdict::{Criteria, Evidence, Verdict};
use stats::{Estimate, bonferroni};

use crate::turns::{Pairs, Quantity, Turns, cpu_us};

/// The chance of any false difference that is accepted in a family of comparisons.
pub const ALPHA: f64 = 0.05;
/// The least relative difference that is called one. It is fixed before anything is measured: a
/// margin that grew with the noise would make a noisy run find models equivalent.
pub const MARGIN: f64 = 0.02;

/// Two models that were compared by CPU time per fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The model.
    pub model: String,
    /// The model that it is held against; the baseline where it is one of the two.
    pub other: String,
    /// The model's cost over the other's, with the simultaneous interval of the family.
    pub ratio: Estimate,
    /// The chance of such a ratio between equal models, adjusted over the family.
    pub adjusted_p: f64,
    /// What may be said of them.
    pub verdict: Verdict,
}

/// Returns the pairs of models of a family. Their order depends on the names alone, and the
/// baseline is always the second of its pairs.
fn pairs_of<'a>(
    family: Family,
    models: &BTreeSet<&'a str>,
    baseline: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let others: Vec<&str> = models.iter().copied().filter(|model| *model != baseline).collect();
    let mut pairs: Vec<_> = others.iter().map(|&model| (model, baseline)).collect();
    if family == Family::AllPairs {
        for (index, &model) in others.iter().enumerate() {
            pairs.extend(others[index + 1..].iter().map(|&other| (model, other)));
        }
    }
    pairs
}

/// Compares the pairs of a family that have blocks in common.
pub(crate) fn compare(
    family: Family,
    (models, baseline): (&BTreeSet<&str>, &str),
    turns: &Turns<'_>,
) -> Vec<Pair> {
    let pairs = pairs_of(family, models, baseline).into_iter();
    let pairs =
        pairs.filter_map(|names| Some((names, turns.paired(names, Quantity::Turn(cpu_us))?)));
    compare_all(pairs.collect())
}

/// Compares pairs that make up a family.
pub(crate) fn compare_all(pairs: Vec<((&str, &str), Pairs)>) -> Vec<Pair> {
    let p_value = |(_, pairs): &(_, Pairs)| pairs.p_value();
    let p_values: Vec<f64> = pairs.iter().map(p_value).collect();
    let alpha = level(pairs.len());
    let criteria = Criteria { alpha: ALPHA, margin: MARGIN };
    let pairs = pairs.into_iter().zip(bonferroni::adjust(&p_values));
    let pair = |(((model, other), pairs), adjusted_p): (((&str, &str), Pairs), f64)| {
        let ratio = pairs.ratio(alpha);
        let verdict = Evidence { adjusted_p, ratio }.verdict(&criteria);
        Pair { model: model.to_owned(), other: other.to_owned(), ratio, adjusted_p, verdict }
    };
    pairs.map(pair).collect()
}

/// Returns the level at which each of so many statements is made, so that all hold together.
pub(crate) fn level(statements: usize) -> f64 {
    ALPHA / u32::try_from(statements.max(1)).map_or(1.0, f64::from)
}

/// Returns the places that the pairs leave to each of some models, in the order of the models.
///
/// The floor is ranked like any other model: one that beats it must be seen to.
pub(crate) fn places(models: &[&str], pairs: &[Pair]) -> Vec<Option<RankInterval>> {
    let index = |name: &str| models.iter().position(|model| *model == name);
    let difference = |pair: &Pair| {
        let (model, other) = (index(&pair.model)?, index(&pair.other)?);
        Some(match pair.ratio.value < 1.0 {
            true => Difference { better: model, worse: other },
            false => Difference { better: other, worse: model },
        })
    };
    let different = pairs.iter().filter(|pair| pair.verdict == Verdict::Different);
    let differences: Vec<Difference> = different.filter_map(difference).collect();

    match ranking::intervals(models.len(), &differences) {
        Some(places) => places.into_iter().map(Some).collect(),
        None => vec![None; models.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the pairs of the models `a`, `b`, `c`, of which `b` is the baseline.
    fn check(family: Family, expected: &[(&str, &str)]) {
        assert_eq!(pairs_of(family, &BTreeSet::from(["c", "b", "a"]), "b"), expected);
    }

    #[test]
    fn a_quick_family_holds_each_model_against_the_baseline() {
        check(Family::AgainstBaseline, &[("a", "b"), ("c", "b")]);
    }

    #[test]
    fn from_standard_on_each_pair_is_in_the_family_once() {
        check(Family::AllPairs, &[("a", "b"), ("c", "b"), ("a", "c")]);
    }

    #[test]
    fn a_place_counts_the_models_that_differ_and_no_others() {
        let pair = |model: &str, other: &str, value, verdict| Pair {
            model: model.to_owned(),
            other: other.to_owned(),
            ratio: Estimate { value, interval: None },
            adjusted_p: 0.5,
            verdict,
        };
        let pairs = [
            pair("a", "b", 0.9, Verdict::Different),
            pair("b", "c", 0.8, Verdict::Inconclusive),
            pair("c", "a", 1.3, Verdict::Different),
            pair("d", "a", 0.1, Verdict::Different),
        ];
        let expected = [(1, 1), (2, 3), (2, 3)].map(|(best, worst)| RankInterval { best, worst });
        assert_eq!(places(&["a", "b", "c"], &pairs), expected.map(Some));
    }
}
