//! The table of a cell, for a terminal or as Markdown.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use model_kit::{Cell, Workload};
use stats::verdict::Verdict;

use crate::figures::{CellFigures, Row, RowFigures};
use crate::number::{digits, with_interval};
use crate::summary::Form;

/// The columns, each with its unit.
const COLUMNS: [&str; 8] = [
    "model",
    "CPU/fetch us",
    "against tokio",
    "verdict",
    "over floor us",
    "wall ms",
    "switches/fetch",
    "errors",
];

/// Writes the table of a cell.
pub(crate) fn table(cell: &CellFigures, (baseline, floor): (&str, &str), form: Form) -> String {
    let mut table = Table::new();
    let preset = match form {
        Form::Terminal => presets::NOTHING,
        Form::Markdown => presets::ASCII_MARKDOWN,
    };
    table.load_style(preset).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(COLUMNS);
    for column in table.column_iter_mut().skip(1).filter(|column| column.index != 3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in cell.rows.iter().filter(|row| row.figures.is_some()) {
        table.add_row(columns(row, baseline, floor));
    }
    let indent = if form == Form::Terminal { " " } else { "" };
    let line = |line: String| line.trim_end().trim_start_matches(indent).to_owned() + "\n";
    table.lines().map(line).collect()
}

/// Writes the cell's numbers in a line.
pub(crate) fn heading(cell: &Cell) -> String {
    let kind = match cell.workload {
        Workload::Batch => format!("{} fetches, at most", cell.fetches),
        Workload::Steady => "always".to_owned(),
    };
    let delays = match (cell.delay_ms.lo, cell.delay_ms.hi) {
        (lo, hi) if lo == hi => format!("{lo} ms"),
        (lo, hi) => format!("{lo} to {hi} ms"),
    };
    format!(
        "{}: {kind} {} in flight, delay {delays}, body {} B, connections kept",
        cell.name, cell.in_flight, cell.body_bytes
    )
}

/// Returns the columns of a row.
fn columns(row: &Row, baseline: &str, floor: &str) -> Vec<String> {
    let Some(figures) = &row.figures else { return vec![row.model.clone()] };
    let ratio = match &figures.ratio {
        Some(ratio) => with_interval(ratio),
        None if row.model == baseline => "1".to_owned(),
        None => "-".to_owned(),
    };
    let errors: u64 = row.errors.values().sum();
    vec![
        row.model.clone(),
        digits(figures.cpu_us.value),
        ratio,
        verdict(figures, row.model == baseline),
        excess(figures, row.model == floor),
        digits(figures.wall_ms.value) + if figures.unequal_rate { "*" } else { "" },
        digits(figures.switches),
        errors.to_string(),
    ]
}

/// Returns the verdict in a word.
fn verdict(figures: &RowFigures, is_baseline: bool) -> String {
    let word = match figures.verdict {
        None if is_baseline => "baseline",
        None => "-",
        Some(Verdict::Different) => "different",
        Some(Verdict::Equivalent) => "equivalent",
        Some(Verdict::Unresolved) => "unresolved",
    };
    word.to_owned()
}

/// Returns what a fetch cost over the floor.
fn excess(figures: &RowFigures, is_floor: bool) -> String {
    match &figures.excess_us {
        _ if is_floor => "floor".to_owned(),
        Some(excess) => with_interval(excess),
        None => "-".to_owned(),
    }
}
