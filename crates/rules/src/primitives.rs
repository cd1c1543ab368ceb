//! What is expected of a primitive, and how reports speak of it.

use workload::Workload;

use crate::expected::Expected;
use crate::metric::{CPU, SWITCHES};
use crate::turn::STALLED_MS;

/// No origin takes part, so that only the process itself and the kernel can speak against it.
pub(crate) const EXPECTED: Expected = Expected {
    keeps_slots_busy: false,
    is_paced_by_delays: true,
    includes_start: false,
    late_ms_max: 0.0,
    latest_ms_max: Some(STALLED_MS),
    metrics: &[CPU, SWITCHES],
    in_flight: |_| "one after the other".to_owned(),
    wall: "Length of the window",
    wall_bound: |_| "No delay sets the pace.".to_owned(),
};

/// How reports speak of a primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What it is, in a few words.
    pub title: &'static str,
    /// What one is: `step`, `round trip`.
    pub each: &'static str,
    /// What others have published of it: context, not a comparison.
    pub published: &'static [&'static str],
}

/// Where all of it was published.
pub const PUBLISHED_IN: &str = "jimblandy/context-switch";

/// Returns how reports speak of a primitive; nothing of a workload that fetches.
pub fn operation(workload: Workload) -> Option<Operation> {
    let (title, each) = words(workload)?;
    let published: &[&str] = match workload {
        Workload::PingPong => &["a switch: about 0.2 us between tasks, 1.7 us between threads"],
        Workload::Readiness => &[
            "a switch caused by readiness: about 1.7 us for both",
            "no advantage of tasks where all is pinned to one CPU",
        ],
        Workload::Spawn => &["about 0.3 us for a task, 17 us for a thread"],
        Workload::SpawnMany => &["memory while it lives, which is not measured here: about \
            0.4 KiB for a task, 9.5 KiB and 10 KiB of the kernel's for a thread"],
        _ => &[],
    };
    Some(Operation { title, each, published })
}

/// Returns what a primitive is, in a few words, and what one is.
fn words(workload: Workload) -> Option<(&'static str, &'static str)> {
    Some(match workload {
        Workload::Generator => ("a generator is resumed and yields", "step"),
        Workload::Switch => ("a coroutine yields to its executor and is resumed", "switch"),
        Workload::PingPong => ("two units wake each other, on one CPU", "round trip"),
        Workload::PingPongApart => ("two units wake each other, on two CPUs", "round trip"),
        Workload::Spawn => ("a unit is started and waited for", "unit"),
        Workload::SpawnMany => ("64 units are started, then waited for", "unit"),
        Workload::Spawn64k => ("a unit with a stack of 64 KiB is started and waited for", "unit"),
        Workload::Readiness => ("a byte goes forth and back over sockets", "round trip"),
        Workload::Queue => ("a value is handed over by a queue of 64", "value"),
        Workload::Lock => ("a lock that is free is taken", "lock"),
        Workload::LockContended => ("a lock that another unit yields with is taken", "lock"),
        Workload::Event0 => ("an event wakes its waiter, one right after the other", "event"),
        Workload::Event50us => ("an event wakes its waiter, 50 us apart", "event"),
        Workload::Event1ms => ("an event wakes its waiter, 1 ms apart", "event"),
        Workload::Event10ms => ("an event wakes its waiter, 10 ms apart", "event"),
        Workload::Timer1ms => ("how late a timer of 1 to 2 ms is", "timer"),
        Workload::Timer10ms => ("how late a timer of 10 to 11 ms is", "timer"),
        Workload::TimerOfMany => ("how late a timer of 1 to 2 ms is among 10,000", "timer"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_have_words_for_every_primitive_and_for_nothing_else() {
        for workload in Workload::ALL {
            assert_eq!(operation(workload).is_none(), workload.fetches(), "{workload:?}");
        }
    }
}
