//! What a reader must know before a figure is repeated: a few warnings, each with what to do about
//! it.

use analysis::cell_figures::{CellFigures, RowState};
use analysis::checks::meaning::{BLOCKS, DOCTORED};
use analysis::checks::question::ValidityCheck;
use analysis::figures::Figures;
use analysis::trust::Trust;
use analysis::{INFLIGHT, Integrity, Summary};

use crate::answer::place::Place;

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

/// Names the checks that warn of the run and of the cell, in a line for each thing that may help.
fn checks(main: Option<&CellFigures>, trust: &Trust) -> Vec<String> {
    let cell = main.map(|cell| cell.cell.name.as_str());
    let about = cell.map_or_else(String::new, |cell| format!(" in {cell}"));
    let has = |check: &ValidityCheck, badges: &[&str]| {
        check.badges.iter().any(|own| badges.contains(own))
    };
    let (doctored, others): (Vec<_>, Vec<_>) =
        trust.warnings(cell).into_iter().partition(|check| has(check, &DOCTORED));
    let (noisy, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|check| has(check, &BLOCKS));
    let doctor = format!("`{INFLIGHT} doctor` looks for the cause");
    let line = |(checks, help): (Vec<&ValidityCheck>, &str)| {
        let names: Vec<String> = checks.iter().map(|check| check.name.to_owned()).collect();
        (!names.is_empty()).then(|| format!("warning: {}{about}: {help}", few(&names)))
    };
    let helps = [
        (doctored, doctor.as_str()),
        (noisy, "more blocks (option `--blocks`) lower the noise"),
        (others, "the page says what to doubt"),
    ];
    helps.into_iter().filter_map(line).collect()
}

/// Writes the first few names, and how many more there are.
fn few(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMES_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
