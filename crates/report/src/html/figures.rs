//! The sections that are figures, and what stands beside them.

use maud::{Markup, html};
use model_kit::{Cell, Workload};

use crate::estimator::Estimator;
use crate::figure::{CellCharts, Figure};
use crate::figures::CellFigures;
use crate::html::Page;
use crate::html::chart::figure;
use crate::number::{digits, with_interval};
use crate::table::heading;

/// What is said where a section's workload was not run.
pub(crate) const NOT_RUN: &str = "Not measured in this run";

impl Page<'_> {
    /// Writes what a fetch costs.
    pub(crate) fn cost(&self) -> Markup {
        html! {
            (self.each(|charts| &charts.cost))
            @if let (Some(charts), Some(cell)) = (self.charts.cells.get(self.main_cell()),
                self.main()) {
                @for language in &charts.languages { (figure(language, &cell.cell.name)) }
            }
        }
    }

    /// Writes who differs from the baseline, and every pair that was judged.
    pub(crate) fn ratios(&self) -> Markup {
        html! {
            (self.each(|charts| &charts.ratio))
            @if self.main().is_some() { (self.pairs()) (self.across()) }
        }
    }

    /// Writes where the microseconds go.
    pub(crate) fn breakdown(&self) -> Markup {
        html! {
            p.key-line {
                span.swatch.b0 {} " floor " span.swatch.b1 {} " the model " span.swatch.b2 {}
                " its usual HTTP client"
            }
            (self.each(|charts| &charts.breakdown))
            (self.footprints())
        }
    }

    /// Writes the wall time.
    pub(crate) fn wall(&self) -> Markup {
        let batch = self.figures.cells.iter().position(|cell| {
            cell.cell.workload == Workload::Batch && cell.rows.iter().any(|row| row.valid > 0)
        });
        html! {
            @if let Some(batch) = batch { (self.bought(&self.figures.cells[batch])) }
            (self.each_from(batch.unwrap_or(self.main_cell()), |charts| &charts.wall))
        }
    }

    /// Says what concurrency buys in a batch.
    fn bought(&self, cell: &CellFigures) -> Markup {
        let bound = |name: &str| self.run.schedule.model(name).and_then(|m| m.max_in_flight);
        let rows = || cell.rows.iter().filter_map(|row| Some((row, row.figures.as_ref()?)));
        let alone = rows().find(|(row, _)| bound(&row.model) == Some(1));
        let walls = rows().filter(|(row, _)| bound(&row.model).is_none());
        let mut walls: Vec<f64> = walls.map(|(_, figures)| figures.wall_ms.value).collect();
        walls.sort_by(f64::total_cmp);
        html! {
            @if let (Some((row, figures)), Some(least), Some(most)) = (alone, walls.first(),
                walls.last()) {
                p {
                    (cell.cell.fetches) " fetches one after the other (" (row.model) ") take "
                    b { (digits(figures.wall_ms.value)) " ms" } ", " (cell.cell.in_flight)
                    " in flight between " b { (digits(*least)) " and " (digits(*most)) " ms" }
                    ", by model: concurrency buys the wait, and which model one takes changes \
                     little of it."
                }
            }
        }
    }

    /// Writes how long a fetch takes.
    pub(crate) fn latency(&self) -> Markup {
        html! {
            p {
                "These are service times of a closed loop. Response times need fetches that \
                 arrive on their own, whether or not a slot is free; no such workload was \
                 run."
            }
            (self.each(|charts| &charts.latency))
        }
    }

    /// Writes memory and context switches.
    pub(crate) fn memory(&self) -> Markup {
        let Some(charts) = self.charts.cells.get(self.main_cell()) else {
            return html! { p.missing { (NOT_RUN) ": no cell of fetches." } };
        };
        let cell = self.main().map_or("", |cell| &cell.cell.name);
        html! {
            (figure(&charts.memory, cell))
            (figure(&charts.switches, cell))
            @if self.charts.cells.len() > 1 {
                p.aside { "Those of the other cells stand beside this page, under "
                    code { "figures/" } "." }
            }
        }
    }

    /// Writes every stay as a dot.
    pub(crate) fn stays(&self) -> Markup {
        self.each(|charts| &charts.stays)
    }

    /// Writes a figure of each cell: the first that answers is open.
    fn each(&self, pick: impl Fn(&CellCharts) -> &Figure) -> Markup {
        self.each_from(self.main_cell(), pick)
    }

    /// Writes a figure of each cell: that of one cell is open.
    fn each_from(&self, main: usize, pick: impl Fn(&CellCharts) -> &Figure) -> Markup {
        let cells = || self.charts.cells.iter().zip(&self.figures.cells).enumerate();
        html! {
            @if self.figures.cells.is_empty() { p.missing { (NOT_RUN) ": no cell of fetches." } }
            @for (_, (charts, cell)) in cells().filter(|(index, _)| *index == main) {
                (figure(pick(charts), &cell.cell.name))
            }
            @for (_, (charts, cell)) in cells().filter(|(index, _)| *index != main) {
                details.more {
                    summary { (heading(&cell.cell)) }
                    (figure(pick(charts), &cell.cell.name))
                }
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
        let models = self.run.schedule.models.iter().map(|model| model.name.as_str());
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
                @if !self.isolates_the_delay() {
                    "No two cells of this run differ in the delay alone, so it does not tell what \
                     another delay by itself would change."
                }
            }
            div.scroll tabindex="0" role="group" aria-label="Ratios across cells" {
                table {
                    caption { "CPU time per fetch in times " (baseline)
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
                                @for index in 0..self.figures.cells.len() {
                                    td.figure { (self.told_in(index, model)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Returns whether two cells differ in the delay and in nothing else.
    fn isolates_the_delay(&self) -> bool {
        let alike = |a: &Cell, b: &Cell| {
            let without = |cell: &Cell| Cell {
                name: String::new(),
                delay_ms: [0, 0].into(),
                fetches: 0,
                warmup: 0,
                ..cell.clone()
            };
            a.delay_ms != b.delay_ms && without(a) == without(b)
        };
        let cells = &self.figures.cells;
        cells.iter().any(|a| cells.iter().any(|b| alike(&a.cell, &b.cell)))
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
        let told = |cell: &CellFigures, model: &str| {
            let footprint = cell.footprints.iter().find(|footprint| footprint.model == model);
            footprint.map_or(crate::table::NOTHING.to_owned(), |footprint| {
                with_interval(&footprint.ratio)
            })
        };
        html! {
            h3 { "What the HTTP client costs" }
            @if models.is_empty() {
                p.missing { (NOT_RUN) ": no model beside its library client." }
            }
            @else {
                div.scroll tabindex="0" role="group" aria-label="The client's footprint" {
                    table {
                        caption { "CPU time per fetch in times the same model on the shared core, \
                            with its own 95 % interval each ("
                            (Estimator::of(self.run).both()) ")" }
                        thead { tr {
                            th scope="col" { "model" }
                            @for cell in cells { th.figure scope="col" { (cell.cell.name) } }
                        } }
                        tbody { @for model in models { tr {
                            th scope="row" { (model) }
                            @for cell in cells { td.figure { (told(cell, model)) } }
                        } } }
                    }
                }
            }
        }
    }

    /// Returns the ratio of a model to the baseline in a cell.
    fn ratio_in(&self, cell: usize, model: &str) -> Option<stats::Estimate> {
        let row = self.figures.cells[cell].rows.iter().find(|row| row.model == model)?;
        row.figures.as_ref()?.ratio
    }

    /// Writes the ratio of a model in a cell, or why there is none.
    fn told_in(&self, cell: usize, model: &str) -> String {
        let row = self.figures.cells[cell].rows.iter().find(|row| row.model == model);
        match (self.ratio_in(cell, model), row) {
            (Some(ratio), _) => with_interval(&ratio),
            (None, Some(row)) => crate::table::standing(row.standing).to_owned(),
            (None, None) => crate::table::NOTHING.to_owned(),
        }
    }
}
