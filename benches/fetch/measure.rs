//! Measures all models in random blocks, hands the trials to criterion, and prints the table.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use harness::{BASELINE, Ended, FLOOR, How, Order, Preset};
use record::{Run, State};
use report::{Form, Trust};

use crate::replay;
use crate::setting::Setting;

/// What a run with a trial that does not count exits with.
const NOT_ALL_VALID: u8 = 4;

/// Measures, and reports.
pub(crate) fn measure(setting: &Setting) -> Result<ExitCode> {
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
    let table = keep_tables(&run, &ended.path)?;
    match ended.how {
        How::Interrupted(_) => {
            let _ = writeln!(io::stderr(), "interrupted: what follows is what was measured before");
        }
        How::Complete | How::Sitting(_) => replay::replay(&setting.entries(), &run.trials),
    }
    print(&table, (&run, &ended))?;
    Ok(match ended.how {
        How::Interrupted(code) => ExitCode::from(code),
        _ if !all_valid(&run) => ExitCode::from(NOT_ALL_VALID),
        _ => ExitCode::SUCCESS,
    })
}

/// Returns whether every trial counts.
fn all_valid(run: &Run) -> bool {
    run.trials.iter().all(|trial| trial.state == State::Valid)
        && run.primitives.whole.iter().all(|trial| trial.state == State::Valid)
}

/// Keeps the table beside the run, before criterion has its say, and returns it for a terminal.
fn keep_tables(run: &Run, path: &Path) -> Result<String> {
    let figures = report::figures(run, BASELINE, FLOOR);
    let trust = Trust::of(run, (BASELINE, FLOOR));
    let derived = report::derive_from(run, &figures, &trust);
    record::write_derived(path, env!("CARGO_PKG_VERSION"), &derived)?;
    let table = report::summary(run, &figures, Form::Terminal);
    Ok(format!("{table}\n{}", trust.text(Form::Terminal)))
}

/// Prints the table, and where everything is.
fn print(table: &str, (run, ended): (&Run, &Ended)) -> Result<()> {
    let path = &ended.path;
    let derived = path.join("derived");
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "\n{}", model_kit::plain(table))?;
    writeln!(stdout, "Run        {}", path.display())?;
    writeln!(stdout, "Report     {}", derived.join("report.html").display())?;
    writeln!(stdout, "Table      {}", derived.join("summary.md").display())?;
    if ended.how == How::Complete {
        writeln!(stdout, "Cite       cargo run --release -- cite {}", run.id)?;
    }
    writeln!(stdout, "Criterion  target/criterion/report/index.html")?;
    Ok(())
}
