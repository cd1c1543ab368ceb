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
use harness::{Order, RunLock, Workspace};

use crate::alone::VERIFICATION_FAILED;
use crate::runner::{Asked, Runner, say};

fn main() -> ExitCode {
    alone::answer("sweep", act)
}

/// Does what is asked for.
fn act(workspace: Workspace, runner: &Runner) -> Result<u8> {
    let preset = harness::sweep();
    let models = preset.takes(&harness::find(&workspace, "crates")?);
    match runner.asked() {
        Asked::Measure => {
            let (results, primitives) = (workspace.root.join("results"), Vec::new());
            let (seed, supersedes) = (None, None);
            let order = Order { workspace, results, preset, models, primitives, seed, supersedes };
            alone::measure(&order)
        }
        Asked::Rehearse => {
            harness::preflight(&workspace.root, &preset.cells, &models)?;
            let _lock = RunLock::beside_no_run()?;
            let programs = harness::build(&workspace, &models, None)?;
            let verified =
                harness::verify((models, preset), &programs, &mut |one| say(&one.line()))?;
            Ok(if verified.iter().all(|one| one.works) { 0 } else { VERIFICATION_FAILED })
        }
        Asked::List | Asked::Nothing => {
            runner.list(preset.cells.iter().flat_map(|cell| {
                models.iter().map(|model| format!("{}/{}", cell.name, model.name))
            }))
        }
    }
}
