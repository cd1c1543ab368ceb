//! The small terms in which a manifest says how many threads a model should have:
//! `workers + 1`, `2 * in_flight + 3`.

/// Returns the value of the terms, or nothing if they are not terms.
pub fn evaluate(terms: &str, workers: u32, in_flight: u32) -> Option<u64> {
    let value = |factor: &str| match factor.trim() {
        "workers" => Some(u64::from(workers)),
        "in_flight" => Some(u64::from(in_flight)),
        number => number.parse().ok(),
    };
    let product =
        |term: &str| term.split('*').map(value).try_fold(1, |a: u64, b| a.checked_mul(b?));
    terms.split('+').map(product).try_fold(0, |a: u64, b| a.checked_add(b?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_products_are_understood_and_nothing_else() {
        let cases = [
            ("1", Some(1)),
            ("workers + 1", Some(3)),
            ("in_flight + workers", Some(66)),
            ("2 * in_flight + 3", Some(131)),
            ("", None),
            ("threads", None),
            ("1 - 1", None),
        ];
        for (terms, expected) in cases {
            assert_eq!(evaluate(terms, 2, 64), expected, "{terms}");
        }
    }
}
