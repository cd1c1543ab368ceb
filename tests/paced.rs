//! Fetches that arrive at a rate are timed from their arrival on, by every model in the same way,
//! whatever holds them up; and the origin sees them come when the model says that they left.

use std::sync::LazyLock;

use harness::{OriginProcess, Reported};
use model_kit::pipe::{Scheduled, Turned};
use model_kit::{Cell, DelayRange, Plan, Receipt, Turn, Workload};
use origin::Mount;
use record::{Model, OriginKind, Placement};
use rules::{Evidence, Reason, validate};
use stats::histogram::quantile;

use crate::support::{
    Hogs, MODELS, against_the_model, alone, beside, built, cell, faulty, house, one_by_one,
    placement, plan,
};

/// For how long the origin answers nobody in the textbook case, by schedule.
const STALL_MS: u64 = 500;

/// What a fetch ends with at its deadline, by the step at which it is.
const DEADLINES: [&str; 5] = ["1007", "1202", "1302", "1403", "1504"];

/// What came of one model.
struct Trial {
    model: &'static Model,
    plan: Plan,
    reported: Reported,
    receipt: Receipt,
}

/// Every model that can have eight in flight, with 60 fetches that arrive at 200 a second.
static TRIALS: LazyLock<Vec<Trial>> = LazyLock::new(|| {
    let held = |model: &&Model| model.max_in_flight.is_none();
    one_by_one(MODELS.iter().filter(held), |model| {
        let (plan, reported, receipt) = paced(model, open((8, 60), 200));
        Trial { model, plan, reported, receipt }
    })
});

/// The same with replies of two speeds, a burst, a timeout that none reaches, and a probe task, all
/// at once.
static SCENARIOS: LazyLock<Vec<Trial>> = LazyLock::new(|| {
    let held = |model: &&Model| model.max_in_flight.is_none();
    let delay_ms = DelayRange { lo: 4, hi: 4 };
    let (slow_percent, burst, deadline_ms) = (20, 30, 30_000);
    let least = Cell { probe_period_us: 20_000, ..open((8, 60), 200) };
    let cell = Cell { delay_ms, slow_percent, burst, deadline_ms, ..least };
    one_by_one(MODELS.iter().filter(held), |model| {
        let (plan, reported, receipt) = paced(model, cell.clone());
        Trial { model, plan, reported, receipt }
    })
});

/// Every model in Rust that can have eight in flight, with fetches that are handed in.
static HANDED_IN: LazyLock<Vec<Trial>> = LazyLock::new(|| {
    let held = |model: &&Model| model.max_in_flight.is_none() && model.has_pacer();
    one_by_one(MODELS.iter().filter(held), |model| {
        let cell = Cell { handed_in: true, burst: 20, ..open((8, 60), 200) };
        let (plan, reported, receipt) = paced(model, cell);
        Trial { model, plan, reported, receipt }
    })
});

/// Returns a cell of so many slots and fetches that arrive at a rate, each of which takes 20 ms.
fn open((in_flight, fetches): (u32, u64), rate_per_s: u32) -> Cell {
    let delay_ms = DelayRange { lo: 20, hi: 20 };
    Cell { rate_per_s, delay_ms, ..cell(Workload::Paced, in_flight, fetches) }
}

/// Lets a model carry a cell out at an origin that counts.
fn paced(model: &Model, cell: Cell) -> (Plan, Reported, Receipt) {
    served(model, cell, None)
}

/// The same at an origin that answers nobody for so long, if it does.
fn served(model: &Model, cell: Cell, stall_ms: Option<u64>) -> (Plan, Reported, Receipt) {
    let placement = Placement { origin: OriginKind::Fast, ..placement() };
    let program = built(&model.package);
    let mut origin = OriginProcess::start(&built("origin"), &placement).expect("it starts");
    let plan = plan(cell, origin.ready.origins.clone());
    let mount = Mount { stall_ms, ..Mount::whole(&plan.cell, plan.seed) };
    origin.mount(mount).expect("it mounts");
    let reported = harness::converse(model, &program, (&plan, &placement.model_cpus));
    let reported = reported.unwrap_or_else(|why| panic!("{}: {why}", model.name));
    let receipt = origin.receipt().expect("it hands over a receipt");
    (plan, reported, receipt)
}

/// Returns how many times a histogram has.
fn count(times: &[(u64, u64)]) -> u64 {
    times.iter().map(|(_, count)| count).sum()
}

/// Returns how many times of a histogram are at least so long.
fn count_from(times: &[(u64, u64)], least_ns: u64) -> u64 {
    times.iter().filter(|(ns, _)| *ns >= least_ns).map(|(_, count)| count).sum()
}

/// Returns the sum of a histogram.
fn sum(times: &[(u64, u64)]) -> u64 {
    times.iter().map(|(ns, count)| ns * count).sum()
}

#[test]
fn every_fetch_that_arrives_in_the_window_has_its_three_times() {
    for Trial { model, plan, reported, .. } in TRIALS.iter().chain(HANDED_IN.iter()) {
        let turned = &reported.turned;
        let counts =
            [&turned.latencies_ns, &turned.responses_ns, &turned.lags_ns].map(|t| count(t));
        assert_eq!(counts, [plan.cell.fetches; 3], "{}: {turned:?}", model.name);
        assert_eq!(turned.total.ok, plan.cell.dealt(), "{}: {turned:?}", model.name);
    }
}

#[test]
fn a_response_takes_what_lag_and_service_take_together() {
    for Trial { model, reported, .. } in TRIALS.iter().chain(HANDED_IN.iter()) {
        let Turned { responses_ns, lags_ns, latencies_ns, .. } = &reported.turned;
        let (whole, parts) = (sum(responses_ns), sum(lags_ns) + sum(latencies_ns));
        // Each value is rounded to three digits.
        assert!(whole.abs_diff(parts) <= whole / 100, "{}: {:?}", model.name, reported.turned);
        assert!(latencies_ns.iter().all(|(ns, _)| *ns >= 20_000_000), "{}", model.name);
    }
}

/// Holds a trial against its laws, and fails if any speaks against the model.
fn assert_nothing_blames(Trial { model, plan, reported, receipt }: &Trial) {
    assert!(receipt.arrival_late_ms_p50.is_some(), "{}: {receipt:?}", model.name);
    let turn = Turn::of(&plan.cell, 0, 0);
    let evidence =
        Evidence { turned: &reported.turned, receipt: Some(receipt), origin: OriginKind::Fast };
    let reasons = validate(model.claims(), (plan, &turn), evidence);
    let against: Vec<_> = against_the_model(&reasons).collect();
    assert!(against.is_empty(), "{}: {against:?}", model.name);
}

#[test]
fn the_origin_sees_requests_come_when_the_model_says_that_they_left() {
    TRIALS.iter().for_each(assert_nothing_blames);
}

#[test]
fn the_origin_sees_fetches_pile_up_that_arrive_faster_than_slots_are_free() {
    let _beside = beside();
    let (_, _, receipt) = paced(&house("event-loop"), open((8, 60), 100_000));
    // All arrive within a millisecond, and each slot takes 20 ms for one: of eight at a time the
    // last quarter has to wait for at least two more than the second.
    let growth = receipt.arrival_late_growth_ms;
    assert!(growth.is_some_and(|ms| ms >= 40.0), "{receipt:?}");
}

#[test]
fn fetches_are_handed_in_to_units_of_every_kind_by_a_thread_that_the_model_does_not_pay_for() {
    HANDED_IN.iter().filter(|trial| trial.model.is_bare()).for_each(assert_nothing_blames);
    for Trial { model, reported, .. } in HANDED_IN.iter() {
        assert!(reported.turned.window.pacer_ns > 0, "{}: {reported:?}", model.name);
    }
    let has_none = |trial: &Trial| trial.reported.turned.window.pacer_ns == 0;
    assert!(TRIALS.iter().all(has_none), "where a timer waits, there is no pacer");
}

#[test]
fn a_deadline_runs_from_the_arrival_in_every_model() {
    let held = |model: &&Model| model.max_in_flight.is_none();
    let delay_ms = DelayRange { lo: 200, hi: 200 };
    // Three arrive within a millisecond for two slots. One of them begins 200 ms on, when another
    // has ended, and would end after twice as long: in time only where its wait does not count.
    let cell = Cell { delay_ms, deadline_ms: 300, warmup: 1, ..open((2, 2), 100_000) };
    let trials =
        one_by_one(MODELS.iter().filter(held), |model| (model, paced(model, cell.clone())));
    for (model, (_, reported, _)) in trials {
        let total = &reported.turned.total;
        assert!(total.ok < 3, "{}: {total:?}", model.name);
        let is_late = |code: &String| DEADLINES.contains(&code.as_str());
        assert!(total.errors.keys().all(is_late), "{}: {total:?}", model.name);
    }
}

#[test]
fn a_burst_arrives_at_once_in_every_language_and_a_timeout_far_away_ends_nothing() {
    // Of all fetches half arrive at one moment: a model that knew of no burst would send them at
    // others, and say so of none. A library that was given so many at once may connect for each
    // before it writes it.
    SCENARIOS.iter().filter(|trial| trial.model.is_bare()).for_each(assert_nothing_blames);
    for Trial { model, plan, reported, .. } in SCENARIOS.iter() {
        assert_eq!(reported.turned.total.ok, plan.cell.dealt(), "{}: {reported:?}", model.name);
    }
}

#[test]
fn a_probe_task_wakes_beside_fetches_that_arrive() {
    // Only a kit's own drivers have one.
    let has_one = |trial: &&Trial| trial.model.is_bare() || trial.model.language.is_some();
    for Trial { model, reported, .. } in SCENARIOS.iter().filter(has_one) {
        let late = &reported.turned.wake_up_delays_ns;
        assert!(count(late) >= 3, "{}: {:?}", model.name, reported.turned);
    }
}

#[test]
fn the_origin_answers_just_those_slowly_that_the_seed_says_and_counts_them() {
    for Trial { model, plan, reported, receipt } in SCENARIOS.iter() {
        let (cell, ids) = (&plan.cell, Turn::of(&plan.cell, 0, 0).ids(&plan.cell));
        let (warmup, all) = (cell.warmup, ids.clone().filter(|id| cell.is_slow(plan.seed, *id)));
        assert_eq!(receipt.slow, all.clone().count() as u64, "{}: {receipt:?}", model.name);
        let slow_ns = cell.delay_ms_max() * 1_000_000;
        let took: u64 = count_from(&reported.turned.latencies_ns, slow_ns);
        let in_window = all.filter(|id| *id >= ids.start + warmup).count() as u64;
        assert!(in_window > 0 && took >= in_window, "{}: {:?}", model.name, reported.turned);
    }
}

#[test]
fn a_model_that_hides_that_its_requests_left_late_is_found() {
    let Trial { model, plan, reported, receipt } = &TRIALS[0];
    let late = Receipt { delay_late_ms_p50_estimate: 0.1, stolen_ns: Some(0), ..receipt.clone() };
    let seen = Receipt { arrival_late_ms_p50: Some(50.0), ..late };
    let against = |run_delay_ns: u64| -> Vec<Reason> {
        let scheduled = Some(Scheduled { cpu_ns: 1, run_delay_ns });
        let turned = Turned { scheduled, ..reported.turned.clone() };
        let evidence = Evidence { turned: &turned, receipt: Some(&seen), origin: OriginKind::Fast };
        validate(model.claims(), (plan, &Turn::of(&plan.cell, 0, 0)), evidence)
    };
    let is_found = |reason: &Reason| matches!(reason, Reason::OtherMoments { .. });
    assert!(against(0).iter().any(is_found), "{:?}", against(0));
    // The same of a process that waited for a CPU all the time is the machine's doing.
    let starved = against(receipt.wall_ns);
    let is_excused = |reason: &Reason| matches!(reason, Reason::HeldUp { .. });
    assert!(starved.iter().any(is_excused) && !starved.iter().any(is_found), "{starved:?}");
}

#[test]
fn nobody_is_blamed_for_the_moments_at_which_a_busy_machine_lets_requests_leave() {
    let _alone = alone();
    let models = ["event-loop", "tokio", "threads"].map(house);
    // What has to be built is, before it would take long.
    let _ = models.each_ref().map(|model| built(&model.package));
    let _ = built("origin");
    let hogs = Hogs::start();
    let trials = models.each_ref().map(|model| (model, paced(model, open((8, 60), 200))));
    drop(hogs);
    for (model, (plan, reported, receipt)) in &trials {
        let evidence =
            Evidence { turned: &reported.turned, receipt: Some(receipt), origin: OriginKind::Fast };
        let reasons = validate(model.claims(), (plan, &Turn::of(&plan.cell, 0, 0)), evidence);
        let is_found = |reason: &Reason| matches!(reason, Reason::OtherMoments { .. });
        assert!(!reasons.iter().any(is_found), "{}: {reasons:?}", model.name);
    }
}

#[test]
fn a_stall_is_in_the_percentiles_of_who_arrives_meanwhile_and_not_in_those_of_a_closed_loop() {
    let _beside = beside();
    for model in ["event-loop", "tokio", "threads"].map(house) {
        let delay_ms = DelayRange { lo: 1, hi: 1 };
        // Of 5 s the stall takes a tenth. Slots are more than the fetches that arrive meanwhile.
        let open = Cell { delay_ms, ..open((256, 1_500), 300) };
        let closed = Cell { delay_ms, ..cell(Workload::Steady, 4, 1_500) };
        let at_a_stall = |cell| served(&model, cell, Some(STALL_MS));
        let [open, closed] = [open, closed].map(at_a_stall);
        let p99 = |times: &[(u64, u64)]| quantile(times, 0.99).expect("there are some");
        let seen = p99(&open.1.turned.responses_ns);
        let missed = p99(&closed.1.turned.latencies_ns);
        // Nine tenths of the stall, less what the moments of the arrivals decide.
        assert!(seen >= STALL_MS * 700_000, "{}: {seen} ns", model.name);
        assert!(missed < seen / 4, "{}: {missed} ns beside {seen} ns", model.name);
        for (_, _, receipt) in [open, closed] {
            // A tenth of the replies would be late if the stall were no delay.
            let late_ms = receipt.delay_late_ms_p99_estimate;
            assert!(late_ms < 250.0, "{}: {receipt:?}", model.name);
        }
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
