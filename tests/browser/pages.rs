//! The pages that are tried: that of the newest published default run, or of a fixture where none
//! is, and one of which every text that a model, a machine or an error decides is hostile.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use harness::{BASELINE, FLOOR};
use record::{Absent, Run, State, StayRecord};
use rules::Reason;

use crate::support::fixture::fixture;
use crate::support::shell::published;

/// The files that are computed from a run.
type Files = BTreeMap<String, Vec<u8>>;

/// Those of the newest default run.
pub(crate) static NEWEST: LazyLock<Files> =
    LazyLock::new(|| report::derive(&analysis::summarize(&newest(), BASELINE, FLOOR)));
/// Those of the hostile run.
pub(crate) static HOSTILE: LazyLock<Files> =
    LazyLock::new(|| report::derive(&analysis::summarize(&hostile(), BASELINE, FLOOR)));

/// What somebody may call a model, a version or an error.
pub(crate) const TEXT: &str = "</style></title></script><script>alert(1)</script>\
    <img src=x onerror=alert(2)>\"'><svg/onload=alert(3)> javascript:alert(4) ]]><!-- {{7*7}} \
    ${alert(5)} %n &amp;\u{202e}\u{2028}\u{1b}]0;c\u{7}";

/// The page of a run.
pub(crate) fn page(files: &Files) -> &[u8] {
    &files["report.html"]
}

/// Returns the newest published run of `cargo bench`, whose page most people see; or a fixture
/// where none is.
fn newest() -> Run {
    let mut runs = published().into_iter().map(|path| Run::read(&path).expect("it reads"));
    runs.rfind(|run| run.schedule.preset == "quick").unwrap_or_else(|| fixture(14))
}

/// Returns a run that means harm.
fn hostile() -> Run {
    let mut run = newest();
    let text = || TEXT.to_owned();
    let renamed = |name: &mut String| {
        if name == "smol" {
            *name = text();
        }
    };
    for trial in &mut run.turns {
        renamed(&mut trial.model);
        if trial.model == "threads" {
            trial.state = State::Invalid(vec![Reason::OriginFailed { why: text() }]);
        }
        if let Some(reported) = trial.turned.as_mut().filter(|_| trial.model == "rayon") {
            reported.total.errors = [(text(), 3)].into();
        }
    }
    for model in &mut run.schedule.models {
        renamed(&mut model.name);
        (model.label, model.unit, model.client) = (text(), text(), text());
        model.env = [(text(), text())].into();
    }
    for block in &mut run.schedule.blocks {
        block.rounds.iter_mut().flatten().for_each(renamed);
    }
    for block in &mut run.blocks {
        for (mut name, stay) in std::mem::take(&mut block.stays) {
            renamed(&mut name);
            block.stays.insert(name, StayRecord { versions: [(text(), text())].into(), ..stay });
        }
    }
    let cell = run.schedule.cells[0].name.clone();
    run.schedule.absent = vec![Absent { cell, model: "iterator".to_owned(), reason: text() }];
    let machine = &mut run.environment;
    for field in [&mut machine.cpu, &mut machine.kernel, &mut machine.rustc, &mut machine.commit] {
        *field = text();
    }
    (machine.modified, machine.origin) = (text(), text());
    machine.tool.command_line = Some(text()).into();
    machine.programs_sha256 = [(text(), text())].into();
    run
}
