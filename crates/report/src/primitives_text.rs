//! Primitives and the cost model as text: one table of all primitives, what is known, one table a
//! cell.

use analysis::cost_model::{CostModelCell, CostModelRow, Explained};
use analysis::number::{digits, with_interval, word};
use analysis::primitive_figures::{PrimitiveFigures, PrimitiveRow, ShapeCheck, Shown};
use analysis::primitives::Primitives;
use rules::PUBLISHED_IN;

use crate::form::{Form, joined};
use crate::table::{NOTHING, drawn};
use crate::words::in_line;

/// What stands before what is shown where some stays are unsteady.
pub(crate) const SHOWN_OF_ALL: &str = "shown (see the note on unsteady stays)";

/// Writes what primitives cost, what is known of them, and the cost model; nothing if none was
/// measured.
pub fn primitives_text(primitives: &Primitives, form: Form) -> String {
    joined(primitives_parts(primitives, form), form)
}

/// Writes the same as parts of a longer text.
pub(crate) fn primitives_parts(primitives: &Primitives, form: Form) -> Vec<String> {
    if primitives.is_empty() {
        return Vec::new();
    }
    let mut parts = vec![heading("primitives, each on one CPU", form)];
    parts.push(table(&primitives.figures, form));
    let checks = primitives.checks.iter().map(|own| check(own, primitives));
    let beside = notes(primitives).into_iter().chain(checks);
    let beside = beside.chain(primitives.figures.iter().flat_map(anchors));
    parts.extend(beside.map(|line| in_line(&line, form)));
    if !primitives.cost_model.is_empty() {
        let title = "cost model: what switches, wakes and spawns predict above the floor, us/fetch";
        parts.push(heading(title, form));
        parts.push(cost_model_table(&primitives.cost_model, form));
        parts.push(
            "Predicted by one wake a fetch, the context switches beyond it, and the units that a \
             batch starts; the rest is what primitives do not explain"
                .to_owned(),
        );
    }
    parts
}

/// Writes a heading.
fn heading(text: &str, form: Form) -> String {
    match form {
        Form::Terminal => text.to_owned(),
        Form::Markdown => format!("### {text}\n"),
    }
}

/// Writes the table of all primitives.
fn table(figures: &[PrimitiveFigures], form: Form) -> String {
    let header = [
        "primitive",
        "program",
        "wall ns",
        "CPU ns",
        "ratio",
        "verdict",
        "switches",
        "p90",
        "p99",
        "unsteady",
    ];
    let rows = figures.iter().flat_map(|figures| {
        figures.rows.iter().map(|row| columns(figures, row)).collect::<Vec<_>>()
    });
    drawn(&header, &rows.collect::<Vec<_>>(), form)
}

/// Returns the columns of a program.
fn columns(figures: &PrimitiveFigures, row: &PrimitiveRow) -> Vec<String> {
    let name = figures.primitive.name();
    let mut columns = vec![name.to_owned(), row.program.clone()];
    let Some(costs) = &row.costs else {
        columns.extend(vec![NOTHING.to_owned(); 8]);
        return columns;
    };
    let is_reference = row.program == figures.reference;
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
    let percentile = |value: Option<u64>| or_nothing(value.map(|value| value.to_string()));
    columns.extend([
        with_interval(&costs.wall_ns),
        or_nothing(costs.cpu_ns.as_ref().map(with_interval)),
        if is_reference {
            "1".to_owned()
        } else {
            or_nothing(costs.ratio.as_ref().map(with_interval))
        },
        if is_reference { "reference" } else { costs.verdict.map_or(NOTHING, word) }.to_owned(),
        or_nothing(costs.switches.map(|switches| digits(switches.value))),
        percentile(costs.p90_ns),
        percentile(costs.p99_ns),
        or_nothing((!figures.alone).then(|| format!("{} of {}", row.unsteady, row.valid))),
    ]);
    columns
}

/// Writes what the table cannot: what is not measured, and which turns do not count.
pub(crate) fn notes(primitives: &Primitives) -> Vec<String> {
    let mut notes = vec![
        "ns for one step, switch, round trip, unit or value (a slope over turns), or from event \
         and due time to the waiter (each timed alone); ratios by CPU time, or by the median"
            .to_owned(),
    ];
    for figures in &primitives.figures {
        let name = figures.primitive.name();
        notes.extend(figures.absent.as_ref().map(|reason| format!("{name}: n/a: {reason}")));
        let reasons = figures.rows.iter().filter_map(|row| Some((row, row.reason.as_ref()?)));
        notes.extend(reasons.map(|(row, reason)| format!("{name} of {}: {reason}", row.program)));
    }
    notes.extend(primitives.steadiness.as_ref().map(ToString::to_string));
    notes
}

/// Writes whether the run shows something that is known.
fn check(check: &ShapeCheck, of: &Primitives) -> String {
    let shown = match check.shown {
        Shown::Yes if of.steadiness.is_some() => SHOWN_OF_ALL,
        Shown::Yes => "shown",
        Shown::No => "NOT shown",
        Shown::Open => "left open",
    };
    let ratio = check.ratio.as_ref().map_or_else(
        || "not measured".to_owned(),
        |ratio| format!("a thread costs {} times the task", with_interval(ratio)),
    );
    format!("{shown}: {} ({}: {ratio})", check.claim, check.primitive.name())
}

/// Writes what others have published.
fn anchors(figures: &PrimitiveFigures) -> Vec<String> {
    let name = figures.primitive.name();
    let write = |says: &&str| format!("published, {name}: {says} ({PUBLISHED_IN})");
    figures.published.iter().map(write).collect()
}

/// Writes the cost model.
fn cost_model_table(cells: &[CostModelCell], form: Form) -> String {
    let header = [
        "model",
        "cell",
        "measured",
        "wakes",
        "switches",
        "spawns",
        "predicted",
        "rest",
        "verdict",
    ];
    let rows =
        cells.iter().flat_map(|cell| cell.rows.iter().map(|row| cost_model_columns(cell, row)));
    drawn(&header, &rows.collect::<Vec<_>>(), form)
}

/// Returns the columns of a model.
fn cost_model_columns(cell: &CostModelCell, row: &CostModelRow) -> Vec<String> {
    vec![
        row.model.clone(),
        cell.cell.clone(),
        with_interval(&row.measured_us),
        digits(row.wakes_us),
        digits(row.switches_us),
        digits(row.spawns_us),
        digits(row.predicted_us),
        digits(row.remainder_us),
        match row.explained {
            Explained::Yes => format!("{:.0} % unexplained", 100.0 * row.unexplained),
            Explained::No => "primitive costs do not explain this".to_owned(),
            Explained::Nothing => "nothing above the floor to explain".to_owned(),
        },
    ]
}
