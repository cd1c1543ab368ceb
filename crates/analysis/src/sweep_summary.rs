//! Sweeps as JSON.

use record::Along;
use serde::Serialize;

use crate::figure::{Figure, rounded};
use crate::number::word;
use crate::sweep::{SweepFigures, SweepLevel, SweepPair};

/// Why there is no crossover.
const NONE_IN_RANGE: &str = "none in range";
/// Why there is no ratio.
const NO_BLOCK: &str = "no block with both models";

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
        }
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
        Self {
            level,
            cell: &found.cell,
            blocks: found.blocks,
            cpu_ratio: Figure::or(pair.map(|pair| &pair.ratio), NO_BLOCK),
            adjusted_p: pair.and_then(|pair| rounded(pair.adjusted_p)),
            verdict: pair.map(|pair| word(pair.verdict)),
        }
    }
}
