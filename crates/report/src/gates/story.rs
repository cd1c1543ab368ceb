//! Gates on what the harness verified of every trial: replies, concurrency, connections.
//!
//! The harness holds each trial against the origin's receipt and writes down in a sentence why one
//! is void. Here these sentences are counted by kind; nothing is judged again.

use std::collections::{BTreeMap, BTreeSet};

use record::{State, TrialRecord};

use crate::cell_trials::CellTrials;
use crate::gates::{Gate, Question};

/// What stands below figures of which some trials do not count.
const BADGE: &str = "VOID";

/// A kind of reason for which a trial does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// The gate that counts it.
    gate: &'static str,
    /// What such a reason contains.
    phrase: &'static str,
    /// What it is called.
    label: &'static str,
}

/// The kinds that are told by the words of the reason; the first that fits is taken.
const KINDS: [Kind; 13] = [
    Kind { gate: "G2", phrase: "the origin failed", label: "the origin failed" },
    Kind { gate: "G2", phrase: "the origin was late", label: "the origin was late" },
    Kind { gate: "G2", phrase: "the origin was busy", label: "the origin was busy" },
    Kind { gate: "G2", phrase: "the clock jumped", label: "the clock jumped" },
    Kind { gate: "G2", phrase: "fetches failed", label: "failed fetches" },
    Kind { gate: "G2", phrase: "a fetch took", label: "impossible latencies" },
    Kind { gate: "G2", phrase: "by its latencies", label: "latencies that do not fill the window" },
    Kind { gate: "G2", phrase: "do not fit into", label: "impossible CPU time" },
    Kind { gate: "G2", phrase: " threads, its manifest", label: "hidden threads" },
    Kind { gate: "G3", phrase: "in flight", label: "not as many in flight" },
    Kind { gate: "G4", phrase: "connections for", label: "too many connections" },
    Kind { gate: "G4", phrase: "request heads", label: "other request heads" },
    // Whatever else differs is a count that two sides tell differently.
    Kind { gate: "G2", phrase: "", label: "counts that differ" },
];
/// The kind of a trial that told no story at all.
const FAILED: Kind = Kind { gate: "G2", phrase: "", label: "the process failed" };

/// How many trials of each model do not count for each kind of reason.
type Spoilt<'a> = BTreeMap<&'a str, BTreeMap<Kind, usize>>;

/// Returns the gates on the stories of a cell's trials.
pub(crate) fn gates(trials: &CellTrials<'_>) -> Vec<Gate> {
    let scope = trials.cell.name.as_str();
    let mut spoilt: Spoilt<'_> = BTreeMap::new();
    for trial in &trials.all {
        for kind in kinds(trial) {
            *spoilt.entry(&trial.model).or_default().entry(kind).or_default() += 1;
        }
    }
    let question =
        |id, name, threshold: &str| Question { id, name, scope, threshold: threshold.to_owned() };
    [
        question("G2", "replies", "every reply verified, no failure, and the origin's own count"),
        question(
            "G3",
            "in flight",
            "seen by the origin: 95 % of the slots at the peak and 90 % in the mean, half at the \
             peak of a batch",
        ),
        question("G4", "connections", "no more than slots, and the heads of the bare core"),
    ]
    .into_iter()
    .map(|question| count(question, trials, &spoilt))
    .collect()
}

/// Answers one of the gates.
fn count(question: Question<'_>, trials: &CellTrials<'_>, spoilt: &Spoilt<'_>) -> Gate {
    let all = trials.all.len();
    if all == 0 {
        return question.unknown("no trial of the cell was measured");
    }

    let mut models = Vec::new();
    for (model, kinds) in spoilt {
        let ran = trials.all.iter().filter(|trial| trial.model == *model).count();
        let own = kinds.iter().filter(|(kind, _)| kind.gate == question.id);
        let own = own.map(|(kind, count)| format!("{} in {count} of {ran} trials", kind.label));
        let own = own.collect::<Vec<_>>().join(", ");
        if !own.is_empty() {
            models.push(format!("{model}: {own}"));
        }
    }
    match models.is_empty() {
        true => question.passed(format!("all {all} trials kept it")),
        false => {
            let broken = |trial: &&&TrialRecord| kinds(trial).iter().any(|k| k.gate == question.id);
            let broken = trials.all.iter().filter(broken).count();
            let measured = format!("{broken} of {all} trials did not keep it");
            question.failed(measured, (BADGE, models.join("; ")))
        }
    }
}

/// Returns the kinds of reasons for which a trial does not count, each once.
fn kinds(trial: &TrialRecord) -> BTreeSet<Kind> {
    let of = |reason: &String| KINDS.into_iter().find(|kind| reason.contains(kind.phrase));
    match &trial.state {
        State::Valid => BTreeSet::new(),
        State::Failed(_) => BTreeSet::from([FAILED]),
        State::Void(reasons) => reasons.iter().filter_map(of).collect(),
    }
}

#[cfg(test)]
mod tests {
    use record::Run;

    use super::*;
    use crate::gates::tests::check;
    use crate::gates::{GateState, gates as all_gates};
    use crate::made_up::{BASELINE, FLOOR, MadeUp, spoil};

    /// Makes the first steady trial of a model void for a reason.
    fn void(run: &mut Run, reason: &str) {
        let trial = spoil(run, ("threads", "steady")).next().unwrap();
        trial.state = State::Void(vec![reason.to_owned()]);
    }

    #[test]
    fn g2_trips_on_a_failed_fetch_a_lost_one_and_a_process_that_failed() {
        check(("G2", "steady"), |run| void(run, "2 of 20 fetches failed: 2 x 1604"), "VOID");
        let lost = "the origin answered 27 fetches, the model issued 28";
        check(("G2", "steady"), |run| void(run, lost), "VOID");
        let failed = |run: &mut Run| {
            let trial = spoil(run, ("threads", "steady")).next().unwrap();
            trial.state = State::Failed("it panicked with 64 in flight".to_owned());
        };
        check(("G2", "steady"), failed, "VOID");
    }

    #[test]
    fn g3_trips_on_waiting_in_series() {
        check(
            ("G3", "steady"),
            |run| void(run, "the origin saw at most 1 of 64 in flight"),
            "VOID",
        );
    }

    #[test]
    fn g4_trips_on_more_connections_and_on_other_heads() {
        let connections = "the origin saw 65 connections for 64 slots";
        check(("G4", "steady"), |run| void(run, connections), "VOID");
        let heads = "its request heads are not those of the bare core";
        check(("G4", "steady"), |run| void(run, heads), "VOID");
    }

    #[test]
    fn the_model_the_kind_and_the_number_of_trials_are_named() {
        for (reason, kind) in [
            ("the origin was late by 3.5 ms", "the origin was late"),
            ("the clock jumped by 7200000 ms: the machine slept or was paused", "the clock jumped"),
        ] {
            let mut run = MadeUp::good().run();
            void(&mut run, reason);
            let gates = all_gates(&run, BASELINE, FLOOR);
            let failed = GateState::Failed(format!("threads: {kind} in 1 of 14 trials"));
            assert!(gates.iter().any(|gate| gate.id == "G2" && gate.state == failed), "{kind}");
        }
    }
}
