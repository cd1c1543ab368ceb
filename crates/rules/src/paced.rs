//! What is expected of fetches that arrive at a rate.

use stats::histogram;
use workload::Receipt;
use workload::pipe::Turned;

use crate::Reason;
use crate::expected::Expected;
use crate::metric::{CPU, FAULTS, MEMORY, SWITCHES};

/// As many slots are busy as the rate and the delays ask for, and none is bound to be: neither peak
/// nor mean is asked for. The rate sets the pace, so that wall time is no figure of a model.
pub(crate) const EXPECTED: Expected = Expected {
    keeps_slots_busy: false,
    is_paced_by_delays: true,
    includes_start: false,
    late_ms_max: 3.0,
    metrics: &[CPU, SWITCHES, FAULTS, MEMORY],
    in_flight: |cell| format!("{} fetches arrive a second, at most", cell.rate_per_s),
    wall: "Length of the window",
    wall_bound: |ms| format!("The arrivals set the pace; their delays alone take {ms} ms."),
};

/// How far the lag that a model reports may be from that which the origin saw, in nanoseconds: what
/// a request needs from one to the other on a busy machine.
const LAG_NS: u64 = 1_000_000;
/// The same as a part of what the origin saw.
const LAG_PART: u64 = 10;
/// The share of the fetches that the origin had in flight for which the times of the model must
/// account, in percent.
pub(crate) const LITTLE_PERCENT_MIN: u64 = 95;

/// Returns that requests came at other moments than the model says, if they did.
///
/// The origin knows when each fetch of a turn arrives, but not when the turn began: both medians
/// are counted from the least late fetch.
pub(crate) fn other_moments(turned: &Turned, receipt: &Receipt) -> Option<Reason> {
    let seen_ns = nanoseconds(receipt.arrival_late_ms_p50?);
    let (least_ns, _) = turned.lags_ns.first()?;
    let reported_ns = histogram::quantile(&turned.lags_ns, 0.5)?.saturating_sub(*least_ns);
    let differs = reported_ns.abs_diff(seen_ns) > LAG_NS + seen_ns / LAG_PART;
    let us = |ns: u64| ns / 1_000;
    differs.then(|| Reason::OtherMoments { reported_us: us(reported_ns), seen_us: us(seen_ns) })
}

/// Returns milliseconds in whole nanoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn nanoseconds(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}
