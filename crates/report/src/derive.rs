//! The files that are computed from a run. The same run gives the same bytes, so that whoever
//! doubts a table can compute it again and compare.

use std::collections::BTreeMap;

use analysis::Summary;
use analysis::cell_figures::CellFigures;
use analysis::checks::badges_of;
use analysis::line::line;
use analysis::number::count;

use crate::citation::COMMIT_DIGITS;
use crate::cite::{CiteForm, cite};
use crate::figure::{Charts, standalone};
use crate::footprint_text::footprints_text;
use crate::form::Form;
use crate::html;
use crate::html::run_page::Page;
use crate::ideas_text::ideas_text;
use crate::summary::summary;
use crate::trust_text::trust_text;
use crate::{json, paper};

/// Returns every file that is made of a run, by its name inside `derived/`.
pub fn derive(run: &Summary) -> BTreeMap<String, Vec<u8>> {
    let (figures, trust) = (&run.figures, &run.trust);
    let parts = [
        summary(run, Form::Markdown),
        trust_text(trust, Form::Markdown),
        ideas_text(&run.ideas, Form::Markdown),
        footprints_text(&run.footprints, Form::Markdown),
    ];
    let tables = parts.join("\n");
    let charts = Charts::of(run);
    let page = Page { run, figures, trust, charts: &charts };
    // One line a file: what else is computed from a run joins this list.
    let files = [
        ("checks.json", json::text(trust)),
        ("report.html", html::page(&page)),
        ("summary.json", json::text(run)),
        ("summary.md", tables.into_bytes()),
        ("tables.csv", paper::tidy(run)),
    ];
    let mut files: BTreeMap<String, Vec<u8>> =
        files.map(|(name, bytes)| (name.to_owned(), bytes)).into();
    for (cell, figure) in charts.all().filter(|(_, figure)| figure.missing().is_none()) {
        let source = source(run, cell.and_then(|place| figures.cells.get(place)));
        files.insert(format!("figures/{}.svg", figure.id), standalone::svg(figure, &source));
        files.insert(format!("figures/{}.csv", figure.id), figure.data.csv());
    }
    // Nothing cites a run that is not complete.
    for (name, form) in [
        ("CITATION.cff", CiteForm::Cff),
        ("citation.bib", CiteForm::Bibtex),
        ("tables.tex", CiteForm::Latex),
    ] {
        let cited = cite(run, form).ok();
        files.extend(cited.map(|text| (name.to_owned(), text.into_bytes())));
    }
    files
}

/// Writes where a figure is from and what its numbers may be called, for whoever sees it alone.
fn source(run: &Summary, cell: Option<&CellFigures>) -> String {
    let commit: String = run.environment.commit.chars().take(COMMIT_DIGITS).collect();
    let of_cell = cell.map_or_else(String::new, |cell| {
        format!(", cell {}, {}", cell.cell.name, count(cell.blocks, "block"))
    });
    let badges = match cell {
        Some(cell) => badges_of(&run.trust.checks, &cell.cell.name),
        None => run.trust.badges.clone(),
    };
    let claim = if run.is_estimate { " An estimate." } else { "" };
    let badges = match badges.is_empty() {
        true => String::new(),
        false => format!(" Badges: {}.", badges.join(", ")),
    };
    line(&format!(
        "Inflight {} (commit {commit}), run {}{of_cell}.{claim}{badges}",
        run.version, run.id
    ))
}
