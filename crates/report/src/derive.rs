//! The files that are computed from a run. The same run gives the same bytes, so that whoever
//! doubts a table can compute it again and compare.

use std::collections::BTreeMap;

use analysis::cell_figures::CellFigures;
use analysis::checks::badges_of;
use analysis::claim::is_estimate;
use analysis::figures::{Figures, figures};
use analysis::footprint::model_footprints;
use analysis::ideas::ideas;
use analysis::line::line;
use analysis::number::count;
use analysis::summary::summary as summary_data;
use analysis::trust::Trust;
use record::Run;

use crate::citation::COMMIT_DIGITS;
use crate::cite::{CiteForm, cite};
use crate::figure::{Charts, standalone};
use crate::footprint_text::footprints_text;
use crate::html::{self, Page};
use crate::ideas_text::ideas_text;
use crate::summary::{Form, summary};
use crate::trust_text::trust_text;
use crate::{json, paper};

/// Returns every file that is computed from a run, by its name inside `derived/`; `baseline` and
/// `floor` name models.
pub fn derive(run: &Run, baseline: &str, floor: &str) -> BTreeMap<String, Vec<u8>> {
    derive_from(run, &figures(run, baseline, floor), &Trust::of(run, (baseline, floor)))
}

/// Returns the same from what was computed already.
pub fn derive_from(run: &Run, figures: &Figures, trust: &Trust) -> BTreeMap<String, Vec<u8>> {
    let parts = [
        summary(run, figures, Form::Markdown),
        trust_text(trust, Form::Markdown),
        ideas_text(&ideas(run, figures), Form::Markdown),
        footprints_text(&model_footprints(run), Form::Markdown),
    ];
    let tables = parts.join("\n");
    let charts = Charts::of(run, figures);
    let page = Page { run, figures, trust, charts: &charts };
    // One line a file: what else is computed from a run joins this list.
    let files = [
        ("checks.json", json::text(trust)),
        ("report.html", html::page(&page)),
        ("summary.json", json::text(&summary_data(run, figures))),
        ("summary.md", tables.into_bytes()),
        ("tables.csv", paper::tidy(run, figures, &trust.badges)),
    ];
    let mut files: BTreeMap<String, Vec<u8>> =
        files.map(|(name, bytes)| (name.to_owned(), bytes)).into();
    for (cell, figure) in charts.all().filter(|(_, figure)| figure.missing().is_none()) {
        let source = source(run, trust, cell.and_then(|place| figures.cells.get(place)));
        files.insert(format!("figures/{}.svg", figure.id), standalone::svg(figure, &source));
        files.insert(format!("figures/{}.csv", figure.id), figure.data.csv());
    }
    // Nothing cites a run that is not complete.
    for (name, form) in [
        ("CITATION.cff", CiteForm::Cff),
        ("citation.bib", CiteForm::Bibtex),
        ("tables.tex", CiteForm::Latex),
    ] {
        let cited = cite(run, figures, form).ok();
        files.extend(cited.map(|text| (name.to_owned(), text.into_bytes())));
    }
    files
}

/// Writes where a figure is from and what its numbers may be called, for whoever sees it alone.
fn source(run: &Run, trust: &Trust, cell: Option<&CellFigures>) -> String {
    let commit: String = run.environment.commit.chars().take(COMMIT_DIGITS).collect();
    let of_cell = cell.map_or_else(String::new, |cell| {
        format!(", cell {}, {}", cell.cell.name, count(cell.blocks, "block"))
    });
    let badges = match cell {
        Some(cell) => badges_of(&trust.checks, &cell.cell.name),
        None => trust.badges.clone(),
    };
    let claim = if is_estimate(run) { " An estimate." } else { "" };
    let badges = match badges.is_empty() {
        true => String::new(),
        false => format!(" Badges: {}.", badges.join(", ")),
    };
    line(&format!(
        "Inflight {} (commit {commit}), run {}{of_cell}.{claim}{badges}",
        run.schedule.version, run.id
    ))
}
