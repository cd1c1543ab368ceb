//! `cargo bench -- --test`: each model once on each cell, verified, one line each.

use anyhow::Result;
use harness::{Preset, PrimitiveBlocks, RunLock};

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
    harness::preflight((&workspace.root, Some(&workspace.target)), None, needs)?;
    let _lock = RunLock::beside_no_run()?;
    setting.can_run()?;
    let primitives = setting.primitives()?;
    let preset = Preset { primitives: PrimitiveBlocks::ONCE, ..preset };
    let programs = harness::build(workspace, (&models, &primitives))?;
    let all = (models, primitives, preset);
    let verified = harness::verify(all, &programs, &mut |one| say(&one.line()))?;
    let works = verified.iter().all(|one| one.works);
    Ok(if works { 0 } else { VERIFICATION_FAILED })
}
