//! Where a reader finds the rest of what an answer says.

use std::path::Path;

use analysis::cell_figures::CellFigures;
use analysis::figures::Figures;
use analysis::{INFLIGHT, Integrity, Summary};

/// What stands before the place of the page.
const PAGE: &str = "Page  ";

/// Where a reader finds the rest.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The page.
    pub page: &'a str,
    /// What the run is called on a command line.
    pub run: &'a str,
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

/// Writes where the page is, how to see more, and how to cite.
pub(super) fn footer(run: &Summary, main: Option<&CellFigures>, place: &Place<'_>) -> Vec<String> {
    let Place { page, run: name, columns } = place;
    let more = format!("More  {INFLIGHT} report {name} --verbose");
    let rest = format!("{more}   ({})", rest(&run.figures, main).join(", "));
    let is_short = rest.chars().count() <= *columns;
    let mut lines = vec![format!("{PAGE}{page}"), if is_short { rest } else { more }];
    if run.integrity == Integrity::Whole {
        lines.push(format!("Cite  {INFLIGHT} cite {name}"));
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
