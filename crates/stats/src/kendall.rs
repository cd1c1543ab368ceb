//! How alike two orders of the same things are: Kendall's tau-b, which takes ties into account
//! (M. G. Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945).

/// Returns tau-b of two rankings of the same things: 1 where every pair stands in the same order in
/// both, -1 where each stands in the opposite one, 0 where they know nothing of each other.
///
/// `None` means that there are fewer than two things, that the lengths differ, or that all things
/// are tied in one of the rankings, which then is no order.
#[must_use]
pub fn tau_b(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.len() != other.len() {
        return None;
    }
    let (mut score, mut pairs_one, mut pairs_other) = (0.0, 0.0, 0.0);
    for left in 0..one.len() {
        for right in left + 1..one.len() {
            let (a, b) = (sign(one[left], one[right]), sign(other[left], other[right]));
            score += a * b;
            pairs_one += a * a;
            pairs_other += b * b;
        }
    }
    let both: f64 = pairs_one * pairs_other;
    (both > 0.0).then(|| score / both.sqrt())
}

/// Returns 1 or -1 for the order of two ranks, and 0 for a tie.
fn sign(left: f64, right: f64) -> f64 {
    match left.partial_cmp(&right) {
        Some(std::cmp::Ordering::Less) => 1.0,
        Some(std::cmp::Ordering::Greater) => -1.0,
        Some(std::cmp::Ordering::Equal) | None => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks tau-b to six digits.
    fn check(one: &[f64], other: &[f64], expected: f64) {
        let tau = tau_b(one, other).unwrap();
        assert!((tau - expected).abs() < 1e-6, "{tau}");
        assert_eq!(tau_b(other, one), Some(tau));
    }

    #[test]
    fn the_same_order_is_one_and_the_opposite_minus_one() {
        check(&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0], 1.0);
        check(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], -1.0);
        check(&[1.0, 2.0, 3.0, 4.0], &[2.0, 4.0, 1.0, 3.0], 0.0);
    }

    #[test]
    fn ties_are_taken_into_account() {
        // As `scipy.stats.kendalltau` of SciPy has it.
        check(&[12.0, 2.0, 1.0, 12.0, 2.0], &[1.0, 4.0, 7.0, 1.0, 0.0], -0.471_404_520_8);
        check(&[1.0, 1.0, 3.0], &[1.0, 1.0, 3.0], 1.0);
    }

    #[test]
    fn what_is_no_order_has_none() {
        for (one, other) in
            [(&[][..], &[][..]), (&[1.0], &[1.0]), (&[1.0, 1.0], &[1.0, 2.0]), (&[1.0], &[])]
        {
            assert_eq!(tau_b(one, other), None);
        }
    }
}
