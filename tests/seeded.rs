//! Faults that are put in on purpose, in models and origins that only tests use: each is found,
//! and where a receipt cannot find it, the test says so and names what does.
//!
//! What no receipt can see: that a reply was not verified, where a model reads it whole and waits
//! for it like the others (the origin that misbehaves finds that); that a model reports fewer
//! threads than it has, or ok for what failed as it should have been served. Such a model lies on
//! the pipe, and only whoever reads its `main.rs` finds out. Three more faults are found in
//! `failures.rs`: fetches in series, one fetch too few, and a debug build.

use std::fmt::Debug;

use analysis::checks;
use harness::{Basis, Preset, Program, Programs, Verified};
use model_kit::{Cell, DelayRange, Receipt, Workload};
use record::{Control, Model, Probe, Run, State, TurnRecord};
use rules::{Cause, Reason};

use crate::support::fixture::fixture;
use crate::support::unverified::unverified;
use crate::support::{
    Hogs, alone, bad_origin, basis, beside, built, cell, faulty, house, ran, reasons_of, run,
};

/// What the manifest of a model would say whose unit is a thread.
const THREAD_A_SLOT: &str = "in_flight + 2";
/// How often a turn is taken of which the origin was late.
const TRIES: u32 = 5;
/// The least by which a leaking origin grows from trial to trial, in KiB: half of what it leaks.
const LEAK_KIB_MIN: u64 = 4 * 1024;

/// Returns 32 fetches in 8 slots.
pub(crate) fn batch() -> Cell {
    Cell { delay_ms: DelayRange { lo: 100, hi: 100 }, ..cell(Workload::Batch, 8, 32) }
}

/// Returns 24 fetches, with 8 always in flight.
pub(crate) fn steady() -> Cell {
    Cell { delay_ms: DelayRange { lo: 100, hi: 100 }, ..cell(Workload::Steady, 8, 24) }
}

/// Returns the faulty model with a thread a slot.
pub(crate) fn threads(fault: &str) -> Model {
    Model { threads: THREAD_A_SLOT.to_owned(), ..faulty(fault) }
}

/// Returns the faulty model under another name.
fn named(name: &str, fault: &str) -> Model {
    let mut model = faulty(fault);
    model.env.insert("NAME".to_owned(), name.to_owned());
    Model { name: name.to_owned(), ..model }
}

/// Returns the only turn of a model.
fn turn(model: &Model, cell: Cell, origin: Program) -> TurnRecord {
    let turns = run(basis(std::slice::from_ref(model), cell, 1), origin, |_| {});
    let [turn] = <[TurnRecord; 1]>::try_from(turns).expect("it has one turn");
    turn
}

/// Verifies a model on the cells of a preset.
fn verified(model: Model, preset: &Preset) -> Vec<Verified> {
    let models = [(model.name.clone(), built(&model.package))].into();
    let programs =
        Programs { origin: built("origin"), models, primitives: [].into(), missing: Vec::new() };
    let asked = (vec![model], Vec::new(), preset.clone());
    harness::verify(asked, &programs, &mut |_| Ok(())).expect("it is tried")
}

/// Checks that a model against an origin is invalid for a reason with these words.
pub(crate) fn check(model: &Model, (cell, origin): (Cell, Program), words: &str) {
    let _beside = beside();
    for left in (0..TRIES).rev() {
        let state = turn(model, cell.clone(), origin.clone()).state;
        let said = state.why();
        if said.contains(words) {
            return;
        }
        // What a busy machine makes of the origin or of the model may hide what the model did.
        let is_hidden = |reason: &Reason| reason.cause() != Cause::Model || reason.is_excused();
        let is_hidden = matches!(&state, State::Invalid(all) if all.iter().any(is_hidden));
        assert!(left > 0 && is_hidden, "{:?}: {words}: {said:?}", model.env);
    }
}

/// Checks that nothing is found that speaks against a model. One turn alone may be charged with
/// what a hypervisor took, and have idle slots while others have the CPUs: whoever is found anew
/// each time is found.
pub(crate) fn check_unseen(model: &Model, (cell, origin): (Cell, Program)) {
    let _beside = beside();
    let said = || reasons_of(&turn(model, cell.clone(), origin.clone()));
    not_always(said, Vec::is_empty);
}

/// Checks that not all of some tries are of a kind that a noisy machine may make of one.
fn not_always<T: Debug>(mut once: impl FnMut() -> T, is_right: impl Fn(&T) -> bool) {
    let mut tries = Vec::new();
    while !tries.last().is_some_and(&is_right) {
        assert!(tries.len() < TRIES as usize, "{tries:?}");
        tries.push(once());
    }
}

#[test]
fn the_same_models_and_the_same_origin_without_a_fault_are_valid() {
    for cell in [batch(), steady()] {
        check_unseen(&threads("units: honest"), (cell.clone(), bad_origin("none")));
        check_unseen(&threads("careless: but honest"), (cell.clone(), built("origin")));
        check_unseen(&faulty("executor: honest"), (cell, built("origin")));
    }
}

#[test]
fn a_body_that_is_not_read_makes_the_turn_invalid() {
    // Left unread it costs the connection, or is taken for the reply that has not come yet.
    let words = "the origin accepted 32 connections, exactly 8 are expected";
    check(&threads("careless: read the head"), (batch(), built("origin")), words);
    let model = threads("careless: read the first bytes");
    check(&model, (batch(), built("origin")), " fetches, the model issued 32");
}

#[test]
fn a_fast_500_makes_the_turn_invalid_even_if_the_model_calls_it_ok() {
    let fast = || (batch(), bad_origin("failing-at-once"));
    check(&threads("careless: believe all"), fast(), "ms of at least 100.0 ms");
    check(&threads("units: honest"), fast(), "32 of 32 fetches failed: 32 x 1601");
}

#[test]
fn what_a_model_does_not_verify_no_receipt_sees_but_the_faulty_origin_does() {
    let model = threads("careless: believe all");
    check_unseen(&model, (batch(), bad_origin("failing")));
    check_unseen(&model, (batch(), built("origin")));

    let _beside = beside();
    let believed = unverified(&model, &built(&model.package));
    assert_eq!(believed, ["status_500", "wrong_byte", "limit_data"]);
    assert_eq!(unverified(&threads("units: honest"), &built(&model.package)), [""; 0]);
}

#[test]
fn a_connection_for_every_fetch_makes_the_turn_invalid() {
    let model = threads("units: connect anew");
    check(
        &model,
        (batch(), built("origin")),
        "the origin accepted 32 connections, exactly 8 are expected",
    );
}

#[test]
fn a_connection_that_is_kept_where_each_fetch_has_its_own_makes_the_turn_invalid() {
    let churn = || Cell { workload: Workload::Churn, ..steady() };
    check_unseen(&threads("units: honest"), (churn(), built("origin")));
    let model = threads("units: keep one");
    check(&model, (churn(), built("origin")), "40 of 40 fetches failed: ");
    let words = "the origin accepted 0 connections, exactly 40 are expected";
    check(&model, (churn(), built("origin")), words);
}

#[test]
fn a_pool_smaller_than_the_slots_makes_the_turn_invalid() {
    // The model has a fetch in flight in every slot, and four of them wait for a permit.
    let model = threads("units: wait for a permit");
    check(&model, (steady(), built("origin")), "the origin saw at most 4 of 8 in flight");
}

#[test]
fn the_threads_of_a_hidden_runtime_make_the_turn_invalid() {
    // A batch is not held to its threads: they may have left before they are counted.
    let words = "the process had 12 threads, its manifest says 10";
    check(&threads("units: hidden threads"), (steady(), built("origin")), words);
}

#[test]
fn a_runtime_that_is_built_inside_the_window_is_charged_to_the_model() {
    let _beside = beside();
    let plain = named("plain", "executor: honest");
    let early = named("early", "executor: built with an arena");
    let late = named("late", "executor: built too late");
    let trials = run(basis(&[plain, early, late], batch(), 2), built("origin"), |_| {});
    for block in 0..2 {
        let cpu_ns = |name: &str| {
            let mut trials = trials.iter().filter(|trial| trial.block == block);
            let trial = trials.find(|trial| trial.model == name).expect("it is in the block");
            assert_eq!(reasons_of(trial), Vec::<String>::new(), "it is a cost and not a fault");
            trial.turned.as_ref().expect("it has figures").window.cpu_ns
        };
        // What the process has cost since it was started belongs to a batch.
        let (plain, early, late) = (cpu_ns("plain"), cpu_ns("early"), cpu_ns("late"));
        assert!(early.min(late) > 2 * plain, "{plain}, {early}, {late} ns in block {block}");
    }
}

#[test]
fn a_call_that_blocks_the_only_worker_makes_the_turn_invalid() {
    let model = faulty("executor: sleep on the worker");
    check(&model, (steady(), built("origin")), "of 8 in flight in the mean");
    let model = faulty("executor: block the worker");
    check(&model, (steady(), built("origin")), "the origin saw at most 1 of 8 in flight");
}

#[test]
fn a_saturated_origin_makes_the_turn_invalid() {
    // Requests queue before the origin reads them, so it counts fewer in flight than there are.
    // That it is busy is a law of its own; it needs a CPU that nobody else wants.
    let model = threads("units: honest");
    check(&model, (steady(), bad_origin("saturated")), "of 8 in flight");
}

#[test]
fn delays_that_are_not_honoured_make_the_turn_invalid() {
    // It counts as if it waited; the latencies show it.
    let model = threads("units: honest");
    check(&model, (batch(), bad_origin("at-once")), "ms of at least 100.0 ms");
    check(&model, (steady(), bad_origin("at-once")), "ms of at least 100.0 ms");
}

/// Runs three blocks of three equal models against an origin, and returns the receipts, by block,
/// and what the check on the origin's drift says of them.
fn receipts(origin: Program) -> (Vec<Vec<Receipt>>, String) {
    let _beside = beside();
    let models = ["a", "b", "c"].map(|name| named(name, "executor: honest"));
    let basis = basis(&models, batch(), 3);
    let ran = ran(basis.clone(), origin, |_| {});
    let receipt = |turn: &TurnRecord| turn.receipt.clone().expect("the origin lives");
    // What is measured again meets an origin that is older.
    let first = |number| ran.made().filter(move |turn| turn.block == number).take(models.len());
    let turns: Vec<TurnRecord> = (0..3).flat_map(first).cloned().collect();
    let receipts = turns.chunks(models.len()).map(|block| block.iter().map(receipt).collect());
    let receipts = receipts.collect();

    let (rounds, blocks) = (ran.rounds.clone(), ran.blocks.clone());
    let run = Run { schedule: harness::draw(basis), turns, rounds, blocks, ..fixture(1) };
    let mut checks = checks(&run, "a", "b").into_iter();
    let drift = checks.find(|check| check.name == "origin drift").expect("it is asked");
    (receipts, format!("{:?}", drift.state))
}

#[test]
fn an_origin_whose_memory_drifts_is_reported_by_its_receipts_and_ends_with_its_block() {
    let resident = |receipt: &Receipt| receipt.resident_kib.expect("this kernel shows it");
    let grows = |pair: &[Receipt]| resident(&pair[1]) >= resident(&pair[0]) + LEAK_KIB_MIN;
    let (leaking, said) = receipts(bad_origin("leaking"));
    assert!(said.contains("kept more of each fetch than it should"), "{said}");
    assert!(leaking.iter().all(|block| block.windows(2).all(grows)), "{leaking:?}");
    assert!(resident(&leaking[1][0]) < resident(&leaking[0][2]), "{leaking:?}");
    let (steady, said) = receipts(bad_origin("none"));
    assert!(!said.contains("kept more of each fetch"), "{said}");
    assert!(!steady.iter().any(|block| block.windows(2).any(grows)), "{steady:?}");
}

#[test]
fn an_origin_whose_cost_drifts_is_reported_by_its_receipts_and_ends_with_its_block() {
    // What a request costs the origin is reported by every receipt, and blocks are balanced: each
    // model meets the origin as often young as old.
    let (costlier, said) = receipts(bad_origin("costlier"));
    assert!(said.contains("grew more expensive inside each block"), "{said}");
    let cost = |receipt: &Receipt| receipt.cpu_ns / receipt.answered;
    for block in &costlier {
        assert!(block.windows(2).all(|pair| cost(&pair[1]) > cost(&pair[0])), "{costlier:?}");
        assert!(cost(&block[2]) > 2 * cost(&block[0]), "{costlier:?}");
    }
    assert!(2 * cost(&costlier[1][0]) < cost(&costlier[0][2]), "{costlier:?}");
}

#[test]
fn a_surcharge_costs_what_it_says() {
    let _beside = beside();
    // A surcharge of a hundred times what a fetch costs is found however noisy the machine is.
    let delay_ms = DelayRange { lo: 40, hi: 80 };
    let cell = Cell { delay_ms, warmup: 8, ..cell(Workload::Steady, 8, 80) };
    let name = "surcharged".to_owned();
    let control = Control { name: name.clone(), model: "event-loop".to_owned(), percent: 100 };
    let probe = Probe {
        cell: cell.name.clone(),
        ceiling_per_s: 0,
        floor_ns: 0,
        baseline_ns: 2_000_000,
        origin_ns: 0,
    };
    let basis = basis(&[house("event-loop")], cell, 7);
    let preset = Preset { controls: vec![control], ..basis.preset };
    let basis = Basis { preset, probes: vec![probe], ..basis };

    let trials = run(basis, built("origin"), |_| {});
    let (controls, others): (Vec<_>, Vec<_>) = trials.iter().partition(|t| t.model == name);
    let cost = |trial: &TurnRecord| {
        let window = &trial.turned.as_ref().expect("it has figures").window;
        i64::try_from(window.cpu_ns / window.ended).expect("a fetch is cheap")
    };
    let pairs = controls.iter().zip(&others).inspect(|(a, b)| assert_eq!(a.block, b.block));
    let mut extra: Vec<i64> = pairs.map(|(a, b)| cost(a) - cost(b)).collect();
    extra.sort_unstable();
    assert!((1_000_000..3_000_000).contains(&extra[3]), "{extra:?} ns a fetch, expected 2 000 000");
}

#[test]
fn counts_that_are_forged_make_the_turn_invalid() {
    let words = "the origin answered 32 fetches, the model issued 64";
    check(&threads("lie: twice the fetches"), (batch(), built("origin")), words);
    let words = "the origin answered 16 fetches, the model issued 32";
    check(&threads("careless: make half of the fetches"), (batch(), built("origin")), words);
    let words = "the origin saw other ids than were dealt";
    check(&threads("careless: ask for one id"), (batch(), built("origin")), words);
}

#[test]
fn a_model_that_fetches_a_batch_in_two_waves_fails_its_verification() {
    let _beside = beside();
    // Each slot has a connection of its own, and the origin cannot know who waits for whom.
    let preset = Preset { cells: vec![Cell { fetches: 8, ..batch() }], ..harness::smoke() };
    let lines = |fault| -> Vec<String> {
        verified(threads(fault), &preset).iter().map(Verified::line).collect()
    };
    // On a busy machine the origin may take one wave for under way when the next one comes.
    let words = "FAIL  test/faulty: the origin saw 4 of 8 in flight in the best of its turns";
    not_always(|| lines("careless: fetch in two waves"), |lines| *lines == [words]);
    // It is said too where others have the machine, but speaks against nobody then.
    let later = || lines("careless: fetch a quarter later");
    not_always(later, |later| later[0].contains(" 6 of 8 in flight"));
    let honest = lines("careless: but honest");
    assert!(honest[0].starts_with("OK    test/faulty"), "{honest:?}");
}

#[test]
fn an_exact_copy_of_the_baseline_passes_its_verification_on_a_busy_machine() {
    let _alone = alone();
    let hogs = Hogs::start();
    let verified = verified(house("tokio"), &harness::smoke());
    drop(hogs);
    assert_eq!(verified.len(), harness::smoke().cells.len());
    assert!(verified.iter().all(|one| one.works), "{verified:?}");
}

#[test]
fn latencies_that_are_forged_make_the_turn_invalid() {
    let model = threads("lie: half the latencies");
    check(&model, (batch(), built("origin")), "ms of at least 100.0 ms");
    let drawn = Cell { delay_ms: DelayRange { lo: 100, hi: 300 }, ..steady() };
    check(&threads("lie: the best latency"), (drawn, built("origin")), "of 8 slots were busy");
}

#[test]
fn a_wall_time_that_is_forged_makes_the_turn_invalid() {
    for cell in [batch(), steady()] {
        let model = threads("lie: half the wall time");
        check(&model, (cell, built("origin")), "of 8 slots were busy");
    }
    let model = threads("lie: twice the wall time");
    check(&model, (steady(), built("origin")), "of 8 slots were busy");
}

#[test]
fn a_forged_cpu_time_is_held_against_the_kernel_s() {
    let _beside = beside();
    let turns = |fault, cell| {
        let basis = basis(&[threads(fault)], cell, 1);
        // The first turn connects, and is not held against its window.
        let basis = Basis { preset: Preset { rounds: 4, ..basis.preset }, ..basis };
        run(basis, built("origin"), |_| {})
    };
    // A turn of the second has no more fetches than one with one slot of a sweep.
    for cell in [steady(), Cell { in_flight: 1, warmup: 2, fetches: 12, ..steady() }] {
        let lying = turns("lie: half the CPU time", cell.clone());
        let said: Vec<String> = lying.iter().flat_map(reasons_of).collect();
        let words = "ns of CPU time for what the kernel charged ";
        assert!(said.iter().any(|why| why.contains(words)), "{said:?}");
        assert!(lying.iter().any(|turn| turn.state.blames_the_model()), "{lying:?}");
        let honest = || -> Vec<String> {
            turns("lie: nothing", cell.clone()).iter().flat_map(reasons_of).collect()
        };
        not_always(honest, |said| !said.iter().any(|why| why.contains(words)));
    }
}

#[test]
fn what_a_model_does_while_others_have_their_turns_is_held_against_it() {
    let _beside = beside();
    let blamed = |fault| -> Vec<String> {
        let basis = basis(&[threads(fault), house("smol")], steady(), 1);
        let basis = Basis { preset: Preset { rounds: 4, ..basis.preset }, ..basis };
        let turns = run(basis, built("origin"), |_| {});
        turns.iter().flat_map(reasons_of).collect()
    };
    let words = "ns of CPU time between turns";
    let said = blamed("lie: and work between turns");
    assert!(said.iter().any(|why| why.contains(words)), "{said:?}");
    not_always(|| blamed("lie: nothing"), |said| !said.iter().any(|why| why.contains(words)));
}

#[test]
fn no_receipt_sees_errors_that_are_kept_back() {
    check_unseen(&threads("lie: no errors"), (batch(), bad_origin("failing")));

    // Errors that are kept back are found as what is not verified is.
    let _beside = beside();
    let model = threads("lie: no errors");
    assert!(unverified(&model, &built(&model.package)).contains(&"wrong_byte"));
}
