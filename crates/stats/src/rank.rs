//! Ranks with ties: equal values share the mean of the places they take.

/// Returns twice the rank of every value, in the order of `values`; the least value has rank 1.
///
/// Twice, because the mean of tied places may end in a half, and whole numbers can be counted
/// exactly (midranks: Kendall, *Biometrika* 33, 1945, 239–251).
pub(crate) fn doubled_midranks(values: &[f64]) -> Vec<usize> {
    // Adding zero makes one zero of the two that floating point has.
    let compare =
        |left: usize, right: usize| (values[left] + 0.0).total_cmp(&(values[right] + 0.0));
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| compare(left, right));
    let mut ranks = vec![0; values.len()];
    let mut before = 0;

    for tied in order.chunk_by(|&left, &right| compare(left, right).is_eq()) {
        for &index in tied {
            ranks[index] = 2 * before + tied.len() + 1;
        }
        before += tied.len();
    }

    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the doubled midranks of `values`.
    fn check(values: &[f64], expected: &[usize]) {
        assert_eq!(doubled_midranks(values), expected, "{values:?}");
    }

    #[test]
    fn distinct_values_have_even_doubled_ranks() {
        check(&[30.0, 10.0, 20.0], &[6, 2, 4]);
    }

    #[test]
    fn two_equal_values_share_the_half_rank_between() {
        check(&[1.0, 5.0, 5.0, 9.0], &[2, 5, 5, 8]);
    }

    #[test]
    fn equal_values_share_one_rank_wherever_they_stand() {
        check(&[7.0, 1.0, 7.0, 7.0], &[6, 2, 6, 6]);
    }

    #[test]
    fn the_two_zeros_of_floating_point_are_equal() {
        check(&[0.0, -0.0], &[3, 3]);
    }

    #[test]
    fn no_values_have_no_ranks() {
        check(&[], &[]);
    }
}
