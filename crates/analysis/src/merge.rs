//! Runs of several machines side by side. Nothing is averaged: a ratio belongs to its machine, and
//! what the machines agree on is the stability of the order, not a number between them.
//!
//! Only ratios and ranks stand beside each other. Absolute times of two machines are never
//! compared, and where a cell is other work in another run it stands apart.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use record::{Integrity, Run};
use serde::Serialize;
use stats::Estimate;
use stats::kendall;
use stats::verdict::Verdict;
use workload::Cell;

use crate::cell_figures::{CellFigures, Row, RowState};
use crate::claim::is_estimate;
use crate::diff::Ratio;
use crate::figure::rounded;
use crate::figures::{Figures, figures};
use crate::line::line;
use crate::number::{count, shortened, word};

/// The schema; its minors only add.
const SCHEMA: &str = "inflight.merge/2.0";

/// Runs side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Merge {
    /// `inflight.merge/2.0`.
    pub schema: &'static str,
    /// The model that ratios are taken against.
    pub baseline: String,
    /// The runs, in the order in which they were named.
    pub runs: Vec<MergedRun>,
    /// The cells, in the order in which the runs have them.
    pub cells: Vec<MergedCell>,
    /// What a reader must know beside it, a sentence each.
    pub notes: Vec<String>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MergedRun {
    /// Its name.
    pub run: String,
    /// The first digits of the SHA-256 of its manifest, if it came to its end.
    pub hash: Option<String>,
    /// The version of Inflight that measured it.
    pub version: String,
    /// What it was measured on.
    pub machine: String,
    /// Its preset.
    pub preset: String,
    /// Whether its figures must be called an estimate.
    pub is_estimate: bool,
}

/// A cell in the runs that have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MergedCell {
    /// The cell.
    pub cell: Cell,
    /// The places of the runs that have it, in the list of runs.
    pub runs: Vec<usize>,
    /// The models, in the order of the first run that has them.
    pub rows: Vec<MergedRow>,
    /// How alike the order of the models is, for each pair of these runs.
    pub stability: Vec<Stability>,
}

/// A model in the runs that have a cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MergedRow {
    /// The model.
    pub model: String,
    /// One entry a run of the cell; none where the run does not know the model.
    pub entries: Vec<Option<MergedEntry>>,
}

/// A model in a cell of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MergedEntry {
    /// Whether it has figures, and what kind of row it is if not.
    pub state: &'static str,
    /// Why it has none, or why some turns do not count.
    pub reason: Option<String>,
    /// CPU time per fetch, in times the baseline's in the same run, with the interval of its
    /// family.
    pub ratio: Option<Ratio>,
    /// What may be said of that ratio.
    pub verdict: Option<&'static str>,
    /// The best place that it may have.
    pub rank_best: Option<usize>,
    /// The worst one.
    pub rank_worst: Option<usize>,
}

/// How alike the order of the models is in two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stability {
    /// The places of the two runs in the list of runs.
    pub runs: [usize; 2],
    /// How many models have a rank in both.
    pub models: usize,
    /// Kendall's tau-b of their ranks, if these are an order.
    pub tau: Option<f64>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Pairs of models that are different in both runs, in opposite directions: the first is the
    /// cheaper one in the first run.
    pub contradictions: Vec<[String; 2]>,
}

/// Why runs cannot stand side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotMergeable {
    /// A run is not what was measured: its name, and the files that differ.
    Altered(String, Vec<String>),
    /// A run is named twice.
    Twice(String),
    /// There is nothing to stand beside it.
    Alone,
}

impl fmt::Display for NotMergeable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered(run, files) => {
                write!(f, "the run {run} was altered after it was measured: {}", files.join(", "))
            }
            Self::Twice(run) => write!(f, "the run {run} is named twice"),
            Self::Alone => write!(f, "one run stands beside nothing: name at least two"),
        }
    }
}

impl Error for NotMergeable {}

/// Puts runs side by side; `baseline` and `floor` name models.
///
/// # Errors
///
/// Says which run cannot be used, and why.
pub fn merge(runs: &[Run], (baseline, floor): (&str, &str)) -> Result<Merge, NotMergeable> {
    for (place, run) in runs.iter().enumerate() {
        if let Integrity::Altered(files) = &run.integrity {
            return Err(NotMergeable::Altered(run.id.clone(), files.clone()));
        }
        if runs[..place].iter().any(|other| other.schedule == run.schedule) {
            return Err(NotMergeable::Twice(run.id.clone()));
        }
    }
    if runs.len() < 2 {
        return Err(NotMergeable::Alone);
    }

    let all: Vec<Figures> = runs.iter().map(|run| figures(run, baseline, floor)).collect();
    let mut cells: Vec<&Cell> = Vec::new();
    for cell in all.iter().flat_map(|figures| &figures.cells).map(|figures| &figures.cell) {
        if !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    Ok(Merge {
        schema: SCHEMA,
        baseline: baseline.to_owned(),
        runs: runs.iter().map(MergedRun::of).collect(),
        cells: cells.iter().map(|cell| MergedCell::of(cell, &all)).collect(),
        notes: notes(runs, &cells),
    })
}

impl MergedRun {
    /// Says which run it is.
    fn of(run: &Run) -> Self {
        let machine = &run.environment;
        Self {
            run: line(&run.id),
            hash: run.content_sha256.as_deref().map(shortened),
            version: line(&run.schedule.version),
            machine: line(&format!(
                "{}, {} ({}), Linux {}",
                machine.cpu,
                count(machine.cpus, "CPU"),
                machine.kind,
                machine.kernel
            )),
            preset: line(&run.schedule.preset),
            is_estimate: is_estimate(run),
        }
    }
}

impl MergedCell {
    /// Gathers a cell from the runs that have it.
    fn of(cell: &Cell, all: &[Figures]) -> Self {
        let have: Vec<(usize, &CellFigures)> = all
            .iter()
            .enumerate()
            .filter_map(|(run, f)| Some((run, f.cells.iter().find(|own| own.cell == *cell)?)))
            .collect();
        let mut models: Vec<&str> = Vec::new();
        for row in have.iter().flat_map(|(_, figures)| &figures.rows) {
            if !models.contains(&row.model.as_str()) {
                models.push(&row.model);
            }
        }
        let row = |model: &str| MergedRow {
            model: line(model),
            entries: have.iter().map(|(_, own)| Some(MergedEntry::of(row(own, model)?))).collect(),
        };
        let pairs = have.iter().enumerate().flat_map(|(place, one)| {
            have[place + 1..].iter().map(move |other| Stability::of(*one, *other))
        });
        Self {
            cell: cell.clone(),
            runs: have.iter().map(|(run, _)| *run).collect(),
            rows: models.into_iter().map(row).collect(),
            stability: pairs.collect(),
        }
    }
}

/// Returns the row of a model in a cell.
fn row<'a>(cell: &'a CellFigures, model: &str) -> Option<&'a Row> {
    cell.rows.iter().find(|row| row.model == model)
}

impl MergedEntry {
    /// Takes over what a run says of a model.
    fn of(row: &Row) -> Self {
        let figures = row.figures.as_ref();
        Self {
            state: row.state.key(),
            reason: row.reason.as_deref().map(line),
            ratio: figures.and_then(|figures| figures.ratio).and_then(written),
            verdict: figures.and_then(|figures| figures.verdict).map(word),
            rank_best: row.rank.map(|rank| rank.best),
            rank_worst: row.rank.map(|rank| rank.worst),
        }
    }

    /// Returns whether it has figures.
    pub fn is_measured(&self) -> bool {
        self.state == RowState::Measured.key()
    }
}

/// Returns a ratio with six significant digits, as every document has its figures.
fn written(ratio: Estimate) -> Option<Ratio> {
    let interval = ratio.interval;
    Some(Ratio {
        value: rounded(ratio.value)?,
        low: interval.and_then(|interval| rounded(interval.low)),
        high: interval.and_then(|interval| rounded(interval.high)),
    })
}

impl Stability {
    /// Compares the order of the models in two runs.
    fn of((one, first): (usize, &CellFigures), (other, second): (usize, &CellFigures)) -> Self {
        let ranked =
            first.rows.iter().filter_map(|own| Some((own.rank?, row(second, &own.model)?.rank?)));
        // The middle of what is left open, not the place that is displayed: that one is the best.
        let (left, right): (Vec<f64>, Vec<f64>) =
            ranked.map(|(own, other)| (middle(own), middle(other))).unzip();
        let tau = kendall::tau_b(&left, &right);
        let any_rank = |cell: &CellFigures| cell.rows.iter().any(|row| row.rank.is_some());
        let reason = match (tau, any_rank(first) && any_rank(second)) {
            (Some(_), _) => None,
            (None, false) => Some("a run below the preset standard ranks no model"),
            (None, true) => Some("the models that both rank are too few, or all tied in one"),
        };
        Self {
            runs: [one, other],
            models: left.len(),
            tau: tau.and_then(rounded),
            reason,
            contradictions: contradictions(first, second),
        }
    }
}

/// Returns the middle of an interval of places.
#[expect(clippy::cast_precision_loss, reason = "models are few")]
fn middle(rank: stats::ranking::RankInterval) -> f64 {
    (rank.best + rank.worst) as f64 / 2.0
}

/// Returns the pairs that are different in both cells, in opposite directions.
fn contradictions(first: &CellFigures, second: &CellFigures) -> Vec<[String; 2]> {
    let (first, second) = (different(first), different(second));
    let opposite = first
        .iter()
        .filter(|(pair, cheaper)| second.get(*pair).is_some_and(|other| other != *cheaper));
    let pairs = opposite.map(|((one, other), cheaper)| {
        let costlier = if one == cheaper { other } else { one };
        [line(cheaper), line(costlier)]
    });
    pairs.collect()
}

/// Returns the cheaper model of each pair that is different, by the names in their order.
fn different(cell: &CellFigures) -> BTreeMap<(&str, &str), &str> {
    let pairs = cell.pairs.iter().filter(|pair| pair.verdict == Verdict::Different);
    let pairs = pairs.map(|pair| {
        let (model, other) = (pair.model.as_str(), pair.other.as_str());
        let cheaper = if pair.ratio.value < 1.0 { model } else { other };
        ((model.min(other), model.max(other)), cheaper)
    });
    pairs.collect()
}

/// Returns what a reader must know beside the tables.
fn notes(runs: &[Run], cells: &[&Cell]) -> Vec<String> {
    let mut notes = vec![
        "Ratios and ranks are each machine's own. Absolute times of two machines are not compared, \
         and nothing is averaged over machines."
            .to_owned(),
    ];
    let named = |is: &dyn Fn(&Run) -> bool| {
        let names = runs.iter().filter(|run| is(run)).map(|run| line(&run.id));
        names.collect::<Vec<_>>().join(", ")
    };
    for (what, names) in [
        ("did not come to its end", named(&|run| run.integrity == Integrity::Unfinished)),
        ("is an estimate", named(&is_estimate)),
        ("was measured from a modified tree", named(&|run| run.environment.modified == "yes")),
    ] {
        if !names.is_empty() {
            notes.push(format!("Each of these {what}: {names}."));
        }
    }
    for (place, cell) in cells.iter().enumerate() {
        if cells[..place].iter().any(|other| other.name == cell.name) {
            let name = line(&cell.name);
            notes.push(format!("{name} is other work in some runs, which stand apart."));
        }
    }
    for cell in cells {
        let without = named(&|run| run.schedule.cell(&cell.name) != Some(cell));
        if !without.is_empty() {
            notes.push(format!("{} is not in: {without}.", line(&cell.name)));
        }
    }
    notes.extend(differing(runs));
    notes
}

/// Returns which circumstances differ between the runs beside the machine itself.
fn differing(runs: &[Run]) -> Vec<String> {
    type Read = fn(&Run) -> String;
    let reported: [(&str, Read); 5] = [
        ("IRQ time accounting", |run| run.environment.irq_time_accounting.clone()),
        ("version of Inflight", |run| run.schedule.version.clone()),
        ("compiler", |run| run.environment.rustc.clone()),
        ("origin", |run| run.environment.origin.clone()),
        ("lock file, and with it some library,", |run| run.environment.cargo_lock_sha256.clone()),
    ];
    let differs = |read: &Read| runs.iter().any(|run| read(run) != read(&runs[0]));
    let reported = reported.iter().filter(|(_, read)| differs(read)).map(|(what, read)| {
        let each = runs.iter().map(|run| match what.starts_with("lock") {
            true => read(run).chars().take(8).collect(),
            false => line(&read(run)),
        });
        format!("The {what} differs: {}.", each.collect::<Vec<_>>().join(", "))
    });
    reported.collect()
}
