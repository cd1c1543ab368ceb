//! The models of a run ordered by one metric, as JSON for programs.
//!
//! Where there is no number there is null, and a reason beside it.

use rules::Metric;
use serde::Serialize;
use serde_json::Value;
use stats::Estimate;

use crate::cell_summary::{IS_BASELINE, IS_FLOOR};
use crate::figure::{Figure, TOO_FEW, rounded};
use crate::number::word;
use crate::rank::{RankedCell, RankedRow, Ranking};

/// Why a model has no value.
const NOT_REPORTED: &str = "no valid turn or stay reported it";
/// Why a model has no ratio or difference.
const NOT_BOTH: &str = "no block in which both have a value above 0";

/// A ranking.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Document<'a> {
    run: &'a str,
    metric: &'static str,
    unit: &'static str,
    baseline: &'a str,
    floor: &'a str,
    cells: Vec<Cell<'a>>,
}

/// A cell, or the models of another language in it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Cell<'a> {
    #[serde(rename = "cell")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    baseline: &'a str,
    rows: Vec<Row<'a>>,
}

/// A model.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Row<'a> {
    model: &'a str,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    reason: Option<&'a str>,
    ratio: Ratio,
    above_floor: Figure,
    /// How long a fetch was in flight in the mean: what a cheap model may make its user wait.
    in_flight_ms: Figure,
    rounds: usize,
    repeated: usize,
    rank_best: Option<usize>,
    rank_worst: Option<usize>,
}

/// A value in times the baseline's.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Ratio {
    #[serde(flatten)]
    figure: Figure,
    half_width: Option<f64>,
    verdict: Option<&'static str>,
}

/// Returns a ranking of the run of that name as a JSON document.
pub fn ranking_document(ranking: &Ranking, run: &str) -> Value {
    let cells = ranking.cells.iter().flat_map(|cell| Cell::all(cell, ranking)).collect();
    let document = Document {
        run,
        metric: ranking.metric.key,
        unit: ranking.metric.unit,
        baseline: &ranking.baseline,
        floor: &ranking.floor,
        cells,
    };
    serde_json::to_value(document).expect("every key of it is a text")
}

impl<'a> Cell<'a> {
    /// Gathers the models of a cell in Rust, and those of each other language.
    fn all(cell: &'a RankedCell, ranking: &'a Ranking) -> Vec<Self> {
        let name = cell.figures.cell.name.as_str();
        let of = |language, baseline: &'a str, rows: &'a [RankedRow]| {
            let row = |row| Row::of(row, (baseline, &ranking.floor), ranking.metric);
            Self { name, language, baseline, rows: rows.iter().map(row).collect() }
        };
        let mut all = vec![of(None, &ranking.baseline, &cell.rows)];
        for (other, rows) in cell.figures.languages.iter().zip(&cell.languages) {
            all.push(of(Some(&other.language), &other.baseline, rows));
        }
        all
    }
}

impl<'a> Row<'a> {
    /// Writes a row; it may have a value and yet a reason why some turns do not count.
    fn of(ranked: &'a RankedRow, (baseline, floor): (&str, &str), metric: Metric) -> Self {
        let row = &ranked.row;
        let interval = ranked.value.and_then(|value| value.interval);
        let missing = match (ranked.value, interval) {
            (None, _) => Some(NOT_REPORTED),
            (Some(_), None) => Some(TOO_FEW),
            (Some(_), Some(_)) => None,
        };
        let in_flight = row.figures.as_ref().and_then(|figures| figures.in_flight_ms.as_ref());
        let is_floor = row.model == floor;
        let no_excess = if is_floor { IS_FLOOR } else { NOT_BOTH };
        Self {
            model: &row.model,
            value: ranked.value.and_then(|value| rounded(value.value)),
            low: interval.and_then(|interval| rounded(interval.low)),
            high: interval.and_then(|interval| rounded(interval.high)),
            reason: row.reason.as_deref().or(missing),
            ratio: Ratio::of(ranked, baseline, metric),
            above_floor: Figure::or(ranked.above_floor.as_ref(), no_excess),
            in_flight_ms: Figure::or(in_flight, NOT_REPORTED),
            rounds: ranked.rounds,
            repeated: ranked.repeated,
            rank_best: row.rank.map(|rank| rank.best),
            rank_worst: row.rank.map(|rank| rank.worst),
        }
    }
}

impl Ratio {
    /// Writes a ratio, and the verdict where one is computed.
    fn of(ranked: &RankedRow, baseline: &str, metric: Metric) -> Self {
        let reason = if ranked.row.model == baseline { IS_BASELINE } else { NOT_BOTH };
        let figures = ranked.row.figures.as_ref().filter(|_| metric.is_judged);
        Self {
            figure: Figure::or(ranked.ratio.as_ref(), reason),
            half_width: ranked.ratio.as_ref().and_then(half_width),
            verdict: figures.and_then(|figures| figures.verdict).map(word),
        }
    }
}

/// Returns half the width of the interval of a ratio's logarithm: 0.02 is 2 % to either side.
fn half_width(ratio: &Estimate) -> Option<f64> {
    let interval = ratio.interval?;
    rounded((interval.high / interval.low).ln() / 2.0)
}
