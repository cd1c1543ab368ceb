//! The check on whether a model costs less than the floor, the least that any model could cost.

use crate::cell_turns::{CellTurns, cost};
use crate::checks::question::{Question, ValidityCheck};
use crate::family::ALPHA;
use crate::turns::Quantity;

/// G23: no model costs less than the floor for sure. One that does left work undone, or had it done
/// where nobody counts.
pub(crate) fn check(turns: &CellTurns<'_>, floor: &str) -> ValidityCheck {
    let question = Question {
        id: "G23",
        name: "floor",
        scope: &turns.cell.name,
        threshold: format!("no interval wholly below {floor}, which is the least that is needed"),
    };
    let others: Vec<&str> = turns.full().into_iter().filter(|model| *model != floor).collect();
    let comparisons = u32::try_from(others.len()).map_or(1.0, f64::from).max(1.0);
    let ratio = |model: &str| {
        let pairs = turns.counting.paired((model, floor), Quantity::Turn(cost))?;
        Some(pairs.ratio(ALPHA / comparisons))
    };
    let ratios: Vec<_> = others.iter().filter_map(|model| Some((*model, ratio(model)?))).collect();
    let Some((least, ratio)) = ratios.iter().min_by(|a, b| a.1.value.total_cmp(&b.1.value)) else {
        return question.unknown(format!("no valid turns to hold against {floor}"));
    };

    let below: Vec<&str> = ratios
        .iter()
        .filter(|(_, ratio)| ratio.interval.is_some_and(|interval| interval.high < 1.0))
        .map(|(model, _)| *model)
        .collect();
    let measured = format!("the least is {least}, {:.2} times {floor}", ratio.value);
    match below.is_empty() {
        true => question.passed(measured),
        false => {
            let why = format!("cheaper than {floor}: {}", below.join(", "));
            question.marked(measured, vec![("BELOW-FLOOR", why)])
        }
    }
}

#[cfg(test)]
mod tests {
    use record::Run;

    use crate::checks::tests::trips;
    use crate::fixture::{corrupt, reported, times};

    #[test]
    fn g23_trips_on_a_model_that_costs_less_than_the_floor() {
        let cheap = |run: &mut Run| {
            for turn in corrupt(run, ("threads", "steady")) {
                reported(turn).window.cpu_ns = times(reported(turn).window.cpu_ns, 0.5);
            }
        };
        trips(("G23", "steady"), cheap, "BELOW-FLOOR");
    }
}
