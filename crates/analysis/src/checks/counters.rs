//! Checks on what the harness verified of every turn: replies, concurrency, connections.
//!
//! The harness holds each turn against the origin's receipt and writes down why one is invalid.
//! Here these reasons are counted by kind; nothing is validated again.

use std::collections::{BTreeMap, BTreeSet};

use record::{State, TurnRecord};
use rules::Check;

use crate::cell_turns::CellTurns;
use crate::checks::question::{Question, ValidityCheck};

/// What stands below figures of which some turns do not count.
const BADGE: &str = "INVALID";
/// The kind of a turn that did not end as it should have.
const FAILED: Kind = (Check::Replies, "the process failed");

/// A kind of reason for which a turn does not count: the check that counts it, and what it is
/// called.
type Kind = (Check, &'static str);

/// How many turns of each model do not count for each kind of reason.
type Broken<'a> = BTreeMap<&'a str, BTreeMap<Kind, usize>>;

/// Returns the checks on the stories of a cell's turns.
pub(crate) fn checks(turns: &CellTurns<'_>) -> Vec<ValidityCheck> {
    let scope = turns.cell.name.as_str();
    let mut broken: Broken<'_> = BTreeMap::new();
    for turn in &turns.all {
        for kind in kinds(turn) {
            *broken.entry(&turn.model).or_default().entry(kind).or_default() += 1;
        }
    }
    let question =
        |id, name, threshold: &str| Question { id, name, scope, threshold: threshold.to_owned() };
    [
        question(
            "G2",
            "replies",
            "every reply verified, no failure, the origin's own count, the kernel's own CPU clock",
        ),
        question(
            "G3",
            "in flight",
            "seen by the origin: 95 % of the slots at the peak of a turn and 70 % in the mean of a \
             stay",
        ),
        question(
            "G4",
            "connections",
            "one a slot, or what the manifest allows, and the heads of the bare core",
        ),
    ]
    .into_iter()
    .zip([Check::Replies, Check::InFlight, Check::Connections])
    .map(|(question, check)| count((question, check), turns, &broken))
    .collect()
}

/// Answers one of the checks.
fn count(
    (question, check): (Question<'_>, Check),
    turns: &CellTurns<'_>,
    broken: &Broken<'_>,
) -> ValidityCheck {
    let all = turns.all.len();
    if all == 0 {
        return question.unknown("no turn of the cell was measured");
    }

    let mut models = Vec::new();
    for (model, kinds) in broken {
        let ran = turns.all.iter().filter(|turn| turn.model == *model).count();
        let own = kinds.iter().filter(|(kind, _)| kind.0 == check);
        let own = own.map(|(kind, count)| format!("{} in {count} of {ran} turns", kind.1));
        let own = own.collect::<Vec<_>>().join(", ");
        if !own.is_empty() {
            models.push(format!("{model}: {own}"));
        }
    }
    match models.is_empty() {
        true => match hidden(check, turns) {
            Some(what) => question.unknown(what),
            None => kept(question, check, turns),
        },
        false => {
            let breaks = |turn: &&&TurnRecord| kinds(turn).iter().any(|kind| kind.0 == check);
            let count = turns.all.iter().filter(breaks).count();
            let measured = format!("{count} of {all} turns did not keep it");
            question.failed(measured, (BADGE, models.join("; ")))
        }
    }
}

/// Says that no turn broke a check for which its model could be blamed; where a busy machine held
/// up most of them, nothing is known.
fn kept(question: Question<'_>, check: Check, turns: &CellTurns<'_>) -> ValidityCheck {
    let all = turns.all.len();
    let is_excused = |turn: &&&TurnRecord| match &turn.state {
        State::Invalid(reasons) => reasons.iter().any(|r| r.check() == check && r.is_excused()),
        _ => false,
    };
    match turns.all.iter().filter(is_excused).count() {
        0 => question.passed(format!("all {all} turns kept it")),
        count if 2 * count > all => {
            question.unknown(format!("a busy machine kept {count} of {all} turns from it"))
        }
        count => question.passed(format!(
            "{} of {all} turns kept it; what a busy machine did to {count} counts nowhere",
            all - count
        )),
    }
}

/// Says what the kernel hid of valid turns that a check would have to know, if it hid anything.
fn hidden(check: Check, turns: &CellTurns<'_>) -> Option<String> {
    let valid = || turns.all.iter().filter(|turn| turn.valid().is_some());
    let hides_children = |turn: &TurnRecord| {
        let mut stays = turns.run.blocks.iter().filter(|block| block.block == turn.block);
        stays.any(|block| block.stays.get(&turn.model).is_some_and(|stay| stay.hides_children))
    };
    let counts = match check {
        Check::Replies => vec![
            ("the CPU time that it charged", valid().filter(|t| t.charged_ns.is_none()).count()),
            ("how many threads there were", valid().filter(|t| threads(t) == Some(0)).count()),
            ("which processes were started", valid().filter(|t| hides_children(t)).count()),
        ],
        Check::Connections => {
            let unknown =
                |turn: &&&TurnRecord| turn.receipt.as_ref().is_none_or(|r| r.connections.is_none());
            vec![("the connections", valid().filter(unknown).count())]
        }
        Check::InFlight => Vec::new(),
    };
    let all = turns.all.len();
    let hidden = counts.into_iter().filter(|(_, count)| *count > 0);
    let hidden = hidden.map(|(what, count)| format!("{what} in {count} of {all} turns"));
    let hidden = hidden.collect::<Vec<_>>().join(", ");
    (!hidden.is_empty()).then(|| format!("the kernel hid {hidden}"))
}

/// Returns how many threads a turn was taken with.
fn threads(turn: &TurnRecord) -> Option<u64> {
    turn.turned.as_ref().map(|turned| turned.threads)
}

/// Returns the kinds of reasons for which a turn does not count, each once, but for those that a
/// busy machine explains.
fn kinds(turn: &TurnRecord) -> BTreeSet<Kind> {
    match &turn.state {
        State::Valid => BTreeSet::new(),
        State::Failed(_) | State::Out => BTreeSet::from([FAILED]),
        State::Invalid(reasons) => {
            let blamed = reasons.iter().filter(|reason| !reason.is_excused());
            blamed.map(|reason| (reason.check(), reason.kind())).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use record::Run;
    use rules::Reason;

    use super::*;
    use crate::checks::checks as all_checks;
    use crate::checks::question::CheckState;
    use crate::checks::tests::trips;
    use crate::fixture::{BASELINE, FLOOR, Fixture, corrupt};

    /// Makes the first steady turn of a model invalid for a reason.
    fn invalid(run: &mut Run, reason: Reason) {
        let turn = corrupt(run, ("threads", "steady")).next().unwrap();
        turn.state = State::Invalid(vec![reason]);
    }

    #[test]
    fn g2_trips_on_a_failed_fetch_a_lost_one_and_a_process_that_failed() {
        let codes = BTreeMap::from([("1604".to_owned(), 2)]);
        let broken = Reason::FetchesFailed { failed: 2, asked: 20, codes };
        trips(("G2", "steady"), |run| invalid(run, broken.clone()), "INVALID");
        let lost = Reason::Answered { answered: 27, issued: 28 };
        trips(("G2", "steady"), |run| invalid(run, lost.clone()), "INVALID");
        let failed = |run: &mut Run| {
            let turn = corrupt(run, ("threads", "steady")).next().unwrap();
            turn.state = State::Failed("it panicked with 64 in flight".to_owned());
        };
        trips(("G2", "steady"), failed, "INVALID");
    }

    #[test]
    fn g3_trips_on_waiting_in_series() {
        let peak = Reason::Peak { peak: 1, slots: 64 };
        trips(("G3", "steady"), |run| invalid(run, peak.clone()), "INVALID");
        let mean = Reason::Mean { tenths: 150, slots: 64 };
        trips(("G3", "steady"), |run| invalid(run, mean.clone()), "INVALID");
    }

    #[test]
    fn what_a_busy_machine_did_to_a_turn_is_said_and_gets_no_badge() {
        let mut run = Fixture::good().run();
        invalid(&mut run, Reason::Connections { seen: 60, least: 64, most: 64 });
        let checks = all_checks(&run, BASELINE, FLOOR);
        let found = checks.iter().find(|c| c.id == "G4" && c.scope == "steady").unwrap();
        assert_eq!(found.state, CheckState::Passed);
        assert!(
            found.measured.ends_with("what a busy machine did to 1 counts nowhere"),
            "{found:?}"
        );
    }

    #[test]
    fn g4_trips_on_more_connections_and_on_other_heads() {
        let connections = Reason::Connections { seen: 65, least: 64, most: 64 };
        trips(("G4", "steady"), |run| invalid(run, connections.clone()), "INVALID");
        trips(("G4", "steady"), |run| invalid(run, Reason::OtherHeads), "INVALID");
    }

    #[test]
    fn g2_and_g4_are_unknown_where_the_kernel_hid_what_they_are_held_against() {
        let charged = |run: &mut Run| {
            corrupt(run, ("threads", "steady")).next().unwrap().charged_ns = None;
        };
        trips(("G2", "steady"), charged, "unknown");
        let threads = |run: &mut Run| {
            corrupt(run, ("threads", "steady")).next().unwrap().turned.as_mut().unwrap().threads =
                0;
        };
        trips(("G2", "steady"), threads, "unknown");
        let children = |run: &mut Run| {
            let block = corrupt(run, ("threads", "steady")).next().unwrap().block;
            let block = run.blocks.iter_mut().find(|other| other.block == block).unwrap();
            block.stays.get_mut("threads").unwrap().hides_children = true;
        };
        trips(("G2", "steady"), children, "unknown");
        let connections = |run: &mut Run| {
            let turn = corrupt(run, ("threads", "steady")).next().unwrap();
            turn.receipt.as_mut().unwrap().connections = None;
        };
        trips(("G4", "steady"), connections, "unknown");
    }

    #[test]
    fn the_model_the_kind_and_the_number_of_turns_are_named() {
        for (reason, kind) in [
            (Reason::OriginLate { late_us: 3_500 }, "the origin was late"),
            (Reason::ClockJumped { ms: 7_200_000 }, "the clock jumped"),
        ] {
            let mut run = Fixture::good().run();
            invalid(&mut run, reason);
            let checks = all_checks(&run, BASELINE, FLOOR);
            let failed = CheckState::Failed(format!("threads: {kind} in 1 of 84 turns"));
            assert!(checks.iter().any(|check| check.id == "G2" && check.state == failed), "{kind}");
        }
    }
}
