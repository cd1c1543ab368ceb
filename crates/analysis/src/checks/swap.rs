//! The check on whether who serves decides who is cheaper.

use record::Run;
use stats::Estimate;
use stats::kendall::tau_b;
use workload::Cell;

use crate::cell_turns::{CellTurns, cost, origin_cost};
use crate::checks::question::{Question, RUN, ValidityCheck};
use crate::counts::median;
use crate::family::ALPHA;
use crate::number::limit;
use crate::turns::Quantity;

/// How alike the orders of the models must be at both kinds of origin. With it, at most one pair in
/// ten stands in another order.
const TAU_MIN: f64 = 0.8;

/// The ratios of a model at both origins: the usual one, and the other.
type Ratios<'a> = (&'a str, [Estimate; 2]);

/// G24: a cell that was measured at both kinds of origin has one order of models, and no sure
/// difference turns round. A run without such a cell is not asked.
pub(crate) fn check(run: &Run, baseline: &str) -> Option<ValidityCheck> {
    let both = twins(run)?.map(|cell| CellTurns::of(run, cell));
    let question = Question {
        id: "G24",
        name: "origin swap",
        scope: RUN,
        threshold: format!(
            "the same cell at both origins: Kendall's tau of the costs at least {}, no sure \
             difference to {baseline} reversed",
            limit(TAU_MIN)
        ),
    };
    let ratios = ratios(&both, baseline);
    let order = |which: usize| ratios.iter().map(|(_, r)| r[which].value).collect::<Vec<f64>>();
    let Some(tau) = tau_b(&order(0), &order(1)) else {
        return Some(question.unknown("too few models have valid turns at both origins"));
    };
    let reversed: Vec<&str> =
        ratios.iter().filter(|own| is_reversed(own)).map(|(model, _)| *model).collect();
    let why = match reversed.as_slice() {
        [] => "the models stand in another order at the other origin".to_owned(),
        some => format!("cheaper than {baseline} at one origin only: {}", some.join(", ")),
    };
    let is_alike = tau >= TAU_MIN && reversed.is_empty();
    let troubles = if is_alike { Vec::new() } else { vec![("ORIGIN", why)] };
    Some(question.marked(measured(&both, &ratios, tau), troubles))
}

/// Returns a cell and the one that differs from it in nothing but who serves it.
pub(crate) fn twins(run: &Run) -> Option<[&Cell; 2]> {
    let kind = |cell: &Cell| cell.served_by(run.schedule.placement.origin);
    run.schedule.cells.iter().find_map(|cell| {
        let other = run.schedule.cells.iter().find(|other| {
            let named = Cell { name: cell.name.clone(), origin: cell.origin, ..(*other).clone() };
            named == *cell && kind(cell) != kind(other)
        })?;
        Some([cell, other])
    })
}

/// Returns the ratio of each model's cost to that of the baseline, at both.
fn ratios<'a>(both: &[CellTurns<'a>; 2], baseline: &str) -> Vec<Ratios<'a>> {
    let models = both[0].full().into_iter().filter(|model| *model != baseline);
    let models: Vec<&str> = models.collect();
    let alpha = ALPHA / u32::try_from(models.len()).map_or(1.0, f64::from).max(1.0);
    let ratio = |turns: &CellTurns<'_>, model: &str| {
        let pairs = turns.counting.paired((model, baseline), Quantity::Turn(cost))?;
        Some(pairs.ratio(alpha))
    };
    let of = |model: &'a str| Some((model, [ratio(&both[0], model)?, ratio(&both[1], model)?]));
    models.into_iter().filter_map(of).collect()
}

/// Returns whether a model costs more than the baseline for sure at one origin, and less for sure
/// at the other.
fn is_reversed((_, [one, other]): &Ratios<'_>) -> bool {
    let is_sure = |ratio: &Estimate, is_above: bool| {
        ratio.interval.is_some_and(|i| if is_above { i.low > 1.0 } else { i.high < 1.0 })
    };
    [true, false].into_iter().any(|above| is_sure(one, above) && is_sure(other, !above))
}

/// Writes how alike the two are, which ratios moved for sure, and what a fetch costs each origin.
fn measured(both: &[CellTurns<'_>; 2], ratios: &[Ratios<'_>], tau: f64) -> String {
    let moved = ratios.iter().filter(|(_, [one, other])| {
        one.interval.zip(other.interval).is_some_and(|(a, b)| a.high < b.low || b.high < a.low)
    });
    let moved: Vec<String> = moved
        .map(|(model, [one, other])| format!("{model} {:.2} and {:.2}", one.value, other.value))
        .collect();
    let moved = match moved.as_slice() {
        [] => "all ratios agree within their intervals".to_owned(),
        some => format!("ratios that do not agree: {}", some.join(", ")),
    };
    let costs = both.each_ref().map(|turns| {
        let cost = median(turns.all.iter().filter_map(|turn| origin_cost(turn)).collect());
        cost.unwrap_or(f64::NAN) / 1e3
    });
    let kinds = both
        .each_ref()
        .map(|turns| turns.cell.served_by(turns.run.schedule.placement.origin).name());
    format!(
        "tau {tau:.2}; {moved}; a fetch costs the origin: {} {:.1} us, {} {:.1} us ({:.2} times as \
         much)",
        kinds[0],
        costs[0],
        kinds[1],
        costs[1],
        costs[1] / costs[0]
    )
}

#[cfg(test)]
mod tests {
    use workload::OriginKind;

    use super::*;
    use crate::checks::question::CheckState;
    use crate::fixture::{BASELINE, Fixture, corrupt, receipt, reported, times};

    /// The name of the cell at the other origin.
    const FAST: &str = "steady-fast";

    /// Returns a run of a cell at both origins.
    fn at_both() -> Run {
        let steady = Fixture::good().cells.swap_remove(1);
        let fast = Cell { name: FAST.to_owned(), origin: OriginKind::Fast, ..steady.clone() };
        Fixture { cells: vec![steady, fast], ..Fixture::good() }.run()
    }

    /// Lets a model cost so many times as much at the fast origin.
    fn at_fast(run: &mut Run, model: &str, factor: f64) {
        for turn in corrupt(run, (model, FAST)) {
            reported(turn).window.cpu_ns = times(reported(turn).window.cpu_ns, factor);
        }
    }

    #[test]
    fn a_cell_that_costs_alike_at_both_origins_passes_with_the_cost_of_each() {
        let found = check(&at_both(), BASELINE).unwrap();
        assert_eq!(found.state, CheckState::Passed, "{found:?}");
        assert!(found.measured.contains("tau 1.00; all ratios agree"), "{}", found.measured);
        assert!(found.measured.contains("wiremock ") && found.measured.contains(" fast "));
    }

    #[test]
    fn what_a_fetch_costs_each_origin_is_held_against_the_other() {
        let mut run = at_both();
        for turn in run.turns.iter_mut().filter(|turn| turn.cell == FAST) {
            receipt(turn).cpu_ns /= 4;
        }
        let found = check(&run, BASELINE).unwrap();
        assert!(found.measured.ends_with(" us (0.25 times as much)"), "{}", found.measured);
    }

    #[test]
    fn a_ratio_that_moves_in_the_same_order_is_named_and_no_badge() {
        let mut run = at_both();
        at_fast(&mut run, "threads", 0.8);
        let found = check(&run, BASELINE).unwrap();
        assert_eq!(found.state, CheckState::Passed, "{found:?}");
        assert!(found.measured.contains("do not agree: threads 1.50 and 1.20"), "{found:?}");
    }

    #[test]
    fn a_model_that_is_cheaper_at_one_origin_only_puts_a_badge() {
        let mut run = at_both();
        at_fast(&mut run, "threads", 0.5);
        let found = check(&run, BASELINE).unwrap();
        assert_eq!(found.badges, ["ORIGIN"], "{found:?}");
        let CheckState::Badge(why) = found.state else { panic!("{:?}", found.state) };
        assert!(why.ends_with("at one origin only: threads"), "{why}");
    }

    #[test]
    fn another_order_puts_a_badge_though_no_difference_to_the_baseline_turns_round() {
        let mut run = at_both();
        at_fast(&mut run, "smol", 2.5);
        at_fast(&mut run, "threads", 0.69);
        let found = check(&run, BASELINE).unwrap();
        assert_eq!(found.badges, ["ORIGIN"], "{found:?}");
        assert!(crate::checks::meaning::meaning("ORIGIN").is_some());
    }

    #[test]
    fn a_run_at_one_origin_asks_nothing() {
        let mut run = at_both();
        run.schedule.placement.origin = OriginKind::Fast;
        assert_eq!(check(&run, BASELINE), None);
        assert_eq!(check(&Fixture::good().run(), BASELINE), None);
    }
}
