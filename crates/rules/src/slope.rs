//! The laws of operations that are done many at a time: what one costs is a slope.

use stats::theil_sen::{self, Point};

use crate::Reason;

/// No turn may be shorter, in nanoseconds: what the clocks cost must be lost in it.
pub const SHORTEST_NS: u64 = 200_000;
/// What costs less than this, in nanoseconds, was not done: the compiler saw that nobody wants it.
const LEAST_NS: f64 = 0.3;
/// The level of an interval that is not looked at.
const ALPHA: f64 = 0.05;

/// Returns why the turns of a stay, each of so many operations and so much CPU time, make no cost
/// of one. The length of a turn says less: whoever is not given a CPU is slow, however little there
/// is to do.
pub(crate) fn faults(turns: &[(u64, u64)]) -> Option<Reason> {
    let point = |&(operations, cpu_ns)| Point { x: real(operations), y: real(cpu_ns) };
    let line = theil_sen::fit(&turns.iter().map(point).collect::<Vec<_>>(), ALPHA);
    match line.map(|line| line.slope.value) {
        // One turn shows nothing.
        None => (turns.len() > 1).then_some(Reason::NoSlope),
        Some(each) if each < LEAST_NS => Some(Reason::OptimisedAway { cost_ps: picoseconds(each) }),
        Some(_) => None,
    }
}

/// Returns nanoseconds in whole picoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn picoseconds(ns: f64) -> u64 {
    (ns * 1e3).round() as u64
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts of a turn are far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}
