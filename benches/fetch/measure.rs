//! Measures all models in turns, prints the answer, and hands the turns to criterion.

use std::path::Path;

use analysis::Summary;
use anyhow::Result;
use harness::{BASELINE, FLOOR, How, Preset, Request, Workers};
use record::{OriginKind, Run};
use report::{Form, Place};

use crate::arguments::Arguments;
use crate::replay::Criterion;
use crate::runner::{say, warn};
use crate::setting::Setting;

/// What a run exits with in which a model did something wrong.
const NOT_SOUND: u8 = 4;

/// Measures, and reports: the answer comes before criterion has anything, whatever becomes of it
/// then.
pub(crate) fn measure(
    setting: &Setting,
    arguments: &Arguments,
    criterion: Criterion,
) -> Result<u8> {
    let ended = harness::measure(&Request {
        workspace: setting.workspace.clone(),
        results: setting.workspace.root.join("results"),
        preset: Preset { cells: setting.cells(), ..setting.preset.clone() },
        models: setting.models(),
        primitives: setting.primitives()?,
        seed: None,
        supersedes: None,
        origin: OriginKind::default(),
        workers: Workers::default(),
    })?;
    let run = Run::read(&ended.path)?;
    if let How::Interrupted(_) = ended.how {
        warn("interrupted: what follows is what was measured before");
    }
    harness::writing_report();
    let summary = analysis::summarize(&run, BASELINE, FLOOR);
    if arguments.verbose {
        let trust = report::trust_text(&summary.trust, Form::Terminal);
        say(&format!("\n{}\n{trust}", report::summary(&summary, Form::Terminal)))?;
    }
    let derived = report::derive(&summary);
    let derived = record::write_derived(&ended.path, env!("CARGO_PKG_VERSION"), &derived);
    let said = say(&answer(&summary, &ended.path));
    let replayed = match ended.how {
        How::Interrupted(_) => Ok(()),
        How::Complete | How::Session(_) => criterion.replay(&run.turns),
    };
    said?;
    derived?;
    replayed?;
    Ok(match ended.how {
        How::Interrupted(code) => code,
        _ if !run.is_sound() => NOT_SOUND,
        _ => 0,
    })
}

/// Returns the answer of a run in a folder.
fn answer(summary: &Summary, folder: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let columns = harness::columns();
    let page = report::page_of(folder, &here, columns);
    // The time a run began says which it is.
    let name = summary.id.split('-').next().unwrap_or(&summary.id);
    let place = Place { page: &page, run: name, columns };
    format!("\n{}", report::answer(summary, &place))
}
