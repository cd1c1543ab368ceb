//! Promises about the laws of a turn: each lie is found, and the truth is not called one.

use std::collections::BTreeMap;

use workload::pipe::{Total, Window};
use workload::{Cell, DelayRange, Workload};

use super::*;
use crate::Cause;

#[path = "paced_tests.rs"]
mod paced_tests;

/// A turn on which both sides agree.
struct Case {
    claims: Claims<'static>,
    plan: Plan,
    turn: Turn,
    turned: Turned,
    receipt: Receipt,
    origin: OriginKind,
}

impl Case {
    /// Returns a turn without fault, of four slots, which is not the first of its process.
    fn new(workload: Workload) -> Self {
        let is_steady = [Workload::Steady, Workload::Churn].contains(&workload);
        let cell = Cell {
            name: "test".to_owned(),
            workload,
            in_flight: 4,
            warmup: if is_steady { 4 } else { 0 },
            fetches: 20,
            delay_ms: DelayRange { lo: 20, hi: 20 },
            body_bytes: 128,
            ..Cell::least(workload)
        };
        let turn = Turn::of(&cell, u32::from(is_steady), 1_000);
        let ids = turn.ids(&cell);
        let asked = ids.end - ids.start;
        let origins = vec![([127, 0, 0, 1], 4100).into()];
        Self {
            claims: Claims {
                is_bare: true,
                may_be_slow: false,
                connections: None,
                threads: "workers + 1",
                is_apart: false,
            },
            plan: Plan { cell, origins, workers: 1, seed: 1, deadline_ms: None, surcharge_ns: 0 },
            turn,
            turned: turned(asked),
            receipt: Receipt {
                answered: asked,
                ids_digest: ids_digest(ids.clone()),
                heads_digest: bare_heads_digest(ids),
                in_flight_peak_estimate: 4,
                in_flight_mean_estimate: 3.9,
                connections: Some(if is_steady { 0 } else { 4 }),
                delay_late_ms_p50_estimate: 1.2,
                cpu_ns: 30_000_000,
                wall_ns: 200_000_000,
                ..Receipt::default()
            },
            origin: OriginKind::Wiremock,
        }
    }

    /// Returns the broken laws, in words.
    fn broken(&self) -> Vec<String> {
        let Self { claims, plan, turn, turned, receipt, origin } = self;
        let evidence = Evidence { turned, receipt: Some(receipt), origin: *origin };
        let reasons = validate(*claims, (plan, turn), evidence);
        reasons.iter().map(ToString::to_string).collect()
    }
}

/// Returns what is reported of a turn of so many fetches, 20 of them in the window.
fn turned(asked: u64) -> Turned {
    Turned {
        turn: 1,
        window: Window {
            ended: 20,
            ok: 20,
            wall_ns: 110_000_000,
            cpu_ns: 300_000,
            pacer_ns: 0,
            user_ns: 0,
            system_ns: 0,
            switches_voluntary: Some(20),
            switches_involuntary: Some(0),
            faults_minor: Some(0),
        },
        total: Total { issued: asked, ok: asked, errors: BTreeMap::new(), extra_bytes: 0 },
        threads: 2,
        in_flight_peak: 4,
        scheduled: None,
        latencies_ns: vec![(21_000_000, 20)],
        wake_up_delays_ns: Vec::new(),
        responses_ns: Vec::new(),
        lags_ns: Vec::new(),
    }
}

/// Checks that a change to a good turn is reported by these words, and by nothing else.
fn check(workload: Workload, change: fn(&mut Case), words: &str) {
    let mut case = Case::new(workload);
    assert_eq!(case.broken(), Vec::<String>::new());
    change(&mut case);
    let reasons = case.broken();
    assert!(reasons.len() == 1 && reasons[0].contains(words), "{words}: {reasons:?}");
}

#[test]
fn an_origin_that_answers_others_slowly_than_the_seed_says_is_not_believed() {
    let some = |case: &mut Case| case.receipt.slow = 1;
    check(Workload::Batch, some, "answered 1 requests slowly, expected 0");
    let none = |case: &mut Case| case.plan.cell.slow_percent = 100;
    check(Workload::Batch, none, "answered 0 requests slowly, expected 20");
    assert_eq!(Reason::OtherDelays { slow: 1, asked: 0 }.cause(), Cause::Origin);
}

#[test]
fn a_failed_fetch_makes_a_turn_invalid_and_is_named_by_its_code() {
    let change = |case: &mut Case| {
        case.turned.total.ok -= 2;
        case.turned.total.errors.insert("1604".to_owned(), 2);
    };
    check(Workload::Batch, change, "2 of 20 fetches failed: 2 x 1604");
}

#[test]
fn counts_that_do_not_add_up_make_a_turn_invalid() {
    let steady = Workload::Steady;
    check(steady, |case| case.turned.total.ok -= 1, "do not make 28 issued");
    check(steady, |case| case.turned.window.ended -= 1, "19 ended in the window of 20");
    check(steady, |case| case.turned.window.cpu_ns = 0, "the window took no time");
    check(steady, |case| case.turned.window.cpu_ns = 200_000_000, "do not fit into");
    check(steady, |case| case.turned.window.pacer_ns = 1, "do not fit into");
    let change = |case: &mut Case| {
        case.turned.window.ok = 5;
    };
    check(steady, change, "5 of 20 fetches in the window were ok");
}

#[test]
fn request_heads_that_are_not_the_bare_core_s_make_a_turn_invalid() {
    let change = |case: &mut Case| case.receipt.heads_digest += 1;
    check(Workload::Steady, change, "its request heads are not those of the bare core");

    // A library writes what it likes.
    let mut case = Case::new(Workload::Steady);
    change(&mut case);
    case.claims.is_bare = false;
    assert_eq!(case.broken(), Vec::<String>::new());
}

#[test]
fn a_fetch_that_was_never_made_makes_a_turn_invalid() {
    let change = |case: &mut Case| case.receipt.answered -= 1;
    check(Workload::Steady, change, "answered 27 fetches, the model issued 28");
    let change = |case: &mut Case| case.receipt.ids_digest += 1;
    check(Workload::Steady, change, "other ids than were dealt");
    check(Workload::Steady, |case| case.receipt.strays = 1, "1 requests that are no fetch");
}

#[test]
fn more_in_flight_than_slots_are_too_many_where_the_origin_counts_and_no_flaw_of_an_estimate() {
    let change = |case: &mut Case| {
        case.receipt.in_flight_peak_estimate = 5;
        case.origin = OriginKind::Fast;
    };
    check(Workload::Steady, change, "the model had 5 in flight in 4 slots");
    let mut case = Case::new(Workload::Steady);
    case.receipt.in_flight_peak_estimate = 5;
    assert_eq!(case.broken(), Vec::<String>::new());
}

#[test]
fn waiting_in_series_makes_a_turn_invalid() {
    let change = |case: &mut Case| case.receipt.in_flight_peak_estimate = 2;
    check(Workload::Steady, change, "at most 2 of 4 in flight");
}

#[test]
fn an_interpreter_that_is_too_slow_is_not_invalid_and_one_that_waits_in_series_is() {
    let mut case = Case::new(Workload::Steady);
    case.claims.may_be_slow = true;
    case.receipt.in_flight_peak_estimate = 2;
    assert_eq!(case.broken(), Vec::<String>::new());
    case.receipt.in_flight_peak_estimate = 1;
    assert_eq!(case.broken(), ["the origin saw at most 1 of 4 in flight"]);
}

#[test]
fn a_batch_with_half_of_the_places_has_half_of_the_connections() {
    let change = |case: &mut Case| case.receipt.connections = Some(2);
    check(Workload::Batch, change, "accepted 2 connections, exactly 4 are expected");
}

#[test]
fn a_pool_whose_slots_began_late_has_fewer_connections_but_not_half() {
    let mut case = Case::new(Workload::Batch);
    (case.claims.is_bare, case.receipt.connections) = (false, Some(3));
    assert_eq!(case.broken(), Vec::<String>::new());
    case.receipt.connections = Some(2);
    assert_eq!(case.broken(), ["the origin accepted 2 connections, at least 3 are expected"]);
}

#[test]
fn the_core_connects_in_the_first_turn_of_a_process_and_never_again() {
    let mut first = Case::new(Workload::Steady);
    (first.turn.number, first.receipt.connections) = (0, Some(4));
    assert_eq!(first.broken(), Vec::<String>::new());
    let change = |case: &mut Case| case.receipt.connections = Some(1);
    check(Workload::Steady, change, "accepted 1 connections, exactly 0 are expected");
}

#[test]
fn connections_that_the_kernel_does_not_report_of_are_held_against_nobody() {
    let mut case = Case::new(Workload::Steady);
    case.receipt.connections = None;
    assert_eq!(case.broken(), Vec::<String>::new());
}

#[test]
fn a_connection_for_every_fetch_is_allowed_where_a_manifest_says_so() {
    let mut case = Case::new(Workload::Steady);
    case.claims.connections = Some("issued");
    case.receipt.connections = Some(28);
    assert_eq!(case.broken(), Vec::<String>::new());
    case.receipt.connections = Some(29);
    assert_eq!(case.broken(), ["the origin accepted 29 connections, at most 28 are allowed"]);
}

#[test]
fn where_the_origin_ends_connections_there_are_as_many_as_fetches_whatever_a_manifest_says() {
    for connections in [None, Some("issued"), Some("at most 3")] {
        let mut case = Case::new(Workload::Churn);
        case.claims.connections = connections;
        for (seen, words) in [(27, "accepted 27 connections, exactly 28"), (29, "accepted 29")] {
            case.receipt.connections = Some(seen);
            let reasons = case.broken();
            assert!(reasons.len() == 1 && reasons[0].contains(words), "{words}: {reasons:?}");
        }
        case.receipt.connections = Some(28);
        assert_eq!(case.broken(), Vec::<String>::new());
    }
}

#[test]
fn more_in_flight_than_slots_makes_a_turn_invalid() {
    check(
        Workload::Steady,
        |case| case.turned.in_flight_peak = 5,
        "the model had 5 in flight in 4 slots",
    );
}

#[test]
fn hidden_threads_make_a_turn_invalid() {
    check(Workload::Steady, |case| case.turned.threads = 3, "3 threads, its manifest says 2");
    // A number that is no bound is held to from both sides, where the kernel says it.
    check(Workload::Steady, |case| case.turned.threads = 1, "1 threads, its manifest says 2");
    let mut case = Case::new(Workload::Steady);
    case.turned.threads = 0;
    assert_eq!(case.broken(), Vec::<String>::new());
}

#[test]
fn fewer_threads_than_an_upper_bound_are_no_reason_and_more_are() {
    let mut case = Case::new(Workload::Steady);
    case.claims.threads = "at most workers + 1";
    case.turned.threads = 1;
    assert_eq!(case.broken(), Vec::<String>::new());
    case.turned.threads = 3;
    assert_eq!(case.broken(), ["the process had 3 threads, its manifest says 2"]);
}

#[test]
fn a_probe_task_that_wakes_more_often_than_it_is_asked_to_makes_a_turn_invalid() {
    let change = |case: &mut Case| case.turned.wake_up_delays_ns = vec![(1_000, 1)];
    check(Workload::Batch, change, "1 wake-ups of the probe task do not fit into 110000000 ns");
    let change = |case: &mut Case| {
        case.plan.cell.probe_period_us = 50_000;
        case.turned.wake_up_delays_ns = vec![(1_000, 4)];
    };
    check(Workload::Batch, change, "4 wake-ups of the probe task do not fit into 110000000 ns");
}

#[test]
fn the_probe_task_of_a_model_with_a_thread_for_each_slot_is_one_thread_more() {
    let mut case = Case::new(Workload::Steady);
    case.claims.threads = "in_flight";
    case.plan.cell.probe_period_us = 50_000;
    case.turned.threads = 5;
    assert_eq!(case.broken(), ["the process had 5 threads, its manifest says 4"]);
    case.turned.wake_up_delays_ns = vec![(1_000, 2)];
    assert_eq!(case.broken(), Vec::<String>::new());
}

#[test]
fn an_origin_without_time_makes_a_turn_invalid() {
    let change = |case: &mut Case| case.receipt.cpu_ns = 160_000_000;
    check(Workload::Batch, change, "busy for 80 % of its threads' time");
    let mut case = Case::new(Workload::Batch);
    case.plan.origins.push(([127, 0, 0, 1], 4101).into());
    change(&mut case);
    assert_eq!(case.broken(), Vec::<String>::new());
}

#[test]
fn an_origin_that_is_late_makes_a_turn_invalid() {
    let change = |case: &mut Case| case.receipt.delay_late_ms_p50_estimate = 3.5;
    check(Workload::Steady, change, "the origin was late by 3.5 ms");
    // A stall of seconds meets few replies, and is reported by the latest of them.
    let stall = |case: &mut Case| case.receipt.delay_late_ms_max_estimate = 12_000.0;
    for workload in [Workload::Batch, Workload::Steady] {
        check(workload, stall, "the origin was late by 12000.0 ms");
    }
    // What is held was read before any reply was sent.
    let mut held = Case::new(Workload::Hold);
    stall(&mut held);
    assert_eq!(held.broken(), Vec::<String>::new());
    assert_eq!(Reason::OriginLate { late_us: 3_500 }.cause(), Cause::Origin);
    assert_eq!(Reason::Connections { seen: 65, least: 64, most: 64 }.cause(), Cause::Model);
}

#[test]
fn what_the_kernel_counts_of_a_whole_namespace_is_held_against_no_model() {
    for counted in [None, Some(0), Some(u64::MAX)] {
        let mut case = Case::new(Workload::Steady);
        let receipt = &mut case.receipt;
        (receipt.listen_overflows, receipt.listen_drops) = (counted, counted);
        (receipt.timeouts, receipt.retransmits) = (counted, counted);
        receipt.segments_in = counted;
        assert_eq!(case.broken(), [""; 0], "{counted:?}");
    }
}

#[test]
fn what_a_busy_machine_does_to_an_honest_model_is_excused_and_no_more() {
    let late = |seen| Reason::Connections { seen, least: 64, most: 64 }.is_excused();
    assert_eq!([47, 48, 63, 65].map(late), [false, true, true, false]);
    let peak = |peak| Reason::Peak { peak, slots: 64 }.is_excused();
    assert_eq!([1, 31, 32, 33, 47].map(peak), [false, false, false, true, true]);
    let mean = |tenths| Reason::Mean { tenths, slots: 64 }.is_excused();
    assert_eq!([10, 159, 160, 398].map(mean), [false, false, true, true]);
    assert!(!Reason::TooMany { peak: 65, slots: 64 }.is_excused());
}

#[test]
fn a_primitive_is_held_to_its_own_counts_and_clocks_alone() {
    let cell = Cell::of_operations(Workload::Spawn, (0, 20));
    let (plan, turn) = (
        Plan { cell, ..Case::new(Workload::Steady).plan },
        Turn { number: 1, first_id: 1_000, warmup: 0, fetches: 20, arrivals_seed: 0 },
    );
    let broken = |change: fn(&mut Turned)| {
        let mut turned = Turned { latencies_ns: Vec::new(), threads: 9, ..turned(20) };
        change(&mut turned);
        let claims = Case::new(Workload::Steady).claims;
        let evidence = Evidence { turned: &turned, receipt: None, origin: OriginKind::Wiremock };
        let reasons = validate(claims, (&plan, &turn), evidence);
        reasons.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(broken(|_| {}), [""; 0]);
    let few = broken(|turned| (turned.window.ended, turned.total.ok) = (19, 19));
    assert!(
        few.contains(&"19 ended in the window of 20 that were asked for".to_owned()),
        "{few:?}"
    );
    let short = broken(|turned| turned.window.wall_ns = 199_999);
    assert!(short[0].starts_with("a turn took 199999 ns, at least 200000"), "{short:?}");
    let idle = broken(|turned| turned.window.cpu_ns = 0);
    assert_eq!(idle, ["the window took no time"]);
}

#[test]
fn counts_whose_sum_overflows_are_invalid_and_no_panic() {
    let mut case = Case::new(Workload::Steady);
    let turned = &mut case.turned;
    turned.wake_up_delays_ns = vec![(20_000_000, u64::MAX), (u64::MAX, 21)];
    turned.total.errors = [("1401", u64::MAX), ("1402", 1)].map(|(c, n)| (c.to_owned(), n)).into();
    (turned.total.ok, turned.total.issued) = (u64::MAX, u64::MAX);
    (turned.window.wall_ns, turned.window.cpu_ns) = (u64::MAX, u64::MAX);
    case.receipt.wall_ns = u64::MAX;
    case.receipt.cpu_ns = u64::MAX;
    let reasons = case.broken();
    assert!(reasons.iter().any(|reason| reason.contains("wake-ups of the probe")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("fetches failed")), "{reasons:?}");
}
