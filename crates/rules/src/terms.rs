//! The small terms in which a manifest says how many threads a model should have, and how many
//! connections it may open: `workers + 1`, `2 * in_flight + 3`, `at most workers + 5`.

use workload::{Plan, Turn};

/// What precedes terms whose value is an upper bound.
const AT_MOST: &str = "at most ";

/// The numbers of a turn that terms can name.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Threads on which a runtime runs its units.
    pub workers: u32,
    /// Slots.
    pub in_flight: u32,
    /// Fetches, those of the warm-up and the surplus included.
    pub issued: u64,
}

impl Sizes {
    /// Returns those of a turn of a plan.
    pub fn of(plan: &Plan, turn: &Turn) -> Self {
        let ids = turn.ids(&plan.cell);
        Self { workers: plan.workers, in_flight: plan.cell.slots(), issued: ids.end - ids.start }
    }
}

/// Returns whether the value of the terms is an upper bound: some runtimes start threads when they
/// see fit.
pub fn is_upper_bound(terms: &str) -> bool {
    terms.starts_with(AT_MOST)
}

/// Returns the value of the terms, or nothing if they are not terms.
pub fn evaluate(terms: &str, sizes: Sizes) -> Option<u64> {
    let terms = terms.strip_prefix(AT_MOST).unwrap_or(terms);
    let value = |factor: &str| match factor.trim() {
        "workers" => Some(u64::from(sizes.workers)),
        "in_flight" => Some(u64::from(sizes.in_flight)),
        "issued" => Some(sizes.issued),
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
            ("issued", Some(1_664)),
            ("at most workers + 5", Some(7)),
            ("at most", None),
            ("", None),
            ("threads", None),
            ("1 - 1", None),
        ];
        for (terms, expected) in cases {
            let sizes = Sizes { workers: 2, in_flight: 64, issued: 1_664 };
            assert_eq!(evaluate(terms, sizes), expected, "{terms}");
        }
    }
}
