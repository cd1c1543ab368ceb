//! What the teaching page says, answered by runs that were published: each of its claims and
//! definitions with the figure of the newest run that has one.

use analysis::claim::origin_of;
use analysis::figures::{Figures, figures};
use analysis::ideas::{IDEAS, Idea, PRIMITIVES, SWEEP, ideas};
use record::Run;

use crate::summary::Form;
use crate::words::in_line;

/// A run, and what it says of each idea.
struct Told<'a> {
    run: &'a Run,
    ideas: Vec<Idea>,
}

/// Writes a table of the page's ideas, and which runs they were asked of; links lead into folders
/// that lie beside the page. `baseline` and `floor` name models.
pub fn ideas_page(runs: &[Run], (baseline, floor): (&str, &str)) -> String {
    let mut runs: Vec<&Run> = runs.iter().collect();
    runs.sort_by(|a, b| b.id.cmp(&a.id));
    let told = runs.into_iter().map(|run| {
        let figures: Figures = figures(run, baseline, floor);
        Told { run, ideas: ideas(run, &figures) }
    });
    let told: Vec<Told<'_>> = told.collect();
    let count = told.first().map_or(0, |told| told.ideas.len());
    let mut text =
        "| the page | measured | in run | measured again by |\n|---|---|---|---|\n".to_owned();
    let mut asked: Vec<&Run> = Vec::new();
    for place in 0..count {
        let (row, run) = row(&told, place);
        text += &row;
        asked.extend(run.filter(|run| !asked.iter().any(|known| known.id == run.id)));
    }
    let machine = |run: &Run| {
        let machine = &run.environment;
        let line = format!(
            "{}   {}, {} CPUs ({})",
            origin_of(run),
            machine.cpu,
            machine.cpus,
            machine.kind
        );
        format!("\n{}\n", in_line(&line, Form::Markdown))
    };
    text + &asked.into_iter().map(machine).collect::<String>()
}

/// Writes the row of an idea, and tells the run that answers it. The runs are the newest first; a
/// newer one that should have the answer and has none is named.
fn row<'a>(told: &[Told<'a>], place: usize) -> (String, Option<&'a Run>) {
    let Idea { says, command, .. } = told[0].ideas[place];
    let able: Vec<&Told<'_>> = told.iter().filter(|told| measures(told.run, command)).collect();
    let answer = able.iter().position(|told| told.ideas[place].measured.is_some());
    let silent = &able[..answer.unwrap_or(able.len())];
    let silent = silent.iter().map(|told| format!("; run {} does not tell", told.run.id));
    let silent: String = silent.collect();
    let (measured, link, run) = match answer.map(|newest| able[newest]) {
        Some(Told { run, ideas }) => {
            let id = in_line(&run.id, Form::Markdown);
            (ideas[place].answer(), format!("[{id}]({id}/derived/report.html)"), Some(*run))
        }
        None => ("no published run tells".to_owned(), "-".to_owned(), None),
    };
    let measured = in_line(&(measured + &silent), Form::Markdown);
    (format!("| {says} | {measured} | {link} | `{command}` |\n"), run)
}

/// Returns whether a run is of the kind that a command measures.
fn measures(run: &Run, command: &str) -> bool {
    let schedule = &run.schedule;
    let mut probed = schedule.cells.iter().map(|cell| cell.probe_period_us > 0);
    match command {
        IDEAS => probed.any(|is_probed| is_probed),
        SWEEP => !schedule.sweeps.is_empty(),
        PRIMITIVES => !schedule.primitives.is_empty(),
        _ => schedule.sweeps.is_empty() && probed.any(|is_probed| !is_probed),
    }
}
