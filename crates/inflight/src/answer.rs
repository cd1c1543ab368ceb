//! What `run` and `report` print: the answer, and every table before it for whoever asks.

use std::path::Path;

use analysis::{Figures, Trust};
use record::Run;
use report::{Form, Place};

use crate::output::Output;

/// Prints every table and check of a run.
pub(crate) fn tables((run, figures, trust): (&Run, &Figures, &Trust), output: &mut Output) {
    output.say(&report::summary(run, figures, Form::Terminal));
    output.say(&report::trust_text(trust, Form::Terminal));
}

/// Prints the answer of a run in a folder, which the command line knows by a name.
pub(crate) fn answer(
    (run, figures, trust): (&Run, &Figures, &Trust),
    (folder, name): (&Path, &str),
    output: &mut Output,
) {
    let here = std::env::current_dir().unwrap_or_default();
    let columns = harness::columns();
    let page = report::page_of(folder, &here, columns);
    let place = Place { page: &page, run: name, program: "inflight", columns };
    output.say(&report::answer(run, (figures, trust), &place));
}
