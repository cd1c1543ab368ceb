//! A run in the formats of other programs: every turn as tidy CSV, the costs for Bencher (Bencher
//! Metric Format) and github-action-benchmark (`customSmallerIsBetter`), which follow benchmarks
//! over commits.
//!
//! The two that follow commits know neither blocks nor ratios: what they are given is the cost per
//! fetch with its 95 % interval, and what a machine did to a whole run looks like a change there.

use std::collections::BTreeMap;
use std::str::FromStr;

use analysis::Estimate;
use analysis::Summary;
use analysis::cell_figures::{Row, RowFigures};
use analysis::figure::rounded;
use analysis::figures::Figures;
use analysis::line::line;
use analysis::number::shortened;
use analysis::turn_table::TurnRow;
use anyhow::{Result, anyhow};
use rules::{Better, METRICS};
use serde::Serialize;

use crate::escape::cell;
use crate::json::text;

/// The format of another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportForm {
    /// One row a turn, with everything that was counted.
    Csv,
    /// Bencher Metric Format.
    Bencher,
    /// What github-action-benchmark calls `customSmallerIsBetter`.
    GithubActionBenchmark,
}

impl ExportForm {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Bencher, Self::GithubActionBenchmark];

    /// Returns what a command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Bencher => "bencher",
            Self::GithubActionBenchmark => "github-action-benchmark",
        }
    }
}

impl FromStr for ExportForm {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let form = Self::ALL.into_iter().find(|form| form.name() == text);
        let names = Self::ALL.map(Self::name).join(", ");
        form.ok_or_else(|| anyhow!("no format is called {text}, expected one of: {names}"))
    }
}

/// Writes a run, and all its turns, in the format of another program.
pub fn export(run: &Summary, turns: &[TurnRow], form: ExportForm) -> String {
    let bytes = match form {
        ExportForm::Csv => csv(run, turns),
        ExportForm::Bencher => text(&bencher(&run.figures)),
        ExportForm::GithubActionBenchmark => text(&github(run)),
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The columns of a turn.
const COLUMNS: [&str; 26] = [
    "run",
    "cell",
    "block",
    "session",
    "round",
    "position",
    "model",
    "counts",
    "state",
    "reason",
    "started_utc",
    "fetches",
    "fetches_ok",
    "wall_ns",
    "cpu_ns",
    "user_ns",
    "system_ns",
    "switches_voluntary",
    "switches_involuntary",
    "faults_minor",
    "cpu_us_per_fetch",
    "errors_total",
    "threads",
    "in_flight_peak",
    "charged_ns",
    "spent_us",
];

/// Writes one row a turn, those of repeated rounds and of cut blocks too.
fn csv(run: &Summary, turns: &[TurnRow]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |columns: [String; 26]| {
        writer.write_record(columns).expect("memory takes every record of as many fields");
    };
    write(COLUMNS.map(str::to_owned));
    for turn in turns {
        write(columns(run, turn));
    }
    writer.into_inner().expect("memory is written at once")
}

/// Returns the columns of a turn; what it did not report is empty.
fn columns(run: &Summary, turn: &TurnRow) -> [String; 26] {
    let window = |field: fn(&workload::pipe::Window) -> Option<u64>| {
        turn.window.as_ref().and_then(field).map_or_else(String::new, |count| count.to_string())
    };
    let real = |value: Option<f64>| {
        value.and_then(rounded).map_or_else(String::new, |value| value.to_string())
    };
    let count = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    [
        cell(&run.id),
        cell(&turn.cell),
        turn.block.to_string(),
        turn.session.map_or_else(String::new, |session| session.to_string()),
        turn.round.to_string(),
        turn.position.to_string(),
        cell(&turn.model),
        turn.counts.to_string(),
        turn.state.to_owned(),
        cell(&turn.reason),
        cell(&turn.started_utc),
        window(|window| Some(window.ended)),
        window(|window| Some(window.ok)),
        window(|window| Some(window.wall_ns)),
        window(|window| Some(window.cpu_ns)),
        window(|window| Some(window.user_ns)),
        window(|window| Some(window.system_ns)),
        window(|window| window.switches_voluntary),
        window(|window| window.switches_involuntary),
        window(|window| window.faults_minor),
        real(turn.cpu_us),
        count(turn.errors),
        count(turn.threads),
        count(turn.in_flight_peak),
        count(turn.charged_ns),
        turn.spent_us.to_string(),
    ]
}

/// A metric of Bencher.
#[derive(Serialize)]
struct Metric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

/// Returns the metrics of each benchmark by their measures, whose names carry the unit. A model
/// without figures has no benchmark: Bencher knows no gaps.
fn bencher(figures: &Figures) -> BTreeMap<String, BTreeMap<String, Metric>> {
    let mut benchmarks = BTreeMap::new();
    for (name, figures) in measured(figures) {
        let measures = measures(figures).filter_map(|(name, _, estimate)| {
            let interval = estimate.interval;
            let metric = Metric {
                value: rounded(estimate.value)?,
                lower_value: interval.and_then(|interval| rounded(interval.low)),
                upper_value: interval.and_then(|interval| rounded(interval.high)),
            };
            Some((name, metric))
        });
        benchmarks.insert(name, measures.collect());
    }
    benchmarks
}

/// A result of github-action-benchmark.
#[derive(Serialize)]
struct Tracked {
    name: String,
    unit: &'static str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

/// Returns the results in the order of the report. The range is half of the interval: the program
/// reads one number after the sign, of two characters at least.
fn github(run: &Summary) -> Vec<Tracked> {
    let hash = run.content_sha256.as_deref().unwrap_or("unfinished");
    let extra = format!("run {}, SHA-256 {}", line(&run.id), shortened(hash));
    let mut results = Vec::new();
    for (name, figures) in measured(&run.figures) {
        results.extend(measures(figures).filter_map(|(measure, unit, estimate)| {
            let half = estimate.interval.and_then(|i| rounded((i.high - i.low) / 2.0));
            Some(Tracked {
                name: format!("{name} {measure}"),
                unit,
                value: rounded(estimate.value)?,
                range: half.map(|half| format!("± {half:.6}")),
                extra: extra.clone(),
            })
        }));
    }
    results
}

/// Returns the figures of each row that has some, in every language, by cell and model.
fn measured(figures: &Figures) -> impl Iterator<Item = (String, &RowFigures)> {
    figures.cells.iter().flat_map(|cell| {
        let named = |row: &Row| format!("{}/{}", line(&cell.cell.name), line(&row.model));
        cell.all_rows().filter_map(move |row| Some((named(row), row.figures.as_ref()?)))
    })
}

/// Returns what is followed over commits, with units: each metric of which less is better.
fn measures(figures: &RowFigures) -> impl Iterator<Item = (String, &'static str, &Estimate)> {
    let all = METRICS.into_iter().filter(|metric| metric.better == Better::Lower);
    all.filter_map(|own| Some((own.field.replace('_', "-"), own.unit, figures.metric(own)?)))
}
