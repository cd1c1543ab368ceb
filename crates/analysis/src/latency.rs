//! How the service times of a model are distributed: quantiles of stays, as far as enough fetches
//! lie beyond them.

use serde::Serialize;
use stats::{Sample, histogram, median};

use crate::counts::real;
use crate::family::ALPHA;
use crate::figure::rounded;
use crate::turns::Turns;

/// Points of a curve.
const POINTS: u32 = 24;
/// The quantiles that are reported, with their names.
pub const QUANTILES: [(f64, &str); 4] =
    [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9")];

/// Fetches of a stay that must lie beyond a quantile for it to be reported: p99 needs 1,000 a stay
/// and p99.9 10,000, of which ten are beyond.
const BEYOND_MIN: f64 = 10.0;

/// A histogram: values in nanoseconds, rising, with their counts.
type Buckets = Vec<(u64, u64)>;

/// How the service times of a model are distributed.
#[derive(Clone, Debug, PartialEq)]
pub struct Latencies {
    /// The model's name.
    pub model: String,
    /// Fetches of all its stays.
    pub fetches: u64,
    /// Fetches of its shortest stay.
    pub fetches_a_block: u64,
    /// The medians of the stays' own quantiles in milliseconds, in the order of [`QUANTILES`], as
    /// far as they are reported.
    pub quantiles_ms: [Option<f64>; 4],
    /// The last quantile that enough fetches of each stay lie beyond: there the curve ends.
    pub last: Option<f64>,
    /// By how many powers of ten fewer fetches lie beyond: least, median and greatest of the stays'
    /// own quantiles, in milliseconds.
    pub curve: Vec<(f64, [f64; 3])>,
}

/// The same for programs: a quantile that too few fetches lie beyond is null.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct LatencySummary<'a> {
    /// The model's name.
    model: &'a str,
    /// Fetches of all its stays.
    fetches: u64,
    /// Fetches of its shortest stay.
    fetches_a_block: u64,
    /// The median of the stays' own medians, in milliseconds.
    p50_ms: Option<f64>,
    /// The same of the times that nine of ten do not exceed.
    p90_ms: Option<f64>,
    /// The same of the times that 99 of 100 do not exceed.
    p99_ms: Option<f64>,
    /// The same of the times that 999 of 1,000 do not exceed.
    p999_ms: Option<f64>,
    /// The last quantile that ten fetches of each stay lie beyond, between 0 and 1.
    last_quantile: Option<f64>,
}

impl<'a> LatencySummary<'a> {
    /// Writes how service times are distributed.
    pub(crate) fn of(latencies: &'a Latencies) -> Self {
        let quantile = |place: usize| latencies.quantiles_ms[place].and_then(rounded);
        Self {
            model: &latencies.model,
            fetches: latencies.fetches,
            fetches_a_block: latencies.fetches_a_block,
            p50_ms: quantile(0),
            p90_ms: quantile(1),
            p99_ms: quantile(2),
            p999_ms: quantile(3),
            last_quantile: latencies.last.and_then(rounded),
        }
    }
}

impl Latencies {
    /// Gathers the service times of a model.
    pub(crate) fn of(turns: &Turns<'_>, model: &str) -> Self {
        let stays: Vec<Buckets> =
            turns.stays(model).into_iter().map(|stay| stay.latencies_ns.clone()).collect();
        let each = stays.iter().map(count).min().unwrap_or(0);
        Self {
            model: model.to_owned(),
            fetches: stays.iter().map(count).sum(),
            fetches_a_block: each,
            last: Some(1.0 - BEYOND_MIN / real(each)).filter(|last| *last > 0.0),
            quantiles_ms: QUANTILES.map(|(q, _)| typical(&stays, q)),
            curve: curve(&stays),
        }
    }
}

/// Returns how many fetches a histogram holds.
fn count(buckets: &Buckets) -> u64 {
    buckets.iter().map(|(_, count)| count).sum()
}

/// Returns the median of the stays' own quantiles, in milliseconds, if each has enough fetches.
fn typical(turns: &[Buckets], q: f64) -> Option<f64> {
    let enough = |own: &Buckets| real(count(own)) * (1.0 - q) >= BEYOND_MIN - 1e-9;
    if !turns.iter().all(enough) {
        return None;
    }
    let own = turns.iter().filter_map(|own| quantile(own, q)).collect();
    Some(median::estimate(&Sample::new(own)?, ALPHA).value)
}

/// Returns a quantile in milliseconds.
fn quantile(buckets: &Buckets, q: f64) -> Option<f64> {
    Some(real(histogram::quantile(buckets, q)?) / 1e6)
}

/// Returns the quantiles of stays from the least to the last that is reported, each place by how
/// many powers of ten fewer fetches lie beyond.
fn curve(stays: &[Buckets]) -> Vec<(f64, [f64; 3])> {
    let each = stays.iter().map(count).min().unwrap_or(0);
    let right = (real(each) / BEYOND_MIN).log10();
    if right <= 0.0 {
        return Vec::new();
    }
    let point = |index: u32| {
        let x = right * f64::from(index) / f64::from(POINTS);
        let q = 1.0 - 10_f64.powf(-x);
        let own: Vec<f64> = stays.iter().filter_map(|own| quantile(own, q)).collect();
        let (least, most) =
            (own.iter().copied().reduce(f64::min)?, own.iter().copied().reduce(f64::max)?);
        Some((x, [least, median::estimate(&Sample::new(own)?, ALPHA).value, most]))
    };
    (0..=POINTS).filter_map(point).collect()
}
