//! A run as a text exposition of `OpenMetrics` 1.0, which Prometheus and its kin read: gauges
//! by cell and model, in base units, with the ends of each interval beside the estimate.
//!
//! An end is a family of its own and no label, since whoever adds up the samples of a family must
//! add up like things. There are no timestamps: whoever scrapes gives its own, and the name of
//! the run, a label of `inflight_run_info`, begins with its day.

use std::fmt::Write as _;

use analysis::cell_figures::{CellFigures, Row, RowFigures};
use analysis::figure::rounded;
use analysis::figures::Figures;
use analysis::line::line;
use record::{Run, State};
use stats::Estimate;

/// Microseconds of a second.
const US: f64 = 1e6;
/// Milliseconds of a second.
const MS: f64 = 1e3;

/// A family: its name without its unit, the unit, what it is, and how it is read.
type Told = (&'static str, &'static str, &'static str, fn(&RowFigures) -> Option<Scaled>);

/// What is told of each model in each cell, with its interval.
const ESTIMATES: [Told; 4] = [
    (
        "inflight_fetch_cpu",
        "seconds",
        "CPU time of the model's process per fetch, median over blocks, 95 % interval",
        |figures| Some((figures.cpu_us, US)),
    ),
    (
        "inflight_cost",
        "ratio",
        "CPU time per fetch in times the baseline's, simultaneous 95 % interval of the family",
        |figures| Some((figures.ratio?, 1.0)),
    ),
    (
        "inflight_window_wall",
        "seconds",
        "Wall time of the measured window, median over blocks, 95 % interval",
        |figures| Some((figures.wall_ms, MS)),
    ),
    (
        "inflight_fetch_switches",
        "",
        "Context switches per fetch, median over blocks, 95 % interval",
        |figures| Some((figures.switches, 1.0)),
    ),
];

/// An estimate, and what its figures are divided by.
type Scaled = (Estimate, f64);

/// An end of an interval, or the estimate: what the name gains, what is told of it, and its value.
type Side = (&'static str, &'static str, fn(&Estimate) -> Option<f64>);

/// The estimate with both ends of its interval.
const SIDES: [Side; 3] = [
    ("", "", |estimate| Some(estimate.value)),
    ("_lower", ": lower end", |estimate| Some(estimate.interval?.low)),
    ("_upper", ": upper end", |estimate| Some(estimate.interval?.high)),
];

/// Writes the exposition of a run.
pub(crate) fn openmetrics(run: &Run, figures: &Figures) -> String {
    let mut text = String::new();
    info(&mut text, run);
    for (name, unit, help, read) in ESTIMATES {
        for (suffix, side, pick) in SIDES {
            let name = [name, suffix, if unit.is_empty() { "" } else { "_" }, unit].concat();
            head(&mut text, (&name, "gauge"), unit, &format!("{help}{side}"));
            for (cell, baseline, row) in rows(figures) {
                let told = row.figures.as_ref().and_then(read);
                let value = told.and_then(|(e, scale)| rounded(pick(&e)? / scale));
                let labels = [
                    ("cell", cell.cell.name.as_str()),
                    ("model", &row.model),
                    ("baseline", baseline),
                ];
                // Only a ratio is taken against something.
                let labels = if unit == "ratio" { &labels[..] } else { &labels[..2] };
                sample(&mut text, &name, labels, value);
            }
        }
    }
    counts(&mut text, run, figures);
    text.push_str("# EOF\n");
    text
}

/// Returns every row with its cell and the model that its ratio is taken against.
fn rows(figures: &Figures) -> impl Iterator<Item = (&CellFigures, &str, &Row)> {
    figures.cells.iter().flat_map(move |cell| {
        let own = cell.rows.iter().map(move |row| (cell, figures.baseline.as_str(), row));
        own.chain(cell.languages.iter().flat_map(move |language| {
            language.rows.iter().map(move |row| (cell, language.baseline.as_str(), row))
        }))
    })
}

/// Writes which run it is, and what it ran on.
fn info(text: &mut String, run: &Run) {
    let environment = &run.environment;
    head(text, ("inflight_run", "info"), "", "The run, what measured it, and its machine");
    let labels = [
        ("run", run.id.as_str()),
        ("sha256", run.content_sha256.as_deref().unwrap_or("unfinished")),
        ("version", &run.schedule.version),
        ("commit", &environment.commit),
        ("preset", &run.schedule.preset),
        ("cpu", &environment.cpu),
        ("kernel", &environment.kernel),
        ("rustc", &environment.rustc),
    ];
    sample(text, "inflight_run_info", &labels, Some(1.0));
}

/// Writes how many turns of each model ended how, and how many fetches failed.
fn counts(text: &mut String, run: &Run, figures: &Figures) {
    let name = "inflight_turns";
    head(text, (name, "gauge"), "", "Turns by how they ended; only valid ones have figures");
    for (cell, _, row) in rows(figures) {
        let own = || {
            let turns = run.turns.iter();
            turns.filter(|turn| turn.cell == cell.cell.name && turn.model == row.model)
        };
        let count = |is: fn(&State) -> bool| own().filter(|turn| is(&turn.state)).count();
        for (state, count) in [
            ("valid", count(|state| matches!(state, State::Valid))),
            ("invalid", count(|state| matches!(state, State::Invalid(_)))),
            ("failed", count(|state| matches!(state, State::Failed(_) | State::Out))),
        ] {
            let labels = [("cell", &*cell.cell.name), ("model", &*row.model), ("state", state)];
            sample(text, name, &labels, Some(count));
        }
    }
    let name = "inflight_failed_fetches";
    head(text, (name, "gauge"), "", "Fetches that failed, over all turns");
    for (cell, _, row) in rows(figures) {
        let failed: u64 = row.errors.values().sum();
        let labels = [("cell", &*cell.cell.name), ("model", &*row.model)];
        sample(text, name, &labels, Some(failed));
    }
}

/// Writes the head of a family of metrics; an empty unit is none.
fn head(text: &mut String, (name, kind): (&str, &str), unit: &str, help: &str) {
    let _ = writeln!(text, "# TYPE {name} {kind}");
    if !unit.is_empty() {
        let _ = writeln!(text, "# UNIT {name} {unit}");
    }
    let _ = writeln!(text, "# HELP {name} {help}.");
}

/// Writes a sample; without a value there is none, since a gap is no number.
fn sample(
    text: &mut String,
    name: &str,
    labels: &[(&str, &str)],
    value: Option<impl std::fmt::Display>,
) {
    let Some(value) = value else { return };
    let labels = labels.iter().map(|(name, label)| format!("{name}=\"{}\"", escaped(label)));
    let labels = labels.collect::<Vec<_>>().join(",");
    let _ = writeln!(text, "{name}{{{labels}}} {value}");
}

/// Returns a text as the value of a label.
fn escaped(text: &str) -> String {
    line(text).replace('\\', "\\\\").replace('"', "\\\"")
}
