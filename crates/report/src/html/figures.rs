//! The sections that are figures, and what stands beside them.

use analysis::cell_figures::CellFigures;
use maud::{Markup, html};
use rules::expected;

use crate::figure::CellCharts;
use crate::figure::drawing::Figure;
use crate::figure::percent::more;
use crate::html::matters::reported as ci;
use crate::html::run_page::Page;
use crate::responses;
use crate::table::heading;

/// What is said where a section's workload was not run.
pub(crate) const NOT_RUN: &str = "Not measured in this run";

impl Page<'_> {
    /// Writes what a fetch costs in every cell, and the ratios of the cells that the first screen
    /// does not show.
    pub(crate) fn cost(&self) -> Markup {
        let main = self.main_cell();
        html! {
            @if self.figures.cells.is_empty() { p.missing { (NOT_RUN) ": no cell of fetches." } }
            @for (place, charts) in self.charts.cells.iter().enumerate() {
                (self.figure(&charts.cost, Some(place)))
                @for language in &charts.languages { (self.figure(language, Some(place))) }
                @if place != main { (self.figure(&charts.ratio, Some(place))) }
            }
            @if self.main().is_some() { (self.across()) }
        }
    }

    /// Writes where the microseconds go.
    pub(crate) fn breakdown(&self) -> Markup {
        html! {
            (self.each(|charts| &charts.breakdown, &html! {
                @if !self.figures.cells.is_empty() {
                    details.more { summary { "Client overhead in each cell" } (self.footprints()) }
                }
            }))
        }
    }

    /// Writes how long a fetch takes.
    pub(crate) fn latency(&self) -> Markup {
        html! {
            (self.each(|charts| &charts.latency, &html! {}))
            @if let Some(chart) = &self.charts.load { (self.figure(chart, None)) }
            @for cell in self.figures.waiting() { (waits(cell)) }
        }
    }

    /// Writes memory beside the wall time of a batch.
    pub(crate) fn memory(&self) -> Markup {
        let main = self.main_cell();
        let Some(charts) = self.charts.cells.get(main) else {
            return html! { p.missing { (NOT_RUN) ": no cell of fetches." } };
        };
        let batch = self.figures.cells.iter().position(|cell| {
            !expected(cell.cell.workload).is_paced_by_delays
                && cell.rows.iter().any(|row| row.valid > 0)
        });
        let wall = |place: usize| (place, &self.charts.cells[place].wall);
        let others = (0..self.charts.cells.len()).filter(|place| Some(*place) != batch);
        html! {
            div.two {
                (self.figure(&charts.memory, Some(main)))
                @if let Some(batch) = batch { (self.figure(wall(batch).1, Some(batch))) }
            }
            details.more {
                summary { "Context switches, and the wall time of the other cells" }
                (self.figure(&charts.switches, Some(main)))
                @for (place, figure) in others.map(wall) { (self.figure(figure, Some(place))) }
                @if self.charts.cells.len() > 1 {
                    p.aside { "Memory and switches of the other cells stand beside this page, \
                        under " code { "figures/" } "." }
                }
            }
        }
    }

    /// Writes every stay as a dot.
    pub(crate) fn stays(&self) -> Markup {
        self.each(|charts| &charts.stays, &html! {})
    }

    /// Writes a figure of each cell: that of the cell that the answer is about is open; what else
    /// is folded stands beside the others.
    fn each(&self, pick: impl Fn(&CellCharts) -> &Figure, more: &Markup) -> Markup {
        let main = self.main_cell();
        let cells = || self.charts.cells.iter().zip(&self.figures.cells).enumerate();
        html! {
            @if self.figures.cells.is_empty() { p.missing { (NOT_RUN) ": no cell of fetches." } }
            @for (place, (charts, _)) in cells().filter(|(place, _)| *place == main) {
                (self.figure(pick(charts), Some(place)))
            }
            div.folds {
                @for (place, (charts, cell)) in cells().filter(|(place, _)| *place != main) {
                    details.more {
                        summary { "In " (cell.cell.name) }
                        p.aside { (heading(&cell.cell)) "." }
                        (self.figure(pick(charts), Some(place)))
                    }
                }
                (more)
            }
        }
    }

    /// Returns the figures of the cell that the answer is about; a run may have no cell at all.
    pub(crate) fn main(&self) -> Option<&CellFigures> {
        self.figures.cells.get(self.main_cell())
    }

    /// Returns which cell the answer is about.
    pub(crate) fn main_cell(&self) -> usize {
        self.figures.main_cell()
    }

    /// Writes each model's ratio in all cells beside each other.
    fn across(&self) -> Markup {
        let baseline = &self.figures.baseline;
        // Those of other languages are compared with their own baselines.
        let models = self.run.models.iter().filter(|model| model.language.is_none());
        let models = models.map(|model| model.name.as_str());
        let mut rows: Vec<(Option<f64>, &str)> = Vec::new();
        for model in models.filter(|name| name != baseline) {
            rows.push((self.ratio_in(self.main_cell(), model).map(|ratio| ratio.value), model));
        }
        let last = |value: Option<f64>| value.unwrap_or(f64::INFINITY);
        rows.sort_by(|a, b| last(a.0).total_cmp(&last(b.0)).then_with(|| a.1.cmp(b.1)));
        html! {
            h3 #across { "Would another delay, load or body change it?" }
            p {
                "The ratio to " (baseline) " in every cell of this run. Where a model's intervals \
                    in two cells do not overlap, the work changes the answer. "
                @if !self.figures.isolates_the_delay() {
                    "No two cells of this run differ in the delay alone, so it does not show what \
                     another delay by itself would change."
                }
            }
            div.scroll tabindex="0" role="group" aria-label="Ratios across cells" {
                table.stack {
                    caption { "CPU time per fetch against " (baseline)
                        ", with the intervals that decide: 95 %, simultaneous in each cell" }
                    thead {
                        tr {
                            th scope="col" { "model" }
                            @for cell in &self.figures.cells {
                                th.figure scope="col" { (cell.cell.name) }
                            }
                        }
                    }
                    tbody {
                        @for (_, model) in &rows {
                            tr {
                                th scope="row" { (model) }
                                @for (index, cell) in self.figures.cells.iter().enumerate() {
                                    td.figure data-of=(cell.cell.name) {
                                        (ci(&self.ratio_or_reason(index, model))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Writes what the library clients cost in every cell.
    fn footprints(&self) -> Markup {
        let cells = &self.figures.cells;
        let mut models: Vec<&str> = Vec::new();
        for footprint in cells.iter().flat_map(|cell| &cell.footprints) {
            if !models.contains(&footprint.model.as_str()) {
                models.push(&footprint.model);
            }
        }
        let reported = |cell: &CellFigures, model: &str| {
            let footprint = cell.footprints.iter().find(|footprint| footprint.model == model);
            footprint.map_or(crate::table::NOTHING.to_owned(), |footprint| more(&footprint.ratio))
        };
        html! {
            @if models.is_empty() {
                p.missing { (NOT_RUN) ": no model beside its library client." }
            }
            @else {
                div.scroll tabindex="0" role="group" aria-label="Client overhead" {
                    table.stack {
                        caption { "CPU time per fetch against the same model on the shared core, \
                            each with its own 95 % interval ("
                            (self.run.estimator.both()) ")" }
                        thead { tr {
                            th scope="col" { "model" }
                            @for cell in cells { th.figure scope="col" { (cell.cell.name) } }
                        } }
                        tbody { @for model in models { tr {
                            th scope="row" { (model) }
                            @for cell in cells { td.figure data-of=(cell.cell.name) {
                                (ci(&reported(cell, model))) } }
                        } } }
                    }
                }
            }
        }
    }

    /// Returns the ratio of a model to the baseline in a cell.
    fn ratio_in(&self, cell: usize, model: &str) -> Option<analysis::Estimate> {
        let row = self.figures.cells[cell].rows.iter().find(|row| row.model == model)?;
        row.figures.as_ref()?.ratio
    }

    /// Writes the ratio of a model in a cell, or why there is none.
    fn ratio_or_reason(&self, cell: usize, model: &str) -> String {
        let row = self.figures.cells[cell].rows.iter().find(|row| row.model == model);
        match (self.ratio_in(cell, model), row) {
            (Some(ratio), _) => more(&ratio),
            (None, Some(row)) => crate::table::state_word(row.state).to_owned(),
            (None, None) => crate::table::NOTHING.to_owned(),
        }
    }
}

/// Writes what fetches wait for, if they arrive at a rate.
fn waits(cell: &CellFigures) -> Markup {
    let rows = responses::rows(cell);
    html! {
        @if !rows.is_empty() {
            h3 { (responses::heading(&cell.cell)) }
            div.scroll tabindex="0" role="group"
                aria-label=(responses::heading(&cell.cell)) { table.stack {
                thead { tr { @for column in responses::COLUMNS { th scope="col" { (column) } } } }
                tbody { @for row in &rows { tr {
                    @for (text, column) in row.iter().zip(responses::COLUMNS) {
                        @if column == responses::COLUMNS[0] { th scope="row" { (text) } }
                        @else { td data-of=(column) { (ci(text)) } }
                    }
                } } }
            } }
            p.aside { (responses::LEGEND) "." }
        }
    }
}
