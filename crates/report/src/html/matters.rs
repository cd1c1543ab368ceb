//! What the differences mean where fetches are a part of a program, in a reader's terms.

use analysis::cell_figures::CellFigures;
use analysis::{Answer, Consequence};
use maud::{Markup, html};

use crate::figure::percent::with_ends;
use crate::html::run_page::Page;

impl Page<'_> {
    /// Writes what the largest differences mean.
    pub(crate) fn meaning(&self, cell: &CellFigures) -> Markup {
        let answer = self.run.answer_of(&cell.cell.name);
        let of = |choice, find: fn(&Answer) -> &Option<Consequence>| {
            Some((choice, answer.and_then(|answer| find(answer).as_ref())?))
        };
        let rows: Vec<(&str, &Consequence)> =
            [of("model", |own| &own.models), of("HTTP client", |own| &own.clients)]
                .into_iter()
                .flatten()
                .collect();
        html! {
            @if rows.is_empty() {
                p { "No two models of " (cell.cell.name) " differ for sure: whichever one takes, \
                    this run knows of no reason in CPU time." }
            } @else {
                div.scroll tabindex="0" role="group" aria-label="What the differences mean" {
                    table.meaning {
                        caption { "The largest certain differences in " (cell.cell.name)
                            ", from the ratios of turns of one round" }
                        thead { tr {
                            th scope="col" { "choice of" }
                            th.figure scope="col" { "more a fetch, µs" }
                            th.figure scope="col" { "of a CPU, at 10,000 a second" }
                            th.figure scope="col" { "beside 1 ms of work each" }
                        } }
                        tbody { @for (choice, found) in &rows { tr {
                            th scope="row" {
                                (choice) ", from " (found.less) " to " (found.more) }
                            td.figure { (reported(&with_ends(&found.worth.us))) }
                            td.figure { (format!("{:.1}", 100.0 * found.worth.of_cpu)) " %" }
                            td.figure { "+" (format!("{:.1}", 100.0 * found.worth.beside_work))
                                " %" }
                        } } }
                    }
                }
            }
        }
    }
}

/// Writes a figure with its interval, which a phone puts below it.
pub(crate) fn reported(text: &str) -> Markup {
    html! {
        @match text.split_once(" (") {
            Some((value, interval)) => { (value) " " span.ci { "(" (interval) } },
            None => (text),
        }
    }
}
