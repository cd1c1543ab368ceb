//! What fetches in flight take.

use analysis::hold::{HoldFigures, HoldRow};
use maud::{Markup, html};

use crate::hold_text::{
    COLUMNS, HOW_TO_READ, columns, groups, heading, reasons, without_intervals,
};
use crate::html::matters::reported;
use crate::html::run_page::Page;

impl Page<'_> {
    /// Writes what each model takes for fetches in flight.
    pub(crate) fn holds(&self) -> Markup {
        html! {
            @if let Some(holds) = &self.figures.holds {
                (table(holds))
                @if let Some(why) = without_intervals(holds) { p.aside { (why) "." } }
                @for reason in reasons(holds) { p.aside { (reason) "." } }
                @if let Some(groups) = groups(holds) { p.aside { (groups) "." } }
                @if let Some(chart) = &self.charts.hold { (self.figure(chart, None)) }
                p.aside { (HOW_TO_READ) "." }
            }
        }
    }
}

/// Writes the table.
fn table(holds: &HoldFigures) -> Markup {
    let [model, figures @ ..] = COLUMNS;
    html! {
        div.scroll tabindex="0" role="region" aria-label="Memory of fetches in flight" {
            table.stack {
                caption { (heading(holds)) }
                thead { tr {
                    th scope="col" { (model) }
                    @for column in figures { th.figure scope="col" { (column) } }
                } }
                tbody { @for row in &holds.rows { (line(row)) } }
            }
        }
    }
}

/// Writes the row of a model.
fn line(row: &HoldRow) -> Markup {
    html! {
        tr {
            th scope="row" { (row.model) }
            @for (figure, column) in columns(row).iter().zip(COLUMNS).skip(1) {
                td.figure data-of=(column) { (reported(figure)) }
            }
        }
    }
}
