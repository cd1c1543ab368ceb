//! What the figures of a run may be called: an estimate, or more.

use std::collections::BTreeSet;

use record::{Integrity, Model, OriginKind, Run};
use rules::expected;
use workload::Cell;

/// Sessions of a run that is more than an estimate.
const SESSIONS_MIN: u32 = 3;
/// Blocks of each cell in each of them.
const BLOCKS_MIN: usize = 20;

/// Presets whose runs compare the usual models on the usual cells; others ask a question of their
/// own, such as where models cross.
const COMPARISONS: [&str; 3] = ["quick", "standard", "citable"];

/// Returns whether a run of a preset, these models, and these cells with the origin that was asked
/// for, may stand for all where one run does: on the first page of a site, and in the README. A run
/// with models that are measured only by name has more rows than a reader takes in, and one of a
/// few cells, or at another origin, answers another question.
pub fn is_comparison<'a>(
    preset: &str,
    models: &[Model],
    (mut cells, asked): (impl Iterator<Item = &'a Cell>, OriginKind),
) -> bool {
    let is_usual = |cell: &Cell| {
        expected(cell.workload).keeps_slots_busy && cell.served_by(asked) == OriginKind::default()
    };
    COMPARISONS.contains(&preset) && models.iter().all(Model::is_core) && cells.any(is_usual)
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, paced};

    #[test]
    fn only_a_run_with_a_steady_cell_at_the_usual_origin_stands_for_all() {
        let compares = |run: &Run| {
            let cells = (run.schedule.cells.iter(), run.schedule.placement.origin);
            is_comparison("quick", &run.schedule.models, cells)
        };
        let mut run = Fixture { blocks: 1, ..Fixture::good() }.run();
        assert!(compares(&run));
        run.schedule.placement.origin = OriginKind::Fast;
        assert!(!compares(&run));
        // What `--cell paced` measures has the preset `quick`, too.
        assert!(!compares(&paced(&[1_000], "")));
    }
}
