//! What proves, cell by cell, that the origin was not what was measured.
//!
//! A cell is measured only if the origin had room to spare: then what sets the pace is the delay
//! that it was asked to make, or the model. Every figure is a median over valid turns, beside the
//! model that is worst. Models that hold fewer in flight than the cell has slots are left out,
//! since they put less on the origin, and so are controls.
//!
//! What the origin says of fetches in flight comes from shadow timers that start when a request
//! reaches the responder (`workload::receipt`). A fetch that waits in front of the responder, or
//! after its reply is due, is not seen by them. So Little's law closes the origin's own account: it
//! finds arrivals that stall, and not a queue before the responder. Such a queue shows in how busy
//! the origin is and in its headroom.

use record::{Run, TurnRecord};
use rules::expected;
use serde::Serialize;
use stats::capacity::{HEADROOM, MODEL_BOUND};
use workload::{Cell, Receipt, SLOW_TIMES, Turn, arrivals_ns};

use crate::cell_turns::{CellTurns, cost, origin_cost, rate};
use crate::counts::{median, ratio, real};
use crate::number::percent;
use crate::responses::shortest_ns;

/// The share of its ceiling beyond which an origin sets the pace.
pub(crate) const HEADROOM_BOUND: f64 = 0.8;
/// The share of time up to which a shard of the origin may be busy. At 70 % a queue with random
/// arrivals holds a little more than two requests in the mean.
pub(crate) const BUSY_OK: f64 = 0.70;
/// The share of time beyond which a shard that is busy sets the pace: such a queue doubles from
/// here to 92 %.
pub(crate) const BUSY_BOUND: f64 = 0.85;
/// How far fetches in flight may be from rate times time. Drawn delays alone bring 1 %.
pub(crate) const LITTLE_MARGIN: f64 = 0.05;
/// On so many CPUs the origin has one at most, and it costs more per fetch than a compiled model:
/// no such model can be shown at its limit.
const FEW_CPUS: usize = 2;

/// What proves that the origin was not what was measured in a cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Proof {
    /// The name of the cell.
    pub cell: String,
    /// Valid turns that it rests on.
    pub turns: usize,
    /// Fetches per second that the origin can answer, if that was probed before the run.
    pub ceiling_per_s: Option<u64>,
    /// What was seen, if a turn was valid.
    pub seen: Option<Seen>,
    /// Whether the origin had room to spare, by the worst of what was seen.
    pub origin: Option<OriginState>,
    /// What set the pace of the baseline.
    pub limiter: Option<Limiter>,
    /// What may be claimed from this cell, and what not.
    pub claims: Vec<Claim>,
}

/// What the turns of a cell show of the origin.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Seen {
    /// Fetches per second in the window; the worst is the fastest.
    pub rate_per_s: Level,
    /// That rate as a share of the ceiling; the worst is the greatest.
    pub headroom: Option<Level>,
    /// The share of time in which a shard of the origin was busy; the worst is the greatest. It is
    /// the greater of two: CPU time over wall time since the mount, which is low by the time that a
    /// model takes to start; and CPU time per answered fetch at the rate of the window.
    pub origin_busy: Level,
    /// Slots that a fetch could occupy.
    pub slots: u32,
    /// The most in flight that the origin saw (an estimate); the worst is the least.
    pub in_flight_peak: Level,
    /// The mean in flight that the origin saw (an estimate); the worst is the least.
    pub in_flight_mean: Level,
    /// That mean in times what Little's law says: the rate times the mean delay with its lateness.
    /// The worst is the farthest from 1. Not for a batch.
    pub little: Option<Level>,
    /// The median by which the delays were late, in milliseconds; the worst is the greatest.
    pub late_ms_p50: Level,
    /// The 99th percentile of the same.
    pub late_ms_p99: Level,
    /// The share of its CPUs that a model used; the worst is the greatest.
    pub model_busy: Level,
    /// The same of the baseline, median over its turns.
    pub baseline_busy: Option<f64>,
}

/// A quantity of a cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Level {
    /// Its median over all valid turns.
    pub median: f64,
    /// The median of the model that is worst.
    pub worst: f64,
    /// That model.
    pub model: String,
}

/// Whether an origin had room to spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OriginState {
    /// It could have answered much faster.
    Free,
    /// It may have delayed some replies.
    Grey,
    /// It set the pace: rates are at least so much, and latencies are its own.
    ServerBound,
}

/// What set the pace of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Limiter {
    /// The CPU time of the origin.
    Origin,
    /// The delay that the origin was asked to make.
    Delay,
    /// The rate at which fetches were to arrive.
    Arrivals,
    /// The CPU time of the model.
    ModelCpu,
}

/// Something that may be claimed from a cell, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Claim {
    /// What it is about: `CPU time per fetch` or `throughput`.
    pub about: String,
    /// Whether the cell supports it.
    pub supported: bool,
    /// Why, in a sentence.
    pub why: String,
}

/// Returns what proves that the origin was not what was measured in a cell; `baseline` names the
/// model whose pace is explained.
pub fn proof(run: &Run, cell: &Cell, baseline: &str) -> Proof {
    let turns = CellTurns::of(run, cell);
    let ceiling_per_s = run.schedule.probe(&cell.name).map(|probe| probe.ceiling_per_s);
    let seen = Seen::of(&turns, baseline);
    let origin = seen.as_ref().map(OriginState::of);
    let limiter = seen.as_ref().zip(origin).map(|seen| Limiter::of(cell, seen));
    Proof {
        cell: cell.name.clone(),
        turns: turns.full().into_iter().map(|model| turns.valid(model).count()).sum(),
        ceiling_per_s,
        claims: claims(seen.as_ref(), limiter, run.environment.cpus),
        seen,
        origin,
        limiter,
    }
}

impl Seen {
    /// Collects what the turns of a cell show.
    fn of(turns: &CellTurns<'_>, baseline: &str) -> Option<Self> {
        let CellTurns { run, cell, .. } = turns;
        let placement = &run.schedule.placement;
        let (workers, _) = placement.of_models(cell);
        let (shards, workers) = (f64::from(placement.shards), f64::from(workers));
        let ceiling = run.schedule.probe(&cell.name).map(|probe| real(probe.ceiling_per_s));
        let busy = |turn: &TurnRecord| Some(1e-9 * cost(turn)? * rate(turn)? / workers);
        let little = |turn: &TurnRecord| little(turn, (run, cell));
        let is_closed = expected(cell.workload).keeps_slots_busy || cell.is_open();
        let reported = |field: fn(&Receipt) -> f64, badness| {
            Level::of(turns, |turn| turn.receipt.as_ref().map(field), badness)
        };
        Some(Self {
            rate_per_s: Level::of(turns, rate, highest)?,
            headroom: Level::of(turns, |turn| Some(rate(turn)? / ceiling?), highest),
            origin_busy: Level::of(turns, |t| Some(origin_busy(t)? / shards), highest)?,
            slots: cell.slots(),
            in_flight_peak: reported(|receipt| real(receipt.in_flight_peak_estimate), lowest)?,
            in_flight_mean: reported(|receipt| receipt.in_flight_mean_estimate, lowest)?,
            little: is_closed.then(|| Level::of(turns, little, farthest_from_one)).flatten(),
            late_ms_p50: reported(|receipt| receipt.delay_late_ms_p50_estimate, highest)?,
            late_ms_p99: reported(|receipt| receipt.delay_late_ms_p99_estimate, highest)?,
            model_busy: Level::of(turns, busy, highest)?,
            baseline_busy: median(turns.valid(baseline).filter_map(busy).collect()),
        })
    }
}

impl Level {
    /// Returns the level of a quantity; the worst model is the one with the greatest badness.
    fn of(
        turns: &CellTurns<'_>,
        quantity: impl Fn(&TurnRecord) -> Option<f64>,
        badness: fn(f64) -> f64,
    ) -> Option<Self> {
        let mut pooled = Vec::new();
        let mut worst: Option<(f64, &str)> = None;
        for model in turns.full() {
            let own: Vec<f64> = turns.valid(model).filter_map(&quantity).collect();
            pooled.extend(&own);
            let Some(own) = median(own) else { continue };
            if worst.is_none_or(|(value, _)| badness(own) > badness(value)) {
                worst = Some((own, model));
            }
        }
        let (worst, model) = worst?;
        Some(Self { median: median(pooled)?, worst, model: model.to_owned() })
    }
}

/// Returns the badness where a high value is bad.
fn highest(value: f64) -> f64 {
    value
}

/// Returns the badness where a low value is bad.
fn lowest(value: f64) -> f64 {
    -value
}

/// Returns the badness where both sides of 1 are bad.
fn farthest_from_one(value: f64) -> f64 {
    (value - 1.0).abs()
}

/// Returns the share of time in which the whole origin was busy, in shards.
fn origin_busy(turn: &TurnRecord) -> Option<f64> {
    let receipt = turn.receipt.as_ref()?;
    let since_mount = ratio(receipt.cpu_ns, receipt.wall_ns)?;
    let in_window = 1e-9 * origin_cost(turn)? * rate(turn)?;
    Some(since_mount.max(in_window))
}

/// Returns the mean in flight in times what Little's law says (J. D. C. Little, *Operations
/// Research* 9, 1961, 383–387). The receipt has no mean lateness; the median stands for it, as
/// timers that fire once a millisecond are late by evenly spread amounts.
fn little(turn: &TurnRecord, (run, cell): (&Run, &Cell)) -> Option<f64> {
    let receipt = turn.receipt.as_ref()?;
    let slow = ratio(receipt.slow, receipt.answered)? * real(SLOW_TIMES - 1);
    let delay_ms = f64::midpoint(real(cell.delay_ms.lo), real(cell.delay_ms.hi)) * (1.0 + slow);
    let served_s = (delay_ms + receipt.delay_late_ms_p50_estimate) / 1e3;
    let rate = if cell.is_open() { arriving(turn, (run, cell)) } else { rate(turn) };
    let expected = rate? * served_s;
    (expected > 0.0).then(|| receipt.in_flight_mean_estimate / expected)
}

/// Returns how many fetches a second arrive in a turn from the last of the warm-up to the last of
/// all: while the origin counts those in flight. The window of the model is longer by the time in
/// which the last replies are awaited.
fn arriving(turn: &TurnRecord, (run, cell): (&Run, &Cell)) -> Option<f64> {
    let window = &turn.valid()?.window;
    let block = run.schedule.block(turn.block)?;
    let seeds = (block.seed, block.delay_seed(u64::from(turn.round) + 1));
    let arrivals_seed = block.arrivals_seed(cell, turn.round);
    let due = arrivals_ns(cell, &Turn { arrivals_seed, ..Turn::of(cell, 0, 0) });
    let last_of_warmup = usize::try_from(cell.warmup).ok()?.checked_sub(1)?;
    let arriving_ns = real(due.last()? - due.get(last_of_warmup)?);
    let awaited_ns = real(shortest_ns(cell, arrivals_seed, seeds)) - arriving_ns;
    let took_ns = real(window.wall_ns) - awaited_ns;
    (took_ns > 0.0).then(|| 1e9 * real(window.ended) / took_ns)
}

impl OriginState {
    /// Returns the worst of what headroom, busy time and Little's law say.
    fn of(seen: &Seen) -> Self {
        let headroom = seen.headroom.as_ref();
        let headroom = headroom.map(|h| Self::from_share(h.worst, (HEADROOM, HEADROOM_BOUND)));
        let busy = Self::from_share(seen.origin_busy.worst, (BUSY_OK, BUSY_BOUND));
        let little = match &seen.little {
            Some(little) if (little.worst - 1.0).abs() > LITTLE_MARGIN => Self::Grey,
            _ => Self::Free,
        };
        busy.max(little).max(headroom.unwrap_or(Self::Free))
    }

    /// Returns what a share says, given up to where it is fine and beyond where it is not.
    fn from_share(share: f64, (fine, bound): (f64, f64)) -> Self {
        match () {
            () if share <= fine => Self::Free,
            () if share <= bound => Self::Grey,
            () => Self::ServerBound,
        }
    }
}

impl Limiter {
    /// Returns what set the pace of the baseline, or of the middle model where it has no turn.
    fn of(cell: &Cell, (seen, origin): (&Seen, OriginState)) -> Self {
        let busy = seen.baseline_busy.unwrap_or(seen.model_busy.median);
        match origin {
            OriginState::ServerBound => Self::Origin,
            OriginState::Free | OriginState::Grey if busy >= MODEL_BOUND => Self::ModelCpu,
            OriginState::Free | OriginState::Grey if cell.is_open() => Self::Arrivals,
            OriginState::Free | OriginState::Grey => Self::Delay,
        }
    }
}

/// Returns what may be claimed from a cell, and what not.
fn claims(seen: Option<&Seen>, limiter: Option<Limiter>, cpus: usize) -> Vec<Claim> {
    let (Some(seen), Some(limiter)) = (seen, limiter) else { return Vec::new() };
    let cost = match limiter {
        Limiter::Origin => {
            "yes, each process is timed alone; but the origin set the pace, so \
                            that fetches may come in other batches than at equal rate"
        }
        Limiter::Delay | Limiter::Arrivals | Limiter::ModelCpu => {
            "yes, each process is timed alone, and the origin did not set the pace"
        }
    };
    let throughput = throughput(seen, limiter, cpus);
    vec![
        Claim { about: "CPU time per fetch".to_owned(), supported: true, why: cost.to_owned() },
        Claim {
            about: "throughput".to_owned(),
            supported: throughput.is_ok(),
            why: throughput.unwrap_or_else(|why| why),
        },
    ]
}

/// Returns why models may be ranked by throughput, or why not.
fn throughput(seen: &Seen, limiter: Limiter, cpus: usize) -> Result<String, String> {
    let busy = percent(seen.baseline_busy.unwrap_or(seen.model_busy.median));
    let headroom = seen.headroom.as_ref().map(|headroom| headroom.worst);
    match limiter {
        _ if cpus <= FEW_CPUS => Err(format!(
            "no, with {cpus} CPUs the origin is at its limit before any compiled model is, so they \
             are never ranked by throughput"
        )),
        Limiter::Origin => {
            Err("no, the origin set the pace, so a rate is a lower bound".to_owned())
        }
        Limiter::Delay => Err(format!(
            "no, the delay set the pace while the model's CPU was {busy} busy, and every \
             competent model ends together"
        )),
        Limiter::Arrivals => Err("no, fetches arrived at a rate that was fixed".to_owned()),
        Limiter::ModelCpu => match headroom {
            Some(share) if share <= HEADROOM => Ok(format!(
                "yes, the model's CPU was {busy} busy and the origin could answer twice as fast"
            )),
            Some(_) => Err("no, the origin could not answer twice as fast".to_owned()),
            None => Err("no, what the origin can answer was not probed".to_owned()),
        },
    }
}

impl Level {
    /// Writes a share, and that of the worst model.
    pub fn text(&self) -> String {
        format!("{}, most {} with {}", percent(self.median), percent(self.worst), self.model)
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
