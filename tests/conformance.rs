//! What every model that is found promises, held against the receipt of each kind of origin.
//!
//! Delays of 300 ms leave no doubt about how many fetches were in flight.

use std::sync::LazyLock;

use harness::{OriginProcess, Reported};
use model_kit::{Cell, Plan, Receipt, Turn, Workload, ids_digest};
use origin::Mount;
use record::{Model, Need, OriginKind, Placement};
use rules::{Evidence, Reason, Sizes, evaluate, is_upper_bound, validate};

use crate::support::unverified::unverified;
use crate::support::{
    MODELS, against_the_model, beside, built, cell, held, placement, plan, together, together_with,
};

/// How often a trial is made in which the machine kept fetches from being in flight at once.
const TRIES: u32 = 4;

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
    let _beside = beside();
    OriginKind::ALL.into_iter().flat_map(trials).collect()
});

/// Lets every model fetch from a kind of origin.
fn trials(kind: OriginKind) -> Vec<Trial> {
    let placement = Placement { origin: kind, ..placement() };
    let start = || OriginProcess::start(&built("origin"), &placement).expect("it starts");
    let trials = together_with(MODELS.iter(), start, |origin, model| {
        let cells = [(Workload::Batch, 12), (Workload::Steady, 16), (Workload::Churn, 16)];
        let cells = cells.map(|(workload, fetches)| cell(workload, 8, fetches)).into_iter();
        // Some cells are served by one kind alone.
        let cells =
            cells.filter(|cell| cell.served_by(kind) == kind).map(|cell| held(model, &cell));
        let cells = cells.filter(|cell| cell.in_flight == 8 || !cell.workload.needs_every_slot());
        cells.map(|cell| trial(model, &cell, (&mut *origin, &placement))).collect::<Vec<_>>()
    });
    trials.into_iter().flatten().collect()
}

/// Lets a model carry a cell out at an origin. One that was held up for as long as a delay has had
/// fewer in flight than it may, once: it carries the cell out again.
fn trial(
    model: &'static Model,
    cell: &Cell,
    (origin, placement): (&mut OriginProcess, &Placement),
) -> Trial {
    let mut tries = (1..TRIES).map(|_| tried(model, cell.clone(), (&mut *origin, placement)));
    let full = tries.find(|Trial { plan, reported, receipt, .. }| {
        let least = receipt.in_flight_peak_estimate.min(reported.turned.in_flight_peak);
        least >= u64::from(plan.cell.slots())
    });
    full.unwrap_or_else(|| tried(model, cell.clone(), (origin, placement)))
}

/// Lets it do so once.
fn tried(
    model: &'static Model,
    cell: Cell,
    (origin, placement): (&mut OriginProcess, &Placement),
) -> Trial {
    let plan = plan(cell, origin.ready.origins.clone());
    // A receipt counts from the mount on, and a build takes its time.
    let program = built(&model.package);
    origin.mount(Mount::whole(&plan.cell, plan.seed)).expect("it mounts");
    let reported = harness::converse(model, &program, (&plan, &placement.model_cpus));
    let reported = reported.unwrap_or_else(|why| panic!("{}: {why}", model.name));
    let receipt = origin.receipt().expect("it hands over a receipt");
    Trial { kind: placement.origin, model, plan, reported, receipt }
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
    let _beside = beside();
    let believed =
        together(MODELS.iter(), |model| (&model.name, unverified(model, &built(&model.package))));
    for (name, believed) in believed {
        assert_eq!(believed, [""; 0], "{name}");
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
        let most = evaluate(terms, sizes(plan)).unwrap_or(0);
        receipt.connections.is_some_and(|reported| match plan.cell.workload {
            Workload::Churn => reported == plan.cell.dealt(),
            _ => reported <= most,
        })
    });
}

#[test]
fn all_bare_models_send_the_same_bytes() {
    for workload in [Workload::Batch, Workload::Steady, Workload::Churn] {
        let alike = |trial: &&Trial| trial.model.is_bare() && trial.plan.cell.workload == workload;
        let digest = |trial: &Trial| trial.receipt.heads_digest;
        let mut digests: Vec<u64> = TRIALS.iter().filter(alike).map(digest).collect();
        digests.dedup();
        assert_eq!(digests.len(), 1, "{workload:?}");
    }
}

/// Returns whether the kernel may have threads in a model's process. The harness leaves them out
/// while the process is there; here it has ended.
fn has_threads_of_the_kernel(model: &Model) -> bool {
    model.needs.contains(&Need::IoUring)
}

#[test]
fn a_process_has_the_threads_that_its_manifest_says() {
    let steady = TRIALS.iter().filter(|trial| trial.plan.cell.workload.is_resident());
    for Trial { model, plan, reported, .. } in steady {
        let (seen, expected) = (reported.turned.threads, evaluate(&model.threads, sizes(plan)));
        let is_fewer = is_upper_bound(&model.threads) && Some(seen) < expected;
        let is_as_said = is_fewer || Some(seen) == expected;
        let may_be = is_as_said || has_threads_of_the_kernel(model) && Some(seen) > expected;
        assert!(may_be, "{}: {seen}, {expected:?}", model.name);
    }
}

#[test]
fn every_model_passes_the_validation_that_runs_use() {
    each(|Trial { kind, model, plan, reported, receipt }| {
        let evidence = Evidence { turned: &reported.turned, receipt: Some(receipt), origin: *kind };
        let reasons = validate(model.claims(), (plan, &turn(plan)), evidence);
        let is_of_kernel = |reason: &Reason| {
            let more = matches!(reason, Reason::Threads { seen, expected } if seen > expected);
            more && has_threads_of_the_kernel(model)
        };
        // A busy machine is no fault of theirs.
        against_the_model(&reasons).all(is_of_kernel)
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

#[test]
fn every_runtime_that_takes_a_number_of_workers_keeps_the_laws_with_two() {
    let _beside = beside();
    let asked = harness::Workers { count: Some(2), oversubscribe: true };
    let placement = harness::place_for(asked).expect("the CPUs can be read");
    let start = || OriginProcess::start(&built("origin"), &placement).expect("it starts");
    let takes = MODELS.iter().filter(|model| model.threads.contains("workers"));
    let tried = together_with(takes, start, |origin, model| {
        let cell = held(model, &cell(Workload::Steady, 8, 16));
        let plan = Plan { workers: 2, ..plan(cell, origin.ready.origins.clone()) };
        let program = built(&model.package);
        origin.mount(Mount::whole(&plan.cell, plan.seed)).expect("it mounts");
        let reported = harness::converse(model, &program, (&plan, &placement.model_cpus));
        let reported = reported.unwrap_or_else(|why| panic!("{}: {why}", model.name));
        let receipt = origin.receipt().expect("it hands over a receipt");
        (model, plan, reported, receipt)
    });
    assert!(tried.len() >= 8, "{} models take a number of workers", tried.len());
    for (model, plan, reported, receipt) in tried {
        let (turned, receipt, origin) = (&reported.turned, Some(&receipt), placement.origin);
        let against = |workers: u32| {
            let plan = Plan { workers, ..plan.clone() };
            let evidence = Evidence { turned, receipt, origin };
            let reasons = validate(model.claims(), (&plan, &turn(&plan)), evidence);
            against_the_model(&reasons).map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(against(2), [""; 0], "{}", model.name);
        // With another number of workers they would have other threads than they say.
        let others = [against(1), against(3)];
        let is_known = is_upper_bound(&model.threads) || others.iter().all(|why| !why.is_empty());
        assert!(is_known, "{}: {others:?}", model.name);
    }
}
