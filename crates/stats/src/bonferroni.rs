//! The correction for many comparisons: each is made at a level so strict that all hold together.
//!
//! Bonferroni's, and not a step-down procedure such as Holm's, which rejects a little more: the
//! interval that belongs to a step-down test depends on what the other tests found, and one that is
//! drawn beside a verdict has to say the same as the verdict does. With this correction the
//! simultaneous interval of a ratio excludes 1 if and only if its adjusted p-value is below the
//! level.

/// Returns p-values adjusted over the family that they make up: each times their number, at most 1.
#[must_use]
pub fn adjust(p_values: &[f64]) -> Vec<f64> {
    let count = crate::number::real(p_values.len());
    p_values.iter().map(|p| (p * count).min(1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sample, hodges_lehmann, reference, signed_rank};

    #[test]
    fn each_is_multiplied_by_their_number_and_none_exceeds_1() {
        assert_eq!(adjust(&[0.01, 0.4, 0.02, 0.25]), [0.04, 1.0, 0.08, 1.0]);
        assert!(adjust(&[]).is_empty());
    }

    #[test]
    fn families_are_adjusted_as_the_reference_says() {
        for row in reference::rows(include_str!("../reference/bonferroni.csv")) {
            let adjusted = adjust(&reference::numbers(row[0]));
            for (adjusted, expected) in adjusted.into_iter().zip(reference::numbers(row[1])) {
                reference::assert_close(adjusted, expected, 1e-12);
            }
        }
    }

    #[test]
    fn a_verdict_and_the_interval_that_is_drawn_say_the_same() {
        let mut draws = crate::random::SplitMix64::new(7);
        // The sum of twelve is nearly normal, and no two are equal.
        let mut normal = || {
            let sum: usize = (0..12).map(|_| draws.below(1_000_000)).sum();
            crate::number::real(sum) / 1e6 - 6.0
        };
        for _ in 0..400 {
            let shift = normal() * 0.5;
            let values: Vec<f64> = (0..14).map(|_| shift + normal()).collect();
            let sample = Sample::new(values).unwrap();
            let family = 12.0;
            let adjusted = (signed_rank::p_value(&sample) * family).min(1.0);
            let interval = hodges_lehmann::difference(&sample, 0.05 / family).interval.unwrap();
            assert_eq!(adjusted <= 0.05, !interval.contains(0.0), "{adjusted} {interval:?}");
        }
    }
}
