//! What a comparison of versions found: a verdict for each, then the table.

use analysis::cell_figures::{CellFigures, Row, RowFigures};
use analysis::line::line;
use analysis::number::digits;
use analysis::{Summary, Verdict};

use crate::answer::cell::figures_of;
use crate::answer::place::{Place, footer};
use crate::answer::warnings::warnings;
use crate::escape::markdown;
use crate::form::Form;
use crate::percent::{percent, with_interval};
use crate::table::heading;
use crate::words::{in_line, wrapped};

/// Writes the answer of a comparison of versions.
pub fn versions(run: &Summary, place: &Place<'_>) -> String {
    let mut lines = Vec::new();
    for cell in &run.figures.cells {
        lines.extend(verdicts(run, cell).iter().flat_map(|line| wrapped(line, place.columns)));
        lines.push(String::new());
        lines.extend(figures_of(run, cell, place.columns));
    }
    let main = run.figures.cells.get(run.figures.main_cell());
    let warnings = warnings(run, main, place);
    lines.extend(warnings.iter().flat_map(|line| wrapped(line, place.columns)));
    lines.extend(footer(run, main, place));
    lines.iter().map(|line| in_line(line, Form::Terminal).trim_end().to_owned() + "\n").collect()
}

/// Writes the same as a table in Markdown.
pub fn versions_table(run: &Summary) -> String {
    let cells = run.figures.cells.iter().flat_map(|cell| table(run, cell));
    cells.map(|line| line + "\n").collect()
}

/// Writes the lines of a cell in Markdown.
fn table(run: &Summary, cell: &CellFigures) -> Vec<String> {
    let baseline = &run.figures.baseline;
    let text = |text: &str| markdown(&line(text));
    let mut lines = vec![
        text(&heading(&cell.cell)),
        String::new(),
        format!("| version | CPU per fetch | against {} | verdict |", text(baseline)),
        "|---|---:|---:|---|".to_owned(),
    ];
    for row in versions_of(run, cell) {
        let cost = row.figures.as_ref().map(|own| digits(own.cpu_us.value) + " us");
        let (ratio, verdict) = match &row.figures {
            _ if row.model == *baseline => (String::new(), "baseline".to_owned()),
            Some(own) => (against(own), word(own).to_owned()),
            None => (String::new(), row.reason.clone().unwrap_or_default()),
        };
        let [name, verdict] = [&row.model, &verdict].map(|own| text(own));
        lines.push(format!("| {name} | {} | {ratio} | {verdict} |", cost.unwrap_or_default()));
    }
    let missed = missed(cell).map_or_else(String::new, |missed| missed + ". ");
    lines.extend([String::new(), missed + &text(&run.origin)]);
    lines
}

/// Returns the rows that were compared: all but the floor, the cheapest first.
fn versions_of<'a>(run: &'a Summary, cell: &'a CellFigures) -> impl Iterator<Item = &'a Row> {
    let is_named = move |row: &&Row| row.model != run.figures.floor;
    cell.rows.iter().filter(is_named)
}

/// Writes a sentence for each version beside the first.
fn verdicts(run: &Summary, cell: &CellFigures) -> Vec<String> {
    let baseline = &run.figures.baseline;
    let others = versions_of(run, cell).filter(|row| row.model != *baseline);
    let sentence = |row: &Row| {
        let name = &row.model;
        let Some(own) = &row.figures else {
            let why = row.reason.clone().unwrap_or_else(|| "it was not measured".to_owned());
            return format!("{name} has no figures: {why}.");
        };
        let ratio = against(own);
        match own.verdict {
            Some(Verdict::Different) if own.ratio.is_some_and(|ratio| ratio.value > 1.0) => {
                format!("{name} is slower than {baseline}: {ratio} CPU per fetch.")
            }
            Some(Verdict::Different) => {
                format!("{name} is faster than {baseline}: {ratio} CPU per fetch.")
            }
            Some(Verdict::Equivalent) => {
                format!("{name} costs as much as {baseline}, within 2 %: {ratio} CPU per fetch.")
            }
            _ => {
                let missed = missed(cell).map_or_else(String::new, |missed| format!("; {missed}"));
                format!(
                    "{name} shows no difference from {baseline}: {ratio} CPU per fetch{missed}."
                )
            }
        }
    };
    others.map(sentence).collect()
}

/// Writes a ratio with its interval.
fn against(own: &RowFigures) -> String {
    own.ratio.as_ref().map_or_else(String::new, with_interval)
}

/// Writes a verdict in a word.
fn word(own: &RowFigures) -> &'static str {
    match (own.verdict, own.ratio) {
        (Some(Verdict::Different), Some(ratio)) if ratio.value > 1.0 => "slower",
        (Some(Verdict::Different), _) => "faster",
        (Some(Verdict::Equivalent), _) => "equal within 2 %",
        _ => "no difference shown",
    }
}

/// Says which differences may be missed.
fn missed(cell: &CellFigures) -> Option<String> {
    let share = cell.noise.as_ref()?.missed_below?;
    let share = percent(1.0 + share).trim_start_matches('+').to_owned();
    Some(format!("differences below {share} may be missed"))
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};

    use super::*;

    #[test]
    fn each_version_has_a_sentence_and_a_row_by_its_verdict() {
        let models = vec![(FLOOR, 0.5), (BASELINE, 1.0), ("smol", 1.2), ("threads", 0.8)];
        let run = Fixture { models, noise: 0.002, controls: Vec::new(), ..Fixture::good() }.run();
        let run = analysis::summarize(&run, BASELINE, FLOOR);
        let place = Place { page: "page.html", run: "run", columns: 100 };
        let text = versions(&run, &place);
        let table = versions_table(&run);
        for (model, verdict) in [("smol", "slower"), ("threads", "faster")] {
            let sentence = format!("{model} is {verdict} than {BASELINE}: ");
            assert_eq!(text.matches(&sentence).count(), run.figures.cells.len(), "{text}");
            let rows = table.lines().filter(|row| row.starts_with(&format!("| {model} | ")));
            let rows = rows.filter(|row| row.ends_with(&format!(" | {verdict} |")));
            assert_eq!(rows.count(), run.figures.cells.len(), "{table}");
        }
        // The floor is no version of anything.
        assert!(!table.contains(FLOOR) && !text.contains(&format!("{FLOOR} is ")), "{table}");
    }

    #[test]
    fn what_is_not_shown_to_differ_is_said_with_what_may_be_missed() {
        let models = vec![(BASELINE, 1.0), ("smol", 1.0), ("threads", 1.0)];
        let run = Fixture { models, noise: 0.1, ..Fixture::good() }.run();
        let run = analysis::summarize(&run, BASELINE, FLOOR);
        let table = versions_table(&run);
        assert!(table.contains(" | no difference shown |"), "{table}");
        assert!(table.contains("\ndifferences below "), "{table}");
    }
}
