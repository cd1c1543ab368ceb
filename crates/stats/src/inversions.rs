//! The distribution of the number of descents that chance makes among ordered groups.

/// Returns P(K = k) from k = 0, where K counts the pairs from different groups of which the
/// earlier member has the greater value, all orders of distinct values being equally likely.
///
/// With groups of one it is the distribution of Kendall's statistic; with larger ones that of
/// Jonckheere and Terpstra (A. R. Jonckheere, *Biometrika* 41, 1954, 133–145). Each group meets
/// those before it as in the test of Mann and Whitney, independently of how these lie.
pub(crate) fn distribution(groups: &[usize]) -> Vec<f64> {
    let mut distribution = vec![1.0];
    let mut before = 0;

    for &group in groups {
        distribution = convolve(&distribution, &mann_whitney(before, group));
        before += group;
    }

    distribution
}

/// Returns P(U = u) from u = 0, where U counts the pairs of one of `left` and one of `right`
/// values of which the first is greater.
///
/// The greatest of all values belongs to the left with probability left / (left + right) and then
/// exceeds everything on the right (H. B. Mann & D. R. Whitney, *Annals of Mathematical
/// Statistics* 18, 1947, 50–60).
fn mann_whitney(left: usize, right: usize) -> Vec<f64> {
    // `row[j]` is the distribution for the current number of left values and j right ones.
    let mut row = vec![vec![1.0]; right + 1];

    for lefts in 1..=left {
        row[0] = vec![1.0];
        for rights in 1..=right {
            let share = crate::number::real(lefts) / crate::number::real(lefts + rights);
            let mut next = vec![0.0; lefts * rights + 1];
            add_scaled(&mut next[rights..], &row[rights], share);
            add_scaled(&mut next, &row[rights - 1], 1.0 - share);
            row[rights] = next;
        }
    }

    row.swap_remove(right)
}

/// Returns the distribution of the sum of two independent counts.
fn convolve(left: &[f64], right: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; left.len() + right.len() - 1];

    for (shift, &probability) in left.iter().enumerate() {
        add_scaled(&mut sum[shift..], right, probability);
    }

    sum
}

/// Adds `factor` times `summand` to the beginning of `sum`.
fn add_scaled(sum: &mut [f64], summand: &[f64], factor: f64) {
    for (total, value) in sum.iter_mut().zip(summand) {
        *total += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    /// Checks a distribution given in parts of `parts`.
    fn check(groups: &[usize], expected: &[u32], parts: u32) {
        let distribution = distribution(groups);

        assert_eq!(distribution.len(), expected.len(), "{groups:?}");
        for (&actual, &expected) in distribution.iter().zip(expected) {
            reference::assert_close(actual, f64::from(expected) / f64::from(parts), 1e-14);
        }
    }

    #[test]
    fn four_single_values_have_the_inversions_of_their_orders() {
        check(&[1, 1, 1, 1], &[1, 3, 5, 6, 5, 3, 1], 24);
    }

    #[test]
    fn two_groups_of_two_have_the_counts_of_mann_and_whitney() {
        check(&[2, 2], &[1, 1, 2, 1, 1], 6);
    }

    #[test]
    fn members_of_one_group_are_never_compared() {
        check(&[3], &[1], 1);
    }

    #[test]
    fn unequal_groups_are_counted_in_full() {
        check(&[1, 2, 1], &[1, 2, 3, 3, 2, 1], 12);
    }

    #[test]
    fn no_groups_have_no_descents() {
        check(&[], &[1], 1);
    }
}
