//! How long whatever is due waits in a model while it fetches, as a table.

use analysis::number::{digits, with_interval};
use analysis::wake_ups::WakeUps;
use workload::Cell;

use crate::form::{Form, joined};
use crate::table::drawn;
use crate::words::in_line;

/// How its table begins its columns.
const COLUMNS: [&str; 4] = ["model", "half are late by, ms", "the worst of a stay, ms", "wake_ups"];

/// Writes them as a table, if there are any.
pub(crate) fn text((cell, wake_ups): (&Cell, &[WakeUps]), form: Form) -> Option<String> {
    (!wake_ups.is_empty()).then(|| {
        let rows: Vec<_> = wake_ups.iter().map(row).collect();
        joined(vec![in_line(&heading(cell), form), drawn(&COLUMNS, &rows, form)], form)
    })
}

/// Says what was measured.
fn heading(cell: &Cell) -> String {
    format!(
        "How long whatever is due waits in {}: a probe task that wakes every {} ms beside the \
         fetches",
        cell.name,
        digits(f64::from(cell.probe_period_us) / 1e3)
    )
}

/// Writes a row.
fn row(wake_ups: &WakeUps) -> Vec<String> {
    let WakeUps { model, count, typical_ms, worst_ms } = wake_ups;
    vec![model.clone(), with_interval(typical_ms), with_interval(worst_ms), count.to_string()]
}
