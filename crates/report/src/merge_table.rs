//! The tables of runs side by side, for a terminal or as Markdown.

use analysis::merge::{Merge, MergedCell, MergedEntry, Stability};
use analysis::number::with_interval;
use comfy_table::CellAlignment;

use crate::escape::markdown;
use crate::form::{Form, spaced};
use crate::table::{NOTHING, heading, lines, styled};

/// Writes runs side by side.
pub fn merge_table(merge: &Merge, form: Form) -> String {
    let mut parts = vec![format!(
        "CPU time per fetch, in times {} in the same run, with the interval of its family; in \
         brackets the places that a model may have   lower is better",
        merge.baseline
    )];
    for (number, run) in (1..).zip(&merge.runs) {
        let estimate = if run.is_estimate { "estimate, " } else { "" };
        let hash = run.hash.as_deref().unwrap_or("unfinished");
        let text = format!(
            "run {number}: {}, {hash}, {estimate}preset {}, Inflight {}, {}",
            run.run, run.preset, run.version, run.machine
        );
        parts.push(shown(&text, form));
    }
    for cell in &merge.cells {
        let title = shown(&title(cell, merge), form);
        parts.push(match form {
            Form::Terminal => format!("\n{title}"),
            Form::Markdown => format!("### {title}"),
        });
        parts.push(table(cell, merge, form));
        parts.extend(reasons(cell).iter().map(|reason| shown(reason, form)));
        parts.extend(cell.stability.iter().map(|both| shown(&stability(both), form)));
    }
    parts.push(String::new());
    parts.extend(merge.notes.iter().map(|note| shown(note, form)));

    let text: String = parts.into_iter().map(|part| part.trim_end().to_owned() + "\n").collect();
    match form {
        Form::Terminal => text,
        Form::Markdown => spaced(&text),
    }
}

/// Writes the numbers of a cell; where another one has its name, with the length of its window too.
pub(crate) fn title(cell: &MergedCell, merge: &Merge) -> String {
    let namesakes = merge.cells.iter().filter(|other| other.cell.name == cell.cell.name);
    let window = match namesakes.count() {
        0 | 1 => String::new(),
        _ => format!(", windows of {} fetches", cell.cell.fetches),
    };
    heading(&cell.cell) + &window
}

/// Returns a text as it stands in the form.
fn shown(text: &str, form: Form) -> String {
    match form {
        Form::Terminal => text.to_owned(),
        Form::Markdown => markdown(text),
    }
}

/// Writes the table of a cell: a column a run.
fn table(cell: &MergedCell, merge: &Merge, form: Form) -> String {
    let mut table = styled(form);
    let runs = cell.runs.iter().map(|run| format!("run {}", run + 1));
    table.set_header(["model".to_owned()].into_iter().chain(runs));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in &cell.rows {
        let entries = row.entries.iter().map(|own| {
            own.as_ref()
                .map_or_else(|| NOTHING.to_owned(), |own| entry(own, row.model == merge.baseline))
        });
        let columns = [row.model.clone()].into_iter().chain(entries);
        table.add_row(columns.map(|column| shown(&column, form)));
    }
    lines(&table, form)
}

/// Writes what a run says of a model.
pub(crate) fn entry(entry: &MergedEntry, is_baseline: bool) -> String {
    if !entry.is_measured() {
        return entry.state.replace('_', " ");
    }
    let ratio = match (entry.ratio, is_baseline) {
        (_, true) => "1".to_owned(),
        (Some(ratio), false) => with_interval(&ratio.into()),
        (None, false) => NOTHING.to_owned(),
    };
    match entry.rank_best.zip(entry.rank_worst) {
        Some((best, worst)) if best == worst => format!("{ratio} ({best})"),
        Some((best, worst)) => format!("{ratio} ({best}-{worst})"),
        None => ratio,
    }
}

/// Writes why models have no figures, run by run.
pub(crate) fn reasons(cell: &MergedCell) -> Vec<String> {
    let mut reasons = Vec::new();
    for row in &cell.rows {
        for (run, entry) in cell.runs.iter().zip(&row.entries) {
            let reason = entry.as_ref().and_then(|entry| entry.reason.as_ref());
            if let Some(reason) = reason {
                reasons.push(format!("{} in run {}: {reason}", row.model, run + 1));
            }
        }
    }
    reasons
}

/// Writes how alike the order of the models is in two runs.
pub(crate) fn stability(both: &Stability) -> String {
    let [one, other] = both.runs.map(|run| run + 1);
    let tau = match (both.tau, both.reason) {
        (Some(tau), _) => format!("Kendall's tau {tau:.2} over {} ranked models", both.models),
        (None, reason) => format!("no Kendall's tau: {}", reason.unwrap_or("no ranks")),
    };
    let opposite = match both.contradictions.as_slice() {
        [] => "no pair is different in both in opposite directions".to_owned(),
        pairs => {
            let pairs = pairs.iter().map(|[cheap, costly]| format!("{cheap} before {costly}"));
            let pairs = pairs.collect::<Vec<_>>().join(", ");
            format!("different in opposite directions, in run {one}: {pairs}")
        }
    };
    format!("order in runs {one} and {other}: {tau}; {opposite}")
}
