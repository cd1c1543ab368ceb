//! Validity checks: what must hold before a figure may be read, each with what was measured and its
//! threshold.
//!
//! A check never changes a turn or hides a figure: it passes, or puts a badge on every figure of
//! its scope, or says that it cannot know. What a check measures is computed from the run alone, so
//! the same run gives the same checks; why a threshold stands where it does is said beside it.

mod comparability;
mod connections;
mod counters;
mod floor;
pub mod machine;
pub mod meaning;
mod origin;
mod provenance;
pub mod question;
mod sensitivity;
mod steadiness;
pub(crate) mod swap;

use record::Run;

use crate::cell_turns::CellTurns;
use crate::checks::question::{RUN, ValidityCheck};

/// Returns all checks of a run, by number, then in the order of the cells; `baseline` and `floor`
/// name models.
pub fn checks(run: &Run, baseline: &str, floor: &str) -> Vec<ValidityCheck> {
    let mut checks = provenance::checks(run);
    checks.push(machine::frequency(run));
    for cell in &run.schedule.cells {
        let turns = CellTurns::of(run, cell);
        checks.extend(counters::checks(&turns));
        checks.extend(origin::checks(&turns, baseline));
        checks.extend(sensitivity::checks(&turns, baseline));
        checks.push(comparability::check(&turns, (baseline, floor)));
        checks.push(floor::check(&turns, floor));
        checks.extend(machine::checks(&turns));
        checks.extend(steadiness::checks(&turns));
    }
    for cell in &run.schedule.holds {
        checks.push(origin::health(&CellTurns::of(run, cell)));
    }
    checks.extend(connections::checks(run));
    checks.extend(swap::check(run, baseline));
    // The sort is stable: checks of one number stay in the order of the cells.
    checks.sort_by_key(ValidityCheck::number);
    checks
}

/// Returns the badges of checks, each once, in the order of the checks.
pub fn badges(checks: &[ValidityCheck]) -> Vec<String> {
    once(checks.iter())
}

/// Returns the badges that stand below the figures of a cell: its own and those of the run.
pub fn badges_of(checks: &[ValidityCheck], cell: &str) -> Vec<String> {
    once(checks.iter().filter(|check| check.scope == RUN || check.scope == cell))
}

/// Returns the badges of checks, each once.
fn once<'a>(checks: impl Iterator<Item = &'a ValidityCheck>) -> Vec<String> {
    let mut badges: Vec<String> = Vec::new();
    for badge in checks.flat_map(|check| &check.badges) {
        if !badges.iter().any(|known| known == badge) {
            badges.push((*badge).to_owned());
        }
    }
    badges
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::checks::question::CheckState;
    use crate::fixture::{BASELINE, FLOOR, Fixture};

    /// The checks of the good run.
    pub(crate) static GOOD: LazyLock<Vec<ValidityCheck>> =
        LazyLock::new(|| checks(&Fixture::good().run(), BASELINE, FLOOR));

    /// Returns a check of a scope.
    pub(crate) fn get<'a>(
        checks: &'a [ValidityCheck],
        (id, scope): (&str, &str),
    ) -> &'a ValidityCheck {
        checks.iter().find(|check| check.id == id && check.scope == scope).unwrap()
    }

    /// Returns the state of a check of a scope.
    pub(crate) fn state<'a>(checks: &'a [ValidityCheck], which: (&str, &str)) -> &'a CheckState {
        &get(checks, which).state
    }

    /// Checks that the good run passes a check, and that the run that is corrupted in one respect
    /// gets this badge there (`unknown` stands for that state) and no other anywhere.
    pub(crate) fn trips(which: (&str, &str), corrupt: impl Fn(&mut Run), expected: &str) {
        assert_eq!(state(&GOOD, which), &CheckState::Passed);
        let mut run = Fixture::good().run();
        corrupt(&mut run);
        let checks = checks(&run, BASELINE, FLOOR);
        let found = get(&checks, which);
        match expected {
            "unknown" => assert!(matches!(found.state, CheckState::Unknown(_)), "{found:?}"),
            badge => {
                assert!(found.badges.contains(&badge), "{found:?}");
                assert!(meaning::meaning(badge).is_some(), "{badge} is not explained");
            }
        }
        let tripped =
            |check: &&ValidityCheck| !check.badges.is_empty() && (check.id, &*check.scope) != which;
        assert_eq!(checks.iter().find(tripped), None);
    }

    #[test]
    fn the_good_run_passes_every_check_that_asks_something_of_it() {
        let ids: Vec<u32> = GOOD.iter().map(ValidityCheck::number).collect();
        // `cargo bench --bench claims` measures what 17 and 18 were, and few runs ask 24 to 26.
        let mut asked = (1..=23).filter(|id| ![17, 18].contains(id));
        assert!(ids.is_sorted() && asked.all(|id| ids.contains(&id)), "{ids:?}");
        for check in GOOD.iter() {
            let fine = matches!(check.state, CheckState::Passed | CheckState::NotApplicable(_));
            assert!(fine, "{check:?}");
        }
        assert_eq!(badges(&GOOD), Vec::<String>::new());
    }

    #[test]
    fn checks_are_a_function_of_the_run() {
        let run = Fixture { noise: 0.05, ..Fixture::good() }.run();
        assert_eq!(checks(&run, BASELINE, FLOOR), checks(&run.clone(), BASELINE, FLOOR));
    }

    #[test]
    fn an_unwatched_run_and_an_empty_one_are_unknown_and_not_passed() {
        let mut run = Fixture::good().run();
        run.schedule.probes.clear();
        run.rounds.iter_mut().for_each(|round| round.host = None);
        for turn in &mut run.turns {
            turn.turned.as_mut().unwrap().scheduled = None;
            turn.receipt = None;
        }
        let unwatched = checks(&run, BASELINE, FLOOR);
        for id in ["G5", "G9", "G10", "G11", "G15"] {
            assert!(matches!(state(&unwatched, (id, "steady")), CheckState::Unknown(_)), "{id}");
        }
        assert!(matches!(state(&unwatched, ("G12", "run")), CheckState::Unknown(_)));

        run.turns.clear();
        for check in checks(&run, BASELINE, FLOOR).iter().filter(|check| check.scope != RUN) {
            assert_ne!(check.state, CheckState::Passed, "{check:?}");
        }
    }

    #[test]
    fn each_badge_is_reported_once() {
        let mut run = Fixture { blocks: 7, noise: 0.2, ..Fixture::good() }.run();
        run.environment.modified = "yes".to_owned();
        let badges = badges(&checks(&run, BASELINE, FLOOR));
        let few = badges.iter().filter(|badge| *badge == "FEW-BLOCKS").count();
        assert!(few == 1 && badges.last().unwrap() == "DIRTY", "{badges:?}");
    }
}
