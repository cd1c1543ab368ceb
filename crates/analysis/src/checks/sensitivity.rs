//! Checks on what a run could have shown: no difference where there is none, one where there is,
//! and enough blocks to show.

use std::cmp::Ordering;

use record::Family;
use stats::{Estimate, Interval, effect};

use crate::cell_turns::{CellTurns, cost};
use crate::checks::question::{Question, Trouble, ValidityCheck};
use crate::family::{ALPHA, MARGIN};
use crate::number::{limit, percent};
use crate::turns::Quantity;

/// Returns the checks on what the turns of a cell could have shown.
pub(crate) fn checks(turns: &CellTurns<'_>, baseline: &str) -> Vec<ValidityCheck> {
    let schedule = &turns.run.schedule;
    let mut checks = vec![against_itself(turns, baseline), enough(turns, baseline)];
    let seeded = || schedule.controls.iter().filter(|control| control.percent > 0);
    checks.extend(seeded().map(|control| {
        let percent = f64::from(control.percent);
        found(turns, (&control.name, &control.model), percent / 100.0)
    }));
    if seeded().next().is_none() {
        checks.push(control(turns, "a control").not_applicable(
            "the run has no control: only the preset citable adds one to its blocks",
        ));
    }
    checks
}

/// G6: the baseline does not differ from itself, a second process in the same block. By chance
/// alone the interval excludes 1 in one cell of twenty.
fn against_itself(turns: &CellTurns<'_>, baseline: &str) -> ValidityCheck {
    let question = Question {
        id: "G6",
        name: "baseline against itself",
        scope: &turns.cell.name,
        threshold: format!(
            "1 inside the 95 % interval, and no farther than {} or the smallest detectable effect",
            limit(MARGIN)
        ),
    };
    let Some(pairs) = turns.counting.against_itself(baseline, Quantity::Turn(cost)) else {
        return question.unknown(format!("no block has a second process of {baseline}"));
    };
    let noise = pairs.paired.log_ratios();
    let ratio = pairs.ratio(ALPHA);
    let Some(interval) = ratio.interval else {
        return question.unknown(format!("{} blocks give no interval", noise.values().len()));
    };
    let detectable = effect::smallest_detectable(&noise, ALPHA).map_or(0.0, f64::exp_m1);
    let farthest = detectable.max(MARGIN);
    let distance = ratio.value.ln().abs().exp_m1();
    let measured = format!(
        "a second process in times the first: {}; smallest detectable effect {} for this one \
         comparison",
        shown(ratio.value, interval),
        percent(detectable)
    );

    let mut troubles: Vec<Trouble> = Vec::new();
    if !interval.contains(1.0) || distance > farthest {
        let why = format!("{baseline} differs from itself by {}", percent(distance));
        troubles.push(("UNTRUSTED", format!("{why}: so might any model from any other")));
    }
    question.marked(measured, troubles)
}

/// Returns the question of G7 for a control.
fn control<'a>(turns: &CellTurns<'a>, name: &str) -> Question<'a> {
    Question {
        id: "G7",
        name: "control",
        scope: &turns.cell.name,
        threshold: format!("the 95 % interval of {name} against its model lies above 1"),
    }
}

/// G7: a model with a known share of work added is found to cost more. That the interval holds that
/// share is reported and not checked: the work is sized from a probe and may itself be off.
fn found(turns: &CellTurns<'_>, (name, model): (&str, &str), share: f64) -> ValidityCheck {
    let question = control(turns, name);
    let Some(pairs) = turns.counting.paired((name, model), Quantity::Turn(cost)) else {
        return question.unknown(format!("no block has valid turns of {name} and {model}"));
    };
    let ratio = pairs.ratio(ALPHA);
    let Estimate { interval: Some(interval), .. } = ratio else {
        return question.unknown(format!("{} blocks give no interval", pairs.paired.pairs().len()));
    };
    let contains = if interval.contains(1.0 + share) { "contains" } else { "does not contain" };
    let measured = format!(
        "{name} in times {model}: {}, which {contains} {:.2}",
        shown(ratio.value, interval),
        1.0 + share
    );
    match side(interval) {
        Ordering::Greater => question.passed(measured),
        Ordering::Equal | Ordering::Less => {
            let why = format!("{} more work was added to {model} and not found", percent(share));
            question.failed(measured, ("INSENSITIVE", why))
        }
    }
}

/// Writes a ratio near 1 with its interval, in thousandths, so that one sees which side of 1 it is
/// on.
fn shown(ratio: f64, Interval { low, high }: Interval) -> String {
    format!("{ratio:.3} ({low:.3} to {high:.3})")
}

/// Returns on which side of 1 an interval lies.
fn side(interval: Interval) -> Ordering {
    match () {
        () if interval.low > 1.0 => Ordering::Greater,
        () if interval.high < 1.0 => Ordering::Less,
        () => Ordering::Equal,
    }
}

/// Returns the fewest blocks with which a difference can be shown in a family of comparisons. The
/// least p-value of the signed-rank test over n blocks is two in 2^n, and Bonferroni's correction
/// multiplies it by the size of the family: 9 blocks for 12 comparisons, 12 blocks for 78.
fn blocks_min(comparisons: f64) -> usize {
    let least = std::iter::successors(Some(1.0_f64), |least| Some(least / 2.0));
    1 + least.take_while(|least| least * comparisons > ALPHA).count()
}

/// G21: enough blocks for a verdict, and noise so low that `equivalent` is within reach. The noise
/// is what the second process of the baseline differs from the first by, block by block, as a model
/// that costs the same would.
fn enough(turns: &CellTurns<'_>, baseline: &str) -> ValidityCheck {
    let counts = comparisons(turns, baseline);
    let compared = match turns.run.schedule.family {
        Family::AgainstBaseline => counts.len(),
        Family::AllPairs => counts.len() * (counts.len() + 1) / 2,
    };
    let family = u32::try_from(compared.max(1)).map_or(1.0, f64::from);
    let needed = blocks_min(family);
    let question = Question {
        id: "G21",
        name: "blocks",
        scope: &turns.cell.name,
        threshold: format!(
            "at least {needed} blocks for each comparison; smallest detectable effect at most {} \
             for the verdict equivalent",
            limit(MARGIN)
        ),
    };
    let Some((fewest, model)) = counts.iter().min().copied() else {
        return question.unknown(format!("no block has valid turns of {baseline} and a model"));
    };
    let noise = turns.counting.against_itself(baseline, Quantity::Turn(cost));
    let noise = noise.map(|pairs| pairs.paired.log_ratios());
    let detectable = noise
        .and_then(|noise| effect::smallest_detectable(&noise, ALPHA / family))
        .map(f64::exp_m1);
    let shown = detectable.map_or_else(|| "unknown".to_owned(), percent);
    let measured = format!(
        "{fewest} blocks with {model}, the fewest; smallest detectable effect {shown} among \
         {compared} comparisons"
    );

    let mut troubles: Vec<Trouble> = Vec::new();
    // It marks and withholds nothing: other models may have more blocks.
    if fewest < needed {
        let why = format!(
            "{fewest} blocks cannot distinguish {model} from the baseline as one of {compared} \
             comparisons"
        );
        troubles.push(("FEW-BLOCKS", why));
    }
    if detectable.is_none_or(|effect| effect > MARGIN) {
        let why = "the noise is too high to call models equivalent";
        troubles.push(("COARSE", why.to_owned()));
    }
    question.marked(measured, troubles)
}

/// Returns the models that are compared with the baseline, after the number of blocks for it.
fn comparisons<'a>(turns: &CellTurns<'a>, baseline: &str) -> Vec<(usize, &'a str)> {
    let others = turns.models().into_iter().filter(|model| *model != baseline);
    let count = |model| {
        let pairs = turns.counting.paired((model, baseline), Quantity::Turn(cost))?;
        Some((pairs.paired.pairs().len(), model))
    };
    others.filter_map(count).collect()
}

#[cfg(test)]
mod tests {
    use record::Run;
    use stats::verdict::Verdict;

    use super::{ALPHA, blocks_min};
    use crate::checks::checks as all_checks;
    use crate::checks::question::CheckState;
    use crate::checks::tests::{GOOD, get, trips};
    use crate::fixture::{BASELINE, COPY, FLOOR, Fixture, corrupt, reported, times};

    /// Multiplies the steady costs of the second process of the baseline.
    fn costlier_second(run: &mut Run, factor: f64) {
        for turn in corrupt(run, (COPY, "steady")) {
            reported(turn).window.cpu_ns = times(reported(turn).window.cpu_ns, factor);
        }
    }

    #[test]
    fn g6_trips_where_the_baseline_differs_from_itself() {
        trips(("G6", "steady"), |run| costlier_second(run, 1.03), "UNTRUSTED");
    }

    #[test]
    fn g6_trips_on_a_small_difference_that_is_sure() {
        trips(("G6", "steady"), |run| costlier_second(run, 1.012), "UNTRUSTED");
    }

    #[test]
    fn g6_lets_sessions_that_disagree_widen_the_interval() {
        let mut run = Fixture::good().run();
        let third = u32::try_from(run.schedule.blocks.len()).unwrap().div_ceil(3);
        for block in &mut run.schedule.blocks {
            block.session = block.number / third;
        }
        for turn in corrupt(&mut run, (COPY, "steady")) {
            let factor = 1.012 + 0.012 * (f64::from(turn.block / third) - 1.0);
            reported(turn).window.cpu_ns = times(reported(turn).window.cpu_ns, factor);
        }
        let checks = all_checks(&run, BASELINE, FLOOR);
        assert_eq!(get(&checks, ("G6", "steady")).state, CheckState::Passed);
        for block in &mut run.schedule.blocks {
            block.session = 0;
        }
        let checks = all_checks(&run, BASELINE, FLOOR);
        assert_eq!(get(&checks, ("G6", "steady")).badges, ["UNTRUSTED"]);
    }

    #[test]
    fn g7_trips_where_added_work_is_not_found() {
        let lose = |run: &mut Run| {
            for turn in corrupt(run, ("tokio+5%", "steady")) {
                reported(turn).window.cpu_ns = times(reported(turn).window.cpu_ns, 1.0 / 1.05);
            }
        };
        trips(("G7", "steady"), lose, "INSENSITIVE");
    }

    #[test]
    fn g7_reports_whether_the_share_was_found_too() {
        assert!(get(&GOOD, ("G7", "steady")).measured.ends_with("which contains 1.05"));
    }

    #[test]
    fn g7_asks_nothing_of_a_run_without_controls() {
        let run = Fixture { controls: Vec::new(), ..Fixture::good() }.run();
        let checks = all_checks(&run, BASELINE, FLOOR);
        let state = &get(&checks, ("G7", "steady")).state;
        assert!(matches!(state, CheckState::NotApplicable(why) if why.contains("no control")));
    }

    #[test]
    fn g21_asks_for_as_many_blocks_as_the_exact_test_needs_in_the_family() {
        for (comparisons, blocks) in [(1_u32, 6_u32), (4, 8), (10, 9), (12, 9), (13, 10), (78, 12)]
        {
            assert_eq!(blocks_min(f64::from(comparisons)), blocks as usize, "{comparisons}");
            let least = |blocks: u32| {
                let same_sign = (1..=blocks).map(f64::from).collect();
                let p = stats::signed_rank::p_value(&stats::Sample::new(same_sign).unwrap());
                stats::bonferroni::adjust(&vec![p; comparisons as usize])[0]
            };
            assert!(least(blocks) <= ALPHA && least(blocks - 1) > ALPHA, "{comparisons}");
        }
    }

    #[test]
    fn few_blocks_are_reported_where_and_only_where_the_tables_distinguish_nothing() {
        let different = |blocks: u32| {
            let run = Fixture { blocks, ..Fixture::good() }.run();
            let figures = crate::figures::figures(&run, BASELINE, FLOOR);
            let pairs = figures.cells.iter().flat_map(|cell| &cell.pairs);
            let different = pairs.filter(|pair| pair.verdict == Verdict::Different).count();
            let checks = all_checks(&run, BASELINE, FLOOR);
            (different > 0, get(&checks, ("G21", "steady")).badges.clone())
        };
        assert_eq!(different(9), (true, Vec::new()));
        assert_eq!(different(8), (false, vec!["FEW-BLOCKS"]));
    }

    #[test]
    fn g21_trips_on_much_noise() {
        let run = Fixture { noise: 0.03, ..Fixture::good() }.run();
        let checks = all_checks(&run, BASELINE, FLOOR);
        assert_eq!(get(&checks, ("G21", "steady")).badges, ["COARSE"]);
    }

    #[test]
    fn too_few_blocks_for_an_interval_leave_g6_and_g7_unknown() {
        let run = Fixture { blocks: 5, ..Fixture::good() }.run();
        let checks = all_checks(&run, BASELINE, FLOOR);
        for id in ["G6", "G7"] {
            let why = CheckState::Unknown("5 blocks give no interval".to_owned());
            assert_eq!(get(&checks, (id, "steady")).state, why, "{id}");
        }
    }
}
