//! Sweeps as JSON.

use record::Along;
use serde::Serialize;

use crate::figure::{Figure, UNREPORTED, rounded};
use crate::number::word;
use crate::sweep::{SweepCost, SweepCosts, SweepFigures, SweepLevel, SweepPair};

/// Why there is no crossover.
const NONE_IN_RANGE: &str = "none in range";
/// Why there is no ratio.
const NO_BLOCK: &str = "no block with both models";
/// The same where a model has no turn by design.
const ABSENT: &str = "one of the models is absent at this level";

/// A sweep.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SweepSummary<'a> {
    /// The number that changes from level to level.
    along: Along,
    /// Its values.
    levels: &'a [u64],
    /// The model that the others are held against.
    other: &'a str,
    /// Each other model against it.
    pairs: Vec<SweepPairSummary<'a>>,
    /// What a fetch costs each model, where the sweep shows that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    costs: Vec<SweepCostsSummary<'a>>,
}

/// What a fetch costs a model.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SweepCostsSummary<'a> {
    /// The model.
    model: &'a str,
    /// The levels at which it has figures.
    levels: Vec<SweepCostSummary>,
}

/// What a fetch costs at a level.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SweepCostSummary {
    /// The level.
    level: u64,
    /// CPU time per fetch, in microseconds.
    cpu_us: Figure,
    /// How long a fetch was in flight, in milliseconds: the mean of a stay.
    in_flight_ms: Figure,
    /// The most memory that the process held at once, in MiB.
    memory_peak_mib: Figure,
    /// By how much half of a stay's wake-ups were late, in milliseconds, where a probe task wakes.
    #[serde(skip_serializing_if = "Option::is_none")]
    late_typical_ms: Option<Figure>,
    /// Whether the level asks for more than the origin can serve.
    beyond_ceiling: bool,
}

/// A model against the other of the sweep.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SweepPairSummary<'a> {
    /// The model.
    model: &'a str,
    /// From which level on it costs less.
    crossover: CrossoverSummary,
    /// What was measured at each level.
    levels: Vec<SweepLevelSummary<'a>>,
}

/// From which level on the model costs less; an end that is null lies beyond the range.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct CrossoverSummary {
    /// The level.
    value: Option<u64>,
    /// The lowest level that it may be.
    low: Option<u64>,
    /// The highest.
    high: Option<u64>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// A level.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SweepLevelSummary<'a> {
    /// The level.
    level: u64,
    /// The name of its cell.
    cell: &'a str,
    /// Blocks that were measured.
    blocks: usize,
    /// The model's CPU time per fetch in times the other's.
    cpu_ratio: Figure,
    /// The chance of such a ratio between equal models, adjusted over the family.
    adjusted_p: Option<f64>,
    /// What may be said of them: `different`, `equivalent` or `inconclusive`.
    verdict: Option<&'static str>,
}

impl<'a> SweepSummary<'a> {
    /// Writes a sweep.
    pub(crate) fn of(sweep: &'a SweepFigures) -> Self {
        let pairs = sweep.pairs.iter().map(|pair| SweepPairSummary::of(sweep, pair));
        Self {
            along: sweep.along,
            levels: &sweep.levels,
            other: &sweep.other,
            pairs: pairs.collect(),
            costs: sweep.costs.iter().map(SweepCostsSummary::of).collect(),
        }
    }
}

impl<'a> SweepCostsSummary<'a> {
    /// Writes what a fetch costs a model.
    fn of(costs: &'a SweepCosts) -> Self {
        let level = |cost: &SweepCost| SweepCostSummary {
            level: cost.level,
            cpu_us: Figure::of(&cost.cpu_us),
            in_flight_ms: Figure::or(cost.in_flight_ms.as_ref(), "no stay reported it"),
            memory_peak_mib: Figure::or(cost.memory_mib.as_ref(), UNREPORTED),
            late_typical_ms: cost.wake_up_ms.as_ref().map(Figure::of),
            beyond_ceiling: cost.is_beyond_ceiling,
        };
        Self { model: &costs.model, levels: costs.levels.iter().map(level).collect() }
    }
}

impl<'a> SweepPairSummary<'a> {
    /// Writes a pair.
    fn of(sweep: &SweepFigures, pair: &'a SweepPair) -> Self {
        let (from, low) = sweep.crossover(pair);
        let levels = sweep.levels.iter().zip(&pair.levels);
        Self {
            model: &pair.model,
            crossover: CrossoverSummary {
                value: from,
                low,
                high: from,
                reason: from.is_none().then_some(NONE_IN_RANGE),
            },
            levels: levels.map(|(level, found)| SweepLevelSummary::of(*level, found)).collect(),
        }
    }
}

impl<'a> SweepLevelSummary<'a> {
    /// Writes a level.
    fn of(level: u64, found: &'a SweepLevel) -> Self {
        let pair = found.pair.as_ref();
        let none = if found.is_absent { ABSENT } else { NO_BLOCK };
        Self {
            level,
            cell: &found.cell,
            blocks: found.blocks,
            cpu_ratio: Figure::or(pair.map(|pair| &pair.ratio), none),
            adjusted_p: pair.and_then(|pair| rounded(pair.adjusted_p)),
            verdict: pair.map(|pair| word(pair.verdict)),
        }
    }
}
