//! Measures all models in random blocks, prints the table, and hands the turns to criterion.

use std::path::Path;

use anyhow::Result;
use harness::{BASELINE, FLOOR, How, Order, Preset};
use record::Run;
use report::{Form, Trust};

use crate::replay::Criterion;
use crate::runner::{say, warn};
use crate::setting::Setting;

/// What a run exits with in which a model did something wrong.
const NOT_SOUND: u8 = 4;

/// Measures, and reports: the table comes first, whatever becomes of what follows.
pub(crate) fn measure(setting: &Setting, criterion: Criterion) -> Result<u8> {
    let ended = harness::measure(&Order {
        workspace: setting.workspace.clone(),
        results: setting.workspace.root.join("results"),
        preset: Preset { cells: setting.cells(), ..setting.preset.clone() },
        models: setting.models(),
        primitives: setting.primitives()?,
        seed: None,
        supersedes: None,
    })?;
    let run = Run::read(&ended.path)?;
    if let How::Interrupted(_) = ended.how {
        warn("interrupted: what follows is what was measured before");
    }
    let told = tell(&run, &ended.path);
    let replayed = match ended.how {
        How::Interrupted(_) => Ok(()),
        How::Complete | How::Session(_) => criterion.replay(&run.turns),
    };
    told?;
    say(&places(&run.id, (&ended.path, ended.how)))?;
    replayed?;
    Ok(match ended.how {
        How::Interrupted(code) => code,
        _ if !run.is_sound() => NOT_SOUND,
        _ => 0,
    })
}

/// Prints the table and keeps it beside the run.
fn tell(run: &Run, path: &Path) -> Result<()> {
    let figures = report::figures(run, BASELINE, FLOOR);
    let trust = Trust::of(run, (BASELINE, FLOOR));
    let table = report::summary(run, &figures, Form::Terminal);
    let printed = say(&format!("\n{table}\n{}", trust.text(Form::Terminal)));
    let derived = report::derive_from(run, &figures, &trust);
    record::write_derived(path, env!("CARGO_PKG_VERSION"), &derived)?;
    printed
}

/// Returns where everything is.
fn places(id: &str, (path, how): (&Path, How)) -> String {
    let derived = path.join("derived");
    let (report, table) = (derived.join("report.html"), derived.join("summary.md"));
    let mut lines = vec![
        format!("\nRun        {}", path.display()),
        format!("Report     {}", report.display()),
        format!("Table      {}", table.display()),
    ];
    if how == How::Complete {
        lines.push(format!("Cite       cargo run --release -- cite {id}"));
    }
    lines.join("\n")
}
