//! The table of a cell, for a terminal or as Markdown.

use std::time::Duration;

use analysis::RankInterval;
use analysis::cell_figures::{CellFigures, LanguageFigures, Row, RowFigures, RowState};
use analysis::number::{digits, range, with_interval, word};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use rules::{SWITCHES, WALL, expected};
use workload::{Cell, DelayRange, SLOW_TIMES};

use crate::form::Form;
use crate::words::in_cell;

/// What stands where there is nothing to say.
pub(crate) const NOTHING: &str = "-";
/// Marks a ratio that rare expensive blocks would change.
pub(crate) const TAIL: &str = "~";
/// Marks a wall that is not the baseline's.
pub(crate) const UNEQUAL: &str = "*";

/// What the column of the mean time in flight is called: it stands beside CPU time per fetch, since
/// a model that lets replies wait and handles them together is cheap by it.
pub(crate) const IN_FLIGHT: &str = "flight ms";
/// The columns that hold words and not figures.
const WORDS: [&str; 6] = ["rank", "model", "verdict", "cell", "primitive", "program"];

/// Writes the table of a cell, with a column of ranks where there are any.
pub(crate) fn table(cell: &CellFigures, (baseline, floor): (&str, &str), form: Form) -> String {
    let against = format!("against {baseline}");
    let mut header = vec![
        "model",
        "CPU/fetch us",
        IN_FLIGHT,
        &against,
        "verdict",
        "above floor us",
        "wall ms",
        "switches",
        "errors",
    ];
    let lines = cell.rows.iter().map(|row| columns(row, baseline, floor)).collect();
    let lines = with_places(&mut header, lines, &cell.rows);
    drawn(&header, &lines, form)
}

/// Writes the table of the models of a cell in another language.
pub(crate) fn language_table(of: &LanguageFigures, form: Form) -> String {
    let against = format!("against {}", of.baseline);
    let header =
        ["model", "CPU/fetch us", IN_FLIGHT, &against, "verdict", "wall ms", "switches", "errors"];
    let line = |row: &Row| {
        let mut line = columns(row, &of.baseline, &of.baseline);
        // The floor is no measure of another language.
        line.remove(5);
        line
    };
    drawn(&header, &of.rows.iter().map(line).collect::<Vec<_>>(), form)
}

/// Puts a column of places before the others, where any row has one.
pub(crate) fn with_places(
    header: &mut Vec<&str>,
    mut lines: Vec<Vec<String>>,
    rows: &[Row],
) -> Vec<Vec<String>> {
    if rows.iter().any(|row| row.rank.is_some()) {
        header.insert(0, "rank");
        for (line, place) in lines.iter_mut().zip(places(rows)) {
            line.insert(0, place);
        }
    }
    lines
}

/// Draws a table. Words stand at the left, figures at the right.
pub(crate) fn drawn(header: &[&str], rows: &[Vec<String>], form: Form) -> String {
    let mut table = styled(form);
    table.set_header(header.iter().map(|text| in_cell(text, form)));
    for column in table.column_iter_mut() {
        if !WORDS.contains(&header[column.index]) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.add_rows(rows.iter().map(|row| row.iter().map(|text| in_cell(text, form))));
    lines(&table, form)
}

/// Returns a table without a row, in the style of the form.
pub(crate) fn styled(form: Form) -> Table {
    let mut table = Table::new();
    let preset = match form {
        Form::Terminal => presets::NOTHING,
        Form::Markdown => presets::ASCII_MARKDOWN,
    };
    table.load_style(preset).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// Writes the lines of a table.
pub(crate) fn lines(table: &Table, form: Form) -> String {
    let indent = if form == Form::Terminal { " " } else { "" };
    let line = |line: String| line.trim_end().trim_start_matches(indent).to_owned() + "\n";
    table.lines().map(line).collect()
}

/// Returns the options that ask for a cell by its numbers, if somebody gave it by them.
pub(crate) fn numbers(cell: &Cell) -> Option<String> {
    let Cell { in_flight, delay_ms: DelayRange { lo, hi }, body_bytes, .. } = cell;
    let is_own = cell.name == cell.name_of_numbers();
    is_own.then(|| format!("--in-flight {in_flight} --delay {lo}..{hi} --body {body_bytes}"))
}

/// Writes the cell's numbers in a line.
pub fn heading(cell: &Cell) -> String {
    let kind = (expected(cell.workload).in_flight)(cell);
    let workers = match cell.workers {
        0 => String::new(),
        workers => format!(", {workers} workers"),
    };
    let connections = match cell.workload.ends_connections() {
        true => "a connection for each fetch",
        false => "connections kept",
    };
    format!(
        "{}: {kind} {} in flight, {}, {connections}{}{workers}",
        cell.name,
        cell.in_flight,
        reply(cell),
        timeout(cell)
    )
}

/// Says what a reply is, and what is done with it.
pub(crate) fn reply(cell: &Cell) -> String {
    let work = match cell.work_kib {
        0 => String::new(),
        kib => format!(", CRC-32 of {kib} KiB computed for each"),
    };
    let (delay, slow) = (range(cell.delay_ms), slow(cell));
    format!("delay {delay}{slow}, body {} B{work}", cell.body_bytes)
}

/// Says how many replies are slow, after the delay of the others, if any are.
fn slow(cell: &Cell) -> String {
    match cell.slow_percent {
        0 => String::new(),
        percent => format!(" ({SLOW_TIMES} times as long for {percent} %)"),
    }
}

/// Says how long a fetch may take, if there is a limit.
pub(crate) fn timeout(cell: &Cell) -> String {
    match cell.deadline_ms {
        0 => String::new(),
        ms => format!(", a timeout of {} s", digits(Duration::from_millis(ms).as_secs_f64())),
    }
}

/// Writes the places of rows: the best possible one, with a sign where rows share it.
pub(crate) fn places(rows: &[Row]) -> Vec<String> {
    let shared = |rank: RankInterval| {
        rows.iter().filter(|row| row.rank.is_some_and(|other| other.best == rank.best)).count() > 1
    };
    let place = |row: &Row| match row.rank {
        None => NOTHING.to_owned(),
        Some(rank) if shared(rank) => format!("{}=", rank.best),
        Some(rank) => rank.best.to_string(),
    };
    rows.iter().map(place).collect()
}

/// Writes what is to be said instead of figures.
pub(crate) fn state_word(state: RowState) -> &'static str {
    match state {
        RowState::Measured => NOTHING,
        RowState::NotApplicable => "n/a",
        RowState::Missing => "missing",
        RowState::Invalid => "invalid",
        RowState::Failed => "failed",
        RowState::NotMeasured => "not measured",
    }
}

/// Returns the columns of a row, its place aside.
pub(crate) fn columns(row: &Row, baseline: &str, floor: &str) -> Vec<String> {
    let errors = row.errors_all();
    let Some(figures) = &row.figures else {
        let mut columns = vec![NOTHING.to_owned(); 9];
        row.model.clone_into(&mut columns[0]);
        state_word(row.state).clone_into(&mut columns[4]);
        if row.turns > 0 {
            columns[8] = errors.to_string();
        }
        return columns;
    };
    let is_baseline = row.model == baseline;
    let value = |metric| {
        figures.metric(metric).map_or(NOTHING.to_owned(), |estimate| digits(estimate.value))
    };
    vec![
        row.model.clone(),
        digits(figures.cpu_us.value),
        in_flight(figures),
        if is_baseline { "1".to_owned() } else { ratio(figures) },
        if is_baseline { "baseline" } else { verdict(figures) }.to_owned(),
        if row.model == floor { "floor".to_owned() } else { excess(figures) },
        value(WALL) + if figures.unequal_rate { UNEQUAL } else { "" },
        value(SWITCHES),
        errors.to_string(),
    ]
}

/// Writes how long a fetch was in flight.
pub(crate) fn in_flight(figures: &RowFigures) -> String {
    figures.in_flight_ms.map_or(NOTHING.to_owned(), |mean| digits(mean.value))
}

/// Writes the ratio to the baseline.
pub(crate) fn ratio(figures: &RowFigures) -> String {
    let mark = if figures.tail_sensitive { TAIL } else { "" };
    figures.ratio.as_ref().map_or(NOTHING.to_owned(), |ratio| with_interval(ratio) + mark)
}

/// Writes the verdict in a word.
pub(crate) fn verdict(figures: &RowFigures) -> &'static str {
    figures.verdict.map_or(NOTHING, word)
}

/// Writes what a fetch cost above the floor.
fn excess(figures: &RowFigures) -> String {
    figures.excess_us.as_ref().map_or(NOTHING.to_owned(), with_interval)
}
