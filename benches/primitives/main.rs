//! `cargo bench --bench primitives`: what models are made of, measured as a run of its own.
//!
//! `cargo bench` measures the same primitives in its run, beside the fetches that they are to
//! explain. `-- --test` runs each once, tiny; `-- --list` names them.

#[path = "../alone/mod.rs"]
mod alone;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use harness::{Alone, Order, Verified, Workspace};
use record::PrimitiveProgram;

use crate::alone::{Asked, VERIFICATION_FAILED};

fn main() -> ExitCode {
    alone::answer("primitives", act)
}

/// Does what is asked for.
fn act(workspace: Workspace, asked: Asked) -> Result<u8> {
    let primitives = harness::find_primitives(&workspace, "crates")?;
    match asked {
        Asked::Measure => {
            let results = workspace.root.join("results");
            let (preset, models) = (harness::primitives(), Vec::new());
            let (seed, supersedes) = (None, None);
            let order = Order { workspace, results, preset, models, primitives, seed, supersedes };
            alone::measure(&order)
        }
        Asked::Rehearse => rehearse(&workspace, primitives),
        Asked::List => list(&primitives),
    }
}

/// Names the benchmarks.
fn list(programs: &[PrimitiveProgram]) -> Result<u8> {
    for program in programs {
        for primitive in &program.primitives {
            writeln!(io::stdout(), "{}/{}: benchmark", primitive.name(), program.name)?;
        }
    }
    Ok(0)
}

/// Runs each primitive once and says how it went.
fn rehearse(workspace: &Workspace, found: Vec<PrimitiveProgram>) -> Result<u8> {
    harness::preflight(&workspace.root, &[], &[])?;
    let _alone = Alone::beside_no_run()?;
    let programs = harness::build_primitives(workspace, &found, None)?;
    let mut works = true;
    harness::verify_primitives(found, &programs, &mut |trial| {
        let one = Verified::of_primitive(trial);
        works &= one.works;
        Ok(writeln!(io::stdout(), "{}", one.line())?)
    })?;
    Ok(if works { 0 } else { VERIFICATION_FAILED })
}
