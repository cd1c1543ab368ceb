//! What every model that is found promises, held against the receipt of each kind of origin.
//!
//! Delays of 300 ms leave no doubt about how many fetches were in flight.

mod support;

use std::sync::LazyLock;

use harness::{OriginProcess, Reported};
use model_kit::{Plan, Receipt, Turn, Workload, ids_digest};
use origin::Mount;
use record::{Model, OriginKind, Placement};
use rules::{Evidence, Sizes, evaluate, is_upper_bound, validate};

use support::unverified::unverified;
use support::{MODELS, against_the_model, alone, built, cell, held, placement, plan};

/// What came of one model in one cell at one kind of origin: of the turn that is its first and only
/// one.
struct Trial {
    kind: OriginKind,
    model: &'static Model,
    plan: Plan,
    reported: Reported,
    receipt: Receipt,
}

/// Every model in every cell that it can hold, at every kind of origin.
static TRIALS: LazyLock<Vec<Trial>> = LazyLock::new(|| {
    let _alone = alone();
    OriginKind::ALL.into_iter().flat_map(trials).collect()
});

/// Lets every model fetch from a kind of origin.
fn trials(kind: OriginKind) -> Vec<Trial> {
    let placement = Placement { origin: kind, ..placement() };
    let mut origin = OriginProcess::start(&built("origin"), &placement).expect("it starts");
    let mut trials = Vec::new();
    for cell in [cell(Workload::Batch, 8, 12), cell(Workload::Steady, 8, 16)] {
        for model in MODELS.iter() {
            let cell = held(model, &cell);
            if cell.workload.needs_every_slot() && cell.in_flight < 8 {
                continue;
            }
            let plan = plan(cell, origin.ready.origins.clone());
            // A receipt counts from the mount on, and a build takes its time.
            let program = built(&model.package);
            let mount = Mount::whole(&plan.cell, plan.seed);
            origin.mount(mount).expect("it mounts");
            let reported = harness::converse(model, &program, (&plan, &placement.model_cpus));
            let reported = reported.unwrap_or_else(|why| panic!("{}: {why}", model.name));
            let receipt = origin.receipt().expect("it hands over a receipt");
            trials.push(Trial { kind, model, plan, reported, receipt });
        }
    }
    trials
}

/// Returns the turn that the models take.
fn turn(plan: &Plan) -> Turn {
    Turn::of(&plan.cell, 0, 0)
}

/// Returns the numbers of that turn that terms can name.
fn sizes(plan: &Plan) -> Sizes {
    Sizes::of(plan, &turn(plan))
}

/// Checks a promise for every trial.
fn each(promise: impl Fn(&Trial) -> bool) {
    for trial in TRIALS.iter() {
        let Trial { kind, model, plan, reported, receipt } = trial;
        assert!(
            promise(trial),
            "{} in {:?} at {kind:?}: {:?} {:?}",
            model.name,
            plan.cell.workload,
            reported.turned,
            receipt
        );
    }
}

#[test]
fn the_house_has_bare_models_and_models_with_a_library_client() {
    assert!(MODELS.iter().filter(|model| model.is_bare()).count() >= 7);
    for model in MODELS.iter().filter(|model| !model.is_bare()) {
        let bare = model.bare_name().and_then(|name| MODELS.iter().find(|m| m.name == name));
        match bare {
            Some(bare) => assert!(bare.is_bare() && bare.unit == model.unit, "{}", model.name),
            // In another language a model need not be half of a pair.
            None => assert!(model.language.is_some(), "{} has no bare twin", model.name),
        }
    }
}

#[test]
fn exactly_the_dealt_fetches_are_served() {
    each(|Trial { plan, reported, receipt, .. }| {
        let dealt = plan.cell.dealt();
        reported.turned.total.issued == dealt
            && receipt.answered == dealt
            && receipt.strays == 0
            && receipt.ids_digest == ids_digest(0..dealt)
    });
}

#[test]
fn every_reply_is_verified_and_every_latency_is_kept() {
    each(|Trial { plan, reported, .. }| {
        let trial = &reported.turned;
        let latencies: u64 = trial.latencies_ns.iter().map(|(_, count)| count).sum();
        trial.total.ok == plan.cell.dealt()
            && trial.total.errors.is_empty()
            && trial.window.ok == plan.cell.fetches
            && latencies == plan.cell.fetches
            && trial.latencies_ns.iter().all(|(ns, _)| *ns >= 300_000_000)
    });
}

#[test]
fn no_model_calls_a_wrong_reply_ok() {
    let _alone = alone();
    for model in MODELS.iter() {
        assert_eq!(unverified(model, &built(&model.package)), [""; 0], "{}", model.name);
    }
}

#[test]
fn as_many_fetches_are_in_flight_as_the_plan_says() {
    each(|Trial { kind, plan, reported, receipt, .. }| {
        let slots = u64::from(plan.cell.slots());
        let seen = receipt.in_flight_peak_estimate;
        let is_right = if kind.counts_in_flight() { seen == slots } else { seen >= slots };
        reported.turned.in_flight_peak == slots && is_right
    });
}

#[test]
fn no_model_opens_more_connections_than_it_may() {
    each(|Trial { model, plan, receipt, .. }| {
        let terms = model.connections.as_deref().unwrap_or("in_flight");
        let most = evaluate(terms, sizes(plan));
        receipt.connections.is_some_and(|reported| reported <= most.unwrap_or(0))
    });
}

#[test]
fn all_bare_models_send_the_same_bytes() {
    for workload in [Workload::Batch, Workload::Steady] {
        let alike = |trial: &&Trial| trial.model.is_bare() && trial.plan.cell.workload == workload;
        let digest = |trial: &Trial| trial.receipt.heads_digest;
        let mut digests: Vec<u64> = TRIALS.iter().filter(alike).map(digest).collect();
        digests.dedup();
        assert_eq!(digests.len(), 1, "{workload:?}");
    }
}

#[test]
fn a_process_has_the_threads_that_its_manifest_says() {
    let steady = TRIALS.iter().filter(|trial| trial.plan.cell.workload.is_resident());
    for Trial { model, plan, reported, .. } in steady {
        let (seen, expected) = (reported.turned.threads, evaluate(&model.threads, sizes(plan)));
        let is_fewer = is_upper_bound(&model.threads) && Some(seen) < expected;
        assert!(is_fewer || Some(seen) == expected, "{}: {seen}, {expected:?}", model.name);
    }
}

#[test]
fn every_model_passes_the_validation_that_runs_use() {
    each(|Trial { kind, model, plan, reported, receipt }| {
        let evidence = Evidence { turned: &reported.turned, receipt: Some(receipt), origin: *kind };
        let reasons = validate(model.claims(), (plan, &turn(plan)), evidence);
        // A busy machine is no fault of theirs.
        against_the_model(&reasons).next().is_none()
    });
}

#[test]
fn every_model_reports_the_version_of_what_it_is_built_on() {
    each(|Trial { model, reported, .. }| {
        let versions = &reported.hello.versions;
        let client = model.is_bare() || versions.contains_key(&model.client);
        let std_only = ["iterator", "thread-pool", "threads"].contains(&model.name.as_str());
        client && (std_only || !versions.is_empty())
    });
}
