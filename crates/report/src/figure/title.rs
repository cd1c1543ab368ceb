//! What figures are called: what they show, with the cell and the unit.

use analysis::Span;
use analysis::number::{digits, unit_of_time};
use workload::Cell;

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

/// Writes nanoseconds in the unit that people say them in.
pub(crate) fn time(ns: f64) -> String {
    let (unit_ns, unit) = unit_of_time(ns);
    format!("{} {}", digits(ns / unit_ns), unit.replace('u', "µ"))
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
