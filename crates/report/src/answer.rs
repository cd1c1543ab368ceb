//! The answer of a run, for a terminal: which model, does it matter, one table, what to do next.
//!
//! It is what a reader sees who reads nothing else, so nothing in it goes beyond a verdict or an
//! interval: models that no verdict separates are never put in an order in words. All other cells,
//! the primitives, other languages and the checks are in the summary, for whoever asks.

pub(crate) mod cell;
pub(crate) mod findings;
pub(crate) mod headline;
pub(crate) mod place;
mod table;
pub(crate) mod versions;
mod warnings;

use analysis::Summary;
use analysis::cell_figures::CellFigures;
use analysis::crossing::crossing;
use analysis::figures::Figures;

use crate::answer::cell::figures_of;
use crate::answer::place::{Place, footer};
use crate::answer::warnings::warnings;
use crate::form::Form;
use crate::hold_text::hold_parts;
use crate::primitives_text::primitives_parts;
use crate::responses;
use crate::sweep_text::heading as sweep_heading;
use crate::words::{in_line, wrapped};

/// Writes the answer of a run.
pub fn answer(run: &Summary, place: &Place<'_>) -> String {
    let figures = &run.figures;
    let main = figures.cells.get(figures.main_cell());
    let mut lines = Vec::new();
    match main {
        Some(cell) => lines.extend(of_cell(run, cell, place.columns)),
        None if figures.holds.is_some() => {}
        None => lines.extend(without_fetches(figures)),
    }
    lines.extend(figures.waiting().flat_map(|cell| responses::short(cell, place.columns)));
    for sweep in &figures.sweeps {
        let pairs = sweep.pairs.iter().map(|pair| crossing(sweep, pair));
        let reported = [sweep_heading(sweep)].into_iter().chain(pairs);
        lines.extend(reported.flat_map(|line| wrapped(&line, place.columns)));
    }
    // Beside cells of its own it is one of many, and stands in the summary.
    if main.is_none() {
        let parts = hold_parts(figures.holds.as_ref(), Form::Terminal);
        lines.extend(parts.iter().flat_map(|part| match part.contains('\n') {
            // A table is as wide as it is.
            true => part.lines().map(str::to_owned).collect(),
            false => wrapped(part, place.columns),
        }));
    }
    let warnings = warnings(run, main, place);
    lines.extend(warnings.iter().flat_map(|line| wrapped(line, place.columns)));
    lines.extend(footer(run, main, place));
    lines.iter().map(|line| in_line(line, Form::Terminal).trim_end().to_owned() + "\n").collect()
}

/// Writes what a run of primitives alone found.
fn without_fetches(figures: &Figures) -> Vec<String> {
    let mut lines = vec!["This run measured no fetches.".to_owned()];
    let parts = primitives_parts(&figures.primitives, Form::Terminal);
    lines.extend(parts.iter().flat_map(|part| part.lines().map(str::to_owned)));
    lines
}

/// Writes what the cell says that the answer is about.
fn of_cell(run: &Summary, cell: &CellFigures, columns: usize) -> Vec<String> {
    let answer = run.answer_of(&cell.cell.name);
    let sentences = answer.map(|answer| headline::headline(run, answer, cell.blocks));
    let sentences = sentences.unwrap_or_default();
    let mut lines: Vec<String> =
        sentences.iter().flat_map(|sentence| wrapped(sentence, columns)).collect();
    lines.push(String::new());
    lines.extend(figures_of(run, cell, columns));
    // The page and the summary have the others.
    let elsewhere = headline::elsewhere(run);
    lines.extend(elsewhere.iter().take(1).flat_map(|line| wrapped(line, columns)));
    lines
}

#[cfg(test)]
mod tests;
