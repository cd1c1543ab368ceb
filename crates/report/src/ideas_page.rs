//! What the teaching page says, answered by runs that were published: each of its claims and
//! definitions with the figure of the newest run that has one.

use analysis::Summary;
use analysis::ideas::{IDEAS, Idea, LOAD, PRIMITIVES, SWEEP};
use workload::{Cell, OriginKind};

use crate::form::Form;
use crate::words::in_line;

/// Writes a table of the page's ideas, and which runs they were asked of; links lead into folders
/// that lie beside the page.
pub fn ideas_page(runs: &[Summary]) -> String {
    let mut runs: Vec<&Summary> = runs.iter().collect();
    runs.sort_by(|a, b| b.id.cmp(&a.id));
    let count = runs.first().map_or(0, |run| run.ideas.len());
    let mut text =
        "| the page | measured | in run | measured again by |\n|---|---|---|---|\n".to_owned();
    let mut asked: Vec<&Summary> = Vec::new();
    for place in 0..count {
        let (row, run) = row(&runs, place);
        text += &row;
        asked.extend(run.filter(|run| !asked.iter().any(|known| known.id == run.id)));
    }
    let machine = |run: &Summary| {
        let machine = &run.environment;
        let line =
            format!("{}   {}, {} CPUs ({})", run.origin, machine.cpu, machine.cpus, machine.kind);
        format!("\n{}\n", in_line(&line, Form::Markdown))
    };
    text + &asked.into_iter().map(machine).collect::<String>()
}

/// Writes the row of an idea, and reports the run that answers it. The runs are the newest first; a
/// newer one that should have the answer and has none is named.
fn row<'a>(runs: &[&'a Summary], place: usize) -> (String, Option<&'a Summary>) {
    let Idea { says, command, .. } = runs[0].ideas[place];
    let able: Vec<&&Summary> = runs.iter().filter(|run| measures(run, command)).collect();
    let answer = able.iter().position(|run| run.ideas[place].measured.is_some());
    let silent = &able[..answer.unwrap_or(able.len())];
    let silent = silent.iter().map(|run| format!("; run {} does not say", run.id));
    let silent: String = silent.collect();
    let (measured, link, run) = match answer.map(|newest| *able[newest]) {
        Some(run) => {
            let id = in_line(&run.id, Form::Markdown);
            let link = format!("[{id}]({id}/derived/report.html)");
            (run.ideas[place].answer(), link, Some(run))
        }
        None => ("no published run says".to_owned(), "-".to_owned(), None),
    };
    let measured = in_line(&(measured + &silent), Form::Markdown);
    (format!("| {says} | {measured} | {link} | `{command}` |\n"), run)
}

/// Returns whether a run is of the kind that a command measures. What is said without a word on who
/// served is said of the usual origin: at another, models cost something else.
fn measures(run: &Summary, command: &str) -> bool {
    let (figures, asked) = (&run.figures, run.placement.origin);
    let mut cells = figures.cells.iter().map(|own| &own.cell);
    let is_usual = |cell: &Cell| cell.served_by(asked) == OriginKind::default();
    match command {
        // Versions of one model say nothing of others.
        _ if run.models.iter().any(|model| model.variant.is_some()) => false,
        // A sweep may have probe tasks too, and shows what its levels change.
        IDEAS => !run.has_sweeps && cells.any(|cell| cell.probe_period_us > 0 && is_usual(cell)),
        LOAD => !run.has_sweeps && cells.any(Cell::is_open),
        SWEEP => run.has_sweeps && cells.all(is_usual),
        PRIMITIVES => !figures.primitives.is_empty(),
        _ => !run.has_sweeps && cells.any(|cell| cell.probe_period_us == 0 && is_usual(cell)),
    }
}
