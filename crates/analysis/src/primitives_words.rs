//! What each primitive is, and what others have published of it.

use workload::primitive::Primitive;

use crate::primitive_figures::Anchor;

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
