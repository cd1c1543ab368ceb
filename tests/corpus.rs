//! Inputs that were kept for what they show, and their neighbours, break no promise. The fuzz
//! targets in `fuzz/` look for more, by hand; what they find is kept here.

#[path = "../fuzz/promises.rs"]
mod promises;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use model_kit::pipe::{self, FromModel, ToModel};
use origin::{FromOrigin, ToOrigin};
use record::Entry;
use serde::de::DeserializeOwned;
use stats::random::SplitMix64;

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
fn hold(target: &str, promise: fn(&[u8])) {
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
