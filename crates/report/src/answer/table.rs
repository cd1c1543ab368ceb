//! The table of the answer: one line a model, as wide as the terminal allows.
//!
//! Where it is too narrow, whole columns go and none is broken; the model, its ratio and the
//! verdict stay.

use analysis::cell_figures::{CellFigures, Row, RowFigures};
use analysis::number::{digits, word};

use crate::form::Form;
use crate::percent::with_interval;
use crate::table::{NOTHING, TAIL, UNEQUAL, places, state_word};
use crate::words::in_cell;

/// What stands between two columns.
const GAP: usize = 2;

/// A column.
struct Column {
    title: String,
    is_left: bool,
    /// When it goes if there is no room, the first first; never if none.
    goes: Option<u8>,
    /// One text a row; empty where it has no figures.
    texts: Vec<String>,
}

/// Writes the table of a cell.
pub(super) fn table(
    cell: &CellFigures,
    (baseline, floor): (&str, &str),
    width: usize,
) -> Vec<String> {
    let mut columns = columns(cell, (baseline, floor));
    let names: Vec<String> =
        cell.rows.iter().map(|row| in_cell(&row.model, Form::Terminal)).collect();
    let widths = names.iter().map(|name| name.chars().count());
    let name = widths.chain(["model".len()]).max().unwrap_or(0);
    while name + columns.iter().map(|column| GAP + column.width()).sum::<usize>() > width {
        let first = columns.iter().filter_map(|column| column.goes).min();
        let Some(first) = first else { break };
        columns.retain(|column| column.goes != Some(first));
    }

    let titles = columns.iter().map(|column| column.aligned(&column.title));
    let mut lines = vec![line(("model", name), titles)];
    for (place, (row, own)) in cell.rows.iter().zip(&names).enumerate() {
        lines.push(match row.figures {
            Some(_) => {
                let texts = columns.iter().map(|column| column.aligned(&column.texts[place]));
                line((own, name), texts)
            }
            None => fitted(&line((own, name), [why(row)]), width),
        });
    }
    lines
}

/// Returns the columns beside the name of the model.
fn columns(cell: &CellFigures, (baseline, floor): (&str, &str)) -> Vec<Column> {
    let column = |title: &str, goes: Option<u8>, text: &dyn Fn(&Row, &RowFigures) -> String| {
        let of = |row: &Row| row.figures.as_ref().map_or(String::new(), |it| text(row, it));
        let texts = cell.rows.iter().map(of).collect();
        Column { title: title.to_owned(), is_left: title == "verdict", goes, texts }
    };
    let places = places(&cell.rows);
    let place = |row: &Row, _: &RowFigures| {
        let index = cell.rows.iter().position(|other| other.model == row.model);
        index.map_or_else(String::new, |index| places[index].clone())
    };
    let is_baseline = |row: &Row| row.model == baseline;
    let mut columns = Vec::new();
    if cell.rows.iter().any(|row| row.rank.is_some()) {
        columns.push(column("rank", Some(3), &place));
    }
    columns.push(column("CPU/fetch", Some(2), &|_, figures| digits(figures.cpu_us.value) + " us"));
    columns.push(column("in flight", Some(2), &|_, figures| {
        figures.in_flight_ms.map_or(NOTHING.to_owned(), |mean| digits(mean.value) + " ms")
    }));
    if !cell.pairs.is_empty() {
        let against = format!("against {baseline}");
        columns.push(column(&against, None, &|row, figures| match is_baseline(row) {
            true => "baseline".to_owned(),
            false => ratio(figures),
        }));
    }
    columns.push(column("above floor", Some(0), &|row, figures| match &figures.excess_us {
        _ if row.model == floor => "floor".to_owned(),
        Some(excess) => digits(excess.value) + " us",
        None => NOTHING.to_owned(),
    }));
    if !cell.pairs.is_empty() {
        columns.push(column("verdict", None, &|row, figures| {
            let verdict = figures.verdict.filter(|_| !is_baseline(row));
            verdict.map_or(NOTHING, word).to_owned()
        }));
    }
    // Where there is none, nothing is lost with it.
    let errors_go = if cell.rows.iter().any(|row| row.errors_all() > 0) { 4 } else { 1 };
    columns.push(column("errors", Some(errors_go), &|row, _| row.errors_all().to_string()));
    columns
}

/// Writes the ratio to the baseline, with the interval that decides the verdict, and its marks.
fn ratio(figures: &RowFigures) -> String {
    let tail = if figures.tail_sensitive { TAIL } else { "" };
    let rate = if figures.unequal_rate { UNEQUAL } else { "" };
    figures.ratio.as_ref().map_or(NOTHING.to_owned(), |it| with_interval(it) + tail + rate)
}

/// Says why a row has no figures.
fn why(row: &Row) -> String {
    let why = row.reason.as_deref().unwrap_or(state_word(row.state));
    in_cell(why, Form::Terminal)
}

/// Writes a line: a name, and what stands in the other columns.
fn line((name, width): (&str, usize), texts: impl IntoIterator<Item = String>) -> String {
    let mut line = format!("{name:<width$}");
    for text in texts {
        line.push_str(&" ".repeat(GAP));
        line.push_str(&text);
    }
    line.trim_end().to_owned()
}

/// Returns as much of a line as there is room for.
fn fitted(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width.saturating_sub(3)).collect::<String>() + "..."
}

impl Column {
    /// Returns the letters of its widest text.
    fn width(&self) -> usize {
        let texts = self.texts.iter().chain([&self.title]);
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    }

    /// Returns a text as wide as the column.
    fn aligned(&self, text: &str) -> String {
        let width = self.width();
        match self.is_left {
            true => format!("{text:<width$}"),
            false => format!("{text:>width$}"),
        }
    }
}
