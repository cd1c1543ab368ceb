//! Holds a trial against the origin's receipt and against the laws of counting.
//!
//! The model times, the harness verifies: a trial whose story differs from the origin's is void,
//! whatever its figures are, and each reason is a fact that a reader can check in the journal.

use model_kit::pipe::Trial;
use model_kit::{Plan, Receipt, Workload, ids_digest};
use origin::bare_heads_digest;
use record::{Host, Model};

use crate::evaluate;
use crate::terms::Sizes;

/// The share of the slots of a steady cell that the origin must have seen busy at the peak, in
/// percent. Lower values are what waiting in series looks like.
const STEADY_PEAK_PERCENT_MIN: u64 = 95;
/// The same for a batch, whose first fetches may end before a slow model has started its last:
/// that is its cost and not a fault.
const BATCH_PEAK_PERCENT_MIN: u64 = 50;
/// The share that the origin must have seen busy in the mean over the window of a steady cell.
const BUSY_MEAN_MIN: f64 = 0.9;
/// The most by which the median delay of a steady cell may be late, in milliseconds. The shadow
/// timer that estimates it is itself about 1.2 ms late.
const STEADY_LATE_MS_MAX: f64 = 3.0;
/// The same for a batch, whose replies are due together while one thread sends them in turn.
const BATCH_LATE_MS_MAX: f64 = 8.0;

/// The share of its threads' time for which the origin may be busy, in percent. Above it, replies
/// wait for the origin's CPU and not for their delays, and its speed is what is measured; runs on
/// two CPUs stay below 30.
const ORIGIN_BUSY_PERCENT_MAX: u64 = 75;
/// What rounding a latency to three digits changes at most: one part in so many.
const ROUNDING: f64 = 200.0;

/// The longest time between two ticks of the kernel's clock, at 100 Hz.
const TICK_NS: u64 = 10_000_000;
/// How far the time of day may part from the monotonic clock while a trial runs, in milliseconds. A
/// clock that is slewed parts from it by 5 in ten seconds.
const CLOCK_JUMP_MS_MAX: u64 = 1_000;
/// How the reason begins of a trial during which it parted further.
const JUMPED: &str = "the clock jumped by";
/// How a reason begins that a busy machine alone can bring about.
const LATE: &str = "the origin was late by";
/// How the reason begins of a trial whose origin died, stopped, or no longer accepts.
pub(crate) const ORIGIN_FAILED: &str = "the origin failed, not the model";

/// Returns whether a reason says no more than that the machine was busy, or not there.
pub fn is_of_the_machine(reason: &str) -> bool {
    reason.starts_with(LATE) || reason.starts_with(JUMPED)
}

/// Returns why a trial is void for what the machine did meanwhile: it slept or was paused, or its
/// clock was set, which cannot be told apart. No duration is taken from that clock.
pub(crate) fn jumped(host: Option<&Host>) -> Option<String> {
    let jump_ms = host?.clock_jump_ms;
    (jump_ms.unsigned_abs() > CLOCK_JUMP_MS_MAX).then(|| {
        format!("{JUMPED} {jump_ms} ms: the machine slept or was paused, or its clock was set")
    })
}

/// Returns why a trial is void: nothing, if it is valid.
pub fn judge(model: &Model, plan: &Plan, (trial, receipt): (&Trial, &Receipt)) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut hold = |holds: bool, reason: &dyn Fn() -> String| {
        if !holds {
            reasons.push(reason());
        }
    };
    counts(plan, trial, &mut hold);
    latencies(plan, trial, &mut hold);
    meeting(plan, trial, receipt, &mut hold);
    heads(model, plan, receipt, &mut hold);
    shape(model, plan, (trial, receipt), &mut hold);
    reasons
}

/// Takes a law, whether it holds, and how to say that it does not.
type Hold<'a> = dyn FnMut(bool, &dyn Fn() -> String) + 'a;

/// The model's counts agree with each other and with the plan, and nothing failed.
fn counts(plan: &Plan, trial: &Trial, hold: &mut Hold<'_>) {
    let (total, window) = (&trial.total, &trial.window);
    let dealt = plan.cell.dealt();
    let failed = sum(total.errors.values());
    let timed = sum(trial.latencies_ns.iter().map(|(_, count)| count));
    let fetches = plan.cell.fetches;

    hold(failed == 0, &|| {
        let codes = total.errors.iter().map(|(code, count)| format!("{count} x {code}"));
        format!("{failed} of {dealt} fetches failed: {}", codes.collect::<Vec<_>>().join(", "))
    });
    hold(total.issued == dealt, &|| format!("{} fetches issued of {dealt}", total.issued));
    hold(total.ok.checked_add(failed) == Some(total.issued), &|| {
        format!("{} ok and {failed} failed do not make {} issued", total.ok, total.issued)
    });
    hold(window.ended == fetches, &|| {
        format!("{} fetches ended in the window of {fetches}", window.ended)
    });
    hold(timed == window.ok, &|| format!("{timed} latencies for {} ok fetches", window.ok));
    hold(window.wall_ns > 0 && window.cpu_ns > 0, &|| "the window took no time".to_owned());
    hold(failed > 0 || window.ok >= window.ended, &|| {
        format!("{} of {} fetches in the window were ok", window.ok, window.ended)
    });
    let beats = sum(trial.beats_late_ns.iter().map(|(_, count)| count));
    let period_ns = u64::from(plan.cell.heartbeat_us) * 1_000;
    let beats_max = window.wall_ns.checked_div(period_ns).map_or(0, |periods| periods + 1);
    hold(beats <= beats_max, &|| {
        format!("{beats} beats of a heart do not fit into {} ns", window.wall_ns)
    });
    // A model has as many CPUs as workers; the CPU clock of a running thread may be a tick ahead.
    let cpu_ns_max = window.wall_ns.saturating_add(TICK_NS).saturating_mul(plan.workers.into());
    hold(window.cpu_ns <= cpu_ns_max, &|| {
        format!("{} ns of CPU time do not fit into {} ns", window.cpu_ns, window.wall_ns)
    });
}

/// Returns the sum of counts that a model told, which may be any: too large a sum is the largest.
fn sum<'a>(counts: impl Iterator<Item = &'a u64>) -> u64 {
    counts.fold(0, |sum, count| sum.saturating_add(*count))
}

/// The latencies are those of fetches that waited for their delays, one at a time in each slot.
///
/// By Little's law (J. D. C. Little, Operations Research 9, 1961) the latencies of a window make up
/// its length times the slots that were busy: all of them in a steady cell, no more than there are
/// in a batch. What lies across the edges of a steady window is at most one latency a slot.
#[expect(clippy::cast_precision_loss, reason = "a tenth of a slot is all that is asked")]
fn latencies(plan: &Plan, trial: &Trial, hold: &mut Hold<'_>) {
    let (told, slots) = (&trial.latencies_ns, f64::from(plan.cell.slots()));
    let (Some(shortest), Some(longest)) = (told.iter().min(), told.iter().max()) else { return };
    let (shortest, longest) = (shortest.0 as f64, longest.0 as f64);
    let delay = plan.cell.delay_ms.lo as f64 * 1e6;
    hold(shortest >= delay * (1.0 - 1.0 / ROUNDING), &|| {
        format!("a fetch took {:.1} ms of at least {:.1} ms", shortest / 1e6, delay / 1e6)
    });
    if sum(told.iter().map(|(_, count)| count)) != plan.cell.fetches {
        return;
    }

    let sum: f64 = told.iter().map(|&(ns, count)| ns as f64 * count as f64).sum();
    let room = slots * trial.window.wall_ns as f64;
    let rounding = sum / ROUNDING;
    let holds = match plan.cell.workload {
        Workload::Batch => sum <= room + rounding,
        Workload::Steady => (sum - room).abs() <= slots * longest + rounding,
    };
    hold(holds, &|| {
        let busy = sum / (trial.window.wall_ns as f64).max(1.0);
        format!("by its latencies {busy:.1} of {slots} slots were busy")
    });
}

/// The origin saw just the fetches that the model says it made, and had the time to serve them.
fn meeting(plan: &Plan, trial: &Trial, receipt: &Receipt, hold: &mut Hold<'_>) {
    let issued = trial.total.issued;
    hold(receipt.answered == issued, &|| {
        format!("the origin answered {} fetches, the model issued {issued}", receipt.answered)
    });
    hold(receipt.strays == 0, &|| {
        format!("the origin saw {} requests that are no fetch", receipt.strays)
    });
    let same_ids = receipt.ids_digest == ids_digest(plan.cell.dealt());
    hold(same_ids || receipt.answered != plan.cell.dealt(), &|| {
        "the origin saw other ids than were dealt".to_owned()
    });
    let late_ms_max = match plan.cell.workload {
        Workload::Batch => BATCH_LATE_MS_MAX,
        Workload::Steady => STEADY_LATE_MS_MAX,
    };
    hold(receipt.delay_late_ms_p50_estimate <= late_ms_max, &|| {
        format!("{LATE} {:.1} ms", receipt.delay_late_ms_p50_estimate)
    });
    let shards = plan.origins.len().max(1) as u64;
    let percent =
        receipt.cpu_ns.saturating_mul(100) / receipt.wall_ns.saturating_mul(shards).max(1);
    hold(percent <= ORIGIN_BUSY_PERCENT_MAX, &|| {
        format!("the origin was busy for {percent} % of the time of its {shards} threads")
    });
}

/// Every bare model sends the same request: the one line, Host, and no other field.
fn heads(model: &Model, plan: &Plan, receipt: &Receipt, hold: &mut Hold<'_>) {
    let dealt = plan.cell.dealt();
    if !model.is_bare() || receipt.answered != dealt {
        return;
    }
    hold(receipt.heads_digest == bare_heads_digest(dealt), &|| {
        "its request heads are not those of the bare core".to_owned()
    });
}

/// The work had the shape that the plan asks for: so many at once, on so many connections, by so
/// many threads.
fn shape(model: &Model, plan: &Plan, (trial, receipt): (&Trial, &Receipt), hold: &mut Hold<'_>) {
    let slots = plan.cell.slots();
    let peak = receipt.in_flight_peak_estimate;
    let is_slower = model.language.is_some();
    let percent = match plan.cell.workload {
        Workload::Steady if !is_slower => STEADY_PEAK_PERCENT_MIN,
        Workload::Steady | Workload::Batch => BATCH_PEAK_PERCENT_MIN,
    };
    hold(peak >= u64::from(slots) * percent / 100, &|| {
        format!("the origin saw at most {peak} of {slots} in flight")
    });
    hold(trial.in_flight_peak <= u64::from(slots), &|| {
        format!("the model had {} in flight in {slots} slots", trial.in_flight_peak)
    });

    let terms = model.connections.as_deref().unwrap_or("in_flight");
    let most = evaluate(terms, plan).unwrap_or(0);
    let connections = receipt.connections_estimate;
    // A kernel that hides its counters says nothing for the model or against it.
    hold(connections.is_none_or(|connections| connections <= most), &|| {
        let connections = connections.unwrap_or_default();
        format!("the origin saw {connections} connections for {slots} slots")
    });

    if plan.cell.workload == Workload::Steady {
        let mean = receipt.in_flight_mean_estimate;
        // An interpreter may be too slow to keep all slots busy at the origin: that is its cost.
        hold(is_slower || mean >= f64::from(slots) * BUSY_MEAN_MIN, &|| {
            format!("the origin saw {mean:.1} of {slots} in flight in the mean")
        });
        // The threads of a batch may have left before the window closes and they are counted.
        let mut sizes = Sizes::from(plan);
        // A heart is one unit more, of a model that has one.
        sizes.in_flight += u32::from(!trial.beats_late_ns.is_empty());
        let threads = evaluate(&model.threads, sizes).unwrap_or(0);
        hold(trial.threads == threads, &|| {
            format!("the process had {} threads, its manifest says {threads}", trial.threads)
        });
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
