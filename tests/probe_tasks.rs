//! A probe task wakes beside the fetches of every bare model that can hold more than one, by the
//! model's own timer and among its own units; and what a plan wants computed is computed for each
//! reply.

use std::sync::LazyLock;

use harness::OriginProcess;
use model_kit::pipe::Turned;
use model_kit::{Cell, DelayRange, Workload};
use origin::Mount;
use record::Model;

use crate::support::{MODELS, beside, built, cell, held, house, placement, plan, together};

/// What a plan computes for each reply: some milliseconds of any CPU.
const WORK_KIB: u32 = 128 * 1024;

/// The trials of models whose probe task wakes every 20 ms beside 8 fetches of 300 ms each.
static BEATING: LazyLock<Vec<(&'static Model, Turned)>> = LazyLock::new(|| {
    let cell = Cell { probe_period_us: 20_000, ..cell(Workload::Batch, 8, 8) };
    // Only a kit's own drivers wait for a probe task.
    let models = MODELS.iter().filter(|model| model.is_bare() || model.language.is_some());
    together(models, |model| (model, trial(model, held(model, &cell))))
});

/// Lets a model carry a cell out.
fn trial(model: &Model, cell: Cell) -> Turned {
    let _beside = beside();
    let placement = placement();
    let mut origin = OriginProcess::start(&built("origin"), &placement).expect("it starts");
    let plan = plan(cell, origin.ready.origins.clone());
    let program = built(&model.package);
    let mount = Mount::whole(&plan.cell, plan.seed);
    origin.mount(mount).expect("it mounts");
    let reported = harness::converse(model, &program, (&plan, &placement.model_cpus));
    reported.unwrap_or_else(|why| panic!("{}: {why}", model.name)).turned
}

/// Returns how many wake-ups there were.
fn wake_ups(trial: &Turned) -> u64 {
    trial.wake_up_delays_ns.iter().map(|(_, count)| count).sum()
}

#[test]
fn a_probe_task_wakes_while_others_wait_for_their_replies() {
    for (model, trial) in BEATING.iter().filter(|(model, _)| model.max_in_flight.is_none()) {
        assert!(wake_ups(trial) >= 3, "{}: {:?}", model.name, trial.wake_up_delays_ns);
    }
}

#[test]
fn a_model_that_carries_one_fetch_after_the_other_lets_no_wake_up_in_between() {
    let alone = |model: &Model| model.max_in_flight == Some(1);
    let alone: Vec<_> = BEATING.iter().filter(|(model, _)| alone(model)).collect();
    assert!(alone.len() >= 2, "one in Rust and one in Python");
    for (model, trial) in alone {
        // 8 fetches of 300 ms each: whatever is due waits until the last has ended, so that the
        // wake-ups are late from as long as the whole window down to not at all.
        let late = &trial.wake_up_delays_ns;
        let all: u64 = late.iter().map(|(ns, count)| ns * count).sum();
        assert!(wake_ups(trial) > 100, "{}: {late:?}", model.name);
        assert!(late.last().is_some_and(|(ns, _)| *ns > 2_000_000_000), "{}: {late:?}", model.name);
        assert!(all / wake_ups(trial) > 1_000_000_000, "{}: {late:?}", model.name);
    }
}

#[test]
fn a_probe_task_fetches_nothing_and_has_no_latency() {
    for (model, trial) in BEATING.iter() {
        let latencies: u64 = trial.latencies_ns.iter().map(|(_, count)| count).sum();
        assert_eq!((trial.total.issued, trial.total.ok, latencies), (8, 8, 8), "{}", model.name);
    }
}

#[test]
fn what_a_plan_wants_computed_is_computed_for_each_reply() {
    let plain = Cell { delay_ms: DelayRange { lo: 5, hi: 5 }, ..cell(Workload::Batch, 4, 8) };
    let names = ["tokio", "threads", "rayon", "event-loop", "tokio-reqwest"];
    for model in names.map(house) {
        let without = trial(&model, plain.clone()).window.cpu_ns;
        let with = trial(&model, Cell { work_kib: WORK_KIB, ..plain.clone() }).window.cpu_ns;
        assert!(with > 3 * without, "{}: {with} ns with and {without} ns without", model.name);
    }
}
