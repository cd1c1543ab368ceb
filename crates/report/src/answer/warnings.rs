//! What a reader must know before a figure is repeated: at most three warnings, each with what to
//! do about it.

use analysis::cell_figures::{CellFigures, RowState};
use analysis::checks::question::{CheckState, RUN};
use analysis::figures::Figures;
use analysis::number::count;
use analysis::trust::Trust;
use analysis::{Integrity, Summary};

use crate::answer::place::Place;

/// The most warnings; what else there is follows from the checks.
const WARNINGS_MAX: usize = 3;
/// The most names in a warning.
const NAMES_MAX: usize = 4;

/// Returns the warnings, the gravest first.
pub(super) fn warnings(
    run: &Summary,
    main: Option<&CellFigures>,
    place: &Place<'_>,
) -> Vec<String> {
    let Place { run: name, program, .. } = place;
    let integrity = match &run.integrity {
        Integrity::Whole => None,
        Integrity::Unfinished => {
            let (done, due) = (run.blocks.measured, run.blocks.planned);
            Some(format!(
                "unfinished, {done} of {due} blocks: go on with `{program} run --resume {name}`"
            ))
        }
        Integrity::Altered(files) => Some(format!(
            "altered after it was measured, {}: do not use it; `{program} check {name}` says more",
            files.join(", ")
        )),
    };
    let lost = lost(&run.figures);
    let lost = (!lost.is_empty())
        .then(|| format!("not all turns count of {}; --verbose says why", few(&lost)));
    let failed = checks(main, &run.trust);
    let failed = (!failed.is_empty()).then(|| {
        format!(
            "{} did not pass ({}): `{program} doctor` says what would help",
            count(failed.len(), "check"),
            few(&failed)
        )
    });
    let all = [integrity, lost, failed].into_iter().flatten();
    all.take(WARNINGS_MAX).map(|text| format!("warning: {text}")).collect()
}

/// Names the models of which turns were lost that should have counted, with their cells.
fn lost(figures: &Figures) -> Vec<String> {
    let mut lost = Vec::new();
    for cell in &figures.cells {
        let rows = cell.all_rows().filter(|row| {
            let has_its_way = matches!(row.state, RowState::NotApplicable | RowState::Missing);
            !has_its_way && row.reason.is_some()
        });
        lost.extend(rows.map(|row| format!("{} in {}", row.model, cell.cell.name)));
    }
    lost
}

/// Names the checks of the run and of the cell that did not pass.
fn checks(main: Option<&CellFigures>, trust: &Trust) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for check in &trust.checks {
        let is_here = check.scope == RUN || main.is_some_and(|cell| cell.cell.name == check.scope);
        let is_open = matches!(check.state, CheckState::Failed(_) | CheckState::Badge(_));
        if is_here && is_open && !names.iter().any(|name| name == check.name) {
            names.push(check.name.to_owned());
        }
    }
    names
}

/// Writes the first few names, and how many more there are.
fn few(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMES_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
