//! The page of runs side by side: a column a run, and each ratio with its interval drawn.

use analysis::Estimate;
use analysis::merge::{Merge, MergedCell, MergedEntry};
use analysis::number::with_interval;
use maud::{Markup, html};

use crate::figure::axis::Axis;
use crate::figure::drawing::{Strip, Strips, Words, reach};
use crate::figure::look::{COLOURS, Look, SHAPES};
use crate::html::chart::compared;
use crate::html::frame::{Frame, Section, of_cell, written};
use crate::html::quoted::quoted;
use crate::merge_table::{entry, reasons, stability, title};
use crate::table::NOTHING;

/// Writes runs side by side as one HTML file that works from disk.
pub fn merge_page(merge: &Merge) -> String {
    let runs = Section::new("runs", "Which runs stand here", runs(merge));
    let cells = merge.cells.iter().enumerate();
    let cells =
        cells.map(|(place, cell)| of_cell(place, &title(cell, merge), &section(cell, merge)));
    let notes = Section::new(
        "notes",
        "What to know beside it",
        html! { ul { @for note in &merge.notes { li { (note) } } } },
    );
    written(&Frame {
        title: format!("{} runs side by side", merge.runs.len()),
        version: None,
        question: "Do several machines say the same of the models?".to_owned(),
        lead: html! {
            p.run {
                "Ratios and ranks of " (merge.runs.len()) " runs, each its own. Nothing is \
                 averaged, and absolute times of two machines are not compared."
            }
        },
        sections: [runs].into_iter().chain(cells).chain([notes]).collect(),
        foot: html! { "Written from the folders of these runs alone; the same runs give the same \
        bytes. " code { "merge.json" } " beside it holds the same for programs." },
    })
}

/// Writes which runs stand side by side.
fn runs(merge: &Merge) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="The runs" {
            table.runs {
                caption { "A run is measured on one machine; its columns below have its number" }
                thead { tr {
                    th scope="col" { "column" } th scope="col" { "run" } th scope="col" { "hash" }
                    th scope="col" { "preset" } th scope="col" { "Inflight" }
                    th scope="col" { "machine" }
                } }
                tbody { @for (number, run) in (1..).zip(&merge.runs) { tr {
                    th scope="row" { "run " (number) }
                    td { code { (run.run) } }
                    td { @match &run.hash { Some(hash) => code { (hash) }, None => "unfinished" } }
                    td { (run.preset) @if run.is_estimate { " " span.badge { "estimate" } } }
                    td { (run.version) }
                    td { (run.machine) }
                } } }
            }
        }
    }
}

/// Writes a cell: its table, its drawing, and how alike the orders are.
fn section(cell: &MergedCell, merge: &Merge) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label=(title(cell, merge)) {
            table {
                caption { "CPU time per fetch, in times " (merge.baseline) " in the same run, with \
                    the 95 % interval that holds for its family at once (Bonferroni), then the \
                    places that a model may have. Lower is better." }
                thead { tr {
                    th scope="col" { "model" }
                    @for run in &cell.runs { th.figure scope="col" { "run " (run + 1) } }
                } }
                tbody { @for row in &cell.rows { tr {
                    th scope="row" { (row.model) }
                    @for own in &row.entries { td.figure {
                        @match own {
                            Some(own) => (entry(own, row.model == merge.baseline)),
                            None => (NOTHING),
                        }
                    } }
                } } }
            }
        }
        @for reason in reasons(cell) { p.aside { (quoted(&reason)) } }
        @for both in &cell.stability { p.aside { (stability(both)) } }
        (drawn(cell, merge))
    }
}

/// Draws the ratios of a cell: the runs of a model below each other, each run with its own sign.
fn drawn(cell: &MergedCell, merge: &Merge) -> Markup {
    let mut ends = vec![1.0];
    let mut rows = Vec::new();
    for row in cell.rows.iter().filter(|row| row.model != merge.baseline) {
        for (run, own) in cell.runs.iter().zip(&row.entries) {
            let Some(ratio) = own.as_ref().and_then(shown) else { continue };
            ends.extend(reach(&ratio));
            let label = format!("{}, run {}", row.model, run + 1);
            rows.push(Strip::new(&label, with_interval(&ratio), look(*run)).estimate(&ratio));
        }
    }
    let axis = Axis::of_factors(&format!("times {}", merge.baseline), ends.into_iter());
    let rules = vec![(1.0, merge.baseline.clone())];
    compared(
        &format!("Ratios in {}", cell.cell.name),
        "The ratios of the table with their intervals, each within its run. A colour and a sign \
         belong to a run.",
        &Strips {
            axis,
            rules,
            bands: Vec::new(),
            rows,
            words: &Words { estimate: "the ratio, 95 % interval", ..Words::USUAL },
        },
    )
}

/// Returns the ratio of a model in a run, if it has one.
fn shown(own: &MergedEntry) -> Option<Estimate> {
    own.is_measured().then_some(own.ratio)?.map(Estimate::from)
}

/// Returns the look of a run: what distinguishes models elsewhere distinguishes runs here.
fn look(run: usize) -> Look {
    let run = u32::try_from(run).unwrap_or_default();
    Look { colour: Some(run % COLOURS), shape: run % SHAPES, is_hollow: false }
}
