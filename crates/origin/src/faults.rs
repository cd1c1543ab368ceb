//! The stored corpus of faults: what a bad reply is, byte for byte, and what a bare model says of
//! it. Names in capitals are `WireMock`'s; `latency`, `bandwidth`, `slow_close`, `timeout`,
//! `reset_peer`, `slicer` and `limit_data` are toxiproxy's; the others are our own.
//!
//! The faulty origin sends it, and the kit's reader is held against it at every split;
//! `tests/corpus.rs` says which two are too long for that.

mod list;

use std::time::Duration;

use workload::ErrorCode;

pub use self::list::FAULTS;
use self::list::RESTART;
use crate::template::reply;

/// One way in which an origin misbehaves.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The row of the table of faults to which it belongs.
    pub row: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What is sent, with the words in braces that [`Fault::reply`] replaces.
    pub template: &'static str,
    /// How it is sent.
    pub pace: Pace,
    /// What follows.
    pub end: End,
    /// What a bare model says of it.
    pub verdict: Verdict,
}

/// How fast a reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At once.
    Whole,
    /// In writes of one byte, one after the other.
    Bytes,
    /// After so many milliseconds.
    After(u64),
    /// One byte every so many milliseconds, from the first byte on.
    Slow(u64),
    /// The head at once, the body one byte every so many milliseconds.
    SlowBody(u64),
}

/// What follows a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The next request is awaited.
    Keep,
    /// The connection is closed.
    Close,
    /// The connection is closed after so many milliseconds.
    CloseAfter(u64),
    /// The end of the connection goes out with the last byte, and a request that comes after it is
    /// read and not answered.
    CloseAtOnce,
    /// The connection is reset.
    Reset,
    /// Nothing more, until the peer has left.
    Stall,
    /// Every connection is lost, nothing listens for so many milliseconds, and all is well again.
    Restart(u64),
}

/// What a bare model says of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is ok.
    Ok,
    /// It fails with this code.
    Failed(ErrorCode),
    /// The connection was lost before the first byte: 1401 if it was fresh, 1402 if not.
    Lost,
    /// It is ok on a connection that has carried a reply, to which its first bytes belong; on a
    /// fresh one it fails with this code.
    OkIfReused(ErrorCode),
    /// Its deadline passes, with this code; without a deadline it hangs or is ok.
    Late(ErrorCode),
}

impl Fault {
    /// Returns the fault of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FAULTS.iter().chain([&RESTART]).find(|fault| fault.name == name)
    }

    /// Returns the bytes of the reply to an id whose body is this one; `other` is the body of the
    /// next id.
    pub fn reply(&self, id: u64, body: &[u8], other: &[u8]) -> Vec<u8> {
        reply(self.template, id, (body, other))
    }

    /// Returns whether a model needs a deadline to come to an end.
    pub fn needs_a_deadline(&self) -> bool {
        matches!(self.verdict, Verdict::Late(_))
    }

    /// Returns the code that a bare model counts, if it fails.
    pub fn code(&self, reused: bool) -> Option<ErrorCode> {
        match self.verdict {
            Verdict::Ok => None,
            Verdict::OkIfReused(code) => (!reused).then_some(code),
            Verdict::Failed(code) | Verdict::Late(code) => Some(code),
            Verdict::Lost => Some(ErrorCode::lost_before_head(reused)),
        }
    }
}

impl Pace {
    /// Returns how long to wait before the byte at a place, if the head has this length.
    pub fn wait(self, place: usize, head: usize) -> Duration {
        Duration::from_millis(match self {
            Self::After(ms) if place == 0 => ms,
            Self::Slow(ms) => ms,
            Self::SlowBody(ms) if place >= head => ms,
            _ => 0,
        })
    }

    /// Returns whether every byte is written by itself from a place on, if the head has this
    /// length.
    pub fn is_bytewise(self, place: usize, head: usize) -> bool {
        match self {
            Self::Whole | Self::After(_) => false,
            Self::Bytes | Self::Slow(_) => true,
            Self::SlowBody(_) => place >= head,
        }
    }
}
