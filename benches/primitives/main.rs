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
use harness::{Preset, PrimitiveBlocks, Request, RunLock, Workers, Workspace};
use model_kit::Workload;
use record::{OriginKind, PrimitiveProgram};

use crate::alone::VERIFICATION_FAILED;
use crate::runner::{Asked, say};

fn main() -> ExitCode {
    alone::answer("primitives", act)
}

/// Does what is asked for.
fn act(workspace: Workspace, asked: &alone::Request) -> Result<u8> {
    let primitives = harness::find_primitives(&workspace, "crates")?;
    match asked.runner.asked() {
        Asked::Measure => {
            let results = workspace.root.join("results");
            let (preset, models) = (harness::primitives(), Vec::new());
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
        Asked::Rehearse => rehearse(&workspace, taken(primitives, asked)?),
        Asked::List | Asked::Nothing => asked.list(names(&primitives)),
    }
}

/// Returns the names of the benchmarks.
fn names(programs: &[PrimitiveProgram]) -> impl Iterator<Item = String> {
    let of = |program: &PrimitiveProgram| {
        let names = program.primitives.iter().map(|primitive| name(*primitive, program));
        names.collect::<Vec<_>>()
    };
    programs.iter().flat_map(of)
}

/// Returns the name of a benchmark.
fn name(primitive: Workload, program: &PrimitiveProgram) -> String {
    format!("{}/{}", primitive.name(), program.package)
}

/// Returns the programs with those of their primitives that are asked for.
fn taken(programs: Vec<PrimitiveProgram>, asked: &alone::Request) -> Result<Vec<PrimitiveProgram>> {
    let mut programs = programs;
    for program in &mut programs {
        let all = program.clone();
        program.primitives.retain(|primitive| asked.takes(&name(*primitive, &all)));
    }
    programs.retain(|program| !program.primitives.is_empty());
    asked.finds(!programs.is_empty())?;
    Ok(programs)
}

/// Runs each primitive once and says how it went.
fn rehearse(workspace: &Workspace, found: Vec<PrimitiveProgram>) -> Result<u8> {
    harness::preflight((&workspace.root, Some(&workspace.target)), None, (&[], &[]))?;
    let _lock = RunLock::beside_no_run()?;
    let programs = harness::build(workspace, (&[], &found))?;
    let preset = Preset { primitives: PrimitiveBlocks::ONCE, ..harness::primitives() };
    let all = (Vec::new(), found, preset);
    let verified = harness::verify(all, &programs, &mut |one| say(&one.line()))?;
    Ok(if verified.iter().all(|one| one.works) { 0 } else { VERIFICATION_FAILED })
}
