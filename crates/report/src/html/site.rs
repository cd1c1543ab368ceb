//! The first page of a site of runs: the newest comparison's answer, and a table of all runs.

use analysis::line::line;
use analysis::{INFLIGHT, Summary, is_comparison};
use maud::{Markup, html};

use crate::citation::{Date, machine};
use crate::figure::Charts;
use crate::html::frame::{Frame, Section, written};
use crate::html::run_page::Page;

/// What a reader opens of a run, and what it is called.
const LINKS: [(&str, &str); 5] = [
    ("report.html", "page"),
    ("summary.md", "tables"),
    ("summary.json", "JSON"),
    ("tables.csv", "CSV"),
    ("CITATION.cff", "citation"),
];

/// Writes the first page of a site on which each run has a folder of its name, with the files that
/// are derived from it.
pub fn site_page(runs: &[Summary]) -> String {
    let mut runs: Vec<&Summary> = runs.iter().collect();
    runs.sort_by(|a, b| b.id.cmp(&a.id));
    let all = Section::new("runs", "All runs", table(&runs));
    let compares = |run: &&&Summary| {
        let cells = run.figures.cells.iter().map(|own| &own.cell);
        is_comparison(&run.preset, &run.models, (cells, run.placement.origin))
    };
    let newest = runs.iter().find(compares);
    written(&Frame {
        title: "the cost of keeping requests in flight".to_owned(),
        version: newest.map(|run| run.version.clone()),
        question: "What does it cost to keep many HTTP requests in flight?".to_owned(),
        lead: match newest {
            Some(run) => answer(run),
            None => html! { p.run { "None of these runs compares the usual models." } },
        },
        sections: vec![all],
        foot: html! { "Written by " code { (INFLIGHT) " report --site DIR" } " from the folders of \
        these runs alone; the same runs give the same bytes." },
    })
}

/// Writes the first screen of a run, and where the rest of it is.
fn answer(run: &Summary) -> Markup {
    let charts = Charts::of(run);
    let page = Page { run, figures: &run.figures, trust: &run.trust, charts: &charts };
    let rest = format!("{}/report.html", run.id);
    html! {
        p.run {
            (page.compared()) ", on " (machine(run)) ": "
            a href=(rest) { "the whole page" } "."
        }
        (page.first_screen(&rest))
    }
}

/// Writes a table of runs, whose links lead into folders beside the page.
fn table(runs: &[&Summary]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="All runs" {
            table.runs {
                caption { "Every run was measured on one machine at one time; ratios of two of \
                    them may be compared, absolute times may not" }
                thead { tr {
                    th scope="col" { "run" } th scope="col" { "day" } th scope="col" { "machine" }
                    th scope="col" { "preset" } th scope="col" { "models" }
                    th scope="col" { "read" }
                } }
                tbody { @for run in runs { tr {
                    th scope="row" { (run.id) }
                    td { (Date::of_run(run).map_or_else(String::new, Date::iso)) }
                    td { (machine(run)) }
                    td { (preset(run)) }
                    td { (run.models.len()) }
                    td { @for (file, name) in LINKS {
                        a href=(format!("{}/{file}", run.id)) { (name) } " "
                    } }
                } } }
            }
        }
    }
}

/// Says what a run measured, and whether that is an estimate.
fn preset(run: &Summary) -> String {
    let estimate = if run.is_estimate { ", estimate" } else { "" };
    line(&format!("{}{estimate}", run.preset))
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};

    use super::*;

    #[test]
    fn a_newer_run_with_a_question_of_its_own_is_not_the_newest_finding() {
        let of = |id: &str, preset: &'static str| {
            let mut run = Fixture { preset, blocks: 6, ..Fixture::good() }.run();
            id.clone_into(&mut run.id);
            analysis::summarize(&run, BASELINE, FLOOR)
        };
        let page = site_page(&[of("1-old", "quick"), of("2-new", "standard"), of("3", "sweep")]);
        assert!(page.contains("<a href=\"2-new/report.html\">the whole page</a>"), "{page}");
        let page = site_page(&[of("3", "sweep")]);
        assert!(page.contains("None of these runs compares the usual models."), "{page}");
    }
}
