//! What fetches waited for that arrived at a rate: from their arrival to their end, and to the
//! moment at which they were sent.
//!
//! Percentiles are those of all fetches of a model, and are shown as far as enough fetches lie
//! beyond. A model that does not keep up with the rate has none: what its fetches wait for depends
//! on how long the turn is.

use record::TurnRecord;
use serde::Serialize;
use stats::{Estimate, pooled};
use workload::{Cell, Turn, shortest_window_ns};

use crate::counts::real;
use crate::family::ALPHA;
use crate::figure::{Figure, rounded};
use crate::latency::QUANTILES;
use crate::turns::{Quantity, Turns, cpu_us};

/// The share of the rate that a model has to achieve. One that achieves less falls behind for as
/// long as fetches arrive.
pub const ACHIEVED_MIN: f64 = 0.99;
/// Fetches that must lie beyond a percentile for it to be reported.
const BEYOND_MIN: f64 = 10.0;
/// Why a percentile is not reported.
const FEW_BEYOND: &str = "fewer than ten fetches lie beyond";
/// Why none is.
const BEHIND: &str = "it cannot hold the rate";

/// A histogram: values in nanoseconds, rising, with their counts.
type Buckets = Vec<(u64, u64)>;

/// What the fetches of a model waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct Responses {
    /// The model's name.
    pub model: String,
    /// Fetches of all its stays that arrived in a window and were ok.
    pub fetches: u64,
    /// Fetches that ended a second, as a share of those that any model could have ended with these
    /// arrivals and delays.
    pub achieved: f64,
    /// From arrival to end, if it holds the rate.
    pub response: Option<Waits>,
    /// From arrival to sending, likewise.
    pub lag: Option<Waits>,
    /// CPU time per fetch in microseconds: median over blocks.
    pub cpu_us: Option<Estimate>,
}

/// How long fetches waited.
#[derive(Clone, Debug, PartialEq)]
pub struct Waits {
    /// In milliseconds, in the order of [`QUANTILES`], as far as enough fetches lie beyond.
    pub quantiles_ms: [Option<Estimate>; 4],
    /// The mean, in milliseconds.
    pub mean_ms: f64,
    /// The longest wait of all, in milliseconds.
    pub max_ms: f64,
}

/// The same for programs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ResponsesSummary<'a> {
    /// The model's name.
    model: &'a str,
    /// Fetches that arrived in a window and were ok.
    fetches: u64,
    /// Fetches that ended a second, as a share of those that any model could have ended.
    achieved: Option<f64>,
    /// Whether it holds the rate; else it has no percentiles.
    holds_rate: bool,
    /// From arrival to end.
    response: WaitsSummary,
    /// From arrival to sending.
    lag: WaitsSummary,
    /// CPU time per fetch, in microseconds.
    cpu_us_per_fetch: Figure,
}

/// How long fetches waited, for programs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::struct_field_names, reason = "the names of a document carry their units")]
struct WaitsSummary {
    /// What half of the fetches do not exceed, in milliseconds.
    p50_ms: Figure,
    /// What nine of ten do not exceed.
    p90_ms: Figure,
    /// What 99 of 100 do not exceed.
    p99_ms: Figure,
    /// What 999 of 1,000 do not exceed.
    p999_ms: Figure,
    /// The mean, in milliseconds.
    mean_ms: Option<f64>,
    /// The longest wait of all, in milliseconds.
    max_ms: Option<f64>,
}

/// Returns what the fetches of these models waited for, those with the shortest p99 first, then
/// those that do not hold the rate; nothing if the cell has none.
pub(crate) fn responses<'a>(
    (cell, seed): (&Cell, u64),
    turns: &Turns<'_>,
    shortest_ns: impl Fn(&TurnRecord) -> Option<u64>,
    models: impl Iterator<Item = &'a str>,
) -> Vec<Responses> {
    if !cell.is_open() {
        return Vec::new();
    }
    let of = |model: &str| Responses::of(model, turns, seed, &shortest_ns);
    let mut all: Vec<Responses> = models.filter_map(of).collect();
    let p99 = |own: &Responses| {
        let estimate = own.response.as_ref().and_then(|waits| waits.quantiles_ms[2]);
        estimate.map_or(f64::INFINITY, |estimate| estimate.value)
    };
    all.sort_by(|a, b| p99(a).total_cmp(&p99(b)).then_with(|| a.model.cmp(&b.model)));
    all
}

/// Returns the shortest window that any model could have had in a turn, by what decides its
/// arrivals and its delays.
pub(crate) fn shortest_ns(cell: &Cell, number: u32, (arrivals, delays): (u64, u64)) -> u64 {
    // Delays depend on the place of an id in its turn alone.
    let turn = Turn { arrivals_seed: arrivals, ..Turn::of(cell, number, 0) };
    shortest_window_ns(cell, &turn, delays)
}

impl Responses {
    /// Gathers what the fetches of a model waited for, if it has any.
    fn of(
        model: &str,
        turns: &Turns<'_>,
        seed: u64,
        shortest_ns: impl Fn(&TurnRecord) -> Option<u64>,
    ) -> Option<Self> {
        let stays = turns.stays(model);
        let responses: Vec<Buckets> = stays.iter().map(|stay| stay.responses_ns.clone()).collect();
        let lags: Vec<Buckets> = stays.iter().map(|stay| stay.lags_ns.clone()).collect();
        let fetches = responses.iter().flatten().map(|(_, count)| count).sum();
        let (shortest, took) = turns.of(model).fold((0, 0), |(shortest, took), turn| {
            let wall = turn.valid().map_or(0, |turned| turned.window.wall_ns);
            (shortest + shortest_ns(turn).unwrap_or(0), took + wall)
        });
        let achieved = real(shortest) / real(took.max(1));
        let waits = |stays: &[Buckets]| {
            (achieved >= ACHIEVED_MIN).then(|| Waits::of(stays, (fetches, seed)))
        };
        let cpu = turns.sample(model, Quantity::Turn(cpu_us));
        (fetches > 0).then(|| Self {
            model: model.to_owned(),
            fetches,
            achieved,
            response: waits(&responses),
            lag: waits(&lags),
            cpu_us: cpu.map(|sample| stats::median::estimate(&sample, ALPHA)),
        })
    }
}

impl Waits {
    /// Reads the percentiles of so many fetches, whose intervals are drawn from a seed.
    fn of(stays: &[Buckets], (fetches, seed): (u64, u64)) -> Self {
        let ms = |estimate: Estimate| estimate.times(1e-6);
        let all = pooled::quantiles(stays, &QUANTILES.map(|(q, _)| q), (ALPHA, seed));
        let mut quantiles_ms = [None; 4];
        for ((own, (q, _)), estimate) in quantiles_ms.iter_mut().zip(QUANTILES).zip(all) {
            let beyond = real(fetches) * (1.0 - q);
            *own = estimate.filter(|_| beyond >= BEYOND_MIN - 1e-9).map(ms);
        }
        let waits = || stays.iter().flatten();
        let sum: f64 = waits().map(|&(ns, count)| real(ns) * real(count)).sum();
        let max = waits().map(|(ns, _)| *ns).max().unwrap_or(0);
        let mean_ms = sum / real(fetches.max(1)) / 1e6;
        Self { quantiles_ms, mean_ms, max_ms: real(max) / 1e6 }
    }
}

impl<'a> ResponsesSummary<'a> {
    /// Writes what fetches waited for.
    pub(crate) fn of(responses: &'a Responses) -> Self {
        Self {
            model: &responses.model,
            fetches: responses.fetches,
            achieved: rounded(responses.achieved),
            holds_rate: responses.response.is_some(),
            response: WaitsSummary::of(responses.response.as_ref()),
            lag: WaitsSummary::of(responses.lag.as_ref()),
            cpu_us_per_fetch: Figure::or(responses.cpu_us.as_ref(), "no valid turn"),
        }
    }
}

impl WaitsSummary {
    /// Writes how long fetches waited, or why that is not said.
    fn of(waits: Option<&Waits>) -> Self {
        let why = if waits.is_some() { FEW_BEYOND } else { BEHIND };
        let quantile = |place: usize| {
            Figure::or(waits.and_then(|waits| waits.quantiles_ms[place].as_ref()), why)
        };
        Self {
            p50_ms: quantile(0),
            p90_ms: quantile(1),
            p99_ms: quantile(2),
            p999_ms: quantile(3),
            mean_ms: waits.and_then(|waits| rounded(waits.mean_ms)),
            max_ms: waits.and_then(|waits| rounded(waits.max_ms)),
        }
    }
}
