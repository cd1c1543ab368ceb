//! The page of two runs compared: what changed, with the interval of each change drawn.

use analysis::Estimate;
use analysis::diff::{CellDiff, Change, Diff, RowDiff};
use analysis::line::line;
use analysis::number::digits;
use maud::{Markup, html};

use crate::diff_table::{ratio, remarks, unit};
use crate::figure::axis::Axis;
use crate::figure::drawing::{Strip, Strips, Words, reach};
use crate::figure::look::Look;
use crate::html::chart::compared;
use crate::html::frame::{Frame, Section, of_cell, written};
use crate::table::heading;

/// Writes two runs compared as one HTML file that works from disk.
pub fn diff_page(diff: &Diff) -> String {
    let cells = diff.cells.iter().enumerate();
    let cells = cells
        .map(|(place, cell)| of_cell(place, &line(&heading(&cell.cell)), &section(cell, diff)));
    let notes = Section::new(
        "notes",
        "What to know beside it",
        html! {
            p {
                b { (diff.word(Change::Slower)) } " and " b { (diff.word(Change::Faster)) }
                ": by more than " (percent(diff.margin))
                " %, for sure; " b { "same" } ": within it, for sure; " b { "unknown" }
                ": the blocks do not settle it, which is not the same."
            }
            ul { @for note in &diff.notes { li { (line(note)) } } }
        },
    );
    written(&Frame {
        title: format!("{} against {}", line(&diff.new), line(&diff.old)),
        version: None,
        question: format!("{}: has it changed?", diff.label),
        lead: html! {
            p.run {
                "Old run " code { (line(&diff.old)) } ", new run " code { (line(&diff.new)) } ". "
                (answer(diff))
            }
        },
        sections: cells.chain([notes]).collect(),
        foot: html! {
            "Written from the folders of these two runs alone; the same runs give the same bytes."
        },
    })
}

/// Says how many rows changed, before any table.
fn answer(diff: &Diff) -> String {
    let rows = || diff.cells.iter().flat_map(|cell| &cell.rows);
    let count = |change| rows().filter(|row| row.change == change).count();
    let all = [Change::Slower, Change::Faster, Change::Same, Change::Unknown];
    let reported = all.map(|change| format!("{} {}", count(change), diff.word(change))).join(", ");
    format!("Of {} rows: {reported}.", rows().count())
}

/// Writes a cell: its table, what all models did together, and its drawing.
fn section(cell: &CellDiff, diff: &Diff) -> Markup {
    html! {
        @if !cell.rows.is_empty() {
            div.scroll tabindex="0" role="group" aria-label=(line(&heading(&cell.cell))) {
                table {
                    caption { (diff.label) ", new against old without what all models \
                        share. The intervals of a cell hold together with 95 %. Lower is better." }
                    thead { tr {
                        th scope="col" { "model" }
                        th.figure scope="col" { "old " (unit(diff)) }
                        th.figure scope="col" { "new " (unit(diff)) }
                        th.figure scope="col" { "new / old" }
                        th scope="col" { "verdict" }
                    } }
                    tbody { @for row in &cell.rows { tr {
                        th scope="row" { (line(&row.model)) }
                        td.figure { (digits(row.cost_old)) }
                        td.figure { (digits(row.cost_new)) }
                        td.figure { (row.ratio.map_or_else(|| "-".to_owned(), ratio)) }
                        td { (diff.word(row.change)) }
                    } } }
                }
            }
        }
        @for remark in remarks(cell) { p.aside { (line(&remark)) } }
        (drawn(cell, diff))
    }
}

/// Draws the ratios of a cell.
fn drawn(cell: &CellDiff, diff: &Diff) -> Markup {
    let rows: Vec<(&RowDiff, Estimate)> =
        cell.rows.iter().filter_map(|row| Some((row, row.ratio?.into()))).collect();
    let strip = |(row, ratio): &(&RowDiff, Estimate)| {
        let note = format!("{} {}", digits(ratio.value), diff.word(row.change));
        Strip::new(&line(&row.model), note, Look::default()).estimate(ratio)
    };
    let ends = rows.iter().flat_map(|(_, ratio)| reach(ratio));
    compared(
        &format!("New over old in {}", line(&cell.cell.name)),
        "The ratios of the table with their intervals. Shaded: what is called the same.",
        &Strips {
            axis: Axis::of_factors("times the old run", ends.chain([1.0])),
            rules: vec![(1.0, "as before".to_owned())],
            bands: vec![((-diff.margin).exp(), diff.margin.exp())],
            rows: rows.iter().map(strip).collect(),
            words: &Words {
                estimate: "the ratio, with the interval of the verdict",
                band: "called the same",
                ..Words::USUAL
            },
        },
    )
}

/// Writes a share in percent.
fn percent(share: f64) -> String {
    format!("{:.0}", 100.0 * share)
}
