//! Any two models of a cell: what may be said of them.

use analysis::Verdict;
use analysis::cell_figures::CellFigures;
use analysis::estimator::Estimator;
use maud::{Markup, html};

use crate::figure::percent::{change, more};
use crate::html::matters::reported;
use crate::html::run_page::Page;

impl Page<'_> {
    /// Writes what may be said of each two models of the main cell that were compared.
    pub(crate) fn pairs(&self) -> Markup {
        let Some(cell) = self.main() else { return html! {} };
        html! {
            div.beside {
            (matrix(cell))
            p {
                "Read across: the model of the line costs so much more or less than that of the \
                 column. " b { "?" } " cannot be distinguished here, " b { "=" }
                " as good as equal; empty, not compared."
            }
            }
            details.more {
                summary { "Every pair with its interval" }
                (list(cell, &self.run.estimator))
            }
        }
    }
}

/// Writes the verdicts as a square.
fn matrix(cell: &CellFigures) -> Markup {
    let measured = cell.rows.iter().filter(|row| row.figures.is_some());
    let names: Vec<&str> = measured.map(|row| row.model.as_str()).collect();
    html! {
        div.scroll tabindex="0" role="group" aria-label="Any two models" {
            table.matrix {
                caption { (cell.cell.name) ", " (cell.cell.in_flight) " in flight: CPU time per \
                    fetch, line against column, in percent" }
                thead {
                    tr { th scope="col" { "model" } @for name in &names { th scope="col" { span {
                        (name) } } } }
                }
                tbody {
                    @for model in &names {
                        tr {
                            th scope="row" { (model) }
                            @for other in &names { (square(cell, model, other)) }
                        }
                    }
                }
            }
        }
    }
}

/// Writes what may be said of two models.
fn square(cell: &CellFigures, model: &str, other: &str) -> Markup {
    let (class, text) = match cell.between(model, other) {
        None => ("", String::new()),
        Some((Verdict::Inconclusive, _)) => ("open", "?".to_owned()),
        Some((Verdict::Equivalent, _)) => ("open", "=".to_owned()),
        Some((Verdict::Different, ratio)) if ratio > 1.0 => ("costlier", change(ratio)),
        Some((Verdict::Different, ratio)) => ("cheaper", change(ratio)),
    };
    html! { td class=(class) { (text) } }
}

/// Writes each pair in a line.
fn list(cell: &CellFigures, estimator: &Estimator) -> Markup {
    html! {
        div.scroll.long tabindex="0" role="group" aria-label="Every pair" {
            table.results {
                caption { "With 95 % intervals that hold for all of them at once ("
                    (estimator.both()) "), and p for all of them at once (Bonferroni)" }
                thead { tr {
                    th scope="col" { "model" } th scope="col" { "against" }
                    th.figure scope="col" { "ratio" } th.figure.far scope="col" { "p" }
                    th scope="col" { "verdict" }
                } }
                tbody { @for pair in &cell.pairs { tr {
                    th scope="row" { (pair.model) } td { (pair.other) }
                    td.figure { (reported(&more(&pair.ratio))) }
                    td.figure.far { @if pair.adjusted_p < 0.001 { "< 0.001" } @else {
                        (format!("{:.3}", pair.adjusted_p)) } }
                    td { (analysis::number::word(pair.verdict)) }
                } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};

    use super::matrix;

    #[test]
    fn the_square_of_verdicts_names_its_cell_and_its_unit() {
        let run = Fixture { blocks: 6, ..Fixture::good() }.run();
        let run = analysis::summarize(&run, BASELINE, FLOOR);
        let cell = &run.figures.cells[run.figures.main_cell()];
        let caption = format!("<caption>steady, {} in flight: CPU time per ", cell.cell.in_flight);
        let square = matrix(cell).into_string();
        assert!(square.contains(&caption) && square.contains(", in percent</caption>"), "{square}");
    }
}
