//! What becomes of trials whose origin dies, stops or restarts, and whose model the system kills:
//! of either kind of origin that serves cells, where the two could differ.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Basis, Event, Preset, Programs, Verified, converse};
use model_kit::{Cell, DelayRange, Workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, gettid};
use record::{Model, OriginKind, Placement, State, TurnRecord};
use rules::{Cause, Reason};

use crate::support;
use crate::support::misbehaving::{misbehaving, script, scripted};
use crate::support::{
    Ran, alone, bad_origin, basis, beside, built, cell, child, connections, drivers, held, house,
    is_valid, placement, plan, strike, threads, together,
};

/// Fetches around a restart.
const FETCHES: u64 = 40_000;
/// Slots of a small cell.
const SLOTS: u16 = 8;

/// Returns a small cell.
fn small() -> Cell {
    let delay_ms = DelayRange { lo: 100, hi: 100 };
    Cell { delay_ms, ..cell(Workload::Batch, SLOTS.into(), 32) }
}

/// Returns the same with turns that are long enough for what a busy machine delays.
fn long() -> Cell {
    Cell { delay_ms: DelayRange { lo: 500, hi: 500 }, ..small() }
}

/// Runs one block of three models at a kind of origin, where the second turn is struck in the
/// middle, once.
fn struck(kind: OriginKind, (name, signal): (&'static str, Signal)) -> Ran {
    let mut is_struck = false;
    let basis = basis(&three(), long(), 1);
    let placement = Placement { origin: kind, ..basis.placement.clone() };
    support::ran(Basis { placement, ..basis }, built("origin"), |event| {
        if let (Event::Begin(_, (0, 1)), false) = (event, is_struck) {
            is_struck = true;
            strike((name, signal), SLOTS.into());
        }
    })
}

/// Returns three models, of which the baseline comes first in a round.
fn three() -> [Model; 3] {
    [house("tokio"), house("threads"), house("smol")]
}

/// Returns the turn at a place in the first round that was made, where all others are valid.
fn first_round(ran: &Ran, place: usize) -> &TurnRecord {
    let round: Vec<&TurnRecord> = ran.made().take(ran.turns.len()).collect();
    let others = round.iter().filter(|turn| turn.position as usize != place);
    let blamed: Vec<_> = others.filter(|turn| turn.state.blames_the_model()).collect();
    assert!(blamed.is_empty(), "{blamed:?}");
    round[place]
}

/// Checks that a round was measured again after its origin failed at a place, with these words.
fn repeated(ran: &Ran, place: usize, words: &str) {
    let why = first_round(ran, place).state.why();
    assert!(why.starts_with("the origin failed, not the model: ") && why.contains(words), "{why}");
    let is_of_origin = |reason: &Reason| matches!(reason, Reason::OriginFailed { .. });
    assert!(ran.rounds[0].disturbed.iter().any(is_of_origin), "{:?}", ran.rounds);
}

#[test]
fn an_origin_that_stops_makes_its_turn_invalid_and_is_replaced() {
    let _beside = beside();
    let check = |kind| {
        let ran = struck(kind, ("origin", Signal::SIGSTOP));
        repeated(&ran, 1, "does not answer");
        assert!(ran.turns.len() == 3 && ran.turns.iter().all(is_valid), "{kind:?}: {ran:?}");
    };
    // Each waits for half a minute until the origin is given up.
    thread::scope(|scope| {
        for kind in OriginKind::ALL {
            scope.spawn(move || check(kind));
        }
    });
}

#[test]
fn a_fast_origin_that_dies_makes_its_turn_invalid_and_is_replaced() {
    let _beside = beside();
    let ran = struck(OriginKind::Fast, ("origin", Signal::SIGKILL));
    repeated(&ran, 1, "does not answer");
    assert!(ran.turns.len() == 3 && ran.turns.iter().all(is_valid), "{:?}", ran.turns);
}

#[test]
fn a_fast_origin_that_no_longer_accepts_makes_its_turn_invalid_and_is_replaced() {
    let _beside = beside();
    // All of the second turn are connected by then if none of them has had a reply.
    let cell = Cell { delay_ms: DelayRange { lo: 500, hi: 500 }, ..small() };
    let basis = basis(&three(), cell, 1);
    let placement = Placement { origin: OriginKind::Fast, ..basis.placement.clone() };
    let ran = support::ran(Basis { placement, ..basis }, bad_origin("deaf"), |_| {});
    let words = "the origin no longer accepts connections at 127.";
    repeated(&ran, 2, words);
    assert!(ran.turns[2].state.why().contains(words), "{:?}", ran.turns[2].state);
    assert!(ran.turns[..2].iter().all(is_valid), "{:?}", ran.turns);
}

#[test]
fn a_fast_origin_that_was_stopped_for_a_while_disturbs_its_round_and_no_model_is_blamed() {
    let _beside = beside();
    let own = gettid();
    let goes_on = thread::spawn(move || {
        let began = Instant::now();
        let is_stopped = |id: &Pid| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            stat.contains("(origin) T ")
        };
        let stopped = loop {
            match child(own, "origin").filter(is_stopped) {
                Some(stopped) => break stopped,
                None => thread::sleep(Duration::from_millis(1)),
            }
            assert!(began.elapsed() < Duration::from_mins(5), "no origin is stopped");
        };
        thread::sleep(Duration::from_secs(2));
        kill(stopped, Signal::SIGCONT).expect("it is ours");
    });
    let ran = struck(OriginKind::Fast, ("origin", Signal::SIGSTOP));
    goes_on.join().expect("the origin was stopped");
    let is_of_origin = |reason: &Reason| reason.cause() == Cause::Origin;
    assert!(ran.rounds[0].disturbed.iter().any(is_of_origin), "{:?}", ran.rounds);
    let blamed: Vec<_> = ran.made().filter(|turn| turn.state.blames_the_model()).collect();
    assert!(blamed.is_empty(), "{blamed:?}");
    assert!(ran.turns.len() == 3 && ran.turns.iter().all(is_valid), "{:?}", ran.turns);
}

#[test]
fn a_probe_whose_origin_dies_is_made_again_with_another() {
    let _beside = beside();
    let models = [house("tokio"), house("event-loop")];
    let with_programs = |model: &Model| (model.name.clone(), built(&model.package));
    let models_built = models.iter().map(with_programs).collect();
    let programs = Programs {
        origin: built("origin"),
        models: models_built,
        primitives: [].into(),
        missing: Vec::new(),
    };
    let cell = Cell { delay_ms: DelayRange { lo: 20, hi: 20 }, ..small() };
    let (own, over) = (gettid(), AtomicBool::new(false));
    let (probes, struck) = thread::scope(|scope| {
        let struck = scope.spawn(|| {
            // As soon as it serves: a probe that ends first has no origin left to strike.
            while !over.load(Ordering::SeqCst) {
                if let (Some(origin), Some(_)) = (child(own, "origin"), child(own, "model-")) {
                    return kill(origin, Signal::SIGKILL).is_ok();
                }
                thread::sleep(Duration::from_millis(1));
            }
            false
        });
        let probes = harness::probe((&[cell], "tokio"), &models, (&programs, &placement()));
        over.store(true, Ordering::SeqCst);
        (probes, struck.join().expect("it ends"))
    });
    assert!(struck, "the origin was not seen to serve");
    assert_eq!(probes.expect("the origin is replaced").len(), 1);
}

#[test]
fn an_origin_that_no_longer_accepts_makes_its_turn_invalid_and_is_replaced() {
    let _beside = beside();
    // It answers whoever is connected, and its pipe: the next who comes finds out, each time. All
    // of the second turn are connected by then if none of them has had a reply.
    let ran = support::ran(basis(&three(), long(), 1), bad_origin("deaf"), |_| {});
    let words = "the origin no longer accepts connections at 127.";
    repeated(&ran, 2, words);
    assert!(ran.turns[2].state.why().contains(words), "{:?}", ran.turns[2].state);
    assert!(ran.turns[..2].iter().all(is_valid), "{:?}", ran.turns);
}

#[test]
fn an_origin_that_restarts_makes_the_turn_invalid_by_the_fetches_that_it_lost_and_no_other() {
    let _beside = beside();
    let models = [house("tokio"), house("threads")];
    let ran = support::ran(basis(&models, small(), 1), bad_origin("restarting"), |_| {});
    let second = first_round(&ran, 1);
    assert!(second.state.why().contains(" of 32 fetches failed: "), "{:?}", second.state);
    let total = &second.turned.as_ref().expect("it was reported").total;
    let lost: u64 = total.errors.values().sum();
    assert!(total.errors.keys().all(|code| ["1401", "1402"].contains(&&**code)), "{total:?}");
    assert!((1..=8).contains(&lost) && total.ok + lost == 32, "{total:?}");
}

#[test]
fn a_model_that_the_system_kills_fails_by_its_signal_and_the_others_go_on() {
    let _beside = beside();
    let check = |kind| {
        let ran = struck(kind, ("model-", Signal::SIGKILL));
        let killed = State::Failed("it was killed by signal 9".to_owned());
        assert_eq!(first_round(&ran, 1).state, killed, "{kind:?}");
    };
    thread::scope(|scope| {
        for kind in OriginKind::ALL {
            scope.spawn(move || check(kind));
        }
    });
}

/// Does something with the programs of some models while the first origins that serve one of them,
/// so many, are killed; what serves is started by these threads.
fn while_origins_die<T>(
    (deaths, threads): (usize, impl Fn() -> Vec<Pid> + Sync),
    models: &[Model],
    work: impl FnOnce(&Programs) -> Result<T>,
) -> Result<T> {
    let program = |model: &Model| (model.name.clone(), built(&model.package));
    let programs = Programs {
        origin: built("origin"),
        models: models.iter().map(program).collect(),
        primitives: [].into(),
        missing: Vec::new(),
    };
    let over = AtomicBool::new(false);
    let serving = |thread: &Pid| {
        let serves = child(*thread, "model-").is_some_and(|model| connections(model) > 0);
        child(*thread, "origin").filter(|_| serves)
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut left = deaths;
            while left > 0 && !over.load(Ordering::SeqCst) {
                if let Some(origin) = threads().iter().find_map(serving) {
                    left -= usize::from(kill(origin, Signal::SIGKILL).is_ok());
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        let done = work(&programs);
        over.store(true, Ordering::SeqCst);
        done
    })
}

/// Verifies two models meanwhile.
fn verified(deaths: usize) -> Result<Vec<Verified>> {
    let (models, own) = (vec![house("tokio"), house("threads")], gettid());
    while_origins_die((deaths, || vec![own]), &models, |programs| {
        let cell = Cell { delay_ms: DelayRange { lo: 400, hi: 400 }, ..small() };
        let preset = Preset { cells: vec![cell], ..harness::smoke() };
        harness::verify((models.clone(), Vec::new(), preset), programs, &mut |_| Ok(()))
    })
}

#[test]
fn an_origin_that_dies_while_a_model_is_explained_is_replaced() {
    let _beside = beside();
    let (models, own) = ([house("threads")], gettid());
    let explained = while_origins_die((1, || vec![own]), &models, |programs| {
        let cell =
            Cell { delay_ms: DelayRange { lo: 100, hi: 100 }, ..cell(Workload::Steady, 8, 8) };
        harness::explain((&models[0], &cell), (programs, &placement()))
    });
    assert!(explained.expect("the origin is replaced").window.cpu_ns > 0);
}

#[test]
fn a_faulty_origin_that_dies_is_replaced_and_no_model_is_blamed() {
    let _alone = alone();
    let models = [house("threads")];
    let verified = while_origins_die((1, threads), &models, |programs| {
        harness::verify_faults(&models, programs, &mut |_| Ok(()))
    });
    let verified = verified.expect("another origin can be had");
    assert!(verified.iter().all(harness::FaultVerified::works), "{verified:?}");
}

#[test]
fn verify_blames_no_model_for_the_death_of_its_origin() {
    let _beside = beside();
    let verified = verified(1).expect("another origin can be had");
    assert!(verified.iter().all(|one| one.works), "{verified:?}");
    assert_eq!(verified.len(), 2, "{verified:?}");
}

#[test]
fn verify_names_each_model_once_whose_origins_die_again_and_again() {
    let _beside = beside();
    let failed = verified(usize::MAX).expect_err("no origin lives").to_string();
    assert_eq!(failed, "failed to verify threads, tokio: the origin failed again and again");
}

#[test]
fn an_origin_that_restarts_costs_the_fetches_of_the_gap_and_no_others() {
    let _beside = beside();
    let fault = script(&["restart"], (1, FETCHES));
    let gap = (0..FETCHES).find(|id| fault.fault(*id).is_some()).expect("there is one");
    together(drivers(), |model| {
        let mut origin = misbehaving(&["restart"], (1, FETCHES));
        let delay_ms = DelayRange { lo: 0, hi: 0 };
        let cell = held(model, &Cell { delay_ms, ..cell(Workload::Batch, 4, FETCHES) });
        let plan = plan(cell, scripted(&origin));
        let reported = converse(model, &built(&model.package), (&plan, &[]));
        let total = reported.unwrap_or_else(|why| panic!("{}: {why}", model.name)).turned.total;
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
    });
}
