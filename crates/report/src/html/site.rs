//! The first page of a site of runs: the newest comparison's answer, and a table of all runs.

use analysis::claim::is_estimate;
use analysis::figures::figures;
use analysis::number::count;
use analysis::trust::Trust;
use maud::{Markup, html};
use record::{Integrity, Run};

use crate::citation::Date;
use crate::figure::Charts;
use crate::html::{Frame, Page, Section, written};

/// What a reader opens of a run, and what it is called.
const LINKS: [(&str, &str); 5] = [
    ("report.html", "page"),
    ("summary.md", "tables"),
    ("summary.json", "JSON"),
    ("tables.csv", "CSV"),
    ("CITATION.cff", "citation"),
];

/// Writes the first page of a site on which each run has a folder of its name, with the files that
/// are derived from it; `baseline` and `floor` name models.
pub fn site_page(runs: &[Run], (baseline, floor): (&str, &str)) -> String {
    let mut runs: Vec<&Run> = runs.iter().collect();
    runs.sort_by(|a, b| b.id.cmp(&a.id));
    let all = Section::new("runs", "All runs", table(&runs));
    let newest = runs.iter().find(|run| !run.schedule.cells.is_empty());
    written(&Frame {
        title: "the cost of keeping requests in flight".to_owned(),
        version: newest.map(|run| run.schedule.version.clone()),
        question: "What does it cost to keep many HTTP requests in flight?".to_owned(),
        lead: match newest {
            Some(run) => answer(run, (baseline, floor)),
            None => html! { p.run { "No run compares models yet." } },
        },
        sections: vec![all],
        foot: html! { "Written by " code { "inflight report --site" } " from the folders of these \
        runs alone; the same runs give the same bytes." },
    })
}

/// Writes the first screen of a run, and where the rest of it is.
fn answer(run: &Run, (baseline, floor): (&str, &str)) -> Markup {
    let figures = figures(run, baseline, floor);
    let trust = Trust::of(run, (baseline, floor));
    let charts = Charts::of(run, &figures);
    let page = Page { run, figures: &figures, trust: &trust, charts: &charts };
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
fn table(runs: &[&Run]) -> Markup {
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
                    td { (run.schedule.models.len()) }
                    td { @for (file, name) in LINKS {
                        a href=(format!("{}/{file}", run.id)) { (name) } " "
                    } }
                } } }
            }
        }
    }
}

/// Says what a run was measured on.
fn machine(run: &Run) -> String {
    let environment = &run.environment;
    format!("{}, {} ({})", environment.cpu, count(environment.cpus, "CPU"), environment.kind)
}

/// Says what a run measured, and what is to be known of that before it is believed.
fn preset(run: &Run) -> String {
    let estimate = if is_estimate(run) { ", estimate" } else { "" };
    let doubt = match run.integrity {
        Integrity::Whole => "",
        Integrity::Unfinished => ", unfinished",
        Integrity::Altered(_) => ", altered",
    };
    format!("{}{estimate}{doubt}", run.schedule.preset)
}
