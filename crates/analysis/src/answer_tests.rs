//! What an answer decides, on fixture runs.

use record::Run;

use super::*;
use crate::fixture::{BASELINE, FLOOR, Fixture, corrupt};
use crate::summary::summarize;

/// Returns what runs are made from with these models beside baseline and floor.
fn with(models: &[(&'static str, f64)]) -> Fixture {
    let good = Fixture::good();
    let cells = good.cells.iter().filter(|cell| rules::expected(cell.workload).is_paced_by_delays);
    let models = [&[(FLOOR, 0.9), (BASELINE, 1.0)], models].concat();
    Fixture { cells: cells.cloned().collect(), controls: Vec::new(), models, ..good }
}

/// Returns the answer of a run of one cell.
fn answered(run: &Run) -> Answer {
    let mut answers = summarize(run, BASELINE, FLOOR).answers;
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

/// Returns the names in groups.
fn names(groups: &[Together]) -> Vec<Vec<&str>> {
    assert!(groups.iter().all(|own| !own.models.is_empty() && own.least <= own.most));
    groups.iter().map(|own| own.models.iter().map(String::as_str).collect()).collect()
}

#[test]
fn the_least_is_the_model_that_verdicts_separate_from_every_other() {
    let answer = answered(&with(&[("smol", 0.9), ("threads", 1.5)]).run());
    assert_eq!(answer.compared, ["smol", "tokio", "threads"]);
    assert_eq!((answer.least.as_deref(), &*answer.first), (Some("smol"), &["smol".to_owned()][..]));
    assert_eq!(
        (names(&answer.less), names(&answer.more)),
        (vec![vec!["smol"]], vec![vec!["threads"]])
    );

    let equal = answered(&Fixture { noise: 0.0005, ..with(&[("smol", 1.0)]) }.run());
    assert_eq!((equal.least, equal.first.len(), equal.is_first_equal), (None, 2, true));
    let alone = answered(&with(&[]).run());
    assert_eq!((alone.least, alone.first.len(), alone.is_first_equal), (None, 1, false));
}

#[test]
fn a_model_is_the_least_in_a_quick_run_too_if_the_baseline_lies_between_it_and_every_other() {
    let quick = |models: &[_]| answered(&Fixture { preset: "quick", ..with(models) }.run());
    assert_eq!(quick(&[("smol", 0.8), ("threads", 1.5)]).least.as_deref(), Some("smol"));
    let open = quick(&[("smol", 0.8), ("threads", 0.7), ("rayon", 1.5)]);
    assert_eq!((open.least, open.is_first_equal), (None, false));
    assert_eq!(open.first, ["threads", "smol"]);
}

#[test]
fn a_model_with_a_fetch_that_failed_is_never_the_least() {
    let mut run = with(&[("smol", 0.8)]).run();
    for turn in corrupt(&mut run, ("smol", "steady")).take(1) {
        turn.turned.as_mut().unwrap().total.errors.insert("timeout".to_owned(), 1);
    }
    let answer = answered(&run);
    assert_eq!((answer.least.as_deref(), &*answer.first), (None, &["smol".to_owned()][..]));
}

#[test]
fn models_whose_intervals_overlap_are_said_together() {
    let models = [("smol", 1.3), ("rayon", 1.31), ("threads", 2.0)];
    let answer = answered(&Fixture { noise: 0.03, preset: "quick", ..with(&models) }.run());
    assert_eq!(names(&answer.more).last(), Some(&vec!["threads"]));
    assert_eq!(answer.more.len(), 2, "{:?}", answer.more);
    assert_eq!(answer.more[0].models.len(), 2);
}

#[test]
fn without_blocks_models_or_a_baseline_the_answer_says_which_is_missing() {
    let mut run = with(&[("smol", 1.2)]).run();
    for turn in corrupt(&mut run, (BASELINE, "steady")) {
        turn.state = record::State::Failed("it hung".to_owned());
    }
    let answer = answered(&run);
    assert_eq!((answer.nothing, &*answer.compared), (Some(Nothing::NoBaseline), &[][..]));
    for turn in &mut run.turns {
        turn.state = record::State::Failed("it hung".to_owned());
    }
    assert_eq!(answered(&run).nothing, Some(Nothing::NoModel));
    run.turns.clear();
    assert_eq!(answered(&run).nothing, Some(Nothing::NoBlock));
    let few = answered(&Fixture { blocks: 1, ..with(&[("smol", 1.2)]) }.run());
    assert_eq!((few.nothing, few.has_intervals), (None, false));
}

#[test]
fn what_a_difference_is_worth_is_said_of_models_that_the_answer_compares() {
    let mut run = with(&[("smol", 1.2), ("threads", 1.5), ("iterator", 9.0)]).run();
    let worth = |run: &Run| answered(run).models.map(|own| (own.less, own.more));
    let is_of = |more: &str| Some((BASELINE.to_owned(), more.to_owned()));
    assert_eq!(worth(&run), is_of("iterator"));
    for turn in corrupt(&mut run, ("iterator", "steady")) {
        turn.turned.as_mut().unwrap().window.wall_ns *= 64;
    }
    assert_eq!(answered(&run).compared, [BASELINE, "smol", "threads"], "at the same rate");
    assert_eq!(worth(&run), is_of("threads"));
}

#[test]
fn what_clients_add_goes_from_the_least_to_the_most_of_each() {
    let models = [("smol", 1.2), ("smol-hyper", 1.8), ("tokio-hyper", 1.3), ("tokio-ureq", 2.6)];
    let answer = answered(&with(&models).run());
    let [least, most] = answer.added_ends.unwrap();
    assert_eq!((&*least.client, &*most.client), ("hyper", "ureq"));
    let clients: Vec<_> = answer.added.iter().map(|own| (&*own.client, own.is_certain)).collect();
    assert_eq!(clients, [("hyper", true), ("ureq", true)]);
    assert!((answer.added[0].least - least.ratio).abs() < 1e-12);
    assert!(answer.added[0].most > 1.4 && (answer.added[1].most - most.ratio).abs() < 1e-12);
    let client = answer.client.unwrap();
    assert_eq!((&*client.under, client.adds), (BASELINE, crate::overhead::Adds::More));
}
