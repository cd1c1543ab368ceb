//! The check on whether the models of a cell did the same work: at the same rate, with as many
//! segments a fetch.

use rules::expected;

use crate::cell_turns::{CellTurns, rate, segments};
use crate::checks::question::{Question, Trouble, ValidityCheck};
use crate::family::ALPHA;
use crate::number::limit;
use crate::turns::Quantity;

/// How far a rate may be from the baseline's. CPU time per fetch depends on how many replies come
/// together, so that costs are like for like only at equal rate.
const RATE_MAX: f64 = 0.02;
/// How far the segments per fetch may be from the floor's. Loopback charges the receiving of a
/// segment to whoever sends it; that cancels in the excess above the floor if both cause as many.
const SEGMENTS_MAX: f64 = 0.05;

/// G8: costs are compared at equal rate, and excess above the floor at equal segments. The kernel
/// counts segments for the whole namespace, whoever's ports they are, so this is a badge and not a
/// fault of a model: what others send may set it off, or hide a difference.
pub(crate) fn check(turns: &CellTurns<'_>, (baseline, floor): (&str, &str)) -> ValidityCheck {
    let question = Question {
        id: "G8",
        name: "same work",
        scope: &turns.cell.name,
        threshold: format!(
            "rate within {} of the baseline's, segments per fetch within {} of the floor's",
            limit(RATE_MAX),
            limit(SEGMENTS_MAX)
        ),
    };
    let segments = distances(turns, floor, Quantity::Turn(segments));
    let rates = distances(turns, baseline, Quantity::Turn(rate));
    if rates.is_empty() || segments.is_empty() {
        return question.unknown(format!("no valid turns to hold against {baseline} and {floor}"));
    }

    let workload = turns.cell.workload;
    let (rates, rate_text) = match expected(workload).is_paced_by_delays {
        false => (Vec::new(), format!("a {} runs at each model's own rate", workload.name())),
        true => {
            let text = format!("rates: {}", farthest(&rates));
            (rates, text)
        }
    };
    let mut troubles: Vec<Trouble> = Vec::new();
    if let Some(models) = beyond(&rates, RATE_MAX) {
        troubles.push(("UNEQUAL-RATE", format!("at another rate than {baseline}: {models}")));
    }
    if let Some(models) = beyond(&segments, SEGMENTS_MAX) {
        let why = format!(
            "other segments a fetch than {floor}: {models}; those of other programs in the \
             network namespace count as well"
        );
        troubles.push(("UNEQUAL-IO", why));
    }
    question.marked(format!("{rate_text}; segments: {}", farthest(&segments)), troubles)
}

/// How far models are from a reference, relatively.
type Distances<'a> = Vec<(&'a str, f64)>;

/// Returns how far a quantity of each model is from that of a reference inside blocks.
fn distances<'a>(turns: &CellTurns<'a>, reference: &str, quantity: Quantity) -> Distances<'a> {
    let others = turns.full().into_iter().filter(|model| *model != reference);
    let distance = |model| {
        let pairs = turns.counting.paired((model, reference), quantity)?;
        Some((model, pairs.ratio(ALPHA).value - 1.0))
    };
    others.filter_map(distance).collect()
}

/// Writes which model is farthest, and how far.
fn farthest(distances: &Distances<'_>) -> String {
    let farthest = distances.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    farthest.map_or_else(|| "none to compare".to_owned(), reported)
}

/// Names the models that are farther than a limit.
fn beyond(distances: &Distances<'_>, limit: f64) -> Option<String> {
    let far = distances.iter().filter(|(_, distance)| distance.abs() > limit);
    let names: Vec<String> = far.map(reported).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Writes how far a model is.
fn reported((model, distance): &(&str, f64)) -> String {
    format!("{model} {:+.1} %", 100.0 * distance)
}

#[cfg(test)]
mod tests {
    use record::Run;

    use crate::checks::checks as all_checks;
    use crate::checks::tests::{get, trips};
    use crate::fixture::{BASELINE, FLOOR, Fixture, corrupt, receipt, reported, times};

    #[test]
    fn g8_trips_on_another_rate() {
        let slow = |run: &mut Run| {
            for turn in corrupt(run, ("threads", "steady")) {
                reported(turn).window.wall_ns = times(reported(turn).window.wall_ns, 1.03);
            }
        };
        trips(("G8", "steady"), slow, "UNEQUAL-RATE");
    }

    #[test]
    fn g8_trips_on_other_segments() {
        let many = |run: &mut Run| {
            for turn in corrupt(run, ("threads", "batch")) {
                let segments = receipt(turn).segments_in.unwrap();
                receipt(turn).segments_in = Some(times(segments, 1.06));
            }
        };
        trips(("G8", "batch"), many, "UNEQUAL-IO");
        let hidden = |run: &mut Run| {
            for turn in run.turns.iter_mut().filter(|turn| turn.cell == "batch") {
                receipt(turn).segments_in = None;
            }
        };
        trips(("G8", "batch"), hidden, "unknown");
    }

    #[test]
    fn g8_lets_a_batch_and_a_bounded_model_run_at_their_own_rate() {
        let mut run = Fixture::good().run();
        for turn in corrupt(&mut run, ("threads", "batch")) {
            reported(turn).window.wall_ns *= 2;
        }
        run.schedule.models[2].max_in_flight = Some(1);
        for turn in corrupt(&mut run, ("smol", "batch")) {
            receipt(turn).segments_in = receipt(turn).segments_in.map(|count| 2 * count);
        }
        let checks = all_checks(&run, BASELINE, FLOOR);
        assert!(get(&checks, ("G8", "batch")).badges.is_empty());
    }
}
