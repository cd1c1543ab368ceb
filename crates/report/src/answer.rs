//! The answer of a run, for a terminal: which model, does it matter, one table, what to do next.
//!
//! It is what a reader sees who reads nothing else, so nothing in it goes beyond a verdict or an
//! interval: models that no verdict separates are never put in an order in words. All other cells,
//! the primitives, other languages and the checks are in the summary, for whoever asks.

pub(crate) mod headline;
mod percent;
mod table;
pub(crate) mod versions;
mod warnings;

use std::path::Path;

use analysis::cell_figures::CellFigures;
use analysis::crossing::crossing;
use analysis::figures::Figures;
use analysis::number::count;
use analysis::overhead::Added;
use analysis::{Answer, Integrity, Summary};

use crate::answer::percent::{percent, range};
use crate::answer::table::table;
use crate::answer::warnings::warnings;
use crate::primitives_text::primitives_parts;
use crate::summary::Form;
use crate::sweep_text::heading as sweep_heading;
use crate::table::{TAIL, UNEQUAL, heading};
use crate::words::{in_line, wrapped};

/// What stands before the place of the page.
const PAGE: &str = "Page  ";

/// Where a reader finds the rest.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The page.
    pub page: &'a str,
    /// What the run is called on a command line.
    pub run: &'a str,
    /// The command line of the program itself, such as `inflight`.
    pub program: &'a str,
    /// Letters in a line.
    pub columns: usize,
}

/// Returns how the page of a run is called: its whole path, or, where that has no room in a line,
/// its path from where the reader is.
pub fn page_of(folder: &Path, here: &Path, columns: usize) -> String {
    let page = folder.join("derived/report.html");
    let whole = page.display().to_string();
    let has_room = PAGE.len() + whole.chars().count() <= columns;
    match page.strip_prefix(here) {
        Ok(near) if !has_room => near.display().to_string(),
        _ => whole,
    }
}

/// Writes the answer of a run.
pub fn answer(run: &Summary, place: &Place<'_>) -> String {
    let figures = &run.figures;
    let main = figures.cells.get(figures.main_cell());
    let mut lines = Vec::new();
    match main {
        Some(cell) => lines.extend(of_cell(run, cell, place.columns)),
        None => lines.extend(without_fetches(figures)),
    }
    for sweep in &figures.sweeps {
        let pairs = sweep.pairs.iter().map(|pair| crossing(sweep, pair));
        let reported = [sweep_heading(sweep)].into_iter().chain(pairs);
        lines.extend(reported.flat_map(|line| wrapped(&line, place.columns)));
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
    lines
}

/// Writes the figures of a cell, and what stands behind them.
fn figures_of(run: &Summary, cell: &CellFigures, columns: usize) -> Vec<String> {
    let figures = &run.figures;
    let mut lines = wrapped(&heading(&cell.cell), columns);
    lines.extend(wrapped(&weight(run, cell), columns));
    lines.extend(wrapped(&machine(run), columns));
    lines.extend(table(cell, (&figures.baseline, &figures.floor), columns));
    let clients = run.answer_of(&cell.cell.name).and_then(clients);
    let notes = marks(cell, &figures.baseline).into_iter().chain(clients);
    lines.extend(notes.flat_map(|note| wrapped(&note, columns)));
    lines
}

/// Writes how much stands behind the figures of a cell.
fn weight(run: &Summary, cell: &CellFigures) -> String {
    let (rounds, repeated) = (cell.rounds, cell.repeated);
    let claim = if run.is_estimate { " estimate" } else { "" };
    let mut parts =
        vec![format!("{}{claim}", run.preset), count(cell.blocks, "block"), count(rounds, "round")];
    if repeated > 0 {
        parts.push(format!("{repeated} repeated"));
    }
    let below = cell.noise.as_ref().and_then(|noise| noise.missed_below);
    parts.extend(below.map(|share| {
        let share = percent(1.0 + share).trim_start_matches('+').to_owned();
        format!("differences below {share} may be missed")
    }));
    parts.join(", ")
}

/// Writes where the figures were measured, and by what.
fn machine(run: &Summary) -> String {
    let there = &run.environment;
    format!(
        "{}, {} CPUs ({}), Linux {}, Inflight {}",
        there.cpu, there.cpus, there.kind, there.kernel, run.version
    )
}

/// Explains the marks in the table, where it has any.
fn marks(cell: &CellFigures, baseline: &str) -> Vec<String> {
    let has = |is: fn(&analysis::cell_figures::RowFigures) -> bool| {
        cell.rows.iter().filter_map(|row| row.figures.as_ref()).any(is)
    };
    let mut notes = Vec::new();
    if has(|figures| figures.unequal_rate) {
        notes.push(format!(
            "{UNEQUAL} at another rate than {baseline}, so the costs are not like for like"
        ));
    }
    if has(|figures| figures.tail_sensitive) {
        notes.push(format!("{TAIL} sensitive to rare blocks that cost much more"));
    }
    notes
}

/// Writes what each library client costs on top of the bare models.
fn clients(answer: &Answer) -> Option<String> {
    let one = |own: &Added| {
        let doubt = if own.is_certain { "" } else { " (inconclusive)" };
        format!("{} {}{doubt}", own.client, range(&[own.least, own.most]))
    };
    let clients: Vec<String> = answer.added.iter().map(one).collect();
    (!clients.is_empty()).then(|| format!("client overhead: {}", clients.join(", ")))
}

/// Writes where the page is, how to see more, and how to cite.
fn footer(run: &Summary, main: Option<&CellFigures>, place: &Place<'_>) -> Vec<String> {
    let Place { page, run: name, program, columns } = place;
    let more = format!("More  {program} report {name} --verbose");
    let rest = format!("{more}   ({})", rest(&run.figures, main).join(", "));
    let is_short = rest.chars().count() <= *columns;
    let mut lines = vec![format!("{PAGE}{page}"), if is_short { rest } else { more }];
    if run.integrity == Integrity::Whole {
        lines.push(format!("Cite  {program} cite {name}"));
    }
    lines
}

/// Names what a run has beyond the answer.
fn rest(figures: &Figures, main: Option<&CellFigures>) -> Vec<String> {
    let name = |cell: &CellFigures| cell.cell.name.clone();
    let main = main.map(name);
    let others = figures.cells.iter().map(name).filter(|cell| Some(cell) != main.as_ref());
    let mut rest: Vec<String> = others.take(3).collect();
    for cell in &figures.cells {
        for other in &cell.languages {
            if !rest.contains(&other.language) {
                rest.push(other.language.clone());
            }
        }
    }
    if !figures.cells.is_empty() && !figures.primitives.figures.is_empty() {
        rest.push("primitives".to_owned());
    }
    rest.push("checks".to_owned());
    rest
}

#[cfg(test)]
mod tests;
