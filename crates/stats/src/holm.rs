//! Many comparisons at once: p-values that stay honest for the whole family.
//!
//! With ten equal models there are 45 pairs, and some pair looks different at 5 % in most runs.
//! Holm's step-down procedure keeps the chance of any false rejection in the family at alpha,
//! whatever the dependence between the pairs, and never rejects less than Bonferroni (S. Holm,
//! "A simple sequentially rejective multiple test procedure", *Scandinavian Journal of
//! Statistics* 6, 1979, 65–70).

use crate::number;

/// Returns the adjusted p-values of a family, in the order of `p_values`.
///
/// A hypothesis is rejected at alpha exactly where its adjusted p-value is at most alpha. A NaN
/// is never rejected.
#[must_use]
pub fn adjust(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&left, &right| p_values[left].total_cmp(&p_values[right]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 0.0_f64;

    for (rejected, &index) in order.iter().enumerate() {
        let remaining = number::real(p_values.len() - rejected);
        least = least.max((remaining * p_values[index]).min(1.0));
        adjusted[index] = least;
    }

    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{self, assert_close};

    /// Checks the adjusted values of a family.
    fn check(p_values: &[f64], expected: &[f64]) {
        let adjusted = adjust(p_values);

        assert_eq!(adjusted.len(), expected.len(), "{p_values:?}");
        for (&actual, &expected) in adjusted.iter().zip(expected) {
            assert_close(actual, expected, 1e-12);
        }
    }

    #[test]
    fn a_family_of_one_needs_no_correction() {
        check(&[0.03], &[0.03]);
    }

    #[test]
    fn an_empty_family_has_no_values() {
        check(&[], &[]);
    }

    #[test]
    fn the_least_p_is_multiplied_by_the_size_of_the_family() {
        check(&[0.5, 0.01, 0.02], &[0.5, 0.03, 0.04]);
    }

    #[test]
    fn a_later_hypothesis_is_never_easier_to_reject_than_an_earlier() {
        check(&[0.02, 0.021], &[0.04, 0.04]);
    }

    #[test]
    fn no_adjusted_value_exceeds_one() {
        check(&[0.6, 0.7], &[1.0, 1.0]);
    }

    #[test]
    fn what_is_no_number_is_never_rejected() {
        check(&[f64::NAN, 0.01], &[1.0, 0.02]);
    }

    #[test]
    fn adjusted_values_are_those_of_r() {
        for row in reference::rows(include_str!("../reference/holm.csv")) {
            check(&reference::numbers(row[0]), &reference::numbers(row[1]));
        }
    }
}
