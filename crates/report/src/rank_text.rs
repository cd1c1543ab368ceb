//! The models of a run ordered by one metric, as a terminal shows them.

use analysis::cell_figures::{Row, RowState};
use analysis::number::with_interval;
use analysis::rank::{RankedCell, RankedRow, Ranking};
use rules::Metric;

use crate::form::{Form, joined};
use crate::summary::{aside, reasons, title};
use crate::table::{IN_FLIGHT, NOTHING, drawn, in_flight, ratio, state_word, verdict, with_places};

/// Writes a ranking: a table a cell.
pub fn ranking_text(of: &Ranking) -> String {
    let mut parts = vec![format!("{}   {}", of.run, of.metric.better.words())];
    for cell in &of.cells {
        parts.push(title(&cell.figures, Form::Terminal));
        parts.extend(tables(cell, of.metric, &of.baseline));
    }
    if !of.metric.is_judged {
        parts.push(format!(
            "By {} the rows stand in the order of their medians: no verdict and no rank is \
             computed for it",
            of.metric.key
        ));
    }
    joined(parts, Form::Terminal)
}

/// Writes the table of the models in Rust, then one of each other language, each with reasons.
fn tables(of: &RankedCell, metric: Metric, baseline: &str) -> Vec<String> {
    let table = |rows: &[RankedRow], own: &[Row], baseline: &str| match metric.is_judged {
        true => compared(rows, own, (metric, baseline)),
        false => plain(rows, metric),
    };
    let mut parts = vec![table(&of.rows, &of.figures.rows, baseline)];
    parts.extend(reasons(&of.figures.rows));
    for (other, rows) in of.figures.languages.iter().zip(&of.languages) {
        parts.push(aside(other, baseline));
        parts.push(table(rows, &other.rows, &other.baseline));
        parts.extend(reasons(&other.rows));
    }
    parts
}

/// Writes a table with verdicts, and with places where the rows of the figures have any.
fn compared(rows: &[RankedRow], own: &[Row], (metric, baseline): (Metric, &str)) -> String {
    let against = format!("against {baseline}");
    let mut header = vec!["model", metric.column, IN_FLIGHT, &against, "verdict"];
    let line = |ranked: &RankedRow| {
        let in_flight = ranked.row.figures.as_ref().map_or(NOTHING.to_owned(), in_flight);
        let (ratio, verdict) = match &ranked.row.figures {
            Some(_) if ranked.row.model == baseline => ("1".to_owned(), "baseline"),
            Some(figures) => (ratio(figures), verdict(figures)),
            None => (NOTHING.to_owned(), NOTHING),
        };
        vec![ranked.row.model.clone(), value(ranked), in_flight, ratio, verdict.to_owned()]
    };
    let lines = with_places(&mut header, rows.iter().map(line).collect(), own);
    drawn(&header, &lines, Form::Terminal)
}

/// Writes a table of a metric for which nothing is compared.
fn plain(rows: &[RankedRow], metric: Metric) -> String {
    let line = |ranked: &RankedRow| vec![ranked.row.model.clone(), value(ranked)];
    let lines: Vec<Vec<String>> = rows.iter().map(line).collect();
    drawn(&["model", metric.column], &lines, Form::Terminal)
}

/// Writes the value, or why there is none.
fn value(of: &RankedRow) -> String {
    match (&of.value, of.row.state) {
        (Some(value), _) => with_interval(value),
        (None, RowState::Measured) => "not reported".to_owned(),
        (None, other) => state_word(other).to_owned(),
    }
}
