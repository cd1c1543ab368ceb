//! What becomes of trials whose origin dies, stops or restarts, and whose model the system kills.

mod support;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use harness::{Event, Preset, Programs, Verified, converse};
use model_kit::{Cell, DelayRange, Workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use record::{Model, State, TrialRecord};

use support::misbehaving::{misbehaving, script, scripted};
use support::{alone, bad_origin, bare, basis, built, cell, held, house, is_valid, plan};

/// Fetches around a restart.
const FETCHES: u64 = 40_000;
/// When a trial has begun, and is not yet over.
const IN_THE_MIDDLE: Duration = Duration::from_millis(150);

/// Returns the youngest child of this process whose name begins so.
fn child(name: &str) -> Option<Pid> {
    let own = format!("PPid:\t{}\n", std::process::id());
    let entries = fs::read_dir("/proc").expect("Linux has it").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_it = |id: &i32| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        status.starts_with(&format!("Name:\t{name}")) && status.contains(&own)
    };
    ids.filter(is_it).max().map(Pid::from_raw)
}

/// Sends a signal to a child of that name, a moment from now.
fn strike(name: &'static str, signal: Signal) {
    thread::spawn(move || {
        thread::sleep(IN_THE_MIDDLE);
        kill(child(name).expect("it runs"), signal).expect("it is ours");
    });
}

/// Returns a small cell.
fn small() -> Cell {
    let delay_ms = DelayRange { lo: 100, hi: 100 };
    Cell { delay_ms, ..cell(Workload::Batch, 8, 32) }
}

/// Runs one block of three models, where the second trial is struck in the middle.
fn struck(name: &'static str, signal: Signal) -> Vec<TrialRecord> {
    let models = [house("tokio"), house("threads"), house("smol")];
    support::run(basis(&models, small(), 1), built("origin"), |event| {
        if let Event::Begin(_, 1) = event {
            strike(name, signal);
        }
    })
}

/// Returns whether all trials but the second are valid, and the state of that.
fn second(trials: &[TrialRecord]) -> (bool, &State) {
    let others = trials.iter().filter(|trial| trial.position != 1);
    let valid = others.into_iter().all(is_valid);
    let second = trials.iter().find(|trial| trial.position == 1).expect("it was made");
    (valid, &second.state)
}

#[test]
fn an_origin_that_stops_voids_its_trial_and_is_replaced() {
    let _alone = alone();
    let trials = struck("origin", Signal::SIGSTOP);
    let (others_are_valid, state) = second(&trials);
    let State::Void(reasons) = state else { panic!("{state:?}") };
    assert!(reasons[0].starts_with("the origin failed, not the model: "), "{reasons:?}");
    assert!(reasons[0].contains("does not answer"), "{reasons:?}");
    assert!(others_are_valid, "{trials:?}");
}

/// Runs two models against an origin that misbehaves in the middle of the second trial, and returns
/// the three trials.
fn met_by(fault: &str) -> Vec<TrialRecord> {
    let models = [house("tokio"), house("threads")];
    support::run(basis(&models, small(), 1), bad_origin(fault), |_| {})
}

#[test]
fn an_origin_that_no_longer_accepts_voids_its_trial_and_is_replaced() {
    let _alone = alone();
    // It answers whoever is connected, and its pipe: nothing else is wrong with that trial.
    let trials = met_by("deaf");
    let (others_are_valid, state) = second(&trials);
    let State::Void(reasons) = state else { panic!("{state:?}") };
    let words =
        "the origin failed, not the model: the origin no longer accepts connections at 127.";
    assert!(reasons[0].starts_with(words), "{reasons:?}");
    assert!(others_are_valid, "{trials:?}");
}

#[test]
fn an_origin_that_restarts_voids_the_trial_by_the_fetches_that_it_lost_and_no_other() {
    let _alone = alone();
    let trials = met_by("restarting");
    let (others_are_valid, state) = second(&trials);
    let State::Void(reasons) = state else { panic!("{state:?}") };
    assert!(reasons.iter().any(|why| why.contains("of 32 fetches failed: ")), "{reasons:?}");
    let second = trials.iter().find(|trial| trial.position == 1).expect("it was made");
    let total = &second.trial.as_ref().expect("it was told").total;
    let lost: u64 = total.errors.values().sum();
    assert!(total.errors.keys().all(|code| ["1401", "1402"].contains(&&**code)), "{total:?}");
    assert!((1..=8).contains(&lost) && total.ok + lost == 32, "{total:?}");
    assert!(others_are_valid, "{trials:?}");
}

#[test]
fn a_model_that_the_system_kills_fails_by_its_signal_and_the_others_go_on() {
    let _alone = alone();
    let trials = struck("model-", Signal::SIGKILL);
    let (others_are_valid, state) = second(&trials);
    assert_eq!(state, &State::Failed("it was killed by signal 9".to_owned()));
    assert!(others_are_valid, "{trials:?}");
}

/// Verifies two models while the first origins that appear, so many, are killed as they serve.
fn verified(deaths: usize) -> Result<Vec<Verified>> {
    let models = vec![house("tokio"), house("threads")];
    let program = |model: &Model| (model.name.clone(), built(&model.package));
    let programs = Programs {
        origin: built("origin"),
        models: models.iter().map(program).collect(),
        missing: Vec::new(),
    };
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut left = deaths;
            while left > 0 && !over.load(Ordering::SeqCst) {
                if let (Some(origin), Some(_)) = (child("origin"), child("model-")) {
                    thread::sleep(IN_THE_MIDDLE);
                    left -= usize::from(kill(origin, Signal::SIGKILL).is_ok());
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        let cell = Cell { delay_ms: DelayRange { lo: 400, hi: 400 }, ..small() };
        let preset = Preset { cells: vec![cell], ..harness::smoke() };
        let verified = harness::verify((models, preset), &programs, &mut |_| Ok(()));
        over.store(true, Ordering::SeqCst);
        verified
    })
}

#[test]
fn verify_blames_no_model_for_the_death_of_its_origin() {
    let _alone = alone();
    let verified = verified(1).expect("another origin can be had");
    assert!(verified.iter().all(|one| one.works), "{verified:?}");
    assert_eq!(verified.len(), 3, "the baseline twice: {verified:?}");
}

#[test]
fn verify_names_each_model_once_whose_origins_die_again_and_again() {
    let _alone = alone();
    let failed = verified(usize::MAX).expect_err("no origin lives").to_string();
    assert_eq!(failed, "failed to verify threads, tokio: the origin died or stopped 3 times");
}

#[test]
fn an_origin_that_restarts_costs_the_fetches_of_the_gap_and_no_others() {
    let _alone = alone();
    let fault = script(&["restart"], (1, FETCHES));
    let gap = (0..FETCHES).find(|id| fault.fault(*id).is_some()).expect("there is one");
    for model in bare() {
        let mut origin = misbehaving(&["restart"], (1, FETCHES));
        let delay_ms = DelayRange { lo: 0, hi: 0 };
        let cell = held(model, &Cell { delay_ms, ..cell(Workload::Batch, 4, FETCHES) });
        let plan = plan(cell, scripted(&origin));
        let told = converse(model, &built(&model.package), (&plan, &[]));
        let total = told.unwrap_or_else(|why| panic!("{}: {why}", model.name)).trial.total;
        let record = origin.record().expect("it keeps one");

        let refused = total.errors.get("1201").copied().unwrap_or(0);
        let lost: u64 = record.failures.values().sum();
        let failed: u64 = total.errors.values().sum();
        assert_eq!(total.ok + failed, FETCHES, "{}", model.name);
        // A connection that was not accepted in time is reset, and its request is never read.
        let unread = FETCHES - refused - record.requests;
        assert!(unread <= 4, "{}: {total:?} {record:?}", model.name);
        assert_eq!(failed, refused + lost + unread, "{}: {total:?} {record:?}", model.name);
        // Whoever has few in flight may meet one of the two alone.
        assert!(refused + lost > 0 && total.ok > gap, "{}: {total:?}", model.name);
        assert!(record.accepted <= FETCHES - refused, "{}: {record:?}", model.name);
    }
}
