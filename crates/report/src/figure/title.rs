//! What figures are called: what they show, with the cell and the unit.

use analysis::number::{count, digits};
use analysis::{AgainstBaseline, Span};
use workload::Cell;

use crate::figure::percent::span;
use crate::figure::scene::Scene;
use crate::words::listed;

/// Names that a title holds.
const NAMES_MAX: usize = 4;

/// Returns a finding with the cell that it is of.
pub(crate) fn in_cell(finding: &str, cell: &Cell) -> String {
    format!("{finding}; {}, {} in flight", cell.name, cell.in_flight)
}

/// Writes the least and the greatest of some values in a unit: `12.2 to 40.5 µs`.
pub(crate) fn ends(values: Span, unit: &str) -> String {
    let [least, most] = [values.least, values.most].map(digits);
    match least == most {
        true => format!("{least}{unit}"),
        false => format!("{least} to {most}{unit}"),
    }
}

/// Says how the other models with the same HTTP code compare with the baseline, and claims no more
/// than their verdicts.
pub(crate) fn against(scene: &Scene<'_>) -> String {
    let baseline = &scene.all.baseline;
    let Some(answer) = scene.run.answer_of(&scene.cell.cell.name) else { return String::new() };
    let names: Vec<&str> = answer.rivals.iter().map(|rival| rival.model.as_str()).collect();
    let who = match names[..] {
        [only] => format!("{only} needs"),
        [..] if names.len() <= NAMES_MAX => format!("{} need", listed(&names)),
        _ => "Other models with the same HTTP code need".to_owned(),
    };
    let found = &scene.findings.against_baseline;
    let AgainstBaseline { more, less, equivalent, inconclusive, .. } = *found;
    match (found.more_cpu_ratio, found.less_cpu_ratio) {
        (Some(ratio), None) if more == names.len() => {
            format!("{who} {} more CPU per fetch than {baseline}", of_ratio(ratio))
        }
        (None, Some(ratio)) if less == names.len() => {
            format!("{who} {} less CPU per fetch than {baseline}", of_ratio(ratio))
        }
        _ if names.is_empty() => format!("CPU per fetch against {baseline}, in percent"),
        (None, None) if inconclusive == 0 => {
            format!("{who} as much CPU per fetch as {baseline}")
        }
        (None, None) => format!("No model is shown to differ from {baseline} in CPU per fetch"),
        (ratio, _) => {
            let [(first, way), second] = match ratio {
                Some(_) => [(more, "more"), (less, "less")],
                None => [(less, "less"), (0, "more")],
            };
            let need = if first == 1 { "needs" } else { "need" };
            let rest = [second, (equivalent, "as much"), (inconclusive, "cannot be distinguished")];
            let rest = rest.into_iter().filter(|(count, _)| *count > 0);
            let first = format!("{} {need} {way} CPU per fetch", count(first, "model"));
            let rest = rest.map(|(count, what)| format!("{count} {what}"));
            let all: Vec<String> = [first].into_iter().chain(rest).collect();
            format!("Against {baseline}, {}", all.join(", "))
        }
    }
}

/// Writes by how much ratios are more or less than one.
fn of_ratio(ratio: Span) -> String {
    span(&[ratio.least, ratio.most])
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
        assert_eq!(ends(Span { least: 1.0, most: 2.0 }, " ms"), "1.00 to 2.00 ms");
        assert_eq!(ends(Span { least: 2.0, most: 2.001 }, ""), "2.00");
    }
}
