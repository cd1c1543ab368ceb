//! What is known of primitives: what each is, what others have published, and what a run should
//! show of tasks and threads.

use model_kit::primitive::Primitive;
use stats::Estimate;

use crate::family::ALPHA;
use crate::primitives::{Anchor, ShapeCheck, Shown, Source};

/// From this ratio on, a thing is called several times cheaper.
const SEVERAL: f64 = 3.0;
/// Up to this ratio, a difference has nearly vanished.
const NEARLY: f64 = 2.0;
/// A task should be cheaper to start than a thread by this factor.
const TENFOLD: f64 = 10.0;

/// What a ratio shows.
type Judge = fn(Estimate) -> Shown;

/// Holds what is known of tasks and threads against the run. A program whose units are threads
/// stands against the baseline's.
pub(crate) fn checks(sources: &[Source<'_>], baseline: &str) -> Vec<ShapeCheck> {
    let known: [(_, _, Judge); 3] = [
        (
            "a switch between tasks in memory is several times cheaper than one between threads",
            Primitive::PingPong,
            |ratio| at_least(ratio, SEVERAL),
        ),
        (
            "the difference nearly vanishes where readiness of a socket causes the switch, on one \
             CPU",
            Primitive::Readiness,
            |ratio| at_most(ratio, NEARLY),
        ),
        (
            "starting a task is at least ten times cheaper than starting a thread",
            Primitive::Spawn,
            |ratio| at_least(ratio, TENFOLD),
        ),
    ];
    let check = |(claim, primitive, judge): (_, Primitive, Judge)| {
        let source = sources.iter().find(|source| source.primitive == primitive)?;
        let threads = source.programs.iter().find(|program| program.unit == "thread")?;
        let pairs = source.paired(&threads.name, baseline);
        let ratio = pairs.map(|pairs| pairs.ratio(ALPHA));
        Some(ShapeCheck { claim, primitive, ratio, shown: ratio.map_or(Shown::Open, judge) })
    };
    known.into_iter().filter_map(check).collect()
}

/// Returns whether a ratio is at least so large.
fn at_least(ratio: Estimate, least: f64) -> Shown {
    match ratio.interval {
        Some(interval) if interval.low >= least => Shown::Yes,
        Some(interval) if interval.high < least => Shown::No,
        _ => Shown::Open,
    }
}

/// Returns whether a ratio is at most so large, to either side.
fn at_most(ratio: Estimate, most: f64) -> Shown {
    match ratio.interval {
        Some(interval) if interval.low >= 1.0 / most && interval.high <= most => Shown::Yes,
        Some(interval) if interval.low > most || interval.high < 1.0 / most => Shown::No,
        _ => Shown::Open,
    }
}

/// Returns what a primitive is, and what one of it is called.
pub(crate) fn words(primitive: Primitive) -> (&'static str, &'static str) {
    match primitive {
        Primitive::Generator => ("a generator is resumed and yields", "step"),
        Primitive::Switch => ("a coroutine yields to its executor and is resumed", "switch"),
        Primitive::PingPong => ("two units wake each other, on one CPU", "round trip"),
        Primitive::PingPongApart => ("two units wake each other, on two CPUs", "round trip"),
        Primitive::Spawn => ("a unit is started and waited for", "unit"),
        Primitive::SpawnMany => ("64 units are started, then waited for", "unit"),
        Primitive::Spawn64k => ("a unit with a stack of 64 KiB is started and waited for", "unit"),
        Primitive::Readiness => ("a byte goes forth and back over sockets", "round trip"),
        Primitive::Queue => ("a value is handed over by a queue of 64", "value"),
        Primitive::Lock => ("a lock that is free is taken", "lock"),
        Primitive::LockContended => ("a lock that another unit yields with is taken", "lock"),
        Primitive::Event0 => ("an event wakes its waiter, one right after the other", "event"),
        Primitive::Event50us => ("an event wakes its waiter, 50 us apart", "event"),
        Primitive::Event1ms => ("an event wakes its waiter, 1 ms apart", "event"),
        Primitive::Event10ms => ("an event wakes its waiter, 10 ms apart", "event"),
        Primitive::Timer1ms => ("how late a timer of 1 to 2 ms is", "timer"),
        Primitive::Timer10ms => ("how late a timer of 10 to 11 ms is", "timer"),
        Primitive::TimerOfMany => ("how late a timer of 1 to 2 ms is among 10,000", "timer"),
    }
}

/// Returns what others have published of a primitive.
pub(crate) fn anchors(primitive: Primitive) -> Vec<Anchor> {
    let source = "jimblandy/context-switch";
    let says: &[&str] = match primitive {
        Primitive::PingPong => &["a switch: about 0.2 us between tasks, 1.7 us between threads"],
        Primitive::Readiness => &[
            "a switch caused by readiness: about 1.7 us for both",
            "no advantage of tasks where all is pinned to one CPU",
        ],
        Primitive::Spawn => &["about 0.3 us for a task, 17 us for a thread"],
        Primitive::SpawnMany => &["memory while it lives, which is not measured here: about \
            0.4 KiB for a task, 9.5 KiB and 10 KiB of the kernel's for a thread"],
        _ => &[],
    };
    says.iter().map(|says| Anchor { says, source }).collect()
}
