//! Every model in a row, and, folded, what the differences mean.

use analysis::Family;
use analysis::cell_figures::{CellFigures, LanguageFigures, Row};
use analysis::family::MARGIN;
use maud::{Markup, html};

use crate::figure::percent::{more, with_ends};
use crate::figure::scene::anchor;
use crate::html::figures::NOT_RUN;
use crate::html::matters::reported;
use crate::html::quoted::quoted;
use crate::html::run_page::Page;
use crate::table::{NOTHING, TAIL, heading, places};

/// What is said where nobody knows why a row has no figures.
pub(crate) const NO_REASON: &str = "no reason is known";

impl Page<'_> {
    /// Writes every model in a row, and what the differences mean.
    pub(crate) fn answer(&self) -> Markup {
        let Some(cell) = self.main() else {
            return html! { p.missing { (NOT_RUN) ": no cell of fetches." } };
        };
        let others = self.figures.cells.iter().filter(|other| other.cell.name != cell.cell.name);
        html! {
            (self.doubt())
            (self.rows(cell, &html! {
                details.more { summary { "What the differences mean" } (self.meaning(cell)) }
                (self.brackets(cell))
                @for other in others {
                    details.more {
                        summary { "In " (other.cell.name) }
                        (self.rows(other, &html! {}))
                    }
                }
            }))
        }
    }

    /// Says which models have no figures, though they should, and why.
    fn doubt(&self) -> Markup {
        let lost = self.lost();
        html! {
            @if !lost.is_empty() { p.wide { @for (cell, row) in &lost {
                b { (row.model) } " has no numbers in " (cell) ": "
                (quoted(row.reason.as_deref().unwrap_or(NO_REASON))) ". "
            } } }
        }
    }

    /// Returns the rows that should have figures and have none, with their cells.
    pub(crate) fn lost(&self) -> Vec<(&str, &Row)> {
        let cells = self.figures.cells.iter();
        let rows = cells.flat_map(|cell| {
            let lost = cell.all_rows().filter(|row| is_lost(row));
            lost.map(|row| (cell.cell.name.as_str(), row))
        });
        rows.collect()
    }

    /// Says what the brackets of the table are, and how its places come about.
    fn brackets(&self, cell: &CellFigures) -> Markup {
        let (baseline, pairs) = (&self.figures.baseline, cell.pairs.len());
        let family = match self.figures.family {
            Family::AgainstBaseline => "comparisons with the baseline",
            Family::AllPairs => "pairs of models",
        };
        html! {
            details.more {
                summary { "What the columns are" }
                @if let Some(pace) = pace_sentence(cell) { p.aside { (pace) } }
                p.aside {
                    "In brackets, intervals of 95 %. Against " (baseline)
                        ": " (self.run.estimator.both()) ", simultaneous for the "
                    (pairs) " " (family) " of this cell (Bonferroni). Above floor: the same "
                    "estimates and test, from neighbouring turns, so not exactly the difference of \
                     two costs; each interval its own. CPU: the median over blocks of "
                    (baseline) ", and of the others that times their ratio. In flight: from \
                    sending a fetch to its verified end, the mean of a block, median over blocks; \
                    a model that lets replies wait to handle many at once is cheap by it. Wall: \
                    the median over blocks. "
                    @match self.figures.family {
                        Family::AllPairs => {
                            "A rank is one more than the number of models that are different (by \
                             the test over all pairs, and by more than "
                            (format!("{:.0} %", 100.0 * MARGIN))
                            ") and cheaper; what the verdicts do not separate shares it (=)."
                        },
                        Family::AgainstBaseline => {
                            "Models are in the order of their cost and have no ranks: this preset \
                             compares each with " (baseline)
                                " alone, and ranks need a verdict on every pair."
                        },
                    }
                }
            }
        }
    }

    /// Writes the table of a cell, with what is folded below it.
    fn rows(&self, cell: &CellFigures, more: &Markup) -> Markup {
        let baseline = &self.figures.baseline;
        let has_ranks = cell.rows.iter().any(|row| row.rank.is_some());
        html! {
            div.scroll tabindex="0" role="group" aria-label=(format!("Results of {}",
                cell.cell.name)) {
                table.sortable.results id=(format!("table-{}", cell.cell.name)) {
                    caption { (heading(&cell.cell)) ". Lower is better." }
                    thead {
                        tr {
                            @if has_ranks { th scope="col" { "rank" } }
                            (heads(baseline, true))
                        }
                    }
                    tbody {
                        @for (row, place) in cell.rows.iter().zip(places(&cell.rows)) {
                            (self.row(row, has_ranks.then_some(place), baseline))
                        }
                    }
                }
            }
            p.aside.narrow {
                "A wider window also shows the cost above the floor, wall time, errors and client."
            }
            @if let Some(notes) = notes(&cell.rows, baseline) { p.aside { (quoted(&notes)) } }
            div.folds {
                @for other in &cell.languages { (self.language(cell, other)) }
                (more)
            }
        }
    }

    /// Writes the table of the models of a cell in another language.
    fn language(&self, cell: &CellFigures, of: &LanguageFigures) -> Markup {
        let name = format!("{} in {}", cell.cell.name, of.language);
        html! {
            details.more {
                summary { "In " (of.language) ", as context" }
                div.scroll tabindex="0" role="group" aria-label=(format!("Results of {name}")) {
                    table.sortable.results id=(anchor(&format!("table-{name}"))) {
                        caption { (crate::summary::aside(of, &self.figures.baseline)) "." }
                        thead { tr { (heads(&of.baseline, false)) } }
                        tbody { @for row in &of.rows { (self.row(row, None, &of.baseline)) } }
                    }
                }
                @if let Some(notes) = notes(&of.rows, &of.baseline) { p.aside { (quoted(&notes)) } }
            }
        }
    }

    /// Writes the row of a model.
    fn row(&self, row: &Row, place: Option<String>, baseline: &str) -> Markup {
        let model = self.run.model(&row.model);
        let client = model.map_or("", |model| &model.client);
        let errors = row.errors_all();
        let columns = crate::table::columns(row, baseline, &self.figures.floor);
        let [_, cost, in_flight, _, verdict, excess, wall, ..] = &columns[..] else {
            unreachable!("a row has nine columns")
        };
        let own = row.figures.as_ref();
        let against = match own.and_then(|own| own.ratio.as_ref()) {
            Some(ratio) => {
                let mark = if own.is_some_and(|own| own.tail_sensitive) { TAIL } else { "" };
                more(ratio) + mark
            }
            None if own.is_some() && row.model == baseline => "baseline".to_owned(),
            None => NOTHING.to_owned(),
        };
        let above = own.and_then(|own| own.excess_us.as_ref()).filter(|_| excess != "floor");
        let above = above.map_or_else(|| excess.clone(), with_ends);
        html! {
            tr.invalid[is_lost(row)] {
                @if let Some(place) = place { td { (place) } }
                th scope="row" { a href=(format!("#model-{}", row.model)) { (row.model) } }
                td.figure { (reported(&against)) }
                td.figure { (cost) }
                td.figure { (in_flight) }
                @if baseline == self.figures.baseline { td.figure.far { (reported(&above)) } }
                td { (verdict) }
                td.figure.far { (wall) }
                td.figure.far { @if row.turns > 0 { (errors) } @else { "-" } }
                td.far { (client) }
            }
        }
    }
}

/// Says why rows have no figures and what their marks mean; what clients cost has a table of its
/// own.
fn notes(rows: &[Row], baseline: &str) -> Option<String> {
    let notes = crate::summary::notes_of(rows, (&[], baseline));
    (!notes.is_empty()).then(|| notes.join("; ") + ".")
}

/// Writes the heads of a table of models: what decides stands first, and what is far is on no
/// phone. Only models that are compared with the floor have a column for what they cost above it.
fn heads(baseline: &str, has_floor: bool) -> Markup {
    html! {
        th scope="col" { "model" }
        th.figure scope="col" { "against " (baseline) }
        th.figure scope="col" { "CPU a fetch, µs" }
        th.figure scope="col" { "in flight, ms" }
        @if has_floor { th.figure.far scope="col" { "above floor, µs" } }
        th scope="col" { "verdict" }
        th.figure.far scope="col" { "wall, ms" }
        th.figure.far scope="col" { "errors" }
        th.far scope="col" { "client" }
    }
}

/// Returns whether a model should have figures and has none.
fn is_lost(row: &Row) -> bool {
    use analysis::cell_figures::RowState::{Measured, Missing, NotApplicable};
    !matches!(row.state, Measured | Missing | NotApplicable)
}

/// Says that the delay set the pace, or the arrivals, where they did.
fn pace_sentence(cell: &CellFigures) -> Option<Markup> {
    let apart = cell.paced_within?;
    let pace = match cell.cell.is_open() {
        true => "the rate of the arrivals",
        false => "the origin's delay",
    };
    Some(html! {
        "In " (cell.cell.name) " all of them finish together, within " (format!("{:.1} %",
            100.0 * apart))
        ": " (pace) " sets the pace, so wall time distinguishes models here as little as \
         throughput does."
    })
}
