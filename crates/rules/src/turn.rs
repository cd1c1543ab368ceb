//! The laws of one turn.

use workload::pipe::Turned;
use workload::{Datum, OriginKind, Plan, Receipt, Turn, bare_heads_digest, ids_digest};

use crate::slope::SHORTEST_NS;
use crate::stay::BATCH_PEAK_PERCENT_MIN;
use crate::terms::Sizes;
use crate::{Reason, evaluate, expected, paced, threads};

/// The share of the slots that the origin must have seen busy at the peak, in
/// percent. Lower values are what waiting in series looks like.
pub(crate) const PEAK_PERCENT_MIN: u64 = 95;
/// The same for a model that may be too slow to keep all slots busy.
const SLOW_PEAK_PERCENT_MIN: u64 = 50;
/// The share of its threads' time for which the origin may be busy, in percent. Above it, replies
/// wait for the origin's CPU and not for their delays, and its speed is what is measured.
const ORIGIN_BUSY_PERCENT_MAX: u64 = 75;
/// How late a single reply of the origin may be, in milliseconds. One that is later was stalled, by
/// whomever: the latencies that it makes are not the model's. Beside other programs the latest of
/// a turn is some tens of milliseconds late.
pub const STALLED_MS: f64 = 250.0;
/// What rounding a latency to three digits changes at most: one part in so many.
pub(crate) const ROUNDING: f64 = 200.0;
/// The longest time between two ticks of the kernel's clock, at 100 Hz.
const TICK_NS: u64 = 10_000_000;

/// What a manifest says of a model, as far as laws ask.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a> {
    /// Whether no library speaks HTTP for it.
    pub is_bare: bool,
    /// Whether it may be too slow to keep every slot busy.
    pub may_be_slow: bool,
    /// The most connections that it may open, in terms; a connection a slot without them.
    pub connections: Option<&'a str>,
    /// The threads that it has while the window is open, in terms.
    pub threads: &'a str,
    /// Whether it is built with another version than the manifest is of, or with levers.
    pub is_apart: bool,
}

/// What a turn is held against.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What the participant said.
    pub turned: &'a Turned,
    /// What the origin counted, if one takes part.
    pub receipt: Option<&'a Receipt>,
    /// Which kind of origin it is.
    pub origin: OriginKind,
}

/// Returns why the figures of a turn may not be used: nothing, if it is valid.
pub fn validate(
    claims: Claims<'_>,
    (plan, turn): (&Plan, &Turn),
    evidence: Evidence<'_>,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    counts((plan, turn), evidence.turned, &mut reasons);
    times(plan, evidence.turned, &mut reasons);
    if let Some(receipt) = evidence.receipt {
        meeting((plan, turn), (evidence.turned, receipt), &mut reasons);
        let seen = (evidence.turned, receipt, evidence.origin);
        shape(claims, (plan, turn), seen, &mut reasons);
    }
    reasons
}

/// Adds a reason where a law does not hold.
fn hold(reasons: &mut Vec<Reason>, holds: bool, reason: impl FnOnce() -> Reason) {
    if !holds {
        reasons.push(reason());
    }
}

/// The model's counts agree with each other and with the turn, and nothing failed.
fn counts((plan, turn): (&Plan, &Turn), turned: &Turned, reasons: &mut Vec<Reason>) {
    let (total, window) = (&turned.total, &turned.window);
    let ids = turn.ids(&plan.cell);
    let asked = ids.end - ids.start;
    let failed = sum(total.errors.values());
    let (ok, issued) = (total.ok, total.issued);

    hold(reasons, failed == 0, || Reason::FetchesFailed {
        failed,
        asked,
        codes: total.errors.clone(),
    });
    hold(reasons, issued == asked, || Reason::Issued { issued, asked });
    hold(reasons, ok.checked_add(failed) == Some(issued), || Reason::Unbalanced {
        ok,
        failed,
        issued,
    });
    let ended = window.ended;
    hold(reasons, ended == turn.fetches, || Reason::WindowEnded { ended, asked: turn.fetches });
    hold(reasons, failed > 0 || window.ok >= ended, || Reason::WindowOk { ok: window.ok, ended });
}

/// Returns the sum of counts that a model reported, which may be any: too large a sum is the
/// largest.
pub(crate) fn sum<'a>(counts: impl Iterator<Item = &'a u64>) -> u64 {
    counts.fold(0, |sum, count| sum.saturating_add(*count))
}

/// What was timed is possible.
fn times(plan: &Plan, turned: &Turned, reasons: &mut Vec<Reason>) {
    let (wall_ns, cpu_ns) = (turned.window.wall_ns, turned.window.cpu_ns);
    hold(reasons, wall_ns > 0 && cpu_ns > 0, || Reason::NoTime);
    let is_timed = plan.cell.workload.datum() != Datum::Slope || wall_ns >= SHORTEST_NS;
    hold(reasons, is_timed, || Reason::BatchShort { took_ns: wall_ns, least_ns: SHORTEST_NS });
    let wake_ups = sum(turned.wake_up_delays_ns.iter().map(|(_, count)| count));
    let period_ns = u64::from(plan.cell.probe_period_us) * 1_000;
    let wake_ups_max = wall_ns.checked_div(period_ns).map_or(0, |periods| periods + 1);
    hold(reasons, wake_ups <= wake_ups_max, || Reason::WakeUps { wake_ups, wall_ns });

    // Whoever has no pacer would hide its own time behind one.
    let room_ns = if plan.cell.handed_in { wall_ns } else { 0 };
    let pacer_ns = turned.window.pacer_ns;
    hold(reasons, pacer_ns <= room_ns, || Reason::CpuTooLong {
        cpu_ns: pacer_ns,
        wall_ns: room_ns,
    });

    if !expected(plan.cell.workload).includes_start {
        // A model has as many CPUs as workers; the CPU clock of a running thread may be a tick
        // ahead.
        let most = wall_ns.saturating_add(TICK_NS).saturating_mul(plan.workers.into());
        hold(reasons, cpu_ns <= most, || Reason::CpuTooLong { cpu_ns, wall_ns });
    }
}

/// The origin saw just the fetches that the model says it made, and had the time to serve them.
fn meeting(
    (plan, turn): (&Plan, &Turn),
    (turned, receipt): (&Turned, &Receipt),
    reasons: &mut Vec<Reason>,
) {
    let ids = turn.ids(&plan.cell);
    let (answered, issued) = (receipt.answered, turned.total.issued);
    hold(reasons, answered == issued, || Reason::Answered { answered, issued });
    hold(reasons, receipt.strays == 0, || Reason::Strays { count: receipt.strays });
    let is_all = answered == ids.end - ids.start;
    hold(reasons, !is_all || receipt.ids_digest == ids_digest(ids.clone()), || Reason::OtherIds);
    let asked = ids.filter(|id| plan.cell.is_slow(plan.seed, *id)).count() as u64;
    let slow = receipt.slow;
    hold(reasons, !is_all || slow == asked, || Reason::OtherDelays { slow, asked });

    let late_ms = receipt.delay_late_ms_p50_estimate;
    let is_on_time = late_ms <= expected(plan.cell.workload).late_ms_max;
    hold(reasons, is_on_time, || Reason::OriginLate { late_us: micros(late_ms) });
    // One that is late is no witness of when requests came.
    reasons.extend(paced::other_moments(turned, receipt).filter(|_| is_on_time));
    // The replies that a short stall meets are too few to move the median.
    let latest_ms = receipt.delay_late_ms_max_estimate;
    let was_stalled = expected(plan.cell.workload).latest_ms_max.is_some_and(|max| latest_ms > max);
    hold(reasons, !is_on_time || !was_stalled, || Reason::OriginLate {
        late_us: micros(latest_ms),
    });
    // A thread may listen at several addresses.
    let threads = (plan.origins.len() as u64 / u64::from(plan.cell.addresses())).max(1);
    let room = receipt.wall_ns.saturating_mul(threads).max(1);
    let percent = receipt.cpu_ns.saturating_mul(100) / room;
    hold(reasons, percent <= ORIGIN_BUSY_PERCENT_MAX, || Reason::OriginBusy { percent, threads });
}

/// Returns milliseconds in whole microseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn micros(ms: f64) -> u64 {
    (ms * 1e3).round() as u64
}

/// The work had the shape that the plan asks for: so many at once, on so many connections, by so
/// many threads, with the request of the bare core.
fn shape(
    claims: Claims<'_>,
    (plan, turn): (&Plan, &Turn),
    (turned, receipt, origin): (&Turned, &Receipt, OriginKind),
    reasons: &mut Vec<Reason>,
) {
    let ids = turn.ids(&plan.cell);
    let is_all = receipt.answered == ids.end - ids.start;
    let heads = !claims.is_bare || !is_all || receipt.heads_digest == bare_heads_digest(ids);
    hold(reasons, heads, || Reason::OtherHeads);

    let slots = plan.cell.slots();
    let peak = receipt.in_flight_peak_estimate;
    let percent = if claims.may_be_slow { SLOW_PEAK_PERCENT_MIN } else { PEAK_PERCENT_MIN };
    // Where all are held until they are in flight, less than all is none of them.
    let (is_held, workload) = (plan.cell.workload.is_held(), plan.cell.workload);
    let percent = if is_held { 100 } else { percent };
    let is_full = peak >= u64::from(slots) * percent / 100;
    let is_asked = is_held || expected(workload).keeps_slots_busy;
    hold(reasons, is_full || !is_asked, || Reason::Peak { peak, slots });
    // An estimate may be high by a few.
    let seen = if origin.counts_in_flight() { peak } else { 0 };
    let peak = turned.in_flight_peak.max(seen);
    hold(reasons, peak <= u64::from(slots), || Reason::TooMany { peak, slots });
    connections(claims, (plan, turn), receipt, reasons);

    if plan.cell.workload.is_resident() {
        reasons.extend(threads::other(claims, (plan, turn), turned));
    }
}

/// The core connects once a slot, in the first turn of a process, and never again. A library's
/// pool gives a slot that the machine started late the connection of one that has ended, and opens
/// fewer; where fetches arrive at a rate, it opens one whenever more are in flight than ever
/// before. What a manifest allows is allowed. Where the origin ends connections, each fetch has
/// one.
fn connections(
    claims: Claims<'_>,
    (plan, turn): (&Plan, &Turn),
    receipt: &Receipt,
    reasons: &mut Vec<Reason>,
) {
    let Some(seen) = receipt.connections else { return };
    let is_first = turn.number == 0 || !plan.cell.workload.is_resident();
    let slots = u64::from(plan.cell.slots());
    let ids = turn.ids(&plan.cell);
    let (least, most) = match claims.connections {
        _ if plan.cell.workload.ends_connections() => (ids.end - ids.start, ids.end - ids.start),
        Some(terms) => (0, evaluate(terms, Sizes::of(plan, turn)).unwrap_or(0)),
        None if !claims.is_bare && plan.cell.is_open() => (0, slots),
        None if is_first && claims.is_bare => (slots, slots),
        None if is_first => (slots * BATCH_PEAK_PERCENT_MIN / 100, slots),
        None => (0, 0),
    };
    let holds = (least..=most).contains(&seen);
    hold(reasons, holds, || Reason::Connections { seen, least, most });
}

#[cfg(test)]
#[path = "turn_tests.rs"]
mod tests;
