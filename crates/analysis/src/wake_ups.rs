//! How long whatever is due has to wait in a model while it fetches: how late a probe task was that
//! woke beside the fetches.

use record::StayRecord;
use serde::Serialize;
use stats::{Estimate, histogram, median};

use crate::counts::real;
use crate::family::ALPHA;
use crate::figure::Figure;
use crate::turns::{Quantity, Turns};

/// What less than a nanosecond late is called.
const LEAST_MS: f64 = 1e-6;
/// How late the probe task of a model was.
#[derive(Clone, Debug, PartialEq)]
pub struct WakeUps {
    /// The model's name.
    pub model: String,
    /// Wake-ups of all stays with a valid turn.
    pub count: u64,
    /// By how much half of a stay's wake-ups were late, in milliseconds: median over blocks, with
    /// the 95 % interval of the sign test.
    pub typical_ms: Estimate,
    /// The same for the latest wake-up of a stay.
    pub worst_ms: Estimate,
}

/// The same for programs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct WakeUpsSummary<'a> {
    /// The model's name.
    model: &'a str,
    /// Wake-ups of all stays with a valid turn.
    wake_ups: u64,
    /// By how much half of a stay's wake-ups were late, in milliseconds.
    late_typical_ms: Figure,
    /// How late the latest wake-up of a stay was, in milliseconds.
    late_worst_ms: Figure,
}

/// Returns how late the probe tasks of these models were, the worst last.
pub(crate) fn wake_ups<'a>(
    turns: &Turns<'_>,
    models: impl Iterator<Item = &'a str>,
) -> Vec<WakeUps> {
    let of = |model: &str| {
        let estimate = |quantity| Some(median::estimate(&turns.sample(model, quantity)?, ALPHA));
        Some(WakeUps {
            model: model.to_owned(),
            count: turns.stays(model).into_iter().map(|stay| reported(stay).map_or(0, count)).sum(),
            typical_ms: estimate(Quantity::Stay(typical_ms))?,
            worst_ms: estimate(Quantity::Stay(worst_ms))?,
        })
    };
    let mut wake_ups: Vec<WakeUps> = models.filter_map(of).collect();
    wake_ups.sort_by(|a, b| a.worst_ms.value.total_cmp(&b.worst_ms.value));
    wake_ups
}

impl<'a> WakeUpsSummary<'a> {
    /// Writes how late a probe task was.
    pub(crate) fn of(wake_ups: &'a WakeUps) -> Self {
        Self {
            model: &wake_ups.model,
            wake_ups: wake_ups.count,
            late_typical_ms: Figure::of(&wake_ups.typical_ms),
            late_worst_ms: Figure::of(&wake_ups.worst_ms),
        }
    }
}

/// Returns how late the wake-ups of a stay were.
fn reported(stay: &StayRecord) -> Option<&[(u64, u64)]> {
    Some(stay.wake_up_delays_ns.as_slice()).filter(|reported| !reported.is_empty())
}

/// Returns how many wake-ups there were.
fn count(reported: &[(u64, u64)]) -> u64 {
    reported.iter().map(|(_, count)| count).sum()
}

/// Returns by how much half of the wake-ups were late, in milliseconds.
pub(crate) fn typical_ms(stay: &StayRecord) -> Option<f64> {
    Some((real(histogram::quantile(reported(stay)?, 0.5)?) / 1e6).max(LEAST_MS))
}

/// Returns by how much the latest wake-up was late, in milliseconds.
fn worst_ms(stay: &StayRecord) -> Option<f64> {
    Some((real(reported(stay)?.last()?.0) / 1e6).max(LEAST_MS))
}
