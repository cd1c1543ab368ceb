//! Holds a trial against the origin's receipt and against the laws of counting.
//!
//! The model times, the harness verifies: a trial whose story differs from the origin's is void,
//! whatever its figures are, and each reason is a fact that a reader can check in the journal.

use model_kit::pipe::Trial;
use model_kit::{Plan, Receipt, Workload, ids_digest};
use record::Model;

use crate::evaluate;

/// The share of the slots that the origin must have seen busy, at the peak and in the mean.
/// Lower values are what waiting in series looks like.
const BUSY_PEAK_PERCENT_MIN: u64 = 95;
/// As above, for the mean over the window of a steady cell.
const BUSY_MEAN_MIN: f64 = 0.9;
/// The most by which the median delay may be late, in milliseconds. The shadow timer that
/// estimates it is itself about 1.2 ms late.
const LATE_MS_MAX: f64 = 3.0;

/// Returns why a trial is void: nothing, if it is valid.
pub fn judge(model: &Model, plan: &Plan, (trial, receipt): (&Trial, &Receipt)) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut hold = |holds: bool, reason: &dyn Fn() -> String| {
        if !holds {
            reasons.push(reason());
        }
    };
    counts(plan, trial, &mut hold);
    meeting(plan, trial, receipt, &mut hold);
    shape(model, plan, (trial, receipt), &mut hold);
    reasons
}

/// Takes a law, whether it holds, and how to say that it does not.
type Hold<'a> = dyn FnMut(bool, &dyn Fn() -> String) + 'a;

/// The model's counts agree with each other and with the plan, and nothing failed.
fn counts(plan: &Plan, trial: &Trial, hold: &mut Hold<'_>) {
    let (total, window) = (&trial.total, &trial.window);
    let dealt = plan.cell.dealt();
    let failed: u64 = total.errors.values().sum();
    let timed: u64 = trial.latencies_ns.iter().map(|(_, count)| count).sum();
    let fetches = plan.cell.fetches;

    hold(failed == 0, &|| {
        let codes = total.errors.iter().map(|(code, count)| format!("{count} x {code}"));
        format!("{failed} of {dealt} fetches failed: {}", codes.collect::<Vec<_>>().join(", "))
    });
    hold(total.issued == dealt, &|| format!("{} fetches issued of {dealt}", total.issued));
    hold(total.ok + failed == total.issued, &|| {
        format!("{} ok and {failed} failed do not make {} issued", total.ok, total.issued)
    });
    hold(window.ended == fetches, &|| {
        format!("{} fetches ended in the window of {fetches}", window.ended)
    });
    hold(timed == window.ok, &|| format!("{timed} latencies for {} ok fetches", window.ok));
    hold(window.wall_ns > 0 && window.cpu_ns > 0, &|| "the window took no time".to_owned());
}

/// The origin saw just the fetches that the model says it made.
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
    hold(receipt.delay_late_ms_p50_estimate <= LATE_MS_MAX, &|| {
        format!("the origin was late by {:.1} ms", receipt.delay_late_ms_p50_estimate)
    });
}

/// The work had the shape that the plan asks for: so many at once, on so many connections, by so
/// many threads.
fn shape(model: &Model, plan: &Plan, (trial, receipt): (&Trial, &Receipt), hold: &mut Hold<'_>) {
    let slots = plan.cell.slots();
    let peak = receipt.in_flight_peak_estimate;
    hold(peak >= u64::from(slots) * BUSY_PEAK_PERCENT_MIN / 100, &|| {
        format!("the origin saw at most {peak} of {slots} in flight")
    });
    hold(trial.in_flight_peak <= u64::from(slots), &|| {
        format!("the model had {} in flight in {slots} slots", trial.in_flight_peak)
    });

    let terms = model.connections.as_deref().unwrap_or("in_flight");
    let most = evaluate(terms, plan.workers, slots).unwrap_or(0);
    let connections = receipt.connections_estimate;
    hold(connections <= most, &|| {
        format!("the origin saw {connections} connections for {slots} slots")
    });

    if plan.cell.workload == Workload::Steady {
        let mean = receipt.in_flight_mean_estimate;
        hold(mean >= f64::from(slots) * BUSY_MEAN_MIN, &|| {
            format!("the origin saw {mean:.1} of {slots} in flight in the mean")
        });
        // The threads of a batch may have left before the window closes and they are counted.
        let threads = evaluate(&model.threads, plan.workers, slots).unwrap_or(0);
        hold(trial.threads == threads, &|| {
            format!("the process had {} threads, its manifest says {threads}", trial.threads)
        });
    }
}
