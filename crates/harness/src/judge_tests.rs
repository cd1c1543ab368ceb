//! Promises about judging: each lie is found, and the truth is not called one.

use std::collections::BTreeMap;

use model_kit::pipe::{Total, Window};
use model_kit::{Cell, DelayRange};

use super::*;
use crate::made_up;

/// A model, its plan, and a story on which both sides agree.
struct Story {
    model: Model,
    plan: Plan,
    trial: Trial,
    receipt: Receipt,
}

impl Story {
    /// Returns a story without fault, of four slots.
    fn new(workload: Workload) -> Self {
        let cell = Cell {
            name: "test".to_owned(),
            workload,
            in_flight: 4,
            warmup: if workload == Workload::Steady { 4 } else { 0 },
            fetches: 20,
            delay_ms: DelayRange { lo: 20, hi: 20 },
            body_bytes: 128,
            heartbeat_us: 0,
            work_kib: 0,
        };
        let dealt = cell.dealt();
        let origins = vec![([127, 0, 0, 1], 4100).into()];
        Self {
            model: model(),
            plan: Plan { cell, origins, workers: 1, seed: 1, deadline_ms: None, surcharge_ns: 0 },
            trial: trial(dealt),
            receipt: Receipt {
                answered: dealt,
                ids_digest: ids_digest(dealt),
                heads_digest: bare_heads_digest(dealt),
                in_flight_peak_estimate: 4,
                in_flight_mean_estimate: 3.9,
                connections_estimate: Some(4),
                delay_late_ms_p50_estimate: 1.2,
                cpu_ns: 30_000_000,
                wall_ns: 200_000_000,
                ..Receipt::default()
            },
        }
    }

    /// Returns what the judge says.
    fn judged(&self) -> Vec<String> {
        judge(&self.model, &self.plan, (&self.trial, &self.receipt))
    }
}

/// Returns a model of two threads.
fn model() -> Model {
    Model { threads: "workers + 1".to_owned(), ..made_up::model("test") }
}

/// Returns a trial of so many fetches, 20 of them in the window.
fn trial(dealt: u64) -> Trial {
    Trial {
        window: Window {
            ended: 20,
            ok: 20,
            wall_ns: 110_000_000,
            cpu_ns: 300_000,
            user_ns: 0,
            system_ns: 0,
            switches_voluntary: 20,
            switches_involuntary: 0,
            faults_minor: 0,
        },
        total: Total { issued: dealt, ok: dealt, errors: BTreeMap::new(), extra_bytes: 0 },
        threads: 2,
        in_flight_peak: 4,
        scheduled: None,
        windows: Vec::new(),
        latencies_ns: vec![(21_000_000, 20)],
        beats_late_ns: Vec::new(),
    }
}

/// Checks that a change to a good story is told by these words, and by nothing else.
fn check(workload: Workload, change: fn(&mut Story), words: &str) {
    let mut story = Story::new(workload);
    assert_eq!(story.judged(), Vec::<String>::new());
    change(&mut story);
    let reasons = story.judged();
    assert!(reasons.len() == 1 && reasons[0].contains(words), "{words}: {reasons:?}");
}

#[test]
fn a_failed_fetch_voids_a_trial_and_is_named_by_its_code() {
    let change = |story: &mut Story| {
        story.trial.total.ok -= 2;
        story.trial.total.errors.insert("1604".to_owned(), 2);
    };
    check(Workload::Batch, change, "2 of 20 fetches failed: 2 x 1604");
}

#[test]
fn counts_that_do_not_add_up_void_a_trial() {
    let steady = Workload::Steady;
    check(steady, |story| story.trial.total.ok -= 1, "do not make 28 issued");
    check(steady, |story| story.trial.window.ended -= 1, "19 fetches ended in the window of 20");
    check(steady, |story| story.trial.latencies_ns.clear(), "0 latencies for 20 ok fetches");
    check(steady, |story| story.trial.window.cpu_ns = 0, "the window took no time");
    check(steady, |story| story.trial.window.cpu_ns = 200_000_000, "do not fit into");
    let change = |story: &mut Story| {
        story.trial.window.ok = 5;
        story.trial.latencies_ns = vec![(21_000_000, 5)];
    };
    check(steady, change, "5 of 20 fetches in the window were ok");
}

#[test]
fn request_heads_that_are_not_the_bare_core_s_void_a_trial() {
    let change = |story: &mut Story| story.receipt.heads_digest += 1;
    check(Workload::Steady, change, "its request heads are not those of the bare core");

    // A library writes what it likes.
    let mut story = Story::new(Workload::Steady);
    change(&mut story);
    story.model.client = "ureq".to_owned();
    assert_eq!(story.judged(), Vec::<String>::new());
}

#[test]
fn a_fetch_that_was_never_made_voids_a_trial() {
    let change = |story: &mut Story| story.receipt.answered -= 1;
    check(Workload::Steady, change, "answered 27 fetches, the model issued 28");
    let change = |story: &mut Story| story.receipt.ids_digest += 1;
    check(Workload::Steady, change, "other ids than were dealt");
    check(Workload::Steady, |story| story.receipt.strays = 1, "1 requests that are no fetch");
}

#[test]
fn waiting_in_series_voids_a_trial() {
    let change = |story: &mut Story| story.receipt.in_flight_peak_estimate = 2;
    check(Workload::Steady, change, "at most 2 of 4 in flight");
    let change = |story: &mut Story| story.receipt.in_flight_mean_estimate = 3.0;
    check(Workload::Steady, change, "3.0 of 4 in flight in the mean");
    let change = |story: &mut Story| story.receipt.in_flight_peak_estimate = 1;
    check(Workload::Batch, change, "at most 1 of 4 in flight");
}

#[test]
fn an_interpreter_that_is_too_slow_is_not_void_and_one_that_waits_in_series_is() {
    let mut story = Story::new(Workload::Steady);
    story.model.language = Some("Python".to_owned());
    (story.receipt.in_flight_peak_estimate, story.receipt.in_flight_mean_estimate) = (2, 1.5);
    assert_eq!(story.judged(), Vec::<String>::new());
    story.receipt.in_flight_peak_estimate = 1;
    assert_eq!(story.judged(), ["the origin saw at most 1 of 4 in flight"]);
}

#[test]
fn a_connection_for_every_fetch_is_allowed_where_a_manifest_says_so() {
    let mut story = Story::new(Workload::Steady);
    story.model.connections = Some("issued".to_owned());
    story.receipt.connections_estimate = Some(28);
    assert_eq!(story.judged(), Vec::<String>::new());
    story.receipt.connections_estimate = Some(29);
    assert_eq!(story.judged(), ["the origin saw 29 connections for 4 slots"]);
}

#[test]
fn more_in_flight_than_slots_voids_a_trial() {
    check(Workload::Steady, |story| story.trial.in_flight_peak = 5, "5 in flight in 4 slots");
}

#[test]
fn more_connections_than_a_model_may_open_void_a_trial() {
    let change = |story: &mut Story| story.receipt.connections_estimate = Some(5);
    check(Workload::Steady, change, "5 connections for 4 slots");
    let mut story = Story::new(Workload::Steady);
    story.model.connections = Some("2 * in_flight".to_owned());
    story.receipt.connections_estimate = Some(8);
    assert_eq!(story.judged(), Vec::<String>::new());
}

#[test]
fn hidden_threads_void_a_trial() {
    check(Workload::Steady, |story| story.trial.threads = 3, "3 threads, its manifest says 2");
}

#[test]
fn a_heart_that_beats_more_often_than_it_is_asked_to_voids_a_trial() {
    let change = |story: &mut Story| story.trial.beats_late_ns = vec![(1_000, 1)];
    check(Workload::Batch, change, "1 beats of a heart do not fit into 110000000 ns");
    let change = |story: &mut Story| {
        story.plan.cell.heartbeat_us = 50_000;
        story.trial.beats_late_ns = vec![(1_000, 4)];
    };
    check(Workload::Batch, change, "4 beats of a heart do not fit into 110000000 ns");
}

#[test]
fn the_heart_of_a_model_with_a_thread_for_each_slot_is_one_thread_more() {
    let mut story = Story::new(Workload::Steady);
    story.model.threads = "in_flight".to_owned();
    story.plan.cell.heartbeat_us = 50_000;
    story.trial.threads = 5;
    assert_eq!(story.judged(), ["the process had 5 threads, its manifest says 4"]);
    story.trial.beats_late_ns = vec![(1_000, 2)];
    assert_eq!(story.judged(), Vec::<String>::new());
}

#[test]
fn a_fetch_that_was_faster_than_its_delay_voids_a_trial() {
    let change = |story: &mut Story| story.trial.latencies_ns = vec![(19_800_000, 20)];
    check(Workload::Batch, change, "a fetch took 19.8 ms of at least 20.0 ms");
    // Rounding alone may take as much.
    let mut story = Story::new(Workload::Batch);
    story.trial.latencies_ns = vec![(19_950_000, 20)];
    assert_eq!(story.judged(), Vec::<String>::new());
}

#[test]
fn latencies_that_do_not_fill_the_slots_void_a_trial() {
    let forged = |story: &mut Story| story.trial.latencies_ns = vec![(42_000_000, 20)];
    check(Workload::Batch, forged, "7.6 of 4 slots were busy");
    check(Workload::Steady, forged, "7.6 of 4 slots were busy");
    let slow = |story: &mut Story| story.trial.window.wall_ns *= 2;
    check(Workload::Steady, slow, "1.9 of 4 slots were busy");
    // The slots of a batch leave as its ids run out.
    let mut story = Story::new(Workload::Batch);
    slow(&mut story);
    assert_eq!(story.judged(), Vec::<String>::new());
}

#[test]
fn an_origin_without_time_voids_a_trial() {
    let change = |story: &mut Story| story.receipt.cpu_ns = 160_000_000;
    check(Workload::Batch, change, "busy for 80 % of the time of its 1 threads");
    let mut story = Story::new(Workload::Batch);
    story.plan.origins.push(([127, 0, 0, 1], 4101).into());
    change(&mut story);
    assert_eq!(story.judged(), Vec::<String>::new());
}

#[test]
fn an_origin_that_is_late_voids_a_trial() {
    let change = |story: &mut Story| story.receipt.delay_late_ms_p50_estimate = 3.5;
    check(Workload::Steady, change, "the origin was late by 3.5 ms");
    assert!(is_of_the_machine("the origin was late by 3.5 ms"));
    assert!(!is_of_the_machine("the origin saw 65 connections for 64 slots"));
}

#[test]
fn counts_whose_sum_overflows_are_void_and_no_panic() {
    let mut story = Story::new(Workload::Steady);
    let trial = &mut story.trial;
    trial.latencies_ns = vec![(20_000_000, u64::MAX), (u64::MAX, 21)];
    trial.total.errors = [("1401", u64::MAX), ("1402", 1)].map(|(c, n)| (c.to_owned(), n)).into();
    (trial.total.ok, trial.total.issued) = (u64::MAX, u64::MAX);
    (trial.window.wall_ns, trial.window.cpu_ns) = (u64::MAX, u64::MAX);
    story.receipt.wall_ns = u64::MAX;
    story.receipt.cpu_ns = u64::MAX;
    let Story { model, plan, trial, receipt } = &story;
    let reasons = judge(model, plan, (trial, receipt));
    assert!(reasons.iter().any(|reason| reason.contains("latencies for")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("fetches failed")), "{reasons:?}");
}
