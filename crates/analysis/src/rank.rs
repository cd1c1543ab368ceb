//! The models of a run ordered by one metric, for the cells that are asked for.
//!
//! Places and verdicts exist for the CPU time per fetch alone: it is the primary figure, and a
//! family for each further metric would find differences by chance. By any other metric the rows
//! stand in the order of their medians, each with its interval, and that is all that is said.

use anyhow::{Result, ensure};
use record::Run;
use rules::{Better, Metric};
use stats::{Estimate, median};

use crate::cell::Source;
use crate::cell_figures::{CellFigures, Row};
use crate::claim::origin_of;
use crate::family::ALPHA;
use crate::figures::Figures;
use crate::turns::Quantity;

/// The models of a run ordered by one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// What they are ordered by.
    pub metric: Metric,
    /// Which run it is, and what its figures may be called.
    pub run: String,
    /// The model that ratios are taken against.
    pub baseline: String,
    /// The model that differences are taken over.
    pub floor: String,
    /// The cells that were asked for, in the order of the schedule.
    pub cells: Vec<RankedCell>,
}

/// The models of a cell ordered by one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedCell {
    /// The figures of the cell, whose rows have the places and verdicts.
    pub figures: CellFigures,
    /// The best first, then those without a value.
    pub rows: Vec<RankedRow>,
    /// The same of each other language that the figures have.
    pub languages: Vec<Vec<RankedRow>>,
}

/// A model with its value of the metric.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedRow {
    /// The model's row in the figures.
    pub row: Row,
    /// The median over blocks with its 95 % interval, if a valid turn has the value; of a compared
    /// metric, what the row has.
    pub value: Option<Estimate>,
    /// The value in times the baseline's, or that of the language. That of CPU time is the one that
    /// was compared, with the interval of its family; any other has a 95 % interval of its own.
    pub ratio: Option<Estimate>,
    /// The value less the floor's, with its 95 % interval.
    pub above_floor: Option<Estimate>,
    /// Rounds in which the model has a valid turn.
    pub rounds: usize,
    /// Rounds that it took part in and that were measured again, since they were disturbed.
    pub repeated: usize,
}

/// Orders the models of a run by a metric, in the cell of that name or in all.
///
/// # Errors
///
/// Names the cells that the run has, if it has none of that name.
pub fn rank(run: &Run, figures: &Figures, metric: Metric, cell: Option<&str>) -> Result<Ranking> {
    let names: Vec<&str> = figures.cells.iter().map(|cell| cell.cell.name.as_str()).collect();
    if let Some(cell) = cell {
        let has = names.join(", ");
        ensure!(names.contains(&cell), "the run has no cell {cell}, expected one of: {has}");
    }
    let asked = |figures: &&CellFigures| cell.is_none_or(|cell| figures.cell.name == cell);
    let models = (figures.baseline.as_str(), figures.floor.as_str());
    let ranked = |figures: &CellFigures| {
        let source = Source::of(run, &figures.cell, models);
        RankedCell::of((figures, models), metric, &source)
    };
    Ok(Ranking {
        metric,
        run: origin_of(run),
        baseline: figures.baseline.clone(),
        floor: figures.floor.clone(),
        cells: figures.cells.iter().filter(asked).map(ranked).collect(),
    })
}

impl RankedCell {
    /// Orders the models of a cell. The rows of the figures are in order of CPU time already.
    fn of(
        (figures, (baseline, floor)): (&CellFigures, (&str, &str)),
        metric: Metric,
        source: &Source<'_>,
    ) -> Self {
        let ordered = |rows: &[Row], baseline: &str| {
            let row = |row: &Row| RankedRow::of(row, (baseline, floor), (metric, source));
            let mut rows: Vec<RankedRow> = rows.iter().map(row).collect();
            if !metric.is_judged {
                rows.sort_by(|a, b| {
                    let order = a.order(metric).total_cmp(&b.order(metric));
                    order.then_with(|| a.row.model.cmp(&b.row.model))
                });
            }
            rows
        };
        let languages = figures.languages.iter();
        let languages = languages.map(|other| ordered(&other.rows, &other.baseline)).collect();
        Self { figures: figures.clone(), rows: ordered(&figures.rows, baseline), languages }
    }
}

impl RankedRow {
    /// Gathers what a metric says of a model beside the two that it is held against.
    fn of(
        row: &Row,
        (baseline, floor): (&str, &str),
        (metric, source): (Metric, &Source<'_>),
    ) -> Self {
        let (model, quantity) = (row.model.as_str(), Quantity::Of(metric));
        let sample = source.sample(model, quantity);
        let compared = row.figures.as_ref().and_then(|figures| figures.ratio);
        let ratio = match metric.is_judged {
            true => compared,
            false => source.ratio((model, baseline), quantity),
        };
        let (rounds, repeated) = source.rounds(model);
        Self {
            row: row.clone(),
            value: match (metric.is_judged, &row.figures) {
                (true, Some(figures)) => Some(figures.cpu_us),
                _ => sample.map(|sample| median::estimate(&sample, ALPHA)),
            },
            ratio: ratio.filter(|_| model != baseline),
            above_floor: source.difference((model, floor), quantity).filter(|_| model != floor),
            rounds,
            repeated,
        }
    }

    /// Returns what rows are ordered by: the best first, those without a value last.
    fn order(&self, metric: Metric) -> f64 {
        let value = |value: Estimate| match metric.better {
            Better::Lower => value.value,
            Better::Higher => -value.value,
        };
        self.value.map_or(f64::INFINITY, value)
    }
}
