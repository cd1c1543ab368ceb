//! Why turns of a participant do not count, in a few words for its row: what speaks against it
//! goes before what the origin did, and that before what a busy machine did to an honest model,
//! which is said to be no more than that.

use std::collections::BTreeMap;

use record::{Run, State, TurnRecord};
use rules::Reason;

/// Turns of a participant in disturbed rounds of a cell that broke a validity rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRepeated {
    /// The participant.
    pub model: String,
    /// The cell.
    pub cell: String,
    /// How many turns.
    pub turns: usize,
    /// The gravest reason.
    pub why: String,
}

/// Returns the turns of disturbed rounds that broke a validity rule, those first that speak most
/// against their participant.
pub(crate) fn invalid_repeated(run: &Run) -> Vec<InvalidRepeated> {
    let mut all: BTreeMap<(&str, &str), Vec<&TurnRecord>> = BTreeMap::new();
    for turn in run.repeated.iter().filter(|turn| matches!(turn.state, State::Invalid(_))) {
        all.entry((&turn.cell, &turn.model)).or_default().push(turn);
    }
    let row = |((cell, model), own): ((&str, &str), Vec<&TurnRecord>)| {
        let state = gravest(&own)?;
        let (model, cell, turns) = (model.to_owned(), cell.to_owned(), own.len());
        let why = said(state).replacen("invalid: ", "", 1);
        Some((rank(state), InvalidRepeated { model, cell, turns, why }))
    };
    let mut rows: Vec<(u8, InvalidRepeated)> = all.into_iter().filter_map(row).collect();
    rows.sort_by_key(|(rank, _)| *rank);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Returns why turns do not count, the gravest reason alone, and how many turns do not.
pub(crate) fn why_lost(own: &[&TurnRecord]) -> Option<String> {
    let lost = own.iter().filter(|turn| turn.state != State::Valid).count();
    Some(format!("{} ({lost} of {} turns)", said(gravest(own)?), own.len()))
}

/// Returns what speaks most against a participant.
fn gravest<'a>(own: &[&'a TurnRecord]) -> Option<&'a State> {
    let lost = own.iter().map(|turn| &turn.state).filter(|state| **state != State::Valid);
    lost.min_by_key(|state| rank(state))
}

/// Returns where a reason stands among others. Turns that were not taken after a failure have none
/// of their own.
fn rank(state: &State) -> u8 {
    match state {
        State::Out => 1,
        _ if state.blames_the_model() => 0,
        State::Invalid(reasons) if reasons.iter().all(Reason::is_excused) => 3,
        _ => 2,
    }
}

/// Says why a turn does not count, without what is excused if there is anything else.
fn said(state: &State) -> String {
    let State::Invalid(reasons) = state else { return format!("failed: {}", state.why()) };
    let listed = |is_excused: bool| {
        let reasons = reasons.iter().filter(|reason| reason.is_excused() == is_excused);
        reasons.map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let grave = listed(false);
    match grave.is_empty() {
        true => format!("held up by a busy machine: {}", listed(true)),
        false => format!("invalid: {grave}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    /// Returns what is said of turns that came to this.
    fn of(states: &[State]) -> Option<String> {
        let run = Fixture::good().run();
        let turns = run.turns.iter().zip(states);
        let turns: Vec<TurnRecord> = turns
            .map(|(turn, state)| TurnRecord { state: state.clone(), ..turn.clone() })
            .collect();
        why_lost(&turns.iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_is_excused_is_never_the_reason_against_a_model() {
        let excused = || Reason::Peak { peak: 40, slots: 64 };
        let busy = || State::Invalid(vec![excused()]);
        let machine = "held up by a busy machine: the origin saw at most 40 of 64 in flight";
        assert_eq!(of(&[State::Valid, busy()]), Some(format!("{machine} (1 of 2 turns)")));
        let late = State::Invalid(vec![excused(), Reason::OriginLate { late_us: 3_500 }]);
        let origin = "invalid: the origin was late by 3.5 ms (2 of 2 turns)";
        assert_eq!(of(&[busy(), late.clone()]), Some(origin.to_owned()));
        let guilty = State::Invalid(vec![excused(), Reason::NoTime]);
        let model = "invalid: the window took no time (3 of 3 turns)";
        assert_eq!(of(&[busy(), late, guilty]), Some(model.to_owned()));
    }

    #[test]
    fn a_failure_is_said_and_the_turns_that_were_not_taken_after_it_are_counted() {
        let dead = State::Failed("it was killed by signal 9".to_owned());
        let said = "failed: it was killed by signal 9 (2 of 3 turns)";
        assert_eq!(of(&[State::Valid, State::Out, dead]), Some(said.to_owned()));
        assert_eq!(of(&[State::Valid]), None);
    }
}
