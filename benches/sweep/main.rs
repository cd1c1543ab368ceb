//! `cargo bench --bench sweep`: from how many in flight on, and from which delay on, tasks cost
//! less than threads, and one fetch after the other does.
//!
//! It is the preset `sweep`, a run of its own: `cargo bench` has no time for it. `-- --test` runs
//! each model once on each level, verified; `-- --list` names the levels.

#[path = "../alone/mod.rs"]
mod alone;
#[path = "../runner/mod.rs"]
mod runner;

use std::process::ExitCode;

use anyhow::Result;
use harness::{Preset, Request, RunLock, Workers, Workspace};
use model_kit::Cell;
use record::{Model, OriginKind};

use crate::alone::VERIFICATION_FAILED;
use crate::runner::{Asked, say};

fn main() -> ExitCode {
    alone::answer("sweep", act)
}

/// Does what is asked for.
fn act(workspace: Workspace, asked: &alone::Request) -> Result<u8> {
    let preset = harness::sweep();
    let models = preset.takes(&harness::find(&workspace, "crates")?);
    match asked.runner.asked() {
        Asked::Measure => {
            let (results, primitives) = (workspace.root.join("results"), Vec::new());
            let (seed, supersedes, origin) = (None, None, OriginKind::default());
            let request = Request {
                workspace,
                results,
                preset,
                models,
                primitives,
                seed,
                supersedes,
                origin,
                workers: Workers::default(),
            };
            alone::measure(&request)
        }
        Asked::Rehearse => {
            let (preset, models) = taken(preset, models, asked)?;
            let needs = (preset.cells.as_slice(), models.as_slice());
            harness::preflight((&workspace.root, Some(&workspace.target)), None, needs)?;
            let _lock = RunLock::beside_no_run()?;
            let programs = harness::build(&workspace, (&models, &[]))?;
            let all = (models, Vec::new(), preset);
            let verified = harness::verify(all, &programs, &mut |one| say(&one.line()))?;
            Ok(if verified.iter().all(|one| one.works) { 0 } else { VERIFICATION_FAILED })
        }
        Asked::List | Asked::Nothing => {
            asked.list(preset.cells.iter().flat_map(|cell| {
                models.iter().map(|model| format!("{}/{}", cell.name, model.name))
            }))
        }
    }
}

/// Returns the levels and the models that are asked for.
fn taken(
    mut preset: Preset,
    mut models: Vec<Model>,
    asked: &alone::Request,
) -> Result<(Preset, Vec<Model>)> {
    let takes = |cell: &Cell, model: &Model| asked.takes(&format!("{}/{}", cell.name, model.name));
    let all = models.clone();
    models.retain(|model| preset.cells.iter().any(|cell| takes(cell, model)));
    preset.cells.retain(|cell| all.iter().any(|model| takes(cell, model)));
    asked.finds(!models.is_empty())?;
    Ok((preset, models))
}
