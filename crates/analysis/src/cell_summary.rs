//! The figures of a cell as JSON, under names that carry their units.

use std::collections::BTreeMap;

use record::Absent;
use rules::{MEMORY, SWITCHES, WALL};
use serde::Serialize;
use workload::{DelayRange, Workload};

use crate::answer_summary::AnswerSummary;
use crate::cell_figures::{
    CellFigures, ControlFigures, Footprint, LanguageFigures, Row, RowFigures,
};
use crate::family::Pair;
use crate::figure::{Figure, UNREPORTED, rounded};
use crate::figures::Figures;
use crate::findings::Findings;
use crate::latency::LatencySummary;
use crate::noise_summary::NoiseSummary;
use crate::number::word;
use crate::responses::ResponsesSummary;
use crate::summary::Summary;
use crate::wake_ups::WakeUpsSummary;

/// Why the baseline has no ratio.
pub(crate) const IS_BASELINE: &str = "it is the baseline";
/// Why the floor has no excess.
pub(crate) const IS_FLOOR: &str = "it is the floor";

/// A cell.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CellSummary<'a> {
    /// Its name.
    name: &'a str,
    /// What kind of work it is.
    workload: Workload,
    /// Fetches in flight at most.
    in_flight: u32,
    /// Fetches of a turn before its window opens.
    fetches_warmup: u64,
    /// Fetches of a turn in its window.
    fetches: u64,
    /// From where to where the delays of the origin go.
    delay_ms: DelayRange,
    /// Bytes of a body.
    body_bytes: u32,
    /// How often the probe task wakes up, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    probe_period_us: Option<u32>,
    /// How many fetches arrive a second, if they do so at a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_per_s: Option<u32>,
    /// KiB of which a CRC-32 is computed for each fetch, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    work_kib: Option<u32>,
    /// How many of a hundred replies take twenty times their delay, if any do.
    #[serde(skip_serializing_if = "Option::is_none")]
    slow_percent: Option<u32>,
    /// How many fetches of each turn arrive at once, if any do.
    #[serde(skip_serializing_if = "Option::is_none")]
    burst: Option<u32>,
    /// Whether the kit hands fetches in, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_in: Option<bool>,
    /// The longest that a fetch may take, in milliseconds, if there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_ms: Option<u64>,
    /// Threads on which a runtime runs its units, if not as many as in other cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<u32>,
    /// Whole blocks that were measured.
    blocks: usize,
    /// Blocks that the schedule has for it.
    blocks_planned: usize,
    /// Rounds that were measured and count.
    rounds: usize,
    /// Rounds that were measured again, since they were disturbed.
    rounds_repeated: usize,
    /// Why it has fewer blocks than planned, if the run decided so.
    stop: Option<&'a str>,
    /// Which model uses the least, how the others compare, and what that is worth.
    answer: Option<AnswerSummary<'a>>,
    /// What the figures of the cell show, from the least to the greatest over its models.
    findings: Option<Findings>,
    /// What the baseline differs from itself.
    noise: NoiseSummary,
    /// Models that ran once more with busy work added, and what was seen of it.
    controls: Vec<ControlSummary<'a>>,
    /// Controls without figures, and why.
    controls_lost: &'a [Absent],
    /// The models: by rank, then the cheapest first, then those without figures.
    rows: Vec<RowSummary<'a>>,
    /// Every pair of the family, by the names of the models.
    pairs: Vec<PairSummary<'a>>,
    /// What the library clients cost on top, by the names of the models.
    client_overheads: Vec<FootprintSummary<'a>>,
    /// Models in other languages, which stand apart from all above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    languages: Vec<LanguageSummary<'a>>,
    /// How late the probe tasks were, the worst last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wake_ups: Vec<WakeUpsSummary<'a>>,
    /// What fetches waited for that arrive at a rate, the shortest p99 first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    responses: Vec<ResponsesSummary<'a>>,
    /// How the service times of each model are distributed, in the order of the rows.
    latencies: Vec<LatencySummary<'a>>,
    /// How much longer the longest of the walls is than the shortest, as a share, where the delay
    /// sets the pace.
    paced_within: Option<f64>,
    /// The shortest time in which the delays of a window can pass, in milliseconds.
    shortest_wall_ms: Option<f64>,
    /// The share, to either side of what their model costs, within which nine of ten stays lie.
    stays_within: Option<f64>,
}

/// The models of a cell in another language.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct LanguageSummary<'a> {
    /// Its name.
    language: &'a str,
    /// The model of it that ratios are taken against.
    baseline: &'a str,
    /// What that model costs in times the run's baseline.
    baseline_cpu_ratio: Figure,
    /// Whether their rates differ: that ratio is then a rough number.
    is_unequal_rate: bool,
    /// The models, the cheapest first. None has a rank.
    rows: Vec<RowSummary<'a>>,
    /// What the library clients cost on top, by the names of the models.
    client_overheads: Vec<FootprintSummary<'a>>,
}

/// A control.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ControlSummary<'a> {
    /// What it is called.
    name: &'a str,
    /// The model whose program it is.
    model: &'a str,
    /// How much was added, in percent of the model's own cost.
    added_percent: u32,
    /// Its CPU time per fetch in times the model's.
    cpu_ratio: Figure,
    /// Whether the interval excludes 1: the difference was found.
    is_found: bool,
    /// Whether the interval contains what was added.
    is_on_target: bool,
}

/// A model.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RowSummary<'a> {
    /// Its name.
    model: &'a str,
    /// `measured`, `not_applicable`, `missing`, `invalid`, `failed` or `not_measured`.
    state: &'static str,
    /// Why there are no figures, or why some turns do not count.
    reason: Option<&'a str>,
    /// All turns.
    turns: usize,
    /// Those that count.
    turns_valid: usize,
    /// Fetches that failed, over all turns, by code.
    errors: &'a BTreeMap<String, u64>,
    /// The best place that it may have, where all pairs were compared.
    rank_best: Option<usize>,
    /// The worst.
    rank_worst: Option<usize>,
    /// The figures, if a turn was valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<FiguresSummary>,
}

/// What a fetch cost.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct FiguresSummary {
    /// CPU time of the model's process per fetch, in microseconds.
    cpu_us_per_fetch: Figure,
    /// That in times the baseline's, with the simultaneous interval of the family.
    cpu_ratio: Figure,
    /// What may be said of that ratio: `different`, `equivalent` or `inconclusive`.
    verdict: Option<&'static str>,
    /// The ratio of the sums over all blocks.
    cpu_mean_ratio: Figure,
    /// Whether that lies outside the ratio's own 95 % interval, which is narrower than that of
    /// `cpu_ratio`: rare expensive blocks count.
    is_tail_sensitive: bool,
    /// How long a fetch was in flight, in milliseconds: the mean of a stay, median over blocks.
    in_flight_ms: Figure,
    /// CPU time above the floor's, in microseconds per fetch.
    cpu_excess_us_per_fetch: Figure,
    /// Wall time of the window, in milliseconds.
    wall_ms: Figure,
    /// Context switches per fetch.
    switches_per_fetch: Figure,
    /// The most memory that the process held at once, in MiB.
    memory_peak_mib: Figure,
    /// Whether the rate was not the baseline's: the costs are not like for like.
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
    /// The model.
    model: &'a str,
    /// The one that it is held against.
    other: &'a str,
    /// The model's CPU time per fetch in times the other's.
    cpu_ratio: Figure,
    /// The chance of such a ratio between equal models, adjusted over the family.
    adjusted_p: Option<f64>,
    /// What may be said of them: `different`, `equivalent` or `inconclusive`.
    verdict: &'static str,
}

/// What a library client costs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct FootprintSummary<'a> {
    /// The model with the library client.
    model: &'a str,
    /// Its CPU time per fetch in times the bare model's.
    cpu_ratio: Figure,
    /// CPU time above the bare model's, in microseconds per fetch.
    cpu_above_bare_us_per_fetch: Figure,
}

impl<'a> CellSummary<'a> {
    /// Gathers what is said of a cell.
    pub(crate) fn of(figures: &'a CellFigures, summary: &'a Summary) -> Self {
        let (cell, all) = (&figures.cell, &summary.figures);
        let drift = all.timeline.drifts.iter().find(|drift| drift.cell == cell.name);
        Self {
            name: &cell.name,
            workload: cell.workload,
            in_flight: cell.in_flight,
            fetches_warmup: cell.warmup,
            fetches: cell.fetches,
            delay_ms: cell.delay_ms,
            body_bytes: cell.body_bytes,
            probe_period_us: Some(cell.probe_period_us).filter(|period| *period > 0),
            rate_per_s: Some(cell.rate_per_s).filter(|rate| *rate > 0),
            work_kib: Some(cell.work_kib).filter(|kib| *kib > 0),
            slow_percent: Some(cell.slow_percent).filter(|percent| *percent > 0),
            burst: Some(cell.burst).filter(|burst| *burst > 0),
            handed_in: cell.handed_in.then_some(true),
            deadline_ms: Some(cell.deadline_ms).filter(|ms| *ms > 0),
            workers: Some(cell.workers).filter(|workers| *workers > 0),
            blocks: figures.blocks,
            blocks_planned: figures.blocks_planned,
            rounds: figures.rounds,
            rounds_repeated: figures.repeated,
            stop: figures.stop.as_deref(),
            answer: summary.answer_of(&cell.name).map(AnswerSummary::of),
            findings: summary.findings.get(&cell.name).map(Findings::rounded),
            noise: NoiseSummary::of(figures.noise.as_ref()),
            controls: figures.controls.iter().map(ControlSummary::of).collect(),
            controls_lost: &figures.controls_lost,
            rows: figures.rows.iter().map(|row| RowSummary::of(row, all)).collect(),
            pairs: figures.pairs.iter().map(PairSummary::of).collect(),
            client_overheads: figures.footprints.iter().map(FootprintSummary::of).collect(),
            languages: figures.languages.iter().map(|of| LanguageSummary::of(of, all)).collect(),
            wake_ups: figures.wake_ups.iter().map(WakeUpsSummary::of).collect(),
            responses: figures.responses.iter().map(ResponsesSummary::of).collect(),
            latencies: figures.latencies.iter().map(LatencySummary::of).collect(),
            paced_within: figures.paced_within.and_then(rounded),
            shortest_wall_ms: rounded(figures.shortest_wall_ms()),
            stays_within: drift.and_then(|drift| drift.within).and_then(rounded),
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
            state: row.state.key(),
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
            is_unequal_rate: of.at_other_rate,
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
            in_flight_ms: Figure::or(figures.in_flight_ms.as_ref(), "no stay reported it"),
            cpu_excess_us_per_fetch: Figure::or(excess, why.excess),
            wall_ms: Figure::or(figures.metric(WALL), UNREPORTED),
            switches_per_fetch: Figure::or(figures.metric(SWITCHES), UNREPORTED),
            memory_peak_mib: Figure::or(figures.metric(MEMORY), UNREPORTED),
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
