//! `cargo bench --bench primitives`: what models are made of, measured as a run of its own.
//!
//! `cargo bench` measures the same primitives in its run, beside the fetches that they are to
//! explain. `-- --test` runs each once, tiny; `-- --list` names them.

#[path = "../alone/mod.rs"]
mod alone;
#[path = "../runner/mod.rs"]
mod runner;

use std::process::ExitCode;

use anyhow::Result;
use harness::{Order, RunLock, Verified, Workspace};
use model_kit::primitive::Primitive;
use record::PrimitiveProgram;

use crate::alone::VERIFICATION_FAILED;
use crate::runner::{Asked, Runner, say};

fn main() -> ExitCode {
    alone::answer("primitives", act)
}

/// Does what is asked for.
fn act(workspace: Workspace, runner: &Runner) -> Result<u8> {
    let primitives = harness::find_primitives(&workspace, "crates")?;
    match runner.asked() {
        Asked::Measure => {
            let results = workspace.root.join("results");
            let (preset, models) = (harness::primitives(), Vec::new());
            let (seed, supersedes) = (None, None);
            let order = Order { workspace, results, preset, models, primitives, seed, supersedes };
            alone::measure(&order)
        }
        Asked::Rehearse => rehearse(&workspace, primitives),
        Asked::List | Asked::Nothing => runner.list(names(&primitives)),
    }
}

/// Returns the names of the benchmarks.
fn names(programs: &[PrimitiveProgram]) -> impl Iterator<Item = String> {
    let of = |program: &PrimitiveProgram| {
        let name = |primitive: &Primitive| format!("{}/{}", primitive.name(), program.name);
        program.primitives.iter().map(name).collect::<Vec<_>>()
    };
    programs.iter().flat_map(of)
}

/// Runs each primitive once and says how it went.
fn rehearse(workspace: &Workspace, found: Vec<PrimitiveProgram>) -> Result<u8> {
    harness::preflight(&workspace.root, &[], &[])?;
    let _lock = RunLock::beside_no_run()?;
    let programs = harness::build_primitives(workspace, &found, None)?;
    let mut works = true;
    harness::verify_primitives(found, &programs, &mut |trial| {
        let one = Verified::of_primitive(trial);
        works &= one.works;
        say(&one.line())
    })?;
    Ok(if works { 0 } else { VERIFICATION_FAILED })
}
