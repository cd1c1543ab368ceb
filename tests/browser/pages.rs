//! The pages that are tried: that of the newest published default run, or of a fixture where none
//! is; that of the newest published `standard` run, which has more cells; and one of which every
//! text that a model, a machine or an error decides is hostile.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use harness::{BASELINE, FLOOR};
use record::{Absent, Brief, Run, State, StayRecord};
use rules::Reason;

use crate::support::fixture::fixture;
use crate::support::shell::published;

/// The files that are computed from a run.
type Files = BTreeMap<String, Vec<u8>>;

/// Those of the newest default run.
pub(crate) static NEWEST: LazyLock<Files> = LazyLock::new(|| derived(&newest()));
/// Those of the newest run of `standard`, if one is published.
static STANDARD: LazyLock<Option<Files>> =
    LazyLock::new(|| published_last("standard").as_ref().map(derived));
/// Those of the hostile run.
pub(crate) static HOSTILE: LazyLock<Files> = LazyLock::new(|| derived(&hostile()));

/// What somebody may call a model, a version or an error.
pub(crate) const TEXT: &str = "</style></title></script><script>alert(1)</script>\
    <img src=x onerror=alert(2)>\"'><svg/onload=alert(3)> javascript:alert(4) ]]><!-- {{7*7}} \
    ${alert(5)} %n &amp;\u{202e}\u{2028}\u{1b}]0;c\u{7}";

/// The page of a run.
pub(crate) fn page(files: &Files) -> &[u8] {
    &files["report.html"]
}

/// Returns the files of the default run and of `standard`, with their presets.
pub(crate) fn both() -> impl Iterator<Item = (&'static str, &'static Files)> {
    let standard = STANDARD.as_ref().map(|files| ("standard", files));
    [("quick", &*NEWEST)].into_iter().chain(standard)
}

/// Returns what is computed from a run.
fn derived(run: &Run) -> Files {
    report::derive(&analysis::summarize(run, BASELINE, FLOOR))
}

/// Returns the newest published run of a preset that compares the usual models: one of many more
/// has a longer page.
fn published_last(preset: &str) -> Option<Run> {
    // Those of other presets need not be read for that.
    let is_of = |path: &PathBuf| Brief::read(path).is_ok_and(|run| run.preset == preset);
    let runs = published().into_iter().filter(is_of);
    let mut runs = runs.map(|path| Run::read(&path).expect("it reads"));
    runs.rfind(|run| {
        let cells = (run.schedule.cells.iter(), run.schedule.placement.origin);
        analysis::is_comparison(preset, &run.schedule.models, cells)
    })
}

/// Returns the newest published run of `cargo bench`, whose page most people see; or a fixture
/// where none is.
fn newest() -> Run {
    published_last("quick").unwrap_or_else(|| fixture(14))
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
