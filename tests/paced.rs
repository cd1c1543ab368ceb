//! Fetches that arrive at a rate are timed from their arrival on, by every model in the same way,
//! whatever holds them up; and the origin sees them come when the model says that they left.

mod support;

use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use harness::{OriginProcess, Reported};
use model_kit::pipe::Turned;
use model_kit::{Cell, DelayRange, Plan, Receipt, Turn, Workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use origin::Mount;
use record::{Model, OriginKind, Placement};
use rules::{Evidence, Reason, validate};
use stats::histogram::quantile;

use support::{MODELS, alone, built, cell, faulty, house, placement, plan};

/// How long the origin is stopped in the textbook case.
const STALL: Duration = Duration::from_millis(500);

/// What came of one model.
struct Trial {
    model: &'static Model,
    plan: Plan,
    reported: Reported,
    receipt: Receipt,
}

/// Every model that can have eight in flight, with 60 fetches that arrive at 200 a second.
static TRIALS: LazyLock<Vec<Trial>> = LazyLock::new(|| {
    let _alone = alone();
    let held = |model: &&Model| model.max_in_flight.is_none();
    let models = MODELS.iter().filter(held);
    let trial = |model: &'static Model| {
        let (plan, reported, receipt) = paced(model, open((8, 60), 200));
        Trial { model, plan, reported, receipt }
    };
    models.map(trial).collect()
});

/// Returns a cell of so many slots and fetches that arrive at a rate, each of which takes 20 ms.
fn open((in_flight, fetches): (u32, u64), rate_per_s: u32) -> Cell {
    let delay_ms = DelayRange { lo: 20, hi: 20 };
    Cell { rate_per_s, delay_ms, ..cell(Workload::Paced, in_flight, fetches) }
}

/// Lets a model carry a cell out at an origin that counts.
fn paced(model: &Model, cell: Cell) -> (Plan, Reported, Receipt) {
    let placement = Placement { origin: OriginKind::Fast, ..placement() };
    let program = built(&model.package);
    let mut origin = OriginProcess::start(&built("origin"), &placement).expect("it starts");
    let plan = plan(cell, origin.ready.origins.clone());
    origin.mount(Mount::whole(&plan.cell, plan.seed)).expect("it mounts");
    let reported = harness::converse(model, &program, (&plan, &placement.model_cpus));
    let reported = reported.unwrap_or_else(|why| panic!("{}: {why}", model.name));
    let receipt = origin.receipt().expect("it hands over a receipt");
    (plan, reported, receipt)
}

/// Returns how many times a histogram has.
fn count(times: &[(u64, u64)]) -> u64 {
    times.iter().map(|(_, count)| count).sum()
}

/// Returns the sum of a histogram.
fn sum(times: &[(u64, u64)]) -> u64 {
    times.iter().map(|(ns, count)| ns * count).sum()
}

#[test]
fn every_fetch_that_arrives_in_the_window_has_its_three_times() {
    for Trial { model, plan, reported, .. } in TRIALS.iter() {
        let turned = &reported.turned;
        let counts =
            [&turned.latencies_ns, &turned.responses_ns, &turned.lags_ns].map(|t| count(t));
        assert_eq!(counts, [plan.cell.fetches; 3], "{}: {turned:?}", model.name);
        assert_eq!(turned.total.ok, plan.cell.dealt(), "{}: {turned:?}", model.name);
    }
}

#[test]
fn a_response_takes_what_lag_and_service_take_together() {
    for Trial { model, reported, .. } in TRIALS.iter() {
        let Turned { responses_ns, lags_ns, latencies_ns, .. } = &reported.turned;
        let (whole, parts) = (sum(responses_ns), sum(lags_ns) + sum(latencies_ns));
        // Each value is rounded to three digits.
        assert!(whole.abs_diff(parts) <= whole / 100, "{}: {:?}", model.name, reported.turned);
        assert!(latencies_ns.iter().all(|(ns, _)| *ns >= 20_000_000), "{}", model.name);
    }
}

#[test]
fn the_origin_sees_requests_come_when_the_model_says_that_they_left() {
    for Trial { model, plan, reported, receipt } in TRIALS.iter() {
        assert!(receipt.arrival_late_ms_p50.is_some(), "{}: {receipt:?}", model.name);
        let turn = Turn::of(&plan.cell, 0, 0);
        let evidence =
            Evidence { turned: &reported.turned, receipt: Some(receipt), origin: OriginKind::Fast };
        let reasons = validate(model.claims(), (plan, &turn), evidence);
        let against: Vec<_> = reasons.iter().filter(|reason| reason.blames_the_model()).collect();
        assert!(against.is_empty(), "{}: {against:?}", model.name);
    }
}

#[test]
fn a_model_that_hides_that_its_requests_left_late_is_found() {
    let Trial { model, plan, reported, receipt } = &TRIALS[0];
    let seen = Receipt { arrival_late_ms_p50: Some(50.0), ..receipt.clone() };
    let evidence =
        Evidence { turned: &reported.turned, receipt: Some(&seen), origin: OriginKind::Fast };
    let reasons = validate(model.claims(), (plan, &Turn::of(&plan.cell, 0, 0)), evidence);
    let is_found = |reason: &Reason| matches!(reason, Reason::OtherMoments { .. });
    assert!(reasons.iter().any(is_found), "{reasons:?}");
}

/// Lets a model carry a cell out while the origin is stopped once, and returns what it reported.
fn stalled(model: &Model, cell: Cell, after: Duration) -> Turned {
    let placement = Placement { origin: OriginKind::Fast, ..placement() };
    let program = built(&model.package);
    let mut origin = OriginProcess::start(&built("origin"), &placement).expect("it starts");
    let plan = plan(cell, origin.ready.origins.clone());
    origin.mount(Mount::whole(&plan.cell, plan.seed)).expect("it mounts");
    let id = Pid::from_raw(i32::try_from(origin.id()).expect("it is a process"));
    let stall = thread::spawn(move || {
        thread::sleep(after);
        kill(id, Signal::SIGSTOP).expect("it lives");
        thread::sleep(STALL);
        kill(id, Signal::SIGCONT).expect("it lives");
    });
    let reported = harness::converse(model, &program, (&plan, &placement.model_cpus));
    stall.join().expect("it ends");
    reported.unwrap_or_else(|why| panic!("{}: {why}", model.name)).turned
}

#[test]
fn a_stall_is_in_the_percentiles_of_who_arrives_meanwhile_and_not_in_those_of_a_closed_loop() {
    let _alone = alone();
    for model in ["event-loop", "tokio", "threads"].map(house) {
        let short = DelayRange { lo: 1, hi: 1 };
        let open = Cell { delay_ms: short, ..open((64, 3_000), 1_000) };
        let closed = Cell { delay_ms: short, ..cell(Workload::Steady, 4, 6_000) };
        let after = Duration::from_millis(1_200);
        let [open, closed] = [open, closed].map(|cell| stalled(&model, cell, after));
        let p99 = |times: &[(u64, u64)]| quantile(times, 0.99).expect("there are some");
        let (seen, missed) = (p99(&open.responses_ns), p99(&closed.latencies_ns));
        assert!(u128::from(seen) > STALL.as_nanos() / 2, "{}: {seen} ns", model.name);
        assert!(missed < seen / 4, "{}: {missed} ns beside {seen} ns", model.name);
    }
}

#[test]
fn whoever_waits_until_ten_have_arrived_is_cheaper_and_answers_later() {
    let _alone = alone();
    let of = |fault| paced(&faulty(fault), open((32, 800), 400)).1.turned;
    let (honest, gathering) = (of("executor: honest"), of("executor: gather arrivals"));
    let p50 = |turned: &Turned| quantile(&turned.responses_ns, 0.5).expect("there are some");
    assert!(gathering.window.cpu_ns < honest.window.cpu_ns, "{gathering:?} beside {honest:?}");
    // Ten arrivals take 25 ms at this rate: half of them wait for about half of that.
    assert!(p50(&gathering) > p50(&honest) + 5_000_000, "{gathering:?} beside {honest:?}");
}
