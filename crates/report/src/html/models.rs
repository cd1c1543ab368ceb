//! The models one by one, and what failed.

use analysis::Model;
use analysis::cell_figures::{CellFigures, Row};
use analysis::number::digits;
use maud::{Markup, html};

use crate::footprint_text::{COLUMNS, columns};
use crate::html::quoted::quoted;
use crate::html::run_page::Page;

impl Page<'_> {
    /// Writes what failed, by model and code.
    pub(crate) fn errors(&self) -> Markup {
        let failing: Vec<(&str, &Row)> = self
            .figures
            .cells
            .iter()
            .flat_map(|cell| cell.all_rows().map(|row| (cell.cell.name.as_str(), row)))
            .filter(|(_, row)| !row.errors.is_empty())
            .collect();
        let rows = self.figures.cells.iter().flat_map(CellFigures::all_rows);
        let turns: usize = rows.map(|row| row.turns).sum();
        html! {
            @if failing.is_empty() {
                p { "No fetch failed in " (turns) " turns of models. A fetch counts only if its \
                    status, its length, its checksum and its echoed id are right." }
            } @else {
                div.scroll tabindex="0" role="group" aria-label="Failed fetches" {
                    table {
                        caption { "Fetches that failed, by the code of the error" }
                        thead { tr {
                            th scope="col" { "cell" } th scope="col" { "model" }
                            th scope="col" { "code" } th.figure scope="col" { "fetches" }
                        } }
                        tbody {
                            @for (cell, row) in failing { @for (code, count) in &row.errors {
                                tr { td { (cell) } th scope="row" { (row.model) } td { (code) }
                                    td.figure { (count) } }
                            } }
                        }
                    }
                }
            }
            (self.quirks())
        }
    }

    /// Writes the models one by one.
    pub(crate) fn models(&self) -> Markup {
        html! {
            p {
                "Bare models speak HTTP by one core that all of them share, so that nothing \
                 differs but the way of waiting; the others use the library that people usually \
                 take."
            }
            div.models { @for model in &self.run.models { (self.model(model)) } }
            (self.footprint())
        }
    }

    /// Writes what models cost beside their speed.
    fn footprint(&self) -> Markup {
        let footprints = &self.run.footprints;
        html! {
            h3 #footprint { "The footprint of a model" }
            @if footprints.is_known() {
                div.scroll tabindex="0" role="region" aria-label="The footprint of a model" {
                    table.sortable #table-footprint {
                        caption { "Size of each model" }
                        thead { tr {
                            th scope="col" { (COLUMNS[0]) }
                            @for name in &COLUMNS[1..] { th.figure scope="col" { (name) } }
                        } }
                        tbody { @for row in &footprints.rows { tr {
                            th scope="row" { (row.model) }
                            @for text in &columns(row)[1..] { td.figure { (text) } }
                        } } }
                    }
                }
            }
            @for note in &footprints.notes { p.aside { (quoted(note)) } }
        }
    }

    /// Writes one model.
    fn model(&self, model: &Model) -> Markup {
        let versions = self.versions(&model.name);
        // Rows of one package have programs of their own.
        let program = format!("model-{}", model.name);
        html! {
            article id=(format!("model-{}", model.name)) {
                h3 { (model.name) " " span.cell { (model.label) } }
                dl {
                    dt { "unit" } dd { (model.unit) }
                    dt { "client" } dd { (model.client) }
                    dt { "threads" } dd { (model.threads) }
                    @if let Some(most) = model.max_in_flight { dt { "in flight" } dd { "at most "
                        (most) } }
                    @if let Some(most) = &model.connections { dt { "connections" } dd {
                        "at most " (most) } }
                    @if !versions.is_empty() { dt { "versions" } dd { (versions) } }
                    @if let Some(hash) = self.run.environment.programs_sha256.get(&program) {
                        dt { "program" } dd { code {
                            (hash.get(..12).unwrap_or(hash)) } }
                    }
                    @for cell in &self.figures.cells {
                        @if let Some(row) = cell.all_rows().find(|row| row.model == model.name) {
                            dt { (cell.cell.name) } dd { (quoted(&reported(row))) }
                        }
                    }
                    @for (name, value) in &model.env { dt { "environment" } dd { code { (name)
                        "=" (value) } } }
                    @for knob in &model.knobs {
                        dt { "set" } dd { code { (knob.name) } " to " (knob.set) " instead of "
                            (knob.default) ": " (knob.why) }
                    }
                }
            }
        }
    }

    /// Returns what a model said that it is built on.
    pub(crate) fn versions(&self, model: &str) -> String {
        let versions = self.run.versions_of(model);
        versions
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Writes what became of a model in a cell.
fn reported(row: &Row) -> String {
    let turns = format!("{} of {} turns valid", row.valid, row.turns);
    match (&row.figures, &row.reason) {
        (Some(figures), None) => format!("{} µs a fetch; {turns}", digits(figures.cpu_us.value)),
        (Some(figures), Some(reason)) => {
            format!("{} µs a fetch; {turns}; {reason}", digits(figures.cpu_us.value))
        }
        (None, Some(reason)) => reason.clone(),
        (None, None) => "not measured".to_owned(),
    }
}
