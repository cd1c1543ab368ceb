//! The figures of a cell as JSON, under names that carry their units.

use std::collections::BTreeMap;

use record::Absent;
use serde::Serialize;
use workload::{DelayRange, Workload};

use crate::cell_figures::{
    CellFigures, ControlFigures, Footprint, LanguageFigures, Noise, Row, RowFigures,
};
use crate::family::Pair;
use crate::figure::{Figure, rounded};
use crate::figures::Figures;
use crate::latency::LatencySummary;
use crate::number::word;
use crate::wake_ups::WakeUpsSummary;

/// Why the baseline has no ratio.
pub(crate) const IS_BASELINE: &str = "it is the baseline";
/// Why the floor has no excess.
pub(crate) const IS_FLOOR: &str = "it is the floor";

/// A cell.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CellSummary<'a> {
    name: &'a str,
    workload: Workload,
    in_flight: u32,
    fetches_warmup: u64,
    fetches: u64,
    delay_ms: DelayRange,
    body_bytes: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe_period_us: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    work_kib: Option<u32>,
    blocks: usize,
    blocks_planned: usize,
    rounds: usize,
    rounds_repeated: usize,
    stop: Option<&'a str>,
    noise: NoiseSummary,
    controls: Vec<ControlSummary<'a>>,
    controls_lost: &'a [Absent],
    rows: Vec<RowSummary<'a>>,
    pairs: Vec<PairSummary<'a>>,
    client_overheads: Vec<FootprintSummary<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    languages: Vec<LanguageSummary<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wake_ups: Vec<WakeUpsSummary<'a>>,
    latencies: Vec<LatencySummary<'a>>,
}

/// The models of a cell in another language.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct LanguageSummary<'a> {
    language: &'a str,
    baseline: &'a str,
    baseline_cpu_ratio: Figure,
    rows: Vec<RowSummary<'a>>,
    client_overheads: Vec<FootprintSummary<'a>>,
}

/// A relative difference, or why there is none.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Share {
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// What the baseline differs from itself.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NoiseSummary {
    cpu_ratio: Figure,
    can_show: Share,
}

/// A control.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ControlSummary<'a> {
    name: &'a str,
    model: &'a str,
    added_percent: u32,
    cpu_ratio: Figure,
    is_found: bool,
    is_on_target: bool,
}

/// A model.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RowSummary<'a> {
    model: &'a str,
    standing: &'static str,
    reason: Option<&'a str>,
    turns: usize,
    turns_valid: usize,
    errors: &'a BTreeMap<String, u64>,
    rank_best: Option<usize>,
    rank_worst: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<FiguresSummary>,
}

/// What a fetch cost.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct FiguresSummary {
    cpu_us_per_fetch: Figure,
    cpu_ratio: Figure,
    verdict: Option<&'static str>,
    cpu_mean_ratio: Figure,
    is_tail_sensitive: bool,
    cpu_excess_us_per_fetch: Figure,
    wall_ms: Figure,
    switches_per_fetch: Figure,
    memory_peak_mib: Figure,
    is_unequal_rate: bool,
}

/// Why a model might have nothing to be compared with.
struct Missing {
    ratio: &'static str,
    excess: &'static str,
}

/// Two models that were compared.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PairSummary<'a> {
    model: &'a str,
    other: &'a str,
    cpu_ratio: Figure,
    adjusted_p: Option<f64>,
    verdict: &'static str,
}

/// What a library client costs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct FootprintSummary<'a> {
    model: &'a str,
    cpu_ratio: Figure,
    cpu_above_bare_us_per_fetch: Figure,
}

impl<'a> CellSummary<'a> {
    /// Gathers what is said of a cell.
    pub(crate) fn of(figures: &'a CellFigures, all: &'a Figures) -> Self {
        let cell = &figures.cell;
        Self {
            name: &cell.name,
            workload: cell.workload,
            in_flight: cell.in_flight,
            fetches_warmup: cell.warmup,
            fetches: cell.fetches,
            delay_ms: cell.delay_ms,
            body_bytes: cell.body_bytes,
            probe_period_us: Some(cell.probe_period_us).filter(|period| *period > 0),
            work_kib: Some(cell.work_kib).filter(|kib| *kib > 0),
            blocks: figures.blocks,
            blocks_planned: figures.blocks_planned,
            rounds: figures.rounds,
            rounds_repeated: figures.repeated,
            stop: figures.stop.as_deref(),
            noise: NoiseSummary::of(figures.noise.as_ref()),
            controls: figures.controls.iter().map(ControlSummary::of).collect(),
            controls_lost: &figures.controls_lost,
            rows: figures.rows.iter().map(|row| RowSummary::of(row, all)).collect(),
            pairs: figures.pairs.iter().map(PairSummary::of).collect(),
            client_overheads: figures.footprints.iter().map(FootprintSummary::of).collect(),
            languages: figures.languages.iter().map(|of| LanguageSummary::of(of, all)).collect(),
            wake_ups: figures.wake_ups.iter().map(WakeUpsSummary::of).collect(),
            latencies: figures.latencies.iter().map(LatencySummary::of).collect(),
        }
    }
}

impl NoiseSummary {
    /// Writes what the baseline differs from itself.
    fn of(noise: Option<&Noise>) -> Self {
        let can_show = noise.and_then(|noise| noise.can_show).and_then(rounded);
        let reason =
            can_show.is_none().then_some("too few blocks with a second process of the baseline");
        Self {
            cpu_ratio: Figure::or(
                noise.map(|noise| &noise.ratio),
                "the baseline had no second process",
            ),
            can_show: Share { value: can_show, reason },
        }
    }
}

impl<'a> ControlSummary<'a> {
    /// Writes what was seen of a control.
    fn of(control: &'a ControlFigures) -> Self {
        Self {
            name: &control.name,
            model: &control.model,
            added_percent: control.percent,
            cpu_ratio: Figure::of(&control.ratio),
            is_found: control.found,
            is_on_target: control.on_target,
        }
    }
}

impl<'a> RowSummary<'a> {
    /// Writes a row.
    fn of(row: &'a Row, all: &Figures) -> Self {
        let figures = row.figures.as_ref();
        Self {
            model: &row.model,
            standing: row.standing.key(),
            reason: row.reason.as_deref(),
            turns: row.turns,
            turns_valid: row.valid,
            errors: &row.errors,
            rank_best: row.rank.map(|rank| rank.best),
            rank_worst: row.rank.map(|rank| rank.worst),
            figures: figures
                .map(|figures| FiguresSummary::of(figures, &Missing::of(&row.model, all))),
        }
    }
}

impl<'a> LanguageSummary<'a> {
    /// Gathers what is said of another language.
    fn of(of: &'a LanguageFigures, all: &Figures) -> Self {
        let own = Figures { baseline: of.baseline.clone(), cells: Vec::new(), ..all.clone() };
        Self {
            language: &of.language,
            baseline: &of.baseline,
            baseline_cpu_ratio: Figure::or(of.context.as_ref(), "no block with both"),
            rows: of.rows.iter().map(|row| RowSummary::of(row, &own)).collect(),
            client_overheads: of.footprints.iter().map(FootprintSummary::of).collect(),
        }
    }
}

impl FiguresSummary {
    /// Writes what a fetch cost, and why there is nothing to compare with where there is not.
    fn of(figures: &RowFigures, why: &Missing) -> Self {
        let no_mean = if figures.ratio.is_some() { "fewer than 20 blocks" } else { why.ratio };
        let excess = figures.excess_us.as_ref().filter(|_| !why.is_floor());
        Self {
            cpu_us_per_fetch: Figure::of(&figures.cpu_us),
            cpu_ratio: Figure::or(figures.ratio.as_ref(), why.ratio),
            verdict: figures.verdict.map(word),
            cpu_mean_ratio: Figure::or(figures.mean_ratio.as_ref(), no_mean),
            is_tail_sensitive: figures.tail_sensitive,
            cpu_excess_us_per_fetch: Figure::or(excess, why.excess),
            wall_ms: Figure::of(&figures.wall_ms),
            switches_per_fetch: Figure::of(&figures.switches),
            memory_peak_mib: Figure::or(
                figures.memory_mib.as_ref(),
                "the machine did not report it",
            ),
            is_unequal_rate: figures.unequal_rate,
        }
    }
}

impl Missing {
    /// Returns why a model might have nothing to be compared with.
    fn of(model: &str, all: &Figures) -> Self {
        Self {
            ratio: if model == all.baseline { IS_BASELINE } else { "no block with the baseline" },
            excess: if model == all.floor { IS_FLOOR } else { "no block with the floor" },
        }
    }

    /// Returns whether it is the floor's, whose excess over itself says nothing.
    fn is_floor(&self) -> bool {
        self.excess == IS_FLOOR
    }
}

impl<'a> PairSummary<'a> {
    /// Writes what may be said of two models.
    fn of(pair: &'a Pair) -> Self {
        Self {
            model: &pair.model,
            other: &pair.other,
            cpu_ratio: Figure::of(&pair.ratio),
            adjusted_p: rounded(pair.adjusted_p),
            verdict: word(pair.verdict),
        }
    }
}

impl<'a> FootprintSummary<'a> {
    /// Writes what a library client costs.
    fn of(footprint: &'a Footprint) -> Self {
        Self {
            model: &footprint.model,
            cpu_ratio: Figure::of(&footprint.ratio),
            cpu_above_bare_us_per_fetch: Figure::of(&footprint.above_bare_us),
        }
    }
}
