//! The laws on the threads of a process. A manifest says how many the locked version of a runtime
//! has: another build may have one more or fewer, but the same number in every turn.

use workload::pipe::Turned;
use workload::{Plan, Turn};

use crate::terms::Sizes;
use crate::{Claims, Reason, evaluate, is_upper_bound};

/// By how many threads another build may differ from the manifest: async-std 1.12.0 has one more
/// than 1.13.2. A hidden pool of several threads is still found.
const OTHER_BUILD: u64 = 1;

/// Returns how many threads a manifest asks for by its terms. A probe task is one unit more.
pub fn threads_of(terms: &str, sizes: Sizes, has_probe: bool) -> u64 {
    let in_flight = sizes.in_flight + u32::from(has_probe);
    evaluate(terms, Sizes { in_flight, ..sizes }).unwrap_or(0)
}

/// Returns that a turn had another number of threads than it may have.
pub(crate) fn other(
    claims: Claims<'_>,
    (plan, turn): (&Plan, &Turn),
    turned: &Turned,
) -> Option<Reason> {
    let has_probe = !turned.wake_up_delays_ns.is_empty();
    let expected = threads_of(claims.threads, Sizes::of(plan, turn), has_probe);
    let seen = turned.threads;
    let is_fewer = is_upper_bound(claims.threads) && seen < expected;
    let apart = if claims.is_apart { OTHER_BUILD } else { 0 };
    // A process has at least one, so that none means that the kernel does not say.
    let holds = seen == 0 || is_fewer || seen.abs_diff(expected) <= apart;
    (!holds).then_some(Reason::Threads { seen, expected })
}

/// Returns that another build did not have the same number of threads in all its turns of a cell,
/// which had so many: it starts threads, or ends them, as it is measured.
pub fn threads_vary(claims: Claims<'_>, turns: &[u64]) -> Option<Reason> {
    let known = || turns.iter().copied().filter(|threads| *threads > 0);
    let (least, most) = (known().min()?, known().max()?);
    let must_stay = claims.is_apart && !is_upper_bound(claims.threads);
    (must_stay && least < most).then_some(Reason::ThreadsVary { least, most })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what a manifest says of a model that is built with a lever, or with none.
    fn claims(threads: &str, is_apart: bool) -> Claims<'_> {
        Claims { is_bare: true, may_be_slow: false, connections: None, threads, is_apart }
    }

    #[test]
    fn another_build_that_starts_threads_as_it_is_measured_is_found() {
        let apart = claims("workers + 3", true);
        assert_eq!(threads_vary(apart, &[5, 5, 5]), None);
        assert_eq!(threads_vary(apart, &[5, 0, 5]), None, "the kernel did not say");
        assert_eq!(threads_vary(apart, &[]), None);
        let varies = Reason::ThreadsVary { least: 4, most: 5 };
        assert_eq!(threads_vary(apart, &[4, 5, 5]), Some(varies));
        // A bound lets a runtime start threads as it sees fit, and each turn of the locked version
        // is held to the manifest.
        assert_eq!(threads_vary(claims("at most workers + 5", true), &[4, 5]), None);
        assert_eq!(threads_vary(claims("workers + 3", false), &[4, 5]), None);
    }

    #[test]
    fn a_probe_task_is_one_unit_more() {
        let sizes = Sizes { workers: 1, in_flight: 64, issued: 0 };
        assert_eq!(threads_of("in_flight + 2", sizes, false), 66);
        assert_eq!(threads_of("in_flight + 2", sizes, true), 67);
        assert_eq!(threads_of("workers + 3", sizes, true), 4);
    }
}
