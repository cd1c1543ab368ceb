//! The places of models in a cell, as intervals: what the differences allow, and no more.
//!
//! A model cannot be better than the models that are different from it and better, nor worse than
//! those that are different and worse; between these bounds its place is open. As long as every
//! difference is true, every interval holds the true place, so that the error of the family is
//! that of all intervals together (compare D. Al Mohamad, E. W. van Zwet, J. J. Goeman &
//! A. Solari, "Simultaneous confidence sets for ranks using the partitioning principle",
//! arXiv:1708.02729). A place is never read off the estimates alone.

/// A pair of models that are different, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The index of the model with the lower cost.
    pub better: usize,
    /// The index of the model with the higher cost.
    pub worse: usize,
}

/// The places a model may have, 1 being the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankInterval {
    /// The best possible place; also the one displayed, so that models which share it are tied.
    pub best: usize,
    /// The worst possible place.
    pub worst: usize,
}

/// Returns the interval of places of every model, in the order of their indices.
///
/// `differences` names each pair that is different once; all other pairs are open. `None` means
/// that a pair is named twice, or with itself, or that an index is not below `models`.
#[must_use]
pub fn intervals(models: usize, differences: &[Difference]) -> Option<Vec<RankInterval>> {
    let mut intervals = vec![RankInterval { best: 1, worst: models }; models];

    for (index, difference) in differences.iter().enumerate() {
        let Difference { better, worse } = *difference;
        let twice = differences[..index].iter().any(|earlier| earlier.is_of(better, worse));
        if better == worse || better >= models || worse >= models || twice {
            return None;
        }

        intervals[worse].best += 1;
        intervals[better].worst -= 1;
    }

    Some(intervals)
}

impl Difference {
    /// Returns whether this is the pair of models `left` and `right`, in either direction.
    fn is_of(self, left: usize, right: usize) -> bool {
        (self.better, self.worse) == (left, right) || (self.better, self.worse) == (right, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the places of `models` models, given pairs of a better and a worse one.
    fn check(models: usize, pairs: &[(usize, usize)], expected: Option<&[(usize, usize)]>) {
        let differences: Vec<Difference> =
            pairs.iter().map(|&(better, worse)| Difference { better, worse }).collect();

        let places = intervals(models, &differences);

        let expected = expected.map(|places| {
            places.iter().map(|&(best, worst)| RankInterval { best, worst }).collect::<Vec<_>>()
        });
        assert_eq!(places, expected, "{pairs:?}");
    }

    #[test]
    fn without_differences_every_place_is_open_and_all_are_tied() {
        check(3, &[], Some(&[(1, 3), (1, 3), (1, 3)]));
    }

    #[test]
    fn a_complete_order_gives_every_model_one_place() {
        check(3, &[(2, 0), (0, 1), (2, 1)], Some(&[(2, 2), (3, 3), (1, 1)]));
    }

    #[test]
    fn a_model_between_two_that_differ_may_be_tied_with_both() {
        check(3, &[(0, 2)], Some(&[(1, 2), (1, 3), (2, 3)]));
    }

    #[test]
    fn no_models_have_no_places() {
        check(0, &[], Some(&[]));
    }

    #[test]
    fn a_pair_named_twice_is_refused() {
        check(2, &[(0, 1), (0, 1)], None);
    }

    #[test]
    fn a_pair_named_in_both_directions_is_refused() {
        check(2, &[(0, 1), (1, 0)], None);
    }

    #[test]
    fn a_model_different_from_itself_is_refused() {
        check(2, &[(1, 1)], None);
    }

    #[test]
    fn an_unknown_model_is_refused() {
        check(2, &[(0, 2)], None);
        check(2, &[(2, 0)], None);
    }
}
