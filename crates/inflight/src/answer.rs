//! What `run` and `report` print: the answer, and every table before it for whoever asks.

use std::path::Path;

use analysis::Summary;
use report::{Form, Place};

use crate::output::Output;

/// Prints every table and check of a run.
pub(crate) fn tables(summary: &Summary, output: &mut Output) {
    output.say(&report::summary(summary, Form::Terminal));
    output.say(&report::trust_text(&summary.trust, Form::Terminal));
}

/// Prints the answer of a run in a folder, which the command line knows by a name.
pub(crate) fn answer(summary: &Summary, (folder, name): (&Path, &str), output: &mut Output) {
    print(report::answer, summary, (folder, name), output);
}

/// Prints what a comparison of versions found.
pub(crate) fn versions(summary: &Summary, (folder, name): (&Path, &str), output: &mut Output) {
    print(report::versions, summary, (folder, name), output);
}

/// Prints an answer of a run.
fn print(
    answer: fn(&Summary, &Place<'_>) -> String,
    summary: &Summary,
    (folder, name): (&Path, &str),
    output: &mut Output,
) {
    let here = std::env::current_dir().unwrap_or_default();
    let columns = harness::columns();
    let page = report::page_of(folder, &here, columns);
    let place = Place { page: &page, run: name, columns };
    output.say(&answer(summary, &place));
}
