//! What fetches wait for that arrive at a rate, as a table.

use analysis::Estimate;
use analysis::cell_figures::CellFigures;
use analysis::number::{digits, with_interval};
use analysis::responses::{Responses, Waits};
use workload::Cell;

use crate::form::{Form, joined};
use crate::table::{NOTHING, drawn};
use crate::words::{in_line, wrapped};

/// What its columns are.
pub(crate) const COLUMNS: [&str; 10] = [
    "model",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "p99.9 ms",
    "max ms",
    "mean ms",
    "lag p50 us",
    "lag p99 us",
    "CPU/fetch us",
];

/// Those that the answer has.
const SHORT: [usize; 6] = [0, 1, 3, 4, 5, 7];

/// Says what the columns are.
pub(crate) const LEGEND: &str = "\
    p50 to mean: from the arrival of a fetch to its verified end, all fetches together; lag: from \
    its arrival until it is sent, the model's timer included; in brackets, 95 % intervals over \
    blocks";

/// Writes them as a table, if there are any.
pub(crate) fn text(of: &CellFigures, form: Form) -> Option<String> {
    let rows = rows(of);
    (!rows.is_empty()).then(|| {
        let heading = in_line(&heading(&of.cell), form);
        let legend = in_line(LEGEND, form);
        joined(vec![heading, drawn(&COLUMNS, &rows, form), legend], form)
    })
}

/// Writes them for the answer: fewer columns, as lines no longer than so many.
pub(crate) fn short(of: &CellFigures, columns: usize) -> Vec<String> {
    let rows: Vec<Vec<String>> = rows(of).into_iter().map(|row| picked(&row)).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let table = drawn(&SHORT.map(|place| COLUMNS[place]), &rows, Form::Terminal);
    let heading = wrapped(&heading(&of.cell), columns);
    heading.into_iter().chain(table.lines().map(str::to_owned)).collect()
}

/// Returns those of the columns that the answer has.
fn picked(row: &[String]) -> Vec<String> {
    SHORT.iter().filter_map(|place| row.get(*place).cloned()).collect()
}

/// Writes the rows of a cell, the shortest p99 first.
pub(crate) fn rows(of: &CellFigures) -> Vec<Vec<String>> {
    of.responses.iter().map(|own| row(&of.cell, own)).collect()
}

/// Says what was measured.
pub(crate) fn heading(cell: &Cell) -> String {
    format!(
        "Response times in {}: {} fetches arrive a second, at random and whether or not those \
         before have ended",
        cell.name, cell.rate_per_s
    )
}

/// Writes a row.
fn row(cell: &Cell, of: &Responses) -> Vec<String> {
    let cpu = of.cpu_us.as_ref().map_or_else(|| NOTHING.to_owned(), |cpu| digits(cpu.value));
    let mut row = vec![of.model.clone()];
    match of.response.as_ref().zip(of.lag.as_ref()) {
        None => {
            row.extend([NOTHING, NOTHING].map(str::to_owned));
            row.push(format!(
                "cannot hold {} a second: {:.0} achieved",
                cell.rate_per_s,
                of.achieved * f64::from(cell.rate_per_s)
            ));
            row.extend(vec![NOTHING.to_owned(); COLUMNS.len() - 5]);
        }
        Some((response, lag)) => {
            let [p50, p90, p99, p999] = response.quantiles_ms;
            row.extend([p50, p90].map(|quantile| shown(quantile, 1.0)));
            row.extend([p99, p999].map(with_doubt));
            row.extend([response.max_ms, response.mean_ms].map(digits));
            row.extend(lags(lag));
        }
    }
    row.push(cpu);
    row
}

/// Writes the lags that are shown, in microseconds.
fn lags(lag: &Waits) -> [String; 2] {
    [lag.quantiles_ms[0], lag.quantiles_ms[2]].map(|quantile| shown(quantile, 1e3))
}

/// Writes a percentile in another unit, if it is known.
fn shown(quantile: Option<Estimate>, unit: f64) -> String {
    quantile.map_or_else(|| NOTHING.to_owned(), |own| digits(own.value * unit))
}

/// Writes a percentile with its interval, if it is known.
fn with_doubt(quantile: Option<Estimate>) -> String {
    quantile.map_or_else(|| NOTHING.to_owned(), |own| with_interval(&own))
}
