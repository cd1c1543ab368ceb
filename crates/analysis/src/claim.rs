//! What the figures of a run may be called: an estimate, or more.

use std::collections::BTreeSet;

use record::{Integrity, Run};

/// Sessions of a run that is more than an estimate.
const SESSIONS_MIN: u32 = 3;
/// Blocks of each cell in each of them.
const BLOCKS_MIN: usize = 20;

/// Returns whether a run's figures must be called an estimate: all but those of a whole run of the
/// preset `citable` with as many blocks and sessions as it asks for.
pub(crate) fn is_estimate(run: &Run) -> bool {
    let measured = run.turns_by_block();
    let blocks = |cell: &str, session: u32| {
        let own = run.schedule.blocks.iter().filter(|b| b.cell == cell && b.session == session);
        own.filter(|block| measured.contains_key(&block.number)).count()
    };
    let enough = |cell: &str| (0..SESSIONS_MIN).all(|session| blocks(cell, session) >= BLOCKS_MIN);
    !run.schedule.is_citable
        || run.integrity != Integrity::Whole
        || !run.schedule.cells.iter().all(|cell| enough(&cell.name))
}

/// Returns how often the run went on after it had been cut short. The first resume of each later
/// session opens it, as the schedule asks: nothing was cut.
pub(crate) fn times_cut_short(run: &Run) -> usize {
    let opened: BTreeSet<u32> = run.resumes.iter().map(|resume| resume.session).collect();
    run.resumes.len() - opened.iter().filter(|session| **session > 0).count()
}

/// Writes which run it is, and what its figures may be called.
pub(crate) fn origin_of(run: &Run) -> String {
    let schedule = &run.schedule;
    let claim = match is_estimate(run) {
        true => format!("estimate (preset {})", schedule.preset),
        false => schedule.preset.clone(),
    };
    let doubt = match &run.integrity {
        Integrity::Whole => String::new(),
        Integrity::Unfinished => ", unfinished".to_owned(),
        Integrity::Altered(files) => {
            format!(", altered after it was measured: {}", files.join(", "))
        }
    };
    format!("Inflight {}   run {}   {claim}{doubt}", schedule.version, run.id)
}
