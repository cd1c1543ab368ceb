//! The same model in two runs: slower, faster, the same, or unknown.
//!
//! Two runs share no block, so what was quiet in one may have been loud in the other. What the
//! machine did to all models is therefore taken out first (`common_shift`); what remains of a
//! model is compared between the blocks of the two runs ([`stats::two_sample`]), as one family a
//! cell (Bonferroni). A change that half of the models or more have in common cannot be
//! distinguished from the machine's: it is given for the cell as a whole and for no model.
//!
//! The interval covers how blocks vary, not how builds do: a program that was linked anew may cost
//! a little more for that alone. Where the program is the same in both runs, a note says so.

use std::collections::BTreeSet;

use record::{Run, TurnRecord};
use rules::{CPU, Metric};
use serde::Serialize;
use stats::verdict::{Criteria, Evidence, Verdict};
use stats::{Estimate, Interval, Sample, bonferroni, median, two_sample};
use workload::Cell;

use crate::common_shift::{CommonShift, MODELS_MIN};
use crate::comparable::{self, Refusal};
use crate::family::{ALPHA, MARGIN};
use crate::turns::{Quantity, Turns};

/// Two runs compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Diff {
    /// `inflight.diff/2.0`.
    pub schema: String,
    /// The name of the old run.
    pub old: String,
    /// The name of the new run.
    pub new: String,
    /// The key of the metric by which they are compared.
    pub metric: String,
    /// What a sentence calls it.
    pub label: String,
    /// The unit of its values.
    pub unit: String,
    /// The least relative difference that is called one.
    pub margin: f64,
    /// The cells that both runs have, in the order of the old one.
    pub cells: Vec<CellDiff>,
    /// What a reader must know beside it, a sentence each.
    pub notes: Vec<String>,
}

/// A cell in two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CellDiff {
    /// The cell.
    pub cell: Cell,
    /// What all models together cost in the new run, in times the old, with its 95 % interval: the
    /// machine's doing, or that of what all models share, and of no single model.
    pub together: Option<Ratio>,
    /// The models that have figures in both runs, the cheapest of the old run first.
    pub rows: Vec<RowDiff>,
    /// Models that have figures in the old run alone.
    pub only_old: Vec<String>,
    /// Models that have figures in the new run alone.
    pub only_new: Vec<String>,
}

/// A model in a cell of two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RowDiff {
    /// The model's name.
    pub model: String,
    /// What it cost in the old run, in the unit of the metric: median over blocks.
    pub cost_old: f64,
    /// What it cost in the new run, likewise.
    pub cost_new: f64,
    /// What it costs in the new run, in times the old, without what all models share, and with the
    /// interval that holds for all models of the cell at once.
    pub ratio: Option<Ratio>,
    /// What may be said of that ratio.
    pub change: Change,
}

/// A ratio with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ratio {
    /// The ratio.
    pub value: f64,
    /// The lower end of the interval, if there are enough blocks for one.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// What may be said about a model in two runs. Of a metric that is no time, slower is more and
/// faster is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It costs more than before, by more than the margin.
    Slower,
    /// It costs less than before, by more than the margin.
    Faster,
    /// It costs what it did, within the margin.
    Same,
    /// The blocks do not settle it.
    Unknown,
}

/// Compares the CPU time per fetch of two runs.
///
/// # Errors
///
/// Returns why they cannot be compared.
pub fn diff(old: &Run, new: &Run) -> Result<Diff, Refusal> {
    diff_by(CPU, old, new)
}

/// Compares two runs by a metric.
///
/// # Errors
///
/// Returns why they cannot be compared.
pub fn diff_by(metric: Metric, old: &Run, new: &Run) -> Result<Diff, Refusal> {
    let runs = [old, new];
    let cells = comparable::cells(runs, metric)?;
    let cells: Vec<CellDiff> =
        cells.into_iter().map(|cell| CellDiff::of(runs, cell, metric)).collect();
    let mut notes = comparable::notes(runs);
    notes.extend(cells.iter().flat_map(|cell| cell.notes(runs)));
    Ok(Diff {
        schema: "inflight.diff/2.0".to_owned(),
        old: old.id.clone(),
        new: new.id.clone(),
        metric: metric.key.to_owned(),
        label: metric.label.to_owned(),
        unit: metric.unit.to_owned(),
        margin: MARGIN,
        cells,
        notes,
    })
}

/// Returns the models that are slower, with their cells, and whose whole interval lies more than
/// so many percent above what they cost before.
pub fn slower_than(diff: &Diff, percent: f64) -> Vec<String> {
    let limit = 1.0 + percent / 100.0;
    let is_above = |row: &&RowDiff| {
        let low = row.ratio.and_then(|ratio| ratio.low);
        row.change == Change::Slower && low.is_some_and(|low| low > limit)
    };
    let mut slower = Vec::new();
    for cell in &diff.cells {
        let rows = cell.rows.iter().filter(is_above);
        slower.extend(rows.map(|row| format!("{} in {}", row.model, cell.cell.name)));
    }
    slower
}

impl CellDiff {
    /// Compares a cell.
    fn of(runs: [&Run; 2], cell: &Cell, metric: Metric) -> Self {
        let all = runs.map(|run| of_cell(run, &cell.name));
        let turns = [Turns::valid(runs[0], &all[0]), Turns::valid(runs[1], &all[1])];
        let quantity = Quantity::Of(metric);
        let [old, new] = [0, 1].map(|run| {
            let models = runs[run].schedule.models.iter().map(|model| model.name.as_str());
            models.filter(|model| turns[run].count(model) > 0).collect::<BTreeSet<&str>>()
        });
        let common: BTreeSet<&str> = old.intersection(&new).copied().collect();
        let mut diff = Self {
            cell: cell.clone(),
            together: None,
            rows: common.iter().filter_map(|model| RowDiff::of(model, &turns, quantity)).collect(),
            only_old: old.difference(&new).map(|&model| model.to_owned()).collect(),
            only_new: new.difference(&old).map(|&model| model.to_owned()).collect(),
        };
        match all[0] == all[1] {
            true => diff.call_same(),
            false => diff.compare(CommonShift::of(&turns, &common, quantity)),
        }
        diff.rows.sort_by(|a, b| a.cost_old.total_cmp(&b.cost_old));
        diff
    }

    /// Says of a cell whose turns are the very same that nothing has changed, which needs no
    /// statistic: each turn is compared with itself.
    fn call_same(&mut self) {
        let one = Ratio { value: 1.0, low: Some(1.0), high: Some(1.0) };
        self.together = Some(one);
        for row in &mut self.rows {
            row.ratio = Some(one);
            row.change = Change::Same;
        }
    }

    /// Compares the models by what is their own, as one family.
    fn compare(&mut self, shift: Option<CommonShift<'_>>) {
        let Some(CommonShift { together: [old, new], mut own }) = shift else { return };
        self.together = Some(two_sample::ratio(&old, &new, ALPHA).into());

        let rows = self.rows.iter_mut();
        let family = rows.filter_map(|row| own.remove(row.model.as_str()).map(|own| (row, own)));
        compare_family(family.collect());
    }

    /// Returns what a reader must know beside the cell.
    fn notes(&self, runs: [&Run; 2]) -> Vec<String> {
        let name = &self.cell.name;
        let mut notes = Vec::new();
        if self.rows.iter().any(|row| row.ratio.is_none()) && self.rows.len() < MODELS_MIN {
            notes.push(format!(
                "{name} has fewer than {MODELS_MIN} models in common: a change of a model cannot \
                 be distinguished from one of the machine."
            ));
        }
        let changed = |row: &&RowDiff| matches!(row.change, Change::Slower | Change::Faster);
        let rows = self.rows.iter().filter(changed).map(|row| row.model.as_str());
        let rows: Vec<&str> = rows.filter(|model| is_same_program(runs, model)).collect();
        if !rows.is_empty() {
            notes.push(format!(
                "In {name}, what changed is not the code of {}: the program is the same in both \
                 runs, byte for byte.",
                rows.join(", ")
            ));
        }
        notes
    }
}

impl RowDiff {
    /// Returns a model that has not been compared yet.
    fn of(model: &str, turns: &[Turns<'_>; 2], quantity: Quantity) -> Option<Self> {
        let cost = |turns: &Turns<'_>| {
            Some(median::estimate(&turns.sample(model, quantity)?, ALPHA).value)
        };
        Some(Self {
            model: model.to_owned(),
            cost_old: cost(&turns[0])?,
            cost_new: cost(&turns[1])?,
            ratio: None,
            change: Change::Unknown,
        })
    }
}

impl From<Ratio> for Estimate {
    fn from(ratio: Ratio) -> Self {
        let interval = ratio.low.zip(ratio.high).map(|(low, high)| Interval { low, high });
        Self { value: ratio.value, interval }
    }
}

impl From<Estimate> for Ratio {
    fn from(estimate: Estimate) -> Self {
        let interval = estimate.interval;
        Self {
            value: estimate.value,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
        }
    }
}

impl Change {
    /// Returns what the evidence about a model allows to say.
    fn of(evidence: &Evidence) -> Self {
        match evidence.verdict(&Criteria { alpha: ALPHA, margin: MARGIN }) {
            Verdict::Different if evidence.ratio.value > 1.0 => Self::Slower,
            Verdict::Different => Self::Faster,
            Verdict::Equivalent => Self::Same,
            Verdict::Inconclusive => Self::Unknown,
        }
    }
}

impl Diff {
    /// Returns what a reader calls a change: of a time slower or faster, of anything else more or
    /// less.
    pub fn word(&self, change: Change) -> &'static str {
        let is_time = ["us", "ms"].iter().any(|unit| self.unit.starts_with(unit));
        match change {
            Change::Slower if is_time => "slower",
            Change::Slower => "more",
            Change::Faster if is_time => "faster",
            Change::Faster => "less",
            Change::Same => "same",
            Change::Unknown => "unknown",
        }
    }
}

/// Compares the models of a cell as one family, given what is their own in the blocks of the runs.
fn compare_family(family: Vec<(&mut RowDiff, [Sample; 2])>) {
    let p_value = |(_, [old, new]): &(_, [Sample; 2])| two_sample::p_value(old, new);
    let adjusted = bonferroni::adjust(&family.iter().map(p_value).collect::<Vec<f64>>());
    let count = u32::try_from(family.len()).map_or(1.0, f64::from);
    for ((row, [old, new]), adjusted_p) in family.into_iter().zip(adjusted) {
        let ratio = two_sample::ratio(&old, &new, ALPHA / count);
        row.change = Change::of(&Evidence { adjusted_p, ratio });
        row.ratio = Some(ratio.into());
    }
}

/// Returns the turns of a cell.
fn of_cell<'a>(run: &'a Run, cell: &str) -> Vec<&'a TurnRecord> {
    run.turns.iter().filter(|turn| turn.cell == cell).collect()
}

/// Returns whether both runs ran the very same program of a model.
fn is_same_program(runs: [&Run; 2], model: &str) -> bool {
    let [old, new] = runs.map(|run| {
        let package = &run.schedule.model(model)?.package;
        run.environment.programs_sha256.get(package)
    });
    old.is_some() && old == new
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
