//! Where a model crosses another along a sweep, in a sentence.

use record::Along;

use crate::sweep::{SweepFigures, SweepPair};

/// Says from where on a model costs less than the other.
pub fn crossing(sweep: &SweepFigures, pair: &SweepPair) -> String {
    let (_, unit) = names(sweep.along);
    let (model, other) = (&pair.model, &sweep.other);
    let first = sweep.levels.first().copied();
    let is_absent = pair.levels.iter().any(|level| level.is_absent);
    let held = if is_absent { " that both hold" } else { "" };
    match sweep.crossover(pair) {
        (Some(from), _) if Some(from) == first => {
            format!("{model} costs less than {other} at every level{held}, from {from}{unit} on")
        }
        (Some(from), Some(low)) if low < from => format!(
            "{model} costs less than {other} from {from}{unit} on; the crossover lies between \
             {low} and {from} (95 %)"
        ),
        (Some(from), _) => format!(
            "{model} costs less than {other} from {from}{unit} on, and the crossover is no lower \
             (95 %)"
        ),
        (None, Some(low)) => format!(
            "{model} against {other}: no crossover in range; it lies at {low}{unit} or higher, or \
             beyond the range (95 %)"
        ),
        (None, None) => format!(
            "{model} against {other}: no crossover in range; it lies beyond the range (95 %), as \
             {model} costs more at the highest level{held}"
        ),
    }
}

/// Returns what is varied, and the unit of a level.
pub fn names(along: Along) -> (&'static str, &'static str) {
    match along {
        Along::InFlight => ("the number in flight", " in flight"),
        Along::InFlightAtRate => ("the number in flight at one rate", " in flight"),
        Along::DelayMs => ("the delay", " ms of delay"),
    }
}
