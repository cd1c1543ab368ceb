//! The primitives: workloads whose turn is a number of operations, the smallest things that models
//! are made of. No origin takes part; a program says how many it did by what they leave behind.

use std::time::Duration;

use crate::list::{Datum, Definition};

/// Operations that are done many at a time: as many in a turn as the harness asks for.
const MANY: Definition = Definition {
    name: "",
    datum: Datum::Slope,
    cpus: 1,
    is_resident: true,
    needs_every_slot: false,
    surplus: |_| 0,
    opens_at: |turn| Some(turn.warmup),
    fault: |warmup| {
        (warmup > 0).then_some("operations that are done many at a time have no warm-up")
    },
};
/// Operations that are timed one by one, after a few that warm up.
const ONE_BY_ONE: Definition = Definition {
    datum: Datum::Timed(Duration::ZERO),
    fault: |warmup| {
        (warmup == 0).then_some("warmup is 0, expected at least 1 where each is timed alone")
    },
    ..MANY
};

/// Returns the definition of what is done many at a time.
pub(crate) const fn many(name: &'static str) -> Definition {
    Definition { name, ..MANY }
}

/// Returns the same for units on two CPUs.
pub(crate) const fn many_apart(name: &'static str) -> Definition {
    Definition { name, cpus: 2, ..MANY }
}

/// Returns the definition of what is timed one by one, each so many microseconds
/// after the one before.
pub(crate) const fn one_by_one(name: &'static str, after_us: u64) -> Definition {
    let after = Duration::from_micros(after_us);
    Definition { name, datum: Datum::Timed(after), ..ONE_BY_ONE }
}
