//! The figures of a cell in an answer: its table, and what stands behind it.

use analysis::cell_figures::{CellFigures, RowFigures};
use analysis::number::count;
use analysis::overhead::Added;
use analysis::{Answer, Summary};

use crate::answer::table::table;
use crate::percent::{percent, range};
use crate::summary::other_threads;
use crate::table::{TAIL, UNEQUAL, heading};
use crate::words::wrapped;

/// Writes the figures of a cell, and what stands behind them.
pub(super) fn figures_of(run: &Summary, cell: &CellFigures, columns: usize) -> Vec<String> {
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
    let claim = if run.is_estimate { " estimate" } else { "" };
    let rounds = count(cell.rounds, "round") + &repeated(cell);
    let mut parts = vec![format!("{}{claim}", run.preset), count(cell.blocks, "block"), rounds];
    let below = cell.noise.as_ref().and_then(|noise| noise.missed_below);
    parts.extend(below.map(|share| {
        let share = percent(1.0 + share).trim_start_matches('+').to_owned();
        format!("differences below {share} may be missed")
    }));
    parts.join(", ")
}

/// Writes how many rounds were measured again, behind how many count.
pub(crate) fn repeated(cell: &CellFigures) -> String {
    match cell.repeated {
        0 => String::new(),
        rounds => format!(" ({rounds} measured again)"),
    }
}

/// Writes where the figures were measured, and by what.
pub(super) fn machine(run: &Summary) -> String {
    let there = &run.environment;
    format!(
        "{}, {} CPUs ({}), Linux {}, Inflight {}",
        there.cpu, there.cpus, there.kind, there.kernel, run.version
    )
}

/// Explains the marks in the table, where it has any, and says which rows had other threads.
fn marks(cell: &CellFigures, baseline: &str) -> Vec<String> {
    let has = |is: fn(&RowFigures) -> bool| {
        cell.rows.iter().filter_map(|row| row.figures.as_ref()).any(is)
    };
    let mut notes: Vec<String> = other_threads(&cell.rows).collect();
    if has(|figures| figures.unequal_rate) {
        notes.push(format!(
            "{UNEQUAL} at another rate than {baseline}: do not compare its cost with {baseline}'s"
        ));
    }
    if has(|figures| figures.tail_sensitive) {
        notes.push(format!("{TAIL} the ratio of total costs differs; --verbose prints it"));
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
