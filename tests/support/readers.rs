//! The two readers of replies, that of the shared core and that of the kit for Python, without a
//! socket: what each counts of the same bytes.

use std::fs::{self, File};
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use model_kit::pipe::Total;
use model_kit::{Cell, DelayRange, Plan, Slot, Step, Workload, rehearse};
use serde::Serialize;

/// Asks the kit for Python what it counts.
const READ_REPLIES: &str = include_str!("read_replies.py");
/// The seed of the bodies.
pub(crate) const SEED: u64 = 42;
/// The length of each.
pub(crate) const BODY_BYTES: u32 = 16;
/// The most that either reader takes at once: what the buffer of a slot has for such replies.
pub(crate) const PIECE_BYTES_MAX: usize = 1_040;

/// How a connection ends.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ending {
    /// The peer closes it.
    Closed,
    /// It is reset.
    Reset,
    /// Nothing more comes before the deadline.
    Timeout,
}

/// A turn of some fetches, one after the other. The first connection brings these pieces and its
/// end; those that follow are closed at once.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) fetches: u64,
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) end: Ending,
}

/// The same as a line for the reader in Python.
#[derive(Serialize)]
struct Line {
    cell: Cell,
    seed: u64,
    pieces: Vec<String>,
    end: Ending,
}

impl Stream {
    /// Returns the cell of the turn.
    fn cell(&self) -> Cell {
        Cell {
            name: "readers".to_owned(),
            workload: Workload::Batch,
            in_flight: 1,
            warmup: 0,
            fetches: self.fetches,
            delay_ms: DelayRange { lo: 0, hi: 0 },
            body_bytes: BODY_BYTES,
            ..Cell::least(Workload::Batch)
        }
    }

    /// Returns what the shared core counts.
    pub(crate) fn by_rust(&self) -> Total {
        let origins = vec![([127, 0, 0, 1], 4100).into()];
        let (cell, workers, seed) = (self.cell(), 1, SEED);
        let plan = Plan { cell, origins, workers, seed, deadline_ms: None, surcharge_ns: 0 };
        let turned = rehearse(&plan, |slots| slots.into_iter().for_each(|slot| self.carry(slot)));
        turned.expect("every fetch ends").total
    }

    /// Carries out every step of a slot against memory.
    fn carry(&self, mut slot: Slot) {
        let (mut connections, mut pieces) = (0, self.pieces.iter());
        loop {
            match slot.step() {
                Step::Connect(_) => {
                    connections += 1;
                    slot.connected(Ok(()));
                }
                Step::Send(bytes) => {
                    let count = bytes.len();
                    slot.sent(bytes, Ok(count));
                }
                Step::Receive(mut buffer) => {
                    let piece = pieces.next().filter(|_| connections == 1);
                    let read = piece.map(|piece| {
                        buffer[..piece.len()].copy_from_slice(piece);
                        piece.len()
                    });
                    slot.received(buffer, read.map_or_else(|| self.last_read(connections), Ok));
                }
                Step::Wait(_) | Step::Rest | Step::Done => return,
            }
        }
    }

    /// Returns what is read on a connection when all has come.
    fn last_read(&self, connection: u32) -> std::io::Result<usize> {
        match self.end {
            Ending::Reset if connection == 1 => Err(Error::from(ErrorKind::ConnectionReset)),
            Ending::Timeout if connection == 1 => Err(Error::from(ErrorKind::TimedOut)),
            _ => Ok(0),
        }
    }

    /// Returns it as a line.
    fn line(&self) -> String {
        let pieces = self.pieces.iter().map(|piece| BASE64_STANDARD.encode(piece)).collect();
        let line = Line { cell: self.cell(), seed: SEED, pieces, end: self.end };
        serde_json::to_string(&line).expect("it has only names for keys") + "\n"
    }
}

/// Returns what the kit for Python counts of each, as an interpreter runs it.
pub(crate) fn by_python(streams: &[Stream], interpreter: &Path) -> Vec<Total> {
    let folder = tempfile::tempdir().expect("it is made");
    let input = folder.path().join("streams");
    fs::write(&input, streams.iter().map(Stream::line).collect::<String>()).expect("it is");
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/python-kit/src");
    let output = Command::new(interpreter)
        .args(["-B", "-c", READ_REPLIES])
        .env("PYTHONPATH", kit)
        .stdin(File::open(&input).expect("it was written"))
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("it is JSON");
    said.lines().map(|line| serde_json::from_str(line).expect("it is a total")).collect()
}
