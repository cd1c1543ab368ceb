//! What is expected of fetches that arrive at a rate.

use stats::histogram;
use workload::Receipt;
use workload::pipe::Turned;

use crate::Reason;
use crate::expected::Expected;
use crate::metric::{CPU, FAULTS, MEMORY, SWITCHES};
use crate::turn::STALLED_MS;

/// As many slots are busy as the rate and the delays ask for, and none is bound to be: neither peak
/// nor mean is asked for. The rate sets the pace, so that wall time is no figure of a model.
pub(crate) const EXPECTED: Expected = Expected {
    keeps_slots_busy: false,
    is_paced_by_delays: true,
    includes_start: false,
    late_ms_max: 3.0,
    latest_ms_max: Some(STALLED_MS),
    metrics: &[CPU, SWITCHES, FAULTS, MEMORY],
    in_flight: |cell| match cell.burst {
        0 => format!("{} fetches arrive a second, at most", cell.rate_per_s),
        at_once => {
            let rate = cell.rate_per_s;
            format!("{rate} fetches arrive a second, {at_once} of each turn at once, at most")
        }
    },
    wall: "Length of the window",
    wall_bound: |ms| format!("The arrivals set the pace; their delays alone take {ms} ms."),
};

/// How far the lag that a model reports may be from that which the origin saw, in nanoseconds: what
/// a request needs from one to the other on a busy machine.
const LAG_NS: u64 = 1_000_000;
/// The same as a part of what the origin saw.
const LAG_PART: u64 = 10;
/// What the machine may take of the time of a turn before it, and no model, is why requests come
/// at other moments: one part in so many. For half of the requests to be held up, half of the time
/// must be, unless they share it.
const HELD_UP_PART: u64 = 4;
/// The share of the fetches that the origin had in flight for which the times of the model must
/// account, in percent.
pub(crate) const LITTLE_PERCENT_MIN: u64 = 95;

/// Returns that requests came at other moments than the model says, if they did, or that the
/// machine held them up on their way.
///
/// The origin knows when each fetch of a turn arrives, but not when the turn began: both medians
/// are counted from the least late fetch. It is as late to requests as to its own timers. Between
/// the moment that a model notes and that at which its request leaves, the kernel may give the CPU
/// to another process and the hypervisor to another machine. What a turn cost has no say in it.
pub(crate) fn other_moments(turned: &Turned, receipt: &Receipt) -> Option<Reason> {
    let seen_ns = nanoseconds(receipt.arrival_late_ms_p50?);
    let (least_ns, _) = turned.lags_ns.first()?;
    let reported_ns = histogram::quantile(&turned.lags_ns, 0.5)?.saturating_sub(*least_ns);
    let late_ns = nanoseconds(receipt.delay_late_ms_p50_estimate);
    let most_ns = (LAG_NS + seen_ns / LAG_PART).saturating_add(late_ns);
    if reported_ns.abs_diff(seen_ns) <= most_ns {
        return None;
    }
    let waited_ns = turned.scheduled.map_or(0, |threads| threads.run_delay_ns);
    let taken_ns = waited_ns.saturating_add(receipt.stolen_ns.unwrap_or(0));
    let [reported, seen, taken] = [reported_ns, seen_ns, taken_ns].map(|ns| ns / 1_000);
    Some(match taken_ns >= receipt.wall_ns / HELD_UP_PART {
        true => Reason::HeldUp { reported_us: reported, seen_us: seen, taken_us: taken },
        false => Reason::OtherMoments { reported_us: reported, seen_us: seen },
    })
}

/// Returns milliseconds in whole nanoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn nanoseconds(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}
