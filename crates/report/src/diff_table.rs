//! The tables of two runs compared, for a terminal or as Markdown.

use analysis::diff::{CellDiff, Diff, Ratio, RowDiff};
use analysis::number::{digits, with_interval};
use comfy_table::{CellAlignment, Table};

use crate::form::{Form, spaced};
use crate::table::{heading, lines, styled};
use crate::words::{in_cell, in_line};

/// Writes two runs compared.
pub fn diff_table(diff: &Diff, form: Form) -> String {
    let reported = |line: String| in_line(&line, form);
    let mut parts = vec![header(diff, form)];
    for cell in &diff.cells {
        let heading = in_line(&heading(&cell.cell), form);
        parts.push(match form {
            Form::Terminal => heading,
            Form::Markdown => format!("### {heading}\n"),
        });
        if !cell.rows.is_empty() {
            parts.push(lines(&table(cell, diff, form), form));
        }
        parts.extend(remarks(cell).into_iter().map(reported));
    }
    parts.extend(diff.notes.iter().cloned().map(reported));

    let text: String = parts.into_iter().map(|part| part.trim_end().to_owned() + "\n").collect();
    match form {
        Form::Terminal => text,
        Form::Markdown => spaced(&text),
    }
}

/// Writes what is compared, and how a row is read.
fn header(diff: &Diff, form: Form) -> String {
    format!(
        "{}, new against old without what all models share; the intervals of a cell hold \
         together in 95 of 100 runs\nold {}   new {}   same: within {:.0} %   lower is better\n",
        diff.label,
        in_line(&diff.old, form),
        in_line(&diff.new, form),
        100.0 * diff.margin,
    )
}

/// Returns the unit of what is compared, in a heading.
pub(crate) fn unit(diff: &Diff) -> &str {
    diff.unit.strip_suffix(" per fetch").unwrap_or(&diff.unit)
}

/// Returns the table of a cell.
fn table(cell: &CellDiff, diff: &Diff, form: Form) -> Table {
    let unit = unit(diff);
    let mut table = styled(form);
    table.set_header([
        "model".to_owned(),
        format!("old {unit}"),
        format!("new {unit}"),
        "new / old".to_owned(),
        "verdict".to_owned(),
    ]);
    for column in table.column_iter_mut().skip(1).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in &cell.rows {
        table.add_row(columns(row, diff).iter().map(|text| in_cell(text, form)));
    }
    table
}

/// Returns the columns of a row.
fn columns(row: &RowDiff, diff: &Diff) -> Vec<String> {
    vec![
        row.model.clone(),
        digits(row.cost_old),
        digits(row.cost_new),
        row.ratio.map_or_else(|| "-".to_owned(), ratio),
        diff.word(row.change).to_owned(),
    ]
}

/// Writes what belongs to no row: what all models did together, and who is in one run alone.
pub(crate) fn remarks(cell: &CellDiff) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(together) = cell.together {
        remarks.push(format!(
            "everything together, which is the machine or what all models share: {}",
            ratio(together)
        ));
    }
    for (run, models) in [("old", &cell.only_old), ("new", &cell.only_new)] {
        if !models.is_empty() {
            remarks.push(format!("figures in the {run} run alone: {}", models.join(", ")));
        }
    }
    remarks
}

/// Writes a ratio with its interval.
pub(crate) fn ratio(ratio: Ratio) -> String {
    with_interval(&ratio.into())
}

#[cfg(test)]
mod tests {
    use analysis::diff::diff;
    use analysis::fixture::{BASELINE, FLOOR, Fixture};

    use super::*;

    #[test]
    fn a_comparison_is_written_for_people() {
        let models = |tokio| vec![(FLOOR, 0.9), (BASELINE, tokio), ("smol", 1.3), ("threads", 1.5)];
        let run = |seed, tokio| Fixture { seed, models: models(tokio), ..Fixture::good() }.run();
        let mut diff = diff(&run(1, 1.0), &run(2, 1.1)).unwrap();
        diff.cells[1].only_old.push("iterator".to_owned());

        let text = diff_table(&diff, Form::Terminal);
        let row = text.lines().rfind(|line| line.starts_with("tokio")).unwrap();
        assert!(row.contains(" 1.1") && row.ends_with("slower"), "{text}");
        assert!(text.contains("figures in the old run alone: iterator\n"), "{text}");
        let text = diff_table(&diff, Form::Markdown);
        assert!(text.contains("\n\n| model"), "{text}");
        assert!(text.contains("### steady: always 64 in flight"), "{text}");
    }
}
