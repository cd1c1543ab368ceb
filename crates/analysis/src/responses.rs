//! What fetches waited for that arrived at a rate: from their arrival to their end, and to the
//! moment at which they were sent.
//!
//! Percentiles are those of all fetches of a model, and are shown as far as enough fetches lie
//! beyond. A model that does not keep up with the rate has none: what its fetches wait for depends
//! on how long the turn is. It keeps up if it achieves the rate and nothing piles up for good: one
//! that falls behind slowly achieves nearly all of a short turn.

use record::TurnRecord;
use serde::Serialize;
use stats::{Estimate, pooled};
use workload::{Cell, Turn, shortest_window_ns};

use crate::counts::real;
use crate::family::ALPHA;
use crate::figure::{Figure, rounded};
use crate::latency::QUANTILES;
use crate::turns::{Quantity, Read, Turns, cpu_us, wall_ms};

/// The share of the rate that a model has to achieve. One that achieves less falls behind for as
/// long as fetches arrive.
pub const ACHIEVED_MIN: f64 = 0.99;
/// How much later requests may leave with the time that passes, as a share of it: beyond, fetches
/// pile up for as long as they arrive. It is far below a hundredth, since some of what piles up are
/// replies that the model has yet to read, and these make no request late.
const GROWTH_MAX: f64 = 0.001;
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
    /// How much later requests left with the time that passed, as a share of it, by the origin's
    /// clock: median over blocks, so that one disturbance is none; nothing if it was not recorded.
    pub growth: Option<Estimate>,
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
    /// How much later requests left with the time that passed, as a share of it, if it was
    /// recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    growth: Option<f64>,
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
/// arrivals, and by the seeds of its bodies and of its delays.
pub(crate) fn shortest_ns(cell: &Cell, arrivals_seed: u64, seeds: (u64, u64)) -> u64 {
    // Delays depend on the place of an id in its turn alone.
    let turn = Turn { arrivals_seed, ..Turn::of(cell, 0, 0) };
    shortest_window_ns(cell, &turn, seeds)
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
        let estimate = |read: Read| {
            let sample = turns.sample(model, Quantity::Turn(read))?;
            Some(stats::median::estimate(&sample, ALPHA))
        };
        let growth = estimate(growth);
        let piles_up = growth.and_then(|own| own.interval).is_some_and(|own| own.low > GROWTH_MAX);
        let holds_rate = achieved >= ACHIEVED_MIN && !piles_up;
        let waits = |stays: &[Buckets]| holds_rate.then(|| Waits::of(stays, (fetches, seed)));
        (fetches > 0).then(|| Self {
            model: model.to_owned(),
            fetches,
            achieved,
            growth,
            response: waits(&responses),
            lag: waits(&lags),
            cpu_us: estimate(cpu_us),
        })
    }
}

/// Returns how much later requests left with the time that passed, as a share of it: half of the
/// window lies between the two quarters that the origin compares.
fn growth(turn: &TurnRecord) -> Option<f64> {
    let later_ms = turn.receipt.as_ref()?.arrival_late_growth_ms?;
    Some(2.0 * later_ms / wall_ms(turn)?)
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
            growth: responses.growth.and_then(|own| rounded(own.value)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::figures;
    use crate::fixture::{BASELINE, FLOOR, paced, receipt, reported, stays, times};

    /// Returns what fetches waited for in a run, of each model.
    fn of(run: &record::Run) -> Vec<Responses> {
        figures(run, BASELINE, FLOOR).cells.remove(0).responses
    }

    /// Returns a run whose windows are so many times as long as they are at least, by the model.
    fn lasting(longer: impl Fn(&str) -> f64) -> record::Run {
        let mut run = paced(&[1_000], "");
        let (schedule, cell) = (run.schedule.clone(), run.schedule.cells[0].clone());
        for turn in &mut run.turns {
            let block = schedule.block(turn.block).unwrap();
            let seeds = (block.seed, block.delay_seed(u64::from(turn.round) + 1));
            let shortest = shortest_ns(&cell, block.arrivals_seed(&cell, turn.round), seeds);
            reported(turn).window.wall_ns = times(shortest, longer(&turn.model));
        }
        run
    }

    #[test]
    fn a_percentile_is_reported_where_ten_fetches_lie_beyond_and_the_longest_wait_always() {
        let of_blocks = |blocks: usize| {
            let mut run = paced(&[1_000], "");
            for stay in stays(&mut run, ("smol", "paced-1000")).skip(blocks) {
                stay.responses_ns.clear();
            }
            // A block has a thousand fetches; one of the first takes longer than all others.
            for stay in stays(&mut run, ("smol", "paced-1000")).take(1) {
                stay.responses_ns = vec![(10_000_000, 999), (99_000_000, 1)];
            }
            of(&run).into_iter().find(|own| own.model == "smol").unwrap().response.unwrap()
        };
        let (nine, ten) = (of_blocks(9), of_blocks(10));
        assert_eq!(nine.quantiles_ms.map(|own| own.is_some()), [true, true, true, false]);
        assert_eq!(ten.quantiles_ms.map(|own| own.is_some()), [true; 4]);
        assert!((nine.max_ms - 99.0).abs() < 1e-9 && (ten.max_ms - 99.0).abs() < 1e-9);
        // Of 10,000 ten lie beyond p99.9, of which the longest is one.
        assert!(ten.quantiles_ms[3].is_some_and(|own| (own.value - 15.0).abs() < 1e-9), "{ten:?}");
        let is_doubted =
            |own: &Waits| own.quantiles_ms[2].is_some_and(|own| own.interval.is_some());
        assert!(is_doubted(&ten) && !is_doubted(&nine));
    }

    #[test]
    fn who_falls_behind_by_more_than_a_hundredth_has_no_percentile_and_comes_last() {
        let mut run = lasting(|model| if model == FLOOR { 1.015 } else { 1.005 });
        for stay in stays(&mut run, ("threads", "paced-1000")) {
            stay.responses_ns = vec![(9_000_000, 1_000)];
        }
        let own = of(&run);
        let names: Vec<&str> = own.iter().map(|own| own.model.as_str()).collect();
        assert_eq!(names, ["threads", "smol", "tokio", "tokio-reqwest", FLOOR]);
        assert!(own[..4].iter().all(|own| own.response.is_some() && own.lag.is_some()));
        assert!(own[4].response.is_none() && own[4].lag.is_none(), "{:?}", own[4]);
        assert!((own[4].achieved - 1.0 / 1.015).abs() < 1e-3, "{:?}", own[4]);
    }

    #[test]
    fn who_falls_behind_by_less_than_a_hundredth_has_no_percentile_if_it_does_so_in_every_block() {
        let mut run = lasting(|_| 1.005);
        let last = run.schedule.blocks.last().unwrap().number;
        for turn in &mut run.turns {
            let wall_ms = wall_ms(turn).unwrap();
            // By half of the window it is half of so much later.
            let later = match turn.model.as_str() {
                FLOOR => 0.005,
                // A stall at the end of one turn, which drains in the next.
                "threads" if turn.block == last => 0.3,
                _ if turn.block % 2 == 0 => 0.000_8,
                _ => -0.000_8,
            };
            receipt(turn).arrival_late_growth_ms = Some(later * wall_ms / 2.0);
        }
        let own = of(&run);
        assert!(own[..4].iter().all(|own| own.response.is_some() && own.lag.is_some()), "{own:?}");
        let floor = &own[4];
        assert!(
            floor.model == FLOOR && floor.response.is_none() && floor.lag.is_none(),
            "{floor:?}"
        );
        assert!(floor.achieved > ACHIEVED_MIN, "it is not the rate: {floor:?}");
        assert!(floor.growth.is_some_and(|own| (own.value - 0.005).abs() < 1e-9), "{floor:?}");
    }
}
