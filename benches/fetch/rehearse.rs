//! `cargo bench -- --test`: each model once on each cell, verified, one line each.

use anyhow::Result;
use harness::{Preset, RunLock, Verified};

use crate::runner::say;
use crate::setting::Setting;

/// What verification that failed exits with.
const VERIFICATION_FAILED: u8 = 3;

/// Runs each model once on each cell and says how it went.
pub(crate) fn rehearse(setting: &Setting) -> Result<u8> {
    let preset = Preset { cells: setting.cells(), ..setting.preset.clone() };
    let models = setting.models();
    let workspace = &setting.workspace;
    let needs = (preset.cells.as_slice(), models.as_slice());
    harness::preflight(&workspace.root, &[&workspace.target], needs)?;
    let _lock = RunLock::beside_no_run()?;
    setting.can_run()?;
    let programs = harness::build(workspace, &models, None)?;
    let verified = harness::verify((models, preset), &programs, &mut |one| say(&one.line()))?;
    let primitives = setting.primitives()?;
    let programs = harness::build_primitives(workspace, &primitives, None)?;
    let mut primitives_work = true;
    harness::verify_primitives(primitives, &programs, &mut |trial| {
        let one = Verified::of_primitive(trial);
        primitives_work &= one.works;
        say(&one.line())
    })?;
    let works = primitives_work && verified.iter().all(|one| one.works);
    Ok(if works { 0 } else { VERIFICATION_FAILED })
}
