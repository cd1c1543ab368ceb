//! Promises of what is held: all fetches of a level are in flight at once, what that takes is read
//! and found again as a line, and whoever cannot hold so many is a row that says why.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use harness::{BASELINE, Basis, Event, FLOOR, Holds, OriginProcess, Preset, Program, Programs};
use origin::Mount;
use record::{Entry, Environment, Model, Run, RunFolder, Schedule, TurnRecord};
use report::Form;

use crate::support::{
    MODELS, PROGRAMS, Ran, alone, beside, built, carried_out, executable, faulty, house, is_valid,
    placement, plan_seed, reasons_of, wait_until,
};

/// How long all are held, in milliseconds: what they take shows soon.
const HELD_MS: u64 = 1_000;
/// Runs that hold the fetches of all models between them.
const RUNS: usize = 4;
/// How many KiB the faulty model holds for each slot beyond what an honest one does.
const HELD_KIB: f64 = 8.0;

/// Returns what is drawn to hold some levels.
pub(crate) fn schedule(models: &[Model], (levels, blocks): (&[u32], u32)) -> Schedule {
    let holds = Holds { levels: levels.to_vec(), blocks };
    let preset = Preset { name: "test", cells: Vec::new(), holds, ..harness::smoke() };
    let mut schedule = harness::draw(Basis {
        preset,
        models: models.to_vec(),
        missing: Vec::new(),
        programs: Vec::new(),
        seed: 1,
        placement: placement(),
        probes: Vec::new(),
    });
    for cell in &mut schedule.holds {
        cell.delay_ms = [HELD_MS; 2].into();
    }
    schedule
}

/// Carries a schedule out with these programs, or those of the models' packages.
pub(crate) fn ran(schedule: &Schedule, others: &[(&str, Program)]) -> Ran {
    watched(schedule, others, |_| {})
}

/// Does the same, and says what happens meanwhile.
pub(crate) fn watched(
    schedule: &Schedule,
    others: &[(&str, Program)],
    watch: impl FnMut(&Event<'_>),
) -> Ran {
    let program = |model: &Model| (model.name.clone(), built(&model.package));
    let mut models: BTreeMap<String, Program> = schedule.models.iter().map(program).collect();
    models.extend(others.iter().map(|(name, program)| ((*name).to_owned(), program.clone())));
    let (primitives, missing) = (BTreeMap::new(), Vec::new());
    let programs = Programs { origin: built("origin"), models, primitives, missing };
    carried_out(schedule, &programs, watch)
}

/// Writes what happened down as a run, and reads it back.
fn written(schedule: &Schedule, entries: &[Entry]) -> Run {
    let results = tempfile::tempdir().expect("a folder can be made");
    let environment = Environment::read(results.path(), "none", BTreeMap::new());
    let mut folder = RunFolder::create(results.path(), schedule, &environment).expect("it writes");
    for entry in entries {
        folder.append(entry).expect("it writes");
    }
    let path = folder.path().to_owned();
    folder.finish().expect("it writes");
    Run::read(&path).expect("it reads")
}

/// Returns the faulty model under a name, with a thread a slot.
fn threads(name: &str, how: &str) -> Model {
    let mut model = faulty(&format!("units: {how}"));
    model.env.insert("NAME".to_owned(), name.to_owned());
    Model { name: name.to_owned(), ..model }
}

/// Returns the turns of a model.
fn turns<'a>(ran: &'a Ran, model: &'a str) -> impl Iterator<Item = &'a TurnRecord> {
    ran.turns.iter().filter(move |turn| turn.model == model)
}

#[test]
fn all_fetches_of_a_level_are_in_flight_at_once_by_the_origins_count() {
    let _beside = beside();
    LazyLock::force(&PROGRAMS);
    let wide = |model: &&Model| model.language.is_none() && model.max_in_flight.is_none();
    let models: Vec<Model> = MODELS.iter().filter(wide).cloned().collect();
    // A few runs wait for theirs at the same time.
    thread::scope(|scope| {
        for models in models.chunks(models.len().div_ceil(RUNS)) {
            scope.spawn(move || all_are_in_flight(models));
        }
    });
}

/// Checks that all fetches of a level are in flight at once, in a run of some models.
fn all_are_in_flight(models: &[Model]) {
    let schedule = schedule(models, (&[64], 1));
    let ran = ran(&schedule, &[]);
    assert!(schedule.absent.is_empty() && ran.turns.len() == models.len(), "{}", ran.turns.len());
    for turn in &ran.turns {
        assert!(is_valid(turn), "{}: {}", turn.model, turn.state.why());
        let receipt = turn.receipt.as_ref().expect("the origin counted");
        assert_eq!(receipt.in_flight_peak_estimate, 64, "{}", turn.model);
        assert_eq!((receipt.answered, receipt.in_flight_now), (64, 0), "{}", turn.model);
        let held = turn.held.as_ref().expect("it was read");
        assert!(held.during.pss_kib > Some(0) && held.wall_ns >= HELD_MS * 1_000_000, "{held:?}");
    }
    assert_eq!(harness::revalidate(&written(&schedule, &ran.entries)), Vec::<String>::new());
}

#[test]
fn memory_that_a_model_holds_for_each_fetch_is_found_as_the_slope_of_its_line() {
    // Pages that processes share count for each by their number.
    let _alone = alone();
    let models = [threads("lean", "honest"), threads("fat", "hold 8 KiB")];
    let schedule = schedule(&models, (&[1, 64, 192], 2));
    let ran = ran(&schedule, &[]);
    assert!(ran.turns.iter().all(is_valid), "{:?}", ran.turns.iter().map(reasons_of).max());

    let run = written(&schedule, &ran.entries);
    let summary = analysis::summarize(&run, BASELINE, FLOOR);
    let holds = summary.figures.holds.as_ref().expect("fetches were held");
    let slope = |name: &str| {
        let row = holds.rows.iter().find(|row| row.model == name).expect("it is a row");
        row.user.expect("it has a line").slope.value
    };
    let found = slope("fat") - slope("lean");
    assert!((HELD_KIB - 1.0..HELD_KIB + 2.0).contains(&found), "{found} KiB a fetch");
    let text = report::summary(&summary, Form::Terminal);
    let held = format!("memory of fetches in flight: 1, 64, 192 held for {HELD_MS} ms");
    assert!(text.contains(&held), "{text}");
    let page = String::from_utf8_lossy(&report::derive(&summary)["report.html"]).into_owned();
    assert!(page.contains("Memory of fetches in flight") && !page.contains("Model or client?"));
    assert!(page.contains(&format!("The {held}")));
}

#[test]
fn who_cannot_have_all_in_flight_at_once_is_a_row_that_says_why_and_leaves_others_unharmed() {
    let _beside = beside();
    let models = [house("tokio"), threads("few", "wait for a permit")];
    let ran = ran(&schedule(&models, (&[16], 1)), &[]);
    assert!(turns(&ran, "tokio").all(is_valid) && turns(&ran, "tokio").count() == 1);
    for turn in turns(&ran, "few") {
        let why = turn.state.why();
        assert!(why.contains("the origin saw at most 4 of 16 in flight"), "{why}");
        assert_eq!(turn.held, None, "what was not held is not read");
    }
}

#[test]
fn a_process_without_descriptors_is_one_clear_sentence_and_leaves_others_unharmed() {
    let _beside = beside();
    let tokio = house("tokio");
    let folder = tempfile::tempdir().expect("it is made");
    let path = folder.path().join("few");
    let text = format!("#!/bin/sh\nulimit -n 40 && exec {}\n", built("model-tokio").path.display());
    executable(&path, &text);
    let few = Program { path, sha256: String::new(), interpreter: None };

    let models = [tokio, house("threads")];
    let ran = ran(&schedule(&models, (&[64], 1)), &[("tokio", few)]);
    let why = turns(&ran, "tokio").map(|turn| turn.state.why()).collect::<String>();
    assert!(why.contains(" of 64 fetches failed: ") && why.contains(" x 1001"), "{why}");
    assert!(turns(&ran, "threads").all(is_valid) && turns(&ran, "threads").count() == 1);
}

#[test]
fn a_level_beyond_the_limit_of_open_files_is_a_row_without_figures_and_no_turn() {
    let models = [house("tokio"), house("iterator")];
    let schedule = schedule(&models, (&[1, 3_000_000_000], 1));
    let reason = |cell: &str, model: &str| {
        let mut absent = schedule.absent.iter();
        absent.find(|row| row.cell == cell && row.model == model).map(|row| row.reason.as_str())
    };
    let files = reason("hold-3000000000", "tokio").expect("no process has so many");
    let words = "it needs 3000000000 connections, and 64 processes that may open ";
    assert!(files.starts_with(words) && files.contains(" --nofile="), "{files}");
    assert_eq!(reason("hold-1", "iterator"), Some("one in flight by design"));
    assert_eq!(reason("hold-1", "tokio"), None);
    assert_eq!(schedule.blocks.len(), 1);
}

/// How many fetches the groups of tests hold, and in how many processes.
const GROUP: (u32, u32) = (160, 3);

/// Returns what is drawn to hold some fetches in a group of processes, as a machine has them where
/// a process may open fewer files.
fn grouped(models: &[Model]) -> Schedule {
    let (in_flight, processes) = GROUP;
    let schedule = schedule(models, (&[in_flight], 1));
    assert!(schedule.groups.is_empty(), "one process suffices here");
    let name = schedule.holds[0].name.clone();
    Schedule { groups: [(name, processes)].into(), ..schedule }
}

/// Returns a program that does something before it becomes that of a package, with the number of
/// its process, from 1, in `$n`.
fn numbered(folder: &Path, (package, script): (&str, &str)) -> Program {
    let path = folder.join("numbered");
    let (folder, program) = (folder.display(), built(package).path);
    let text = format!(
        "#!/bin/sh\nPATH=/usr/bin:/bin\nn=1\n\
         while ! mkdir {folder}/$n 2>/dev/null; do n=$((n+1)); done\n{script}\nexec {}\n",
        program.display()
    );
    executable(&path, &text);
    Program { path, sha256: String::new(), interpreter: None }
}

#[test]
fn a_group_of_processes_is_one_row_and_the_origins_count_all_of_it_in_flight_at_once() {
    let _beside = beside();
    let models = [house("tokio"), house("event-loop")];
    let ((in_flight, processes), schedule) = (GROUP, grouped(&models));
    let single = ran(&self::schedule(&models, (&[64], 1)), &[]);
    let ran = ran(&schedule, &[]);
    assert_eq!(ran.turns.len(), models.len());
    let slots = u64::from(in_flight);
    let threads = |turn: &TurnRecord| turn.held.as_ref().and_then(|held| held.during.threads);
    for turn in &ran.turns {
        assert!(is_valid(turn), "{}: {}", turn.model, turn.state.why());
        let receipt = turn.receipt.as_ref().expect("the origins counted");
        assert_eq!(receipt.in_flight_peak_estimate, slots, "{}", turn.model);
        assert_eq!((receipt.answered, receipt.connections), (slots, Some(slots)));
        let one = turns(&single, &turn.model).find_map(threads).expect("it has threads");
        assert_eq!(threads(turn), Some(u64::from(processes) * one), "{}", turn.model);
        let turned = turn.turned.as_ref().expect("it reported");
        assert_eq!((turned.total.issued, turned.in_flight_peak), (slots, slots));
    }
    let run = written(&schedule, &ran.entries);
    assert_eq!(harness::revalidate(&run), Vec::<String>::new());
    let summary = analysis::summarize(&run, BASELINE, FLOOR);
    for row in &summary.figures.holds.as_ref().expect("fetches were held").rows {
        assert_eq!((row.levels[0].in_flight, row.levels[0].processes), GROUP);
        assert_eq!(row.levels[0].reason, None, "{}", row.model);
    }
    let text = report::summary(&summary, Form::Terminal);
    assert!(text.contains("160 are held by 3 processes of a model"), "{text}");
}

#[test]
fn a_group_of_which_a_process_is_killed_is_a_sentence_and_no_smaller_number() {
    let _beside = beside();
    let folder = tempfile::tempdir().expect("it is made");
    // It dies while all are held, which is for longer here, or, on a slow machine, before.
    let script = "[ $n = 2 ] && (sleep 1; kill -9 $$) &";
    let program = numbered(folder.path(), ("model-tokio", script));
    let mut schedule = grouped(&[house("tokio"), house("event-loop")]);
    schedule.holds[0].delay_ms = [2_000; 2].into();
    let ran = ran(&schedule, &[("tokio", program)]);
    assert!(turns(&ran, "event-loop").all(is_valid) && turns(&ran, "event-loop").count() == 1);
    for turn in turns(&ran, "tokio") {
        assert_eq!(turn.state.why(), "process 2 of 3: it was killed by signal 9");
        assert!(turn.held.is_none() && turn.turned.is_none());
    }

    let summary = analysis::summarize(&written(&schedule, &ran.entries), BASELINE, FLOOR);
    let holds = summary.figures.holds.as_ref().expect("fetches were held");
    let row = holds.rows.iter().find(|row| row.model == "tokio").expect("it is a row");
    assert_eq!((row.levels[0].turns, row.levels[0].user_kib), (0, None));
    let reason = row.levels[0].reason.as_deref().unwrap_or_default();
    assert!(reason.contains("process 2 of 3: it was killed by signal 9"), "{reason}");
}

#[test]
fn a_group_of_which_a_process_holds_fewer_is_refused_with_what_the_origins_saw() {
    let _beside = beside();
    let folder = tempfile::tempdir().expect("it is made");
    let program = numbered(folder.path(), ("model-tokio", "[ $n = 2 ] && ulimit -n 40"));
    let ran = ran(&grouped(&[house("tokio")]), &[("tokio", program)]);
    assert_eq!(ran.turns.len(), 1);
    for turn in &ran.turns {
        let why = turn.state.why();
        assert!(why.contains(" of 160 fetches failed: ") && why.contains(" x 1001"), "{why}");
        assert!(why.contains("the origin saw at most ") && why.contains(" of 160 in flight"));
        assert_eq!(turn.held, None, "what was not held is not read");
    }
}

/// Returns how many connections linger with a port of an origin at either end.
fn lingering(origin: &OriginProcess) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    let ports = origin.ready.origins.iter().map(|address| format!(":{:04X} ", address.port()));
    let ports: Vec<String> = ports.collect();
    let is_own = |line: &&str| ports.iter().any(|port| line.contains(port.as_str()));
    table.lines().filter(is_own).filter(|line| line.split_whitespace().nth(3) == Some("06")).count()
}

#[test]
fn replies_are_held_until_they_are_released_and_no_connection_lingers() {
    let _beside = beside();
    let cell = Holds { levels: vec![3_000], blocks: 1 }.cells().remove(0);
    let mut origin =
        OriginProcess::start_for(&built("origin"), &placement(), &cell).expect("it starts");
    assert!(origin.ready.origins.len() > 1, "a backlog has less room than that");
    origin.mount(Mount::whole(&cell, plan_seed())).expect("it mounts");
    let connect = |id: usize| {
        let address = origin.ready.origins[id % origin.ready.origins.len()];
        let mut stream = TcpStream::connect(address).expect("it accepts");
        stream.set_read_timeout(Some(Duration::from_millis(500))).expect("it is a duration");
        let request = format!("GET /f/{id} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it takes them");
        stream
    };
    let mut streams: Vec<TcpStream> = (0..60).map(connect).collect();
    wait_until("it has read all", || origin.seen().expect("it counts").in_flight_now == 60);
    assert!(streams[0].read(&mut [0]).is_err(), "nothing comes before it is released");
    assert_eq!(origin.seen().expect("it counts").in_flight_now, 60);
    // One that gives up is in flight no longer.
    drop(streams.pop());
    wait_until("one is gone", || origin.seen().expect("it counts").in_flight_now == 59);
    origin.release().expect("it does");
    for stream in &mut streams {
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("it is a duration");
        let mut reply = [0; 512];
        let length = stream.read(&mut reply).expect("it comes");
        assert!(reply[..length].starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    let receipt = origin.receipt().expect("it counts");
    assert_eq!((receipt.in_flight_now, receipt.in_flight_peak_estimate), (0, 60));
    drop(streams);
    // What lingers does so for a minute; what is reset is gone once the origin has seen its end.
    wait_until("no connection lingers", || lingering(&origin) == 0);
    assert!(Path::new("/proc").join(origin.id().to_string()).exists(), "it serves on");
}
