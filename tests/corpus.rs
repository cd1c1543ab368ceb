//! Inputs that were kept for what they show, and their neighbours, break no promise, and the
//! readers of replies in each language say the same of them. The fuzz targets in `fuzz/` look
//! for more, by hand; what they find is kept here.

#[path = "../fuzz/promises.rs"]
mod promises;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use model_kit::content;
use model_kit::pipe::{self, FromModel, ToModel};
use origin::{FromOrigin, ToOrigin};
use record::Entry;
use serde::de::DeserializeOwned;
use stats::random::SplitMix64;

use crate::support::go::go;
use crate::support::readers::{BODY_BYTES, Ending, PIECE_BYTES_MAX, SEED, Stream, by_python};
use crate::support::skip::{is_possible, skipped};
use crate::support::{MODELS, built};

/// Neighbours of each input, unless it is long.
const NEIGHBOURS: usize = 60;
/// Bytes that all neighbours of an input have together, at most.
const BYTES_MAX: usize = 200_000;

/// Returns the inputs that are kept for a target, by name.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(folder).expect("it is there").flatten();
    let mut kept: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("it reads"))
        })
        .collect();
    kept.sort();
    assert!(kept.len() >= 10, "{} inputs for {target}", kept.len());
    kept
}

/// Returns a neighbour of an input: cut off, with a byte changed, with a part of another input put
/// in, or with a part of its own twice.
fn neighbour(input: &[u8], other: &[u8], draws: &mut SplitMix64) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let place = draws.below(bytes.len().max(1)).min(bytes.len());
    let part = |of: &[u8], draws: &mut SplitMix64| {
        let begin = draws.below(of.len().max(1)).min(of.len());
        let end = begin + draws.below(64).min(of.len() - begin);
        of[begin..end].to_vec()
    };
    match draws.below(4) {
        0 => bytes.truncate(place),
        1 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << draws.below(8);
            }
        }
        2 => drop(bytes.splice(place..place, part(other, draws))),
        _ => drop(bytes.splice(place..place, part(input, draws))),
    }
    bytes
}

/// Holds every input that is kept for a target, and its neighbours, to a promise.
fn hold(target: &str, mut promise: impl FnMut(&[u8])) {
    let kept = kept(target);
    let mut draws = SplitMix64::new(7);
    for (name, input) in &kept {
        // What a promise that breaks says does not name the input.
        eprintln!("{target}/{name}");
        promise(input);
        for _ in 0..NEIGHBOURS.min(BYTES_MAX / input.len().max(1)) {
            let (_, other) = &kept[draws.below(kept.len())];
            promise(&neighbour(input, other, &mut draws));
        }
    }
}

#[test]
fn every_reply_has_one_verdict_in_any_pieces() {
    hold("reply", promises::reply);
}

/// Reads a reply a line, after the length of its pieces, and says a verdict a line: the code of its
/// failure or 0, and the bytes that belong to none.
const READER: &str = r#"
import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
const kit = `file://${process.argv[1]}`;
const { Failed } = await import(`${kit}/codes.mjs`);
const { body } = await import(`${kit}/inflight.mjs`);
const { Loss, Reply } = await import(`${kit}/reply.mjs`);
const checksum = crc32(body(42n, 0n, 16));

function verdict(length, bytes) {
  const reply = new Reply("0", false);
  try {
    for (let at = 0; at < bytes.length; at += length) {
      if (!reply.read(bytes.subarray(at, at + length))) continue;
      const isRight = reply.length === 16 && reply.checksum === checksum;
      return `${reply.fault ?? (isRight ? 0 : 1604)} ${reply.extra > 0}`;
    }
    return `${reply.lost(Loss.CLOSED)} false`;
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    return `${reply.fault ?? error.code} false`;
  }
}

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [length, bytes] = line.split(" ");
  console.log(verdict(Number(length), Buffer.from(bytes, "hex")));
}
"#;

#[test]
fn the_reader_in_javascript_has_the_verdict_of_the_shared_core() {
    let node = |script: &str| {
        let mut node = Command::new("node");
        node.args(["--input-type=module", "--eval", script]);
        node
    };
    let asks = "import { crc32 } from 'node:zlib'; crc32('')";
    if is_possible(&mut node(asks), "no node that models are written for") {
        let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/node-kit/src");
        has_the_verdicts_of_the_shared_core(node(READER).arg(kit));
    }
}

#[test]
fn the_reader_in_go_has_the_verdict_of_the_shared_core() {
    let Some(model) = MODELS.iter().find(|model| model.language.as_deref() == Some("Go")) else {
        return skipped("no Go that models are built by, whose reader is compared");
    };
    let found = built(&model.package).interpreter.expect("it was found");
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/read_replies.go");
    has_the_verdicts_of_the_shared_core(go(&found).arg("run").arg(reader));
}

#[test]
fn the_reader_in_java_has_the_verdict_of_the_shared_core() {
    let Some(model) = MODELS.iter().find(|model| model.language.as_deref() == Some("Java")) else {
        return skipped("no javac that models are built by, whose reader is compared");
    };
    let program = built(&model.package);
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/ReadReplies.java");
    let mut java = Command::new(program.interpreter.expect("it was found").path);
    // The classes of the kit are in the program of a model.
    has_the_verdicts_of_the_shared_core(java.arg("-classpath").arg(program.path).arg(reader));
}

/// Checks that a reader of replies in another language says of each input what the shared core
/// does.
fn has_the_verdicts_of_the_shared_core(reader: &mut Command) {
    let (mut asked, mut expected) = (String::new(), Vec::new());
    hold("reply", |input| {
        let Some((&length, bytes)) = input.split_first() else { return };
        for length in [usize::from(length).max(1), 16 * 1024] {
            let total = promises::fetched(bytes, length).total;
            let code = total.errors.keys().next().map_or("0", String::as_str);
            expected.push(format!("{code} {}", total.extra_bytes > 0));
            let hex: String = bytes.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let _ = writeln!(asked, "{length} {hex}");
        }
    });

    reader.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = reader.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let lines = asked.clone();
    let writer = thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    writer.join().expect("it only writes").expect("it reads all");
    let said = String::from_utf8(output.stdout).expect("it is text");
    assert_eq!(said.lines().count(), expected.len());
    for ((said, expected), asked) in said.lines().zip(&expected).zip(asked.lines()) {
        assert_eq!(said, expected, "{asked:.2000}");
    }
}

#[test]
fn every_reply_of_the_corpus_is_read_alike_by_rust_and_python() {
    let Some(model) = MODELS.iter().find(|model| model.language.as_deref() == Some("Python"))
    else {
        return skipped("no Python that can run models, whose reader is compared");
    };
    let interpreter = built(&model.package).interpreter.expect("it was found");
    let kept = kept("reply");
    let mut draws = SplitMix64::new(7);
    let mut streams = Vec::new();
    for (_, input) in &kept {
        streams.extend(streams_of(input));
        for _ in 0..NEIGHBOURS.min(BYTES_MAX / input.len().max(1)) {
            let (_, other) = &kept[draws.below(kept.len())];
            let mut all = streams_of(&neighbour(input, other, &mut draws));
            streams.extend((!all.is_empty()).then(|| all.swap_remove(draws.below(all.len()))));
        }
    }

    let said = by_python(&streams, &interpreter.path);
    assert_eq!(said.len(), streams.len());
    for (stream, by_python) in streams.iter().zip(said) {
        let bytes = stream.pieces.concat();
        let shown = bytes[..bytes.len().min(600)].escape_ascii();
        assert_eq!(by_python, stream.by_rust(), "{:?} after \"{shown}\"", stream.end);
    }
}

/// Returns an input as a reply on a fresh connection and on one that has carried another, whole and
/// in pieces, with each end. One more fetch follows, which shows whether the connection was kept.
/// The first byte says how long the pieces are.
fn streams_of(input: &[u8]) -> Vec<Stream> {
    let Some((&length, bytes)) = input.split_first() else { return Vec::new() };
    let good = own(
        b"HTTP/1.1 200 OK\r\ninflight-id: 0\r\ncontent-length: 16\r\n\r\n\
        0123456789abcdef",
        0,
    );
    let mut streams = Vec::new();
    for length in [PIECE_BYTES_MAX, usize::from(length).max(1)] {
        for end in [Ending::Closed, Ending::Reset, Ending::Timeout] {
            let pieces = |id| own(bytes, id).chunks(length).map(<[u8]>::to_vec).collect::<Vec<_>>();
            streams.push(Stream { fetches: 2, pieces: pieces(0), end });
            let pieces = [vec![good.clone()], pieces(1)].concat();
            streams.push(Stream { fetches: 3, pieces, end });
        }
    }
    streams
}

/// Returns the bytes of a reply with this id and the body that belongs to it, where an input has an
/// id and a body.
fn own(bytes: &[u8], id: u64) -> Vec<u8> {
    let body = content::body(SEED, id, BODY_BYTES);
    let id = format!("inflight-id: {id}");
    let replaced = [(&b"inflight-id: 0"[..], id.as_bytes()), (b"0123456789abcdef", &body)];
    replaced.into_iter().fold(bytes.to_vec(), |mut bytes, (from, to)| {
        if let Some(place) = bytes.windows(from.len()).position(|seen| seen == from) {
            bytes.splice(place..place + from.len(), to.iter().copied());
        }
        bytes
    })
}

#[test]
fn every_line_of_the_pipe_is_a_message_or_one_plain_sentence() {
    hold("pipe", promises::pipe);
}

#[test]
fn every_line_of_a_journal_is_written_as_it_was_read_or_refused() {
    hold("journal", promises::journal);
}

#[test]
fn every_run_is_refused_or_has_a_report() {
    hold("run", promises::run);
}

#[test]
fn a_line_that_is_cut_off_anywhere_is_refused() {
    for (name, line) in kept("journal").iter().filter(|(name, _)| name.starts_with("line-")) {
        let line = str::from_utf8(line).expect("it is a line");
        assert!(Entry::from_line(line).is_ok(), "{name}");
        for end in 0..line.len() {
            assert!(Entry::from_line(&line[..end]).is_err(), "{name} cut at {end}");
        }
    }
}

#[test]
fn every_kind_of_line_and_of_message_is_among_the_inputs() {
    let kind = |entry: Entry| match entry {
        Entry::Begin(_) => "begin",
        Entry::Turn(_) => "turn",
        Entry::Round(_) => "round",
        Entry::Block(_) => "block",
        Entry::Again(_) => "again",
        Entry::Stop(_) => "stop",
        Entry::Resume(_) => "resume",
    };
    let journal = kept("journal");
    let lines = journal.iter().filter_map(|(_, bytes)| str::from_utf8(bytes).ok());
    let kinds = lines.filter_map(|line| Entry::from_line(line.trim_end()).ok()).map(kind);
    assert_eq!(kinds.collect::<BTreeSet<_>>(), BTreeSet::from(promises::KINDS));

    let pipe = kept("pipe");
    for (way, reads) in [
        ("to a model", reads::<ToModel> as fn(&[u8]) -> bool),
        ("from a model", reads::<FromModel>),
        ("to an origin", reads::<ToOrigin>),
        ("from an origin", reads::<FromOrigin>),
    ] {
        assert!(pipe.iter().any(|(_, bytes)| reads(bytes)), "no message {way}");
    }
}

/// Returns whether some bytes begin with a message.
fn reads<M: DeserializeOwned>(mut bytes: &[u8]) -> bool {
    pipe::read::<M>(&mut bytes).is_ok_and(|message| message.is_some())
}
