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
    along: Along,
    levels: &'a [u64],
    other: &'a str,
    pairs: Vec<SweepPairSummary<'a>>,
}

/// A model against the other of the sweep.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SweepPairSummary<'a> {
    model: &'a str,
    crossover: CrossoverSummary,
    levels: Vec<SweepLevelSummary<'a>>,
}

/// From which level on the model costs less; an end that is null lies beyond the range.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct CrossoverSummary {
    value: Option<u64>,
    low: Option<u64>,
    high: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// A level.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SweepLevelSummary<'a> {
    level: u64,
    cell: &'a str,
    blocks: usize,
    cpu_ratio: Figure,
    adjusted_p: Option<f64>,
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
