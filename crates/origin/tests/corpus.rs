//! Promises about the stored faults: a bare model's slot gives each the verdict that stands beside
//! it, whole, byte by byte, and split at every place; the two that are longer than a head may be
//! are split wherever a limit or an end is near, and here and there between.

use std::io::{Error, ErrorKind};

use model_kit::pipe::Turned;
use model_kit::{Cell, DelayRange, Plan, Slot, Step, Workload, content, rehearse};
use origin::{End, FAULTS, Fault};

const SEED: u64 = 3;
const BODY_BYTES: u32 = 24;
/// The longest head that the kit reads. A reply that is longer is not split at every place, and not
/// taken byte by byte: each piece of a head is read again from its beginning.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// A long reply is split at every place that is no farther than this from the limit or an end.
const NEAR: usize = 64;
/// Places between at which a long reply is split.
const SPLITS: usize = 40;

/// Returns what a slot counts that gets a reply in these pieces, and then the end.
fn turned_by(fault: &Fault, pieces: &[&[u8]]) -> Turned {
    let cell = Cell {
        name: "corpus".to_owned(),
        workload: Workload::Batch,
        in_flight: 1,
        warmup: 0,
        fetches: 1,
        delay_ms: DelayRange { lo: 0, hi: 0 },
        body_bytes: BODY_BYTES,
        ..Cell::least(Workload::Batch)
    };
    let origins = vec![([127, 0, 0, 1], 4100).into()];
    let plan = Plan { cell, origins, workers: 1, seed: SEED, deadline_ms: None, surcharge_ns: 0 };
    let trial = rehearse(&plan, |slots| {
        for mut slot in slots {
            assert!(slot.connected_to_nothing());
            for mut piece in pieces.iter().copied() {
                while let (false, Step::Receive(mut buffer)) = (piece.is_empty(), slot.step()) {
                    let count = piece.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&piece[..count]);
                    piece = &piece[count..];
                    slot.received(buffer, Ok(count));
                }
            }
            if let Step::Receive(buffer) = slot.step() {
                slot.received(buffer, last_read(fault.end));
            }
            assert!(matches!(slot.step(), Step::Done), "{} does not end", fault.name);
        }
    });
    trial.expect("the fetch ends")
}

/// What a test does to a slot before the reply.
trait Asked {
    /// Connects and sends, to nobody.
    fn connected_to_nothing(&mut self) -> bool;
}

impl Asked for Slot {
    fn connected_to_nothing(&mut self) -> bool {
        assert!(matches!(self.step(), Step::Connect(_)));
        assert!(self.connected(Ok(())).is_some());
        let Step::Send(bytes) = self.step() else { return false };
        let count = bytes.len();
        self.sent(bytes, Ok(count));
        matches!(self.step(), Step::Receive(_))
    }
}

/// Returns what is read when the reply has come: a model waits no longer than its deadline.
fn last_read(end: End) -> std::io::Result<usize> {
    match end {
        End::Close | End::CloseAfter(_) | End::CloseAtOnce | End::Restart(_) => Ok(0),
        End::Reset => Err(Error::from(ErrorKind::ConnectionReset)),
        End::Keep | End::Stall => Err(Error::from(ErrorKind::TimedOut)),
    }
}

/// Returns the codes that were counted, and whether the reply was followed by other bytes.
fn verdict(trial: &Turned) -> (Vec<&str>, u64) {
    (trial.total.errors.keys().map(String::as_str).collect(), trial.total.extra_bytes)
}

/// Returns the reply of a fault to the first id.
fn reply(fault: &Fault) -> Vec<u8> {
    let body = |id| content::body(SEED, id, BODY_BYTES);
    fault.reply(0, &body(0), &body(1))
}

/// Returns whether a fault is in the bytes and not in how slowly they come.
fn is_in_the_bytes(fault: &Fault) -> bool {
    !fault.needs_a_deadline() || matches!(fault.end, End::Stall)
}

#[test]
fn every_fault_has_a_name_of_its_own() {
    let mut names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FAULTS.len());
}

/// Returns whether a reply is too long for all that is tried.
fn is_long(bytes: &[u8]) -> bool {
    bytes.len() > HEAD_BYTES_MAX
}

/// Returns the places at which a reply is split: all, or of a long one those that matter.
fn splits(bytes: &[u8]) -> Vec<usize> {
    if !is_long(bytes) {
        return (0..=bytes.len()).collect();
    }
    let edges = [0, HEAD_BYTES_MAX, bytes.len()];
    let near = edges.map(|edge| edge.saturating_sub(NEAR)..=(edge + NEAR).min(bytes.len()));
    let between = (0..=bytes.len()).step_by(bytes.len() / SPLITS);
    near.into_iter().flatten().chain(between).collect()
}

#[test]
fn two_faults_are_too_long_to_be_split_at_every_place() {
    let long = FAULTS.iter().filter(|fault| is_in_the_bytes(fault) && is_long(&reply(fault)));
    let long: Vec<&str> = long.map(|fault| fault.name).collect();
    assert_eq!(long, ["field_too_long", "head_endless"]);
}

#[test]
fn every_fault_gets_its_verdict_at_every_split_and_byte_by_byte_or_if_long_near_every_limit() {
    for fault in FAULTS.iter().filter(|fault| is_in_the_bytes(fault)) {
        let bytes = reply(fault);
        let expected = fault.code(false).map(|code| code.number().to_string());
        let whole = turned_by(fault, &[&bytes]);
        let extra = u64::from(fault.name == "extra_bytes");
        assert_eq!(verdict(&whole).0, Vec::from_iter(expected.as_deref()), "{}", fault.name);
        assert_eq!(whole.total.extra_bytes, extra, "{}", fault.name);

        for split in splits(&bytes) {
            let (first, rest) = bytes.split_at(split);
            let cut = turned_by(fault, &[first, rest]);
            // What comes after a reply that ended with a piece has not been read yet.
            let unread = extra == 1 && split + "extra".len() == bytes.len();
            let expected = (verdict(&whole).0, if unread { 0 } else { extra });
            assert_eq!(verdict(&cut), expected, "{} split at {split}", fault.name);
        }
        let pieces: Vec<&[u8]> = bytes.chunks(if is_long(&bytes) { 4_099 } else { 1 }).collect();
        assert_eq!(verdict(&turned_by(fault, &pieces)).0, verdict(&whole).0, "{}", fault.name);
    }
}
