//! Which of two models costs less, as far as the verdicts of a cell say so.

use stats::verdict::Verdict;

use crate::cell_figures::CellFigures;

/// Returns whether a model certainly costs less than another: by the verdict on the two, or, where
/// the family does not hold them, because the baseline certainly lies between them.
pub(crate) fn costs_less(cell: &CellFigures, baseline: &str, model: &str, other: &str) -> bool {
    match certain(cell, model, other) {
        Some(less) => less == Less::First,
        None => {
            certain(cell, model, baseline) == Some(Less::First)
                && certain(cell, baseline, other) == Some(Less::First)
        }
    }
}

/// Which of two models costs less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Less {
    /// The first.
    First,
    /// The second.
    Second,
    /// Nobody knows, or neither by much.
    Neither,
}

/// Returns what the verdict on two models says, if they were compared.
fn certain(cell: &CellFigures, model: &str, other: &str) -> Option<Less> {
    Some(match cell.between(model, other)? {
        (Verdict::Different, ratio) if ratio < 1.0 => Less::First,
        (Verdict::Different, _) => Less::Second,
        _ => Less::Neither,
    })
}
