//! Promises of turns: participants that stay side by side do not disturb each other, whoever fails
//! is out until the next block, and what the origin or others do is held against nobody.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::{Basis, Event, Preset};
use model_kit::{Cell, DelayRange, Workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, gettid};
use record::{Model, Run, State, TurnRecord};
use rules::{Cause, Reason};

use crate::support;
use crate::support::shell::inflight;
use crate::support::{
    Ran, WORKSPACE, alone, basis, beside, built, cell, child, faulty, house, is_valid, listening,
};

/// Rounds of each block.
const ROUNDS: u32 = 4;
/// How long an origin is stopped: longer than a turn may take, and than its own answer.
const STOPPED: Duration = Duration::from_secs(22);
/// Connections that somebody else makes.
const CONNECTIONS: usize = 200;

/// Returns a cell whose turns take a fifth of a second.
fn steady(in_flight: u32) -> Cell {
    let delay_ms = DelayRange { lo: 50, hi: 50 };
    Cell { delay_ms, ..cell(Workload::Steady, in_flight, 2 * u64::from(in_flight)) }
}

/// Runs some blocks of a few rounds, and returns what happened.
fn ran(models: &[Model], cell: Cell, blocks: u32, watch: impl FnMut(&Event<'_>)) -> Ran {
    let basis = basis(models, cell, blocks);
    // Long turns come in half as many rounds.
    let preset = Preset { rounds: 2 * ROUNDS, ..basis.preset };
    support::ran(Basis { preset, ..basis }, built("origin"), watch)
}

/// Returns the model whose turn begins, with the number of its block and its round.
pub(crate) fn beginning<'a>(event: &'a Event<'_>) -> Option<(&'a str, u32, u32)> {
    let Event::Begin(block, (round, position)) = event else { return None };
    let name = &block.rounds[*round as usize][*position as usize];
    Some((name, block.number, *round))
}

/// Sends a signal to the process of a model.
fn strike(model: &str, signal: Signal) {
    let model = child(gettid(), &format!("model-{model}")).expect("it rests");
    kill(model, signal).expect("it is ours");
}

#[test]
fn one_that_is_stopped_while_another_has_its_turn_disturbs_nobody() {
    let _beside = beside();
    let mut stops = 0;
    let ran = ran(&[house("tokio"), house("threads")], steady(8), 1, |event| match event {
        Event::Begin(..) if beginning(event).is_some_and(|(model, ..)| model == "tokio") => {
            strike("threads", Signal::SIGSTOP);
            stops += 1;
        }
        Event::Turn(turn) if turn.model == "tokio" => strike("threads", Signal::SIGCONT),
        _ => {}
    });
    assert!(stops >= ROUNDS && ran.turns.len() == 2 * ROUNDS as usize, "{stops} stops");
    assert!(ran.made().chain(&ran.turns).all(is_valid), "{:?}", ran.turns);
}

#[test]
fn one_that_dies_has_failed_once_is_out_until_its_block_ends_and_back_in_the_next() {
    let _beside = beside();
    let mut killed = false;
    let ran = ran(&[house("tokio"), house("threads")], steady(8), 2, |event| {
        if beginning(event) == Some(("threads", 0, 1)) && !killed {
            killed = true;
            strike("threads", Signal::SIGKILL);
        }
    });
    let (dead, others): (Vec<_>, Vec<_>) =
        ran.made().partition(|turn| (turn.block, turn.model.as_str()) == (0, "threads"));
    assert!(others.iter().all(|turn| is_valid(turn)), "{others:?}");
    assert!(others.iter().any(|turn| turn.model == "threads"), "it is back");
    let fell = dead.iter().position(|turn| turn.round == 1).expect("it had its turn");
    assert!(fell > 0 && dead[..fell].iter().all(|turn| is_valid(turn)), "{dead:?}");
    assert_eq!(dead[fell].state, State::Failed("it was killed by signal 9".to_owned()));
    assert!(dead.len() >= ROUNDS as usize, "{dead:?}");
    assert!(dead[fell + 1..].iter().all(|turn| turn.state == State::Out), "{dead:?}");
}

#[test]
fn one_that_starts_processes_is_refused_whether_it_stays_or_not() {
    let _beside = beside();
    let one = Cell { delay_ms: DelayRange { lo: 50, hi: 50 }, ..cell(Workload::Batch, 1, 2) };
    for cell in [steady(1), one] {
        let ran = ran(&[faulty("orphan"), house("tokio")], cell, 1, |_| {});
        let reported = |reason: &Reason| matches!(reason, Reason::Descendants { count: 1.. });
        let is_reported = |turn: &&TurnRecord| match &turn.state {
            State::Invalid(reasons) => reasons.iter().any(reported),
            _ => false,
        };
        let (its, others): (Vec<_>, Vec<_>) = ran.turns.iter().partition(|t| t.model == "faulty");
        assert!(its.iter().any(is_reported), "{its:?}");
        // A turn of which the origin was late has that reason and needs no other.
        assert!(its.iter().all(|turn| is_reported(turn) || !is_valid(turn)), "{its:?}");
        assert!(others.iter().all(|turn| !turn.state.blames_the_model()), "{others:?}");
    }
}

#[test]
fn connections_of_others_are_counted_for_nobody() {
    let _beside = beside();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
    let address = listener.local_addr().expect("it is bound");
    let over = AtomicBool::new(false);
    let batch = Cell { delay_ms: DelayRange { lo: 50, hi: 50 }, ..cell(Workload::Batch, 8, 16) };
    let (all, made) = thread::scope(|scope| {
        let connecting = scope.spawn(|| {
            let mut made = 0;
            while !over.load(Ordering::SeqCst) || made < CONNECTIONS {
                let stream = TcpStream::connect(address).expect("it listens");
                drop((stream, listener.accept().expect("somebody came")));
                made += 1;
                thread::sleep(Duration::from_millis(2));
            }
            made
        });
        let models = [house("tokio"), house("threads")];
        let all = [batch, steady(8)].map(|cell| ran(&models, cell, 1, |_| {}));
        over.store(true, Ordering::SeqCst);
        (all, connecting.join().expect("it only connects"))
    });
    assert!(made >= CONNECTIONS, "{made} connections");
    for turn in all.iter().flat_map(|ran| &ran.turns) {
        let seen = turn.receipt.as_ref().and_then(|receipt| receipt.connections);
        let own = if turn.cell == "test" && turn.state == State::Valid { seen } else { None };
        assert!(own.is_none_or(|seen| seen == 0 || seen == 8), "{turn:?}");
        assert!(is_valid(turn), "{}: {:?}", turn.model, turn.state);
    }
}

/// Starts a small run that writes into a folder.
fn start(results: &Path) -> Child {
    let mut command = listening(built("inflight").path);
    command.args(["run", "tokio", "--cell", "steady", "--blocks", "1", "--out"]).arg(results);
    command.current_dir(&WORKSPACE.root).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("it starts")
}

/// Returns the journal of the run below some results, once it has so many lines.
fn journal(results: &Path, lines: usize) -> PathBuf {
    let began = Instant::now();
    loop {
        let path = results.join("latest");
        let text = fs::read_to_string(path.join("journal.jsonl")).unwrap_or_default();
        if text.lines().count() >= lines {
            return path;
        }
        assert!(began.elapsed() < Duration::from_mins(5), "{} lines", text.lines().count());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the origin that a process has started.
fn origin_of(harness: &Child) -> Pid {
    let path = format!("/proc/{0}/task/{0}/children", harness.id());
    let ids = fs::read_to_string(path).expect("Linux lists them");
    let is_origin = |id: &&str| {
        fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name == "origin\n")
    };
    let id = ids.split_whitespace().find(is_origin).expect("it runs");
    Pid::from_raw(id.parse().expect("it is a number"))
}

#[test]
fn an_origin_that_was_stopped_for_long_costs_rounds_that_are_measured_again_and_no_exit_code() {
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    let mut harness = start(results.path());
    let path = journal(results.path(), 6);
    let origin = origin_of(&harness);
    kill(origin, Signal::SIGSTOP).expect("it is ours");
    thread::sleep(STOPPED);
    kill(origin, Signal::SIGCONT).expect("it is ours");
    let code = harness.wait().expect("it ends").code();

    let run = Run::read(&path).expect("it reads");
    let blamed: Vec<_> = run.turns.iter().filter(|turn| turn.state.blames_the_model()).collect();
    assert!(blamed.is_empty(), "{blamed:?}");
    // What else has the machine may leave less than half of the turns valid.
    assert_eq!(code, Some(if run.is_sound() { 0 } else { 4 }));
    let of_origin = |reason: &Reason| reason.cause() == Cause::Origin;
    let disturbed = run.disturbed.iter().any(|round| round.disturbed.iter().any(of_origin));
    let began_anew = !run.again.is_empty();
    let long = |turn: &&TurnRecord| u128::from(turn.spent_us) > STOPPED.as_micros() / 2;
    let waited: Vec<_> = run.repeated.iter().chain(&run.cut).filter(long).collect();
    assert!(disturbed || began_anew, "{:?}: {waited:?}", run.disturbed);
    assert_eq!(run.turns.iter().find(long).map(|turn| &turn.state), None, "none of it counts");
    let name = path.to_str().expect("our paths are UTF-8");
    assert_eq!(inflight(results.path(), &["check", name]).status.code(), Some(0));
}
