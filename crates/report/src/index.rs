//! The index of runs that were published, as Markdown.

use analysis::line::line;
use analysis::number::shortened;
use analysis::{Integrity, Summary};

use crate::citation::{Date, machine};
use crate::escape::markdown;

/// What a reader opens of a run, by its name inside `derived/`.
const LINKS: [&str; 4] = ["summary.md", "report.html", "tables.csv", "CITATION.cff"];

/// Writes a table of runs, the newest first; links lead into folders that lie beside the page.
pub fn index(runs: &[Summary]) -> String {
    let header = [
        "run", "day", "machine", "preset", "cells", "models", "blocks", "turns", "Inflight", "read",
    ];
    let mut runs: Vec<&Summary> = runs.iter().collect();
    runs.sort_by(|a, b| b.id.cmp(&a.id));
    let rows = runs.iter().map(|run| row(run));
    let rule = header.map(|_| "---".to_owned());
    let lines = [header.map(str::to_owned), rule].into_iter().chain(rows);
    let line = |columns: [String; 10]| ["| ", &columns.join(" | "), " |\n"].concat();
    lines.map(line).collect()
}

/// Returns the columns of a run.
fn row(run: &Summary) -> [String; 10] {
    let id = markdown(&line(&run.id));
    let hash = run.content_sha256.as_deref().map_or_else(String::new, shortened);
    let links = LINKS.map(|name| format!("[{name}]({id}/derived/{name})"));
    let cells = run.figures.cells.iter().map(|cell| markdown(&line(&cell.cell.name)));
    let estimate = if run.is_estimate { ", estimate" } else { "" };
    [
        format!("{id} ({hash})"),
        Date::of_run(run).map_or_else(String::new, Date::iso),
        markdown(&machine(run)),
        format!("{}{estimate}", markdown(&line(&run.preset))),
        cells.collect::<Vec<_>>().join(", "),
        run.models.len().to_string(),
        run.blocks.fetches.to_string(),
        turns(run),
        markdown(&line(&run.version)),
        links.join(" "),
    ]
}

/// Writes how many turns count, and what became of the others and of the run if it is not whole.
fn turns(run: &Summary) -> String {
    let turns = &run.turns;
    let (valid, repeated) = (turns.valid(), turns.repeated);
    let lost = match turns.all - valid {
        0 => String::new(),
        lost => format!(", {lost} invalid or failed"),
    };
    let doubt = match &run.integrity {
        Integrity::Whole => "",
        Integrity::Unfinished => ", unfinished",
        Integrity::Altered(_) => ", altered",
    };
    format!("{valid} count{lost}, {repeated} repeated{doubt}")
}
