//! What a reader must know before a figure is repeated: at most three warnings, each with what to
//! do about it.

use analysis::cell_figures::{CellFigures, RowState};
use analysis::checks::meaning::{BLOCKS, DOCTORED};
use analysis::checks::question::ValidityCheck;
use analysis::figures::Figures;
use analysis::number::count;
use analysis::trust::Trust;
use analysis::{INFLIGHT, Integrity, Summary};

use crate::answer::place::Place;
use crate::words::listed;

/// The most names in a warning.
const NAMES_MAX: usize = 4;

/// Returns the warnings, the gravest first.
pub(super) fn warnings(
    run: &Summary,
    main: Option<&CellFigures>,
    place: &Place<'_>,
) -> Vec<String> {
    let name = place.run;
    let integrity = match &run.integrity {
        Integrity::Whole => None,
        Integrity::Unfinished => {
            let (done, due) = (run.blocks.measured, run.blocks.planned);
            Some(format!(
                "unfinished, {done} of {due} blocks: go on with `{INFLIGHT} run --resume {name}`"
            ))
        }
        Integrity::Altered(files) => Some(format!(
            "altered after it was measured, {}: do not use it; `{INFLIGHT} check {name}` says more",
            files.join(", ")
        )),
    };
    let lost = lost(&run.figures);
    let lost = (!lost.is_empty())
        .then(|| format!("not all turns count of {}; --verbose says why", few(&lost)));
    let warnings = [integrity, lost].into_iter().flatten().map(|text| format!("warning: {text}"));
    warnings.chain(checks(main, &run.trust)).collect()
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

/// Names the checks that warn of the run and of the cell, and what may help.
fn checks(main: Option<&CellFigures>, trust: &Trust) -> Option<String> {
    let cell = main.map(|cell| cell.cell.name.as_str());
    let all = trust.warnings(cell);
    let with = |badges: &[&str]| {
        let has = |check: &&ValidityCheck| check.badges.iter().any(|own| badges.contains(own));
        all.iter().copied().filter(has).map(|check| check.name.to_owned()).collect::<Vec<String>>()
    };
    let about = cell.map_or_else(String::new, |cell| format!(" for {cell}"));
    let names: Vec<String> = all.iter().map(|check| check.name.to_owned()).collect();
    let doctored = with(&DOCTORED);
    let doctor = match doctored.is_empty() {
        true => String::new(),
        false => format!("; `{INFLIGHT} doctor` looks for the cause of {}", listed(&doctored)),
    };
    let blocks = match with(&BLOCKS).is_empty() {
        true => "",
        false => "; more blocks (option `--blocks`) lower the noise",
    };
    let warnings = count(all.len(), "warning");
    (!all.is_empty()).then(|| format!("{warnings}{about}: {}{doctor}{blocks}", few(&names)))
}

/// Writes the first few names, and how many more there are.
fn few(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMES_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
