//! The files that are computed from a run. The same run gives the same bytes, so that whoever
//! doubts a table can compute it again and compare.

use std::collections::BTreeMap;

use record::Run;

use crate::cite::{CiteForm, cite};
use crate::figure::{Charts, standalone};
use crate::figures::{Figures, figures};
use crate::html::{self, Page};
use crate::ideas::{ideas, ideas_text};
use crate::json;
use crate::paper;
use crate::price::model_prices;
use crate::summary::{Form, summary};
use crate::trust::Trust;

/// Returns every file that is computed from a run, by its name inside `derived/`; `baseline` and
/// `floor` name models.
pub fn derive(run: &Run, baseline: &str, floor: &str) -> BTreeMap<String, Vec<u8>> {
    derive_from(run, &figures(run, baseline, floor), &Trust::of(run, (baseline, floor)))
}

/// Returns the same from what was computed already.
pub fn derive_from(run: &Run, figures: &Figures, trust: &Trust) -> BTreeMap<String, Vec<u8>> {
    let parts = [
        summary(run, figures, Form::Markdown),
        trust.text(Form::Markdown),
        ideas_text(&ideas(run, figures), Form::Markdown),
        model_prices(run).text(Form::Markdown),
    ];
    let tables = parts.join("\n");
    let charts = Charts::of(run, figures);
    let page = Page { run, figures, trust, charts: &charts };
    // One line a file: what else is computed from a run joins this list.
    let files = [
        ("gates.json", json::text(trust)),
        ("report.html", html::page(&page)),
        ("summary.json", json::summary(run, figures)),
        ("summary.md", tables.into_bytes()),
        ("tables.csv", paper::tidy(run, figures, &trust.badges)),
    ];
    let mut files: BTreeMap<String, Vec<u8>> =
        files.map(|(name, bytes)| (name.to_owned(), bytes)).into();
    for figure in charts.all().filter(|figure| figure.missing().is_none()) {
        let source = format!("Inflight {}, run {}.", run.schedule.version, run.id);
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
