//! What a difference per fetch means where fetches are a part of a program: as a share of a CPU at
//! so many fetches a second, and beside so much work of one's own.

use record::Model;
use stats::{Estimate, Interval};

use crate::cell_figures::CellFigures;
use crate::order::costs_less;

/// Fetches a second of the example.
pub(crate) const RATE: f64 = 10_000.0;
/// Work of one's own per fetch in the example, in microseconds of CPU time.
pub(crate) const WORK_US: f64 = 1_000.0;

/// What CPU time per fetch is worth where fetches are a part of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// The CPU time, in microseconds per fetch.
    pub us: Estimate,
    /// Its share of one CPU at 10,000 fetches a second.
    pub of_cpu: f64,
    /// How much more CPU time a fetch takes for it where it has 1 ms of work.
    pub beside_work: f64,
}

/// What the larger of two costs means.
#[derive(Clone, Debug, PartialEq)]
pub struct Consequence {
    /// The one that costs less.
    pub less: String,
    /// The one that costs more.
    pub more: String,
    /// What it takes more, from the paired ratio.
    pub worth: Worth,
}

impl Worth {
    /// Returns what so much CPU time is worth, on top of what a fetch costs in microseconds.
    pub(crate) fn of(us: Estimate, least_us: f64) -> Self {
        let of_cpu = us.value * RATE / 1e6;
        Self { us, of_cpu, beside_work: us.value / (WORK_US + least_us) }
    }
}

/// Returns the largest certain difference between two of the models that the answer compares. One
/// that ran at another rate is not among them: its cost is not like for like.
pub(crate) fn of_models(
    compared: &[String],
    baseline: &str,
    cell: &CellFigures,
) -> Option<Consequence> {
    let models = || {
        let names = compared.iter().map(String::as_str);
        names.filter_map(|name| Some((name, of_baseline(cell, name, baseline)?)))
    };
    let pairs = models().flat_map(|less| models().map(move |more| (less, more)));
    let certain = pairs.filter(|((less, _), (more, _))| costs_less(cell, baseline, less, more));
    let apart =
        |((_, less), (_, more)): &((&str, Estimate), (&str, Estimate))| more.value - less.value;
    let ((less, least), (more, most)) = certain.max_by(|a, b| apart(a).total_cmp(&apart(b)))?;
    let base = cost(cell, baseline)?;
    // The interval is the ratio's to the baseline; between two others it would need their own.
    let ends = most.interval.filter(|_| less == baseline);
    let us = |ratio: f64| base * (ratio - least.value);
    let interval = ends.map(|ends| Interval { low: us(ends.low), high: us(ends.high) });
    let us = Estimate { value: us(most.value), interval };
    let worth = Worth::of(us, base * least.value);
    Some(Consequence { less: less.to_owned(), more: more.to_owned(), worth })
}

/// Returns the largest difference that a library client makes to its model.
pub(crate) fn of_clients<'a>(
    model: impl Fn(&str) -> Option<&'a Model>,
    cell: &CellFigures,
) -> Option<Consequence> {
    let clients = cell.footprints.iter().filter_map(|footprint| {
        let bare = model(&footprint.model)?.bare_name()?;
        let least_us = cost(cell, bare)?;
        let (less, more) = (bare.to_owned(), footprint.model.clone());
        let us = footprint.above_bare_us;
        let worth = Worth::of(us, least_us);
        (us.interval?.low > 0.0).then_some(Consequence { less, more, worth })
    });
    clients.max_by(|a, b| a.worth.us.value.total_cmp(&b.worth.us.value))
}

/// Returns whether every library client costs more, on top of its model, than any choice among the
/// models that the answer compares does against the baseline.
pub(crate) fn clients_matter_more(compared: &[String], cell: &CellFigures) -> bool {
    let ratios = compared.iter().filter_map(|name| cell.measured(name)?.ratio?.interval);
    let most = ratios.map(|ends| ends.high).reduce(f64::max);
    let least = cell.footprints.iter().map(|own| own.ratio.interval.map_or(0.0, |ends| ends.low));
    match (least.reduce(f64::min), most) {
        (Some(least), Some(most)) => least > most,
        _ => false,
    }
}

/// Returns what a model costs, in microseconds per fetch.
fn cost(cell: &CellFigures, model: &str) -> Option<f64> {
    let row = cell.rows.iter().find(|row| row.model == model)?;
    Some(row.figures.as_ref()?.cpu_us.value)
}

/// Returns what a model costs in times the baseline.
fn of_baseline(cell: &CellFigures, model: &str, baseline: &str) -> Option<Estimate> {
    let row = cell.rows.iter().find(|row| row.model == model)?;
    let figures = row.figures.as_ref()?;
    match model == baseline {
        true => Some(Estimate { value: 1.0, interval: None }),
        false => figures.ratio,
    }
}
