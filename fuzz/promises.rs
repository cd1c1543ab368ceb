//! What is promised of every input, whatever its bytes: the fuzz targets look for one that breaks
//! a promise, and `tests/corpus.rs` holds the stored ones, and their neighbours, to them.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use model_kit::pipe::{self, FromModel, ToModel, Turned};
use model_kit::{Cell, DelayRange, Plan, Slot, Step, Workload, rehearse};
use origin::{FromOrigin, ToOrigin};
use record::{Entry, Run};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// The kinds of lines of a journal.
pub(crate) const KINDS: [&str; 7] = ["begin", "turn", "round", "block", "again", "stop", "resume"];
/// The longest that a sentence about a bad input may be, in bytes.
const SENTENCE_BYTES_MAX: usize = 2_048;

/// A reply is judged alike in any pieces. The first byte says how long the pieces are.
pub(crate) fn reply(bytes: &[u8]) {
    let Some((&length, bytes)) = bytes.split_first() else { return };
    let whole = fetched(bytes, usize::MAX);
    let pieces = fetched(bytes, usize::from(length).max(1));
    // Bytes that follow the reply in another piece come after the fetch has ended.
    assert_eq!((whole.total.ok, &whole.total.errors), (pieces.total.ok, &pieces.total.errors));
    assert_eq!(whole.total.ok + whole.total.errors.values().sum::<u64>(), whole.total.issued);
    assert!(!whole.total.errors.contains_key("1999"), "{:?}", whole.total);
}

/// Lets one slot fetch once; what it reads are these bytes in pieces of at most this length, and
/// then the end of the connection.
pub(crate) fn fetched(bytes: &[u8], length: usize) -> Turned {
    let cell = Cell {
        name: "fuzz".to_owned(),
        workload: Workload::Batch,
        in_flight: 1,
        warmup: 0,
        fetches: 1,
        delay_ms: DelayRange { lo: 0, hi: 0 },
        body_bytes: 16,
        ..Cell::least(Workload::Batch)
    };
    let origins = vec![([127, 0, 0, 1], 4100).into()];
    let plan = Plan { cell, origins, workers: 1, seed: 42, deadline_ms: None, surcharge_ns: 0 };
    let trial = rehearse(&plan, |slots| {
        for slot in slots {
            carry(slot, bytes, length);
        }
    });
    trial.expect("one fetch ends, well or not")
}

/// Carries out every step of a slot against memory.
fn carry(mut slot: Slot, mut bytes: &[u8], length: usize) {
    loop {
        match slot.step() {
            Step::Connect(_) => drop(slot.connected(Ok(()))),
            Step::Send(buffer) => {
                let count = buffer.len();
                slot.sent(buffer, Ok(count));
            }
            Step::Receive(mut buffer) => {
                let count = bytes.len().min(length).min(buffer.len());
                let (piece, rest) = bytes.split_at(count);
                buffer[..count].copy_from_slice(piece);
                bytes = rest;
                slot.received(buffer, Ok(count));
            }
            Step::Wait(_) | Step::Rest | Step::Done => return,
        }
    }
}

/// A line of the pipe is a message that is written as it is read, or one sentence.
pub(crate) fn pipe(bytes: &[u8]) {
    messages::<FromModel>(bytes);
    messages::<ToModel>(bytes);
    messages::<FromOrigin>(bytes);
    messages::<ToOrigin>(bytes);
}

/// Reads messages until there is none, and holds each to its promise.
fn messages<M: DeserializeOwned + Serialize>(mut bytes: &[u8]) {
    loop {
        match pipe::read::<M>(&mut bytes) {
            Ok(Some(message)) => {
                let (mut once, mut twice) = (Vec::new(), Vec::new());
                pipe::write(&mut once, &message).expect("a vector takes every write");
                let again = pipe::read::<M>(&mut once.as_slice()).expect("it is ours");
                pipe::write(&mut twice, &again.expect("it is there")).expect("it is a vector");
                assert_eq!(once, twice);
            }
            Ok(None) => return,
            Err(error) => return sentence(&error.to_string()),
        }
    }
}

/// Holds a sentence about a bad line, which the journal keeps, to what may reach a terminal.
fn sentence(text: &str) {
    assert!(text.len() <= SENTENCE_BYTES_MAX, "{} bytes: {text:.200}", text.len());
    assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{text:?}");
}

/// A line of a journal is written as it is read, or refused; so is the same value under a checksum
/// that fits.
pub(crate) fn journal(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    line(text);
    for kind in KINDS {
        line(&format!("{{\"crc32\":\"{:08x}\",\"{kind}\":{text}}}", crc32(bytes)));
    }
}

/// Reads a line, and writes what it stands for.
fn line(text: &str) {
    match Entry::from_line(text) {
        Ok(entry) => {
            let written = entry.to_line().expect("what was read can be written");
            let again = Entry::from_line(written.trim_end()).expect("it is ours");
            assert_eq!(again.to_line().expect("it was written before"), written);
        }
        Err(error) => drop(format!("{error:#}")),
    }
}

/// Returns the CRC-32 of some bytes, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// The stored run that inputs are put into: one that every reader reads.
static STORED: LazyLock<[(&str, Vec<u8>); 4]> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = if folder.ends_with("fuzz") { folder.join("..") } else { folder.to_owned() };
    let folder = folder.join("fuzz/run");
    ["schedule.json", "environment.json", "journal.jsonl", "MANIFEST"]
        .map(|name| (name, fs::read(folder.join(name)).expect("it is stored")))
});

/// A run whose files are any bytes is refused, or read, and then has a report, always the same. The
/// first byte says which file the others stand for.
pub(crate) fn run(bytes: &[u8]) {
    let Some((&which, bytes)) = bytes.split_first() else { return };
    let folder = folder();
    for (place, (name, stored)) in STORED.iter().enumerate() {
        let is_replaced = place == usize::from(which % 4);
        // A run without a manifest may be cut off, and is read by other rules.
        if *name == "MANIFEST" && which >= 128 {
            continue;
        }
        let content = if is_replaced { bytes } else { stored };
        fs::write(folder.path().join(name), content).expect("it is ours");
    }
    match Run::read(folder.path()) {
        Ok(run) => {
            let _ = run.next_block();
            let _ = harness::revalidate(&run);
            let derived = report::derive(&analysis::summarize(&run, "tokio", "event-loop"));
            assert_eq!(derived, report::derive(&analysis::summarize(&run, "tokio", "event-loop")));
        }
        Err(error) => drop(format!("{error:#}")),
    }
}

/// Returns a folder in memory, if the system has any.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("there is room for a small run")
}
