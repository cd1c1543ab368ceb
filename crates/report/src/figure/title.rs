//! What figures are called: what they show, with the cell and the unit.

use analysis::Together;
use analysis::number::{count, digits};
use workload::Cell;

use crate::figure::scene::Scene;
use crate::figure::percent::span;
use crate::words::listed;

/// Names that a title holds.
const NAMES_MAX: usize = 4;

/// Returns a finding with the cell that it is of.
pub(crate) fn in_cell(finding: &str, cell: &Cell) -> String {
    format!("{finding}; {}, {} in flight", cell.name, cell.in_flight)
}

/// Writes the least and the greatest of some values in a unit: `12.2 to 40.5 µs`.
pub(crate) fn ends(values: impl Iterator<Item = f64>, unit: &str) -> Option<String> {
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let least = digits(values.iter().copied().reduce(f64::min)?);
    let most = digits(values.iter().copied().reduce(f64::max)?);
    Some(match least == most {
        true => format!("{least}{unit}"),
        false => format!("{least} to {most}{unit}"),
    })
}

/// Says how the other models with the same HTTP code compare with the baseline, and claims no more
/// than their verdicts.
pub(crate) fn against(scene: &Scene<'_>) -> String {
    let baseline = &scene.all.baseline;
    let Some(answer) = scene.run.answer_of(&scene.cell.cell.name) else { return String::new() };
    let names: Vec<&str> = answer.rivals.iter().map(|rival| rival.model.as_str()).collect();
    let different = |groups: &[Together]| groups.iter().map(|own| own.models.len()).sum::<usize>();
    let (more, less) = (different(&answer.more), different(&answer.less));
    let open = names.len() - more - less;
    let ends = |groups: &[Together]| {
        span(&groups.iter().flat_map(|own| [own.least, own.most]).collect::<Vec<_>>())
    };
    let who = match names[..] {
        [only] => format!("{only} needs"),
        [..] if names.len() <= NAMES_MAX => format!("{} need", listed(&names)),
        _ => "Other models with the same HTTP code need".to_owned(),
    };
    match (more, less, open) {
        (0, 0, 0) => format!("CPU per fetch against {baseline}, in percent"),
        (_, 0, 0) => {
            let span = ends(&answer.more);
            format!("{who} {span} more CPU per fetch than {baseline}")
        }
        (0, _, 0) => {
            let span = ends(&answer.less);
            format!("{who} {span} less CPU per fetch than {baseline}")
        }
        (more, less, open) => format!(
            "Against {baseline}, {} more CPU per fetch, {less} less; {open} cannot be \
             distinguished",
            match more {
                1 => "1 model needs".to_owned(),
                more => format!("{} need", count(more, "model")),
            }
        ),
    }
}

/// Writes nanoseconds in the unit that people say them in.
pub(crate) fn time(ns: f64) -> String {
    match () {
        () if ns.abs() >= 1e6 => format!("{} ms", digits(ns / 1e6)),
        () if ns.abs() >= 1e3 => format!("{} µs", digits(ns / 1e3)),
        () => format!("{} ns", digits(ns)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_the_unit_that_people_say() {
        for (ns, text) in [(1.58, "1.58 ns"), (4529.0, "4.53 µs"), (1_125_000.0, "1.12 ms")] {
            assert_eq!(time(ns), text);
        }
        assert_eq!(ends([2.0, 1.0].into_iter(), " ms").unwrap(), "1.00 to 2.00 ms");
        assert_eq!(ends([].into_iter(), " ms"), None);
    }
}
