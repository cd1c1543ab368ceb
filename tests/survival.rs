//! A run survives what kills programs: whatever is killed, whenever, after `--resume` every trial
//! that had ended is there exactly once, and `check` passes.
//!
//! `INFLIGHT_KILLS=200 cargo test --test commands survival` kills as many times; the default is a
//! few.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stats::random::SplitMix64;

use crate::support::{WORKSPACE, alone, built, listening};

/// Kills, unless the environment asks for others.
const KILLS: usize = 6;
/// The longest wait before a kill, in milliseconds; a run takes about so long.
const WAIT_MS: usize = 3_000;
/// How long what a harness started may outlive it: what is asked to end takes a moment to.
const GONE: Duration = Duration::from_mins(1);

/// Returns the program, with its arguments.
fn inflight(arguments: &[&str]) -> Command {
    let mut command = listening(built("inflight").path);
    command.args(arguments).current_dir(&WORKSPACE.root);
    command
}

/// Returns what the program said and how it ended.
fn ended(arguments: &[&str]) -> Output {
    inflight(arguments).output().expect("it starts")
}

/// Starts a small run that writes into a folder, or goes on with the one there.
fn start(results: &Path) -> Child {
    let results = results.to_str().expect("our paths are UTF-8");
    let begun = run_folder(Path::new(results)).is_some();
    let arguments: &[&str] = match begun {
        true => &["run", "--resume", "--out", results],
        false => &["run", "tokio", "--cell", "batch", "--blocks", "5", "--out", results],
    };
    let mut command = inflight(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts")
}

/// Returns the one run below some results.
fn run_folder(results: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(results).ok()?.flatten().map(|entry| entry.path());
    entries.into_iter().find(|path| !path.is_symlink() && path.join("schedule.json").exists())
}

/// Returns the whole lines of a run's journal.
fn lines(results: &Path) -> Vec<String> {
    let journal = run_folder(results).map(|run| run.join("journal.jsonl"));
    let text = journal.and_then(|journal| fs::read_to_string(journal).ok()).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(str::to_owned).collect()
}

/// Returns the processes below one, with their names.
fn children(parent: u32) -> BTreeMap<i32, String> {
    let entries = fs::read_dir("/proc").expect("Linux has it").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let own = format!("PPid:\t{parent}\n");
    let named = ids.filter_map(|id| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let name = status.lines().next()?.strip_prefix("Name:\t")?.to_owned();
        status.contains(&own).then_some((id, name))
    });
    named.collect()
}

/// Waits until processes are gone, but not for ever, and ends those that are not; returns their
/// names.
fn left_behind(processes: &BTreeMap<i32, String>) -> Vec<String> {
    let began = Instant::now();
    while began.elapsed() < GONE && processes.iter().any(|process| lives(&process)) {
        thread::sleep(Duration::from_millis(10));
    }
    let left = processes.iter().filter(lives);
    let ended = left.map(|(id, name)| {
        let _ = kill(Pid::from_raw(*id), Signal::SIGKILL);
        name.clone()
    });
    ended.collect()
}

/// Returns whether a process still runs under its name; who has it now may not yet have asked how
/// it ended.
fn lives((id, name): &(&i32, &String)) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    status.starts_with(&format!("Name:\t{name}\n")) && !status.contains("\tZ (zombie)")
}

/// Waits a while, then kills the harness, a model, or the origin; returns whether one was killed.
fn kill_one(harness: &Child, draws: &mut SplitMix64) -> bool {
    thread::sleep(Duration::from_millis(draws.below(WAIT_MS) as u64));
    let own = i32::try_from(harness.id()).expect("a process id is an i32");
    let wanted = ["", "model-", "origin"][draws.below(3)];
    let victim = match wanted {
        "" => Some(own),
        name => {
            let named = children(harness.id()).into_iter().find(|(_, n)| n.starts_with(name));
            named.map(|(id, _)| id)
        }
    };
    victim.is_some_and(|id| kill(Pid::from_raw(id), Signal::SIGKILL).is_ok())
}

#[test]
fn whatever_is_killed_every_trial_that_had_ended_is_there_exactly_once() {
    let _alone = alone();
    let asked = std::env::var("INFLIGHT_KILLS").ok().and_then(|kills| kills.parse().ok());
    let (kills, mut killed, mut runs) = (asked.unwrap_or(KILLS), 0, 0);
    let mut draws = SplitMix64::new(7);
    while killed < kills {
        let results = tempfile::tempdir().expect("it is made");
        let mut seen = Vec::new();
        loop {
            let before = lines(results.path()).len();
            let mut harness = start(results.path());
            killed += usize::from(killed < kills && kill_one(&harness, &mut draws));
            let status = harness.wait().expect("it ends");
            seen.extend(lines(results.path()));
            match status.code() {
                // Killed itself.
                None => {}
                // 4: a turn is invalid or failed, since its model or its origin was killed.
                Some(0 | 4) => break,
                // An origin that is killed before the first trial is reported, and nothing was
                // begun or gone on with.
                Some(1) if lines(results.path()).len() == before => {}
                Some(code) => panic!("exit code {code}: {}", last_words(&mut harness)),
            }
        }
        holds(results.path(), &seen);
        runs += 1;
    }
    eprintln!("{killed} kills in {runs} runs; every trial is there once and each run is whole");
}

/// Returns what a process said on stderr.
fn last_words(process: &mut Child) -> String {
    let mut said = String::new();
    let stderr = process.stderr.as_mut().expect("stderr is piped");
    std::io::Read::read_to_string(stderr, &mut said).expect("it speaks");
    said
}

/// Waits until something is so, but not for ever.
fn wait_for(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_mins(2), "it takes too long");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until a run has measured and its origin is there, which it is not between two blocks, and
/// returns what the harness has started: noted while it is its own, since whoever outlives it
/// becomes another's child.
fn started(harness: &Child, results: &Path) -> BTreeMap<i32, String> {
    let mut own = BTreeMap::new();
    wait_for(|| {
        own = children(harness.id());
        lines(results).len() >= 2 && own.values().any(|name| name == "origin")
    });
    own
}

/// Checks that a run is whole and holds every line that was seen before, exactly once.
fn holds(results: &Path, seen: &[String]) {
    let now = lines(results);
    for line in seen {
        assert_eq!(now.iter().filter(|other| *other == line).count(), 1, "{line}");
    }
    let run = run_folder(results).expect("it is there");
    let checked = ended(&["check", run.to_str().expect("our paths are UTF-8")]);
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(
        checked.status.code(),
        Some(0),
        "{said}{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}

#[test]
fn an_interrupt_gives_the_prompt_back_before_another_turn_and_keeps_what_was_measured() {
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    let out = results.path().to_str().expect("our paths are UTF-8");
    let mut command = inflight(&["run", "tokio", "--cell", "steady", "--out", out]);
    let harness = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    wait_for(|| lines(results.path()).len() >= 8);

    kill(id(&harness), Signal::SIGINT).expect("it is ours");
    let before = lines(results.path()).len();
    let output = harness.wait_with_output().expect("it ends");
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{table}");
    // What was being written may still be: the end of a turn, of its round and of its block.
    let after = lines(results.path()).len();
    assert!(after <= before + 3, "{before} lines, then {after}");
    assert!(table.contains("\nevent-loop ") && table.contains("unfinished, "), "{table}");
    let resume = "go on with `cargo run --release -- run --resume ";
    assert!(table.replace('\n', " ").contains(resume), "{table}");
}

#[test]
fn every_signal_has_its_exit_code_and_leaves_nobody_behind() {
    let _alone = alone();
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)] {
        let results = tempfile::tempdir().expect("it is made");
        let mut harness = start(results.path());
        let own = started(&harness, results.path());
        kill(id(&harness), signal).expect("it is ours");
        assert_eq!(harness.wait().expect("it ends").code(), Some(code), "{signal}");
        assert_eq!(left_behind(&own), Vec::<String>::new(), "{signal}");
        // What they leave is alike, and so is going on with it.
        if signal == Signal::SIGINT {
            goes_on(results.path());
        }
    }
}

#[test]
fn whoever_kills_the_harness_ends_what_it_started() {
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    let mut harness = start(results.path());
    let running = || children(harness.id()).values().any(|name| name.starts_with("model-"));
    wait_for(|| lines(results.path()).len() >= 2 && running());
    let own = children(harness.id());
    // Held open here, no pipe shows them that nobody listens: only the kernel can end them.
    let open = |id: &i32, descriptor: u8, write: bool| {
        let path = format!("/proc/{id}/fd/{descriptor}");
        OpenOptions::new().read(!write).write(write).open(path).ok()
    };
    let _pipes: Vec<_> = own.keys().map(|id| (open(id, 0, true), open(id, 1, false))).collect();
    harness.kill().expect("it is ours");
    harness.wait().expect("it ends");
    assert_eq!(left_behind(&own), Vec::<String>::new());
}

#[test]
fn a_second_signal_ends_at_once_whatever_the_first_waits_for() {
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    let out = results.path().to_str().expect("our paths are UTF-8");
    let mut command = inflight(&["run", "tokio", "--cell", "batch", "--blocks", "5", "--out", out]);
    // The table of what was measured goes to whoever does not read, so that the first signal alone
    // never ends it.
    let (_unread, full) = full();
    command.stdout(OwnedFd::from(full)).stderr(Stdio::null());
    let mut harness = command.spawn().expect("it starts");
    let own = started(&harness, results.path());
    kill(id(&harness), Signal::SIGINT).expect("it is ours");
    assert_eq!(left_behind(&own), Vec::<String>::new(), "the first ends the trial");
    assert_eq!(harness.try_wait().expect("it is ours"), None, "its last words are not read");

    kill(id(&harness), Signal::SIGINT).expect("it is ours");
    let began = Instant::now();
    while began.elapsed() < GONE && harness.try_wait().expect("it is ours").is_none() {
        thread::sleep(Duration::from_millis(10));
    }
    // One that goes on is ended here, by a signal, which is no exit code.
    harness.kill().expect("it is ours");
    assert_eq!(harness.wait().expect("it ends").code(), Some(130));
    goes_on(results.path());
}

/// Returns the two ends of a stream, into the second of which no byte more can be written.
fn full() -> (UnixStream, UnixStream) {
    let (unread, mut full) = UnixStream::pair().expect("it is made");
    full.set_nonblocking(true).expect("it is ours");
    while full.write(&[0; 4096]).is_ok() {}
    full.set_nonblocking(false).expect("it is ours");
    (unread, full)
}

/// Returns the id of a process.
fn id(process: &Child) -> Pid {
    Pid::from_raw(i32::try_from(process.id()).expect("a process id is an i32"))
}

/// Checks that what was measured reads, and that the run goes on from there to its end.
fn goes_on(results: &Path) {
    let mut resumed = start(results);
    assert!(matches!(resumed.wait().expect("it ends").code(), Some(0 | 4)));
    holds(results, &[]);
}

#[test]
fn a_folder_that_vanishes_is_reported_in_a_sentence_and_not_measured_on() {
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    let mut harness = start(results.path());
    wait_for(|| lines(results.path()).len() >= 2);
    fs::remove_dir_all(run_folder(results.path()).expect("it is there")).expect("it is ours");
    let said = last_words(&mut harness);
    assert_eq!(harness.wait().expect("it ends").code(), Some(8), "{said}");
    assert!(said.contains("failed to write") && said.contains("journal.jsonl"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_session_is_refused_before_its_time_and_all_sessions_make_one_run() {
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    let out = results.path().to_str().expect("our paths are UTF-8");
    let resume = ["run", "--resume", "--out", out];
    let asked =
        ["run", "tokio", "--preset", "citable", "--cell", "batch", "--blocks", "1", "--out", out];
    let first = ended(&asked);
    let said = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(matches!(first.status.code(), Some(0 | 4)), "{said}");
    let next = "this session is complete; go on with `cargo run --release -- run";
    assert!(said.contains(next), "{said}");

    let early = ended(&resume);
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert_eq!(early.status.code(), Some(6), "{said}");
    assert!(said.contains("session 2 of 3 is due in"), "{said}");

    // Nobody waits two hours here.
    let run = run_folder(results.path()).expect("it is there");
    let schedule = run.join("schedule.json");
    let text = fs::read_to_string(&schedule).expect("it reads");
    let text = text.replace("\"hours_after_last\": 2", "\"hours_after_last\": 0");
    fs::write(&schedule, text).expect("it is ours");
    for _ in 0..2 {
        let output = ended(&resume);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 4)), "{said}");
    }
    holds(results.path(), &[]);
    let hashes = lines(results.path()).into_iter().filter(|line| line.contains("\"resume\":"));
    let mut hashes: Vec<String> =
        hashes.map(|line| line[line.find("model-tokio").unwrap()..].to_owned()).collect();
    hashes.dedup();
    assert_eq!(hashes.len(), 2, "each session has programs of its own layout");
}
