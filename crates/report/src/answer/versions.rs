//! What a comparison of versions found: a verdict for each, then the table.

use analysis::cell_figures::{CellFigures, Row, RowFigures};
use analysis::checks::meaning::meaning;
use analysis::line::line;
use analysis::number::digits;
use analysis::{INFLIGHT, Summary, Verdict};
use workload::Cell;

use crate::answer::cell::figures_of;
use crate::answer::place::{Place, footer};
use crate::answer::warnings::warnings;
use crate::escape::markdown;
use crate::form::Form;
use crate::percent::{percent, with_interval};
use crate::summary::other_threads;
use crate::table::{heading, numbers};
use crate::words::{in_line, wrapped};

/// Writes the answer of a comparison of versions.
pub fn versions(run: &Summary, place: &Place<'_>) -> String {
    let mut lines = Vec::new();
    for cell in &run.figures.cells {
        lines.extend(verdicts(run, cell).iter().flat_map(|line| wrapped(line, place.columns)));
        lines.push(String::new());
        lines.extend(figures_of(run, cell, place.columns));
        lines.extend(workers(run));
    }
    let main = run.figures.cells.get(run.figures.main_cell());
    let warnings = warnings(run, main, place);
    lines.extend(warnings.iter().flat_map(|line| wrapped(line, place.columns)));
    lines.extend(footer(run, main, place));
    lines.extend(next_step(run));
    lines.iter().map(|line| in_line(line, Form::Terminal).trim_end().to_owned() + "\n").collect()
}

/// Writes the same as a table in Markdown, with what the run warns of below it.
pub fn versions_table(run: &Summary) -> String {
    let cells = run.figures.cells.iter().flat_map(|cell| table(run, cell));
    let warnings = run.trust.badges.iter().map(|badge| warning(badge));
    cells.chain(warnings).map(|line| line + "\n").collect()
}

/// Writes what a badge means to a reader, as an item of a list in Markdown.
fn warning(badge: &str) -> String {
    let means = meaning(badge).unwrap_or("see the page of the run");
    format!("- {}: {}", text(badge), text(means))
}

/// Writes a text of others in Markdown.
fn text(text: &str) -> String {
    markdown(&line(text))
}

/// Writes the lines of a cell in Markdown.
fn table(run: &Summary, cell: &CellFigures) -> Vec<String> {
    let baseline = &run.figures.baseline;
    let mut lines: Vec<String> =
        verdicts(run, cell).iter().flat_map(|verdict| [text(verdict), String::new()]).collect();
    lines.extend([
        text(&heading(&cell.cell)),
        String::new(),
        format!("| version | CPU per fetch | against {} | verdict |", text(baseline)),
        "|---|---:|---:|---|".to_owned(),
    ]);
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
    let notes = other_threads(&cell.rows).chain(workers(run));
    let notes: String = notes.map(|note| text(&note) + ". ").collect();
    lines.extend([String::new(), notes + &missed + &text(&run.origin), String::new()]);
    lines
}

/// Says how many workers each runtime had, if that was asked for.
fn workers(run: &Summary) -> Option<String> {
    let workers = run.placement.workers;
    (workers > 1).then(|| format!("each runtime had {workers} workers"))
}

/// Returns the rows that were compared, the cheapest first: the floor only if it was typed, since
/// it is measured beside all comparisons.
fn versions_of<'a>(run: &'a Summary, cell: &'a CellFigures) -> impl Iterator<Item = &'a Row> {
    let mut typed = run.environment.tool.command_line.as_str().split_whitespace();
    let has_floor = typed.any(|word| word == run.figures.floor);
    let is_named = move |row: &&Row| has_floor || row.model != run.figures.floor;
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
            _ if own.ratio.is_none() => format!(
                "{name} is not compared with {baseline}: too few turns of one of them count, and \
                 --verbose says why."
            ),
            Some(Verdict::Equivalent) => {
                format!("{name} costs as much as {baseline}, within 2 %: {ratio} CPU per fetch.")
            }
            _ if !is_bounded(own) => {
                format!("{name} against {baseline}: {ratio}, which says nothing yet.")
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

/// Says how the row is explained that is shown to differ most from the first, where slots are kept
/// busy. Of a folder, and of a row that was named twice, the name is not what was typed.
fn next_step(run: &Summary) -> Option<String> {
    let baseline = &run.figures.baseline;
    let was_typed = |name: &str| {
        let model = run.models.iter().find(|model| model.name == name);
        let variant = model.and_then(|model| model.variant.as_ref());
        !name.contains('#') && variant.is_none_or(|variant| !variant.is_checkout)
    };
    let cells = run.figures.cells.iter().filter(|cell| cell.cell.workload.is_resident());
    let rows = cells.flat_map(|cell| versions_of(run, cell).map(move |row| (row, &cell.cell)));
    let rows = rows.filter(|(row, _)| was_typed(&row.model));
    let differ = rows.filter_map(|(row, cell)| Some((distance(row)?, row, cell)));
    let (_, row, cell) = differ.max_by(|(one, ..), (other, ..)| one.total_cmp(other))?;
    let options = options(cell);
    let step = || format!("Next  {INFLIGHT} explain {} {baseline}{options}", row.model);
    was_typed(baseline).then(step)
}

/// Returns how far a row is from the first, as a logarithm, if it is shown to differ.
fn distance(row: &Row) -> Option<f64> {
    let own = row.figures.as_ref()?;
    let ratio = own.ratio.filter(|_| own.verdict == Some(Verdict::Different))?;
    Some(ratio.value.ln().abs())
}

/// Returns the options that ask for a cell: none for the usual one.
fn options(cell: &Cell) -> String {
    match cell.name.as_str() {
        "steady" => String::new(),
        name => format!(" {}", numbers(cell).unwrap_or_else(|| format!("--cell {name}"))),
    }
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
        (_, None) => "not compared",
        _ if !is_bounded(own) => "too few blocks",
        _ => "no difference shown",
    }
}

/// Returns whether a ratio has an interval, which takes some blocks.
fn is_bounded(own: &RowFigures) -> bool {
    own.ratio.is_some_and(|ratio| ratio.interval.is_some())
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
    use record::{Run, State, Variant};
    use workload::{DelayRange, Workload};

    use super::*;

    /// Returns a run in which one row is slower than the first, and another faster by more.
    fn differing() -> Run {
        let models = vec![(FLOOR, 0.5), (BASELINE, 1.0), ("smol", 1.2), ("threads", 0.8)];
        Fixture { models, noise: 0.002, controls: Vec::new(), ..Fixture::good() }.run()
    }

    /// Returns the last line of the answer of a run.
    fn last_line(run: &Run) -> String {
        let run = analysis::summarize(run, BASELINE, FLOOR);
        let text = versions(&run, &Place { page: "page.html", run: "run", columns: 100 });
        text.lines().last().unwrap().to_owned()
    }

    #[test]
    fn the_last_line_explains_the_row_that_differs_most_of_those_that_can_be_typed() {
        let mut run = differing();
        assert_eq!(last_line(&run), format!("Next  {INFLIGHT} explain threads {BASELINE}"));
        let models = run.schedule.models.iter_mut();
        let of_folder = Variant {
            package: "threads".to_owned(),
            version: "1.0.0".to_owned(),
            is_checkout: true,
        };
        for model in models.filter(|model| model.name == "threads") {
            model.variant = Some(of_folder.clone());
        }
        assert_eq!(last_line(&run), format!("Next  {INFLIGHT} explain smol {BASELINE}"));

        // Two blocks show no difference.
        let few = last_line(&Fixture { blocks: 2, ..Fixture::good() }.run());
        assert!(!few.contains("explain"), "{few}");
    }

    #[test]
    fn a_cell_is_asked_for_by_its_numbers_where_somebody_gave_it_by_them() {
        let delay_ms = DelayRange { lo: 1, hi: 3 };
        let least = Cell::least(Workload::Steady);
        let own = Cell { in_flight: 8, delay_ms, body_bytes: 128, ..least };
        let named = |name: &str| Cell { name: name.to_owned(), ..own.clone() };
        assert_eq!(options(&named("steady")), "");
        let of_numbers = named("steady-8-1-3ms-128B");
        assert_eq!(options(&of_numbers), " --in-flight 8 --delay 1..3 --body 128");
        assert_eq!(options(&named("steady-low")), " --cell steady-low");
    }

    #[test]
    fn the_table_has_a_line_below_it_for_each_thing_that_the_run_warns_of() {
        let mut run = differing();
        let written = |run: &Run| versions_table(&analysis::summarize(run, BASELINE, FLOOR));
        let means = "model and origin shared CPUs: compare costs, not times, rates or latencies";
        let line = format!("\n- SHARED: {means}\n");
        assert!(!written(&run).contains(&line), "{}", written(&run));
        let cpus = run.schedule.placement.model_cpus.clone();
        run.schedule.placement.origin_cpus.extend(cpus);
        let table = written(&run);
        assert!(table.contains(&line), "{table}");
        // It is a list of its own, and no part of the paragraph before it.
        let (before, _) = table.split_once("\n- ").unwrap();
        assert!(before.ends_with('\n') && !before.ends_with("|\n"), "{table}");
    }

    #[test]
    fn each_version_has_a_sentence_and_a_row_by_its_verdict() {
        let run = analysis::summarize(&differing(), BASELINE, FLOOR);
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
        let mut run = differing();
        run.environment.tool.command_line = "inflight compare tokio event-loop".into();
        let run = analysis::summarize(&run, BASELINE, FLOOR);
        assert!(versions_table(&run).contains(FLOOR), "it was typed");
        let sentence = format!("{FLOOR} is faster than {BASELINE}: ");
        assert!(versions(&run, &place).contains(&sentence), "{}", versions(&run, &place));
    }

    #[test]
    fn what_the_first_row_has_no_figures_for_is_not_compared_with_it() {
        let mut run = differing();
        for turn in run.turns.iter_mut().filter(|turn| turn.model == BASELINE) {
            turn.state = State::Failed("it did not start".to_owned());
        }
        let run = analysis::summarize(&run, BASELINE, FLOOR);
        let text = versions(&run, &Place { page: "page.html", run: "run", columns: 100 });
        let sentence = format!("smol is not compared with {BASELINE}: too few turns");
        assert!(text.contains(&sentence) && !text.contains("no difference"), "{text}");
        let table = versions_table(&run);
        assert!(table.contains(" | not compared |") && !table.contains("no difference"), "{table}");
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
