//! Promises of what is held where ports, threads or memory run out in the middle of it: a row that
//! says so in a clear sentence, and leaves all others unharmed. Descriptors are in `hold.rs`.

use std::net::{Ipv4Addr, TcpListener};

use harness::Event;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use record::TurnRecord;

use crate::hold::{ran, schedule, watched};
use crate::resources::{
    INSIDE, can_be_another_user, in_namespace, of_another_user, ports, wrapped,
};
use crate::support::{Ran, beside, built, house, is_valid};
use crate::turns::beginning;

/// The first local port of a namespace, how many it has, and how many of them others take.
const FIRST: u16 = 40_000;
const PORTS: u16 = 200;
const TAKEN: u16 = 160;
/// Fetches whose buffers take more than [`ADDRESSES_KIB`], and their bodies.
const FETCHES: u32 = 2_048;
const BODY_BYTES: u32 = 16 * 1024;
/// The addresses of a process that has too little memory: enough to start in.
const ADDRESSES_KIB: u32 = 30_000;

/// Returns why the one turn of a model does not count, of which nothing was read, where those of
/// all others do.
fn why(ran: &Ran, model: &str) -> String {
    let (own, others): (Vec<&TurnRecord>, Vec<&TurnRecord>) =
        ran.turns.iter().partition(|turn| turn.model == model);
    assert!(own.len() == 1 && own[0].held.is_none(), "{own:?}");
    let is_whole = |turn: &&TurnRecord| is_valid(turn) && turn.held.is_some();
    assert!(!others.is_empty() && others.iter().all(is_whole), "{others:?}");
    own[0].state.why()
}

#[test]
fn ports_that_others_take_meanwhile_are_one_clear_sentence_and_leave_others_unharmed() {
    if std::env::var_os(INSIDE).is_some() {
        few_ports_are_refused();
        ports_are_taken();
        return;
    }

    // Built outside, where cargo has what it needs.
    for package in ["origin", "model-tokio", "model-threads"] {
        built(package);
    }
    let _beside = beside();
    let name = "shortages::\
                ports_that_others_take_meanwhile_are_one_clear_sentence_and_leave_others_unharmed";
    let Some(mut inside) = in_namespace(name, 0) else { return };
    assert!(inside.status().expect("it starts").success());
}

/// Checks that a level for which there are too few ports is a row that says what to type.
fn few_ports_are_refused() {
    ports((FIRST.into(), u64::from(FIRST) + 59));
    let schedule = schedule(&[house("tokio"), house("threads")], (&[64], 1));
    let words = "it needs 65 local ports, and there are 60: type `sudo sysctl -w net.ipv4.";
    assert!(schedule.blocks.is_empty() && schedule.absent.len() == 2, "{:?}", schedule.absent);
    let refused = schedule.absent.iter().all(|row| row.reason.starts_with(words));
    assert!(refused, "{:?}", schedule.absent);
}

/// Checks what becomes of a level for which there were enough as the run began.
fn ports_are_taken() {
    ports((FIRST.into(), u64::from(FIRST + PORTS) - 1));
    let mut schedule = schedule(&[house("tokio"), house("threads")], (&[64], 1));
    // A port is free for each address.
    schedule.placement.shards = 1;
    let mut taken = Vec::new();
    let ran = watched(&schedule, &[], |event| {
        let begins = beginning(event).map(|(name, ..)| name);
        if begins == Some("tokio") {
            let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
            taken.extend((FIRST..FIRST + TAKEN).filter_map(free));
        }
        if matches!(event, Event::Turn(_)) {
            taken.clear();
        }
    });
    // The harness finds no port either, and does not take that for the origin's fault.
    let why = why(&ran, "tokio");
    assert!(why.contains(" of 64 fetches failed: ") && why.contains(" x 1002"), "{why}");
    assert!(why.contains("the origin saw at most ") && !why.contains("origin failed"), "{why}");
}

#[test]
fn a_process_without_threads_is_one_clear_sentence_and_leaves_others_unharmed() {
    if !can_be_another_user() {
        return;
    }
    let _beside = beside();
    let models = [house("tokio"), house("threads")];
    let few = wrapped(&models[1], &format!("exec {} PROGRAM", of_another_user(1)));
    let ran = ran(&schedule(&models, (&[16], 1)), &[("threads", few.program.clone())]);
    let why = why(&ran, "threads");
    assert!(why.contains("Resource temporarily unavailable"), "{why}");
}

#[test]
fn a_process_without_memory_is_one_clear_sentence_and_leaves_others_unharmed() {
    let _beside = beside();
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("it reads");
    let needed = hard.min(2 * u64::from(FETCHES));
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(needed), hard).expect("it is allowed");
    let models = [house("tokio"), house("event-loop")];
    let mut schedule = schedule(&models, (&[FETCHES], 1));
    schedule.holds[0].body_bytes = BODY_BYTES;
    let little = wrapped(&models[0], &format!("ulimit -v {ADDRESSES_KIB}\nexec PROGRAM"));
    let ran = ran(&schedule, &[("tokio", little.program.clone())]);
    let why = why(&ran, "tokio");
    assert!(why.contains("memory allocation of "), "{why}");
}
