//! The stored corpus of faults: what a bad reply is, byte for byte, and what a bare model says of
//! it. Names in capitals are `WireMock`'s; `latency`, `bandwidth`, `slow_close`, `timeout`,
//! `reset_peer`, `slicer` and `limit_data` are toxiproxy's; the others are our own.
//!
//! The faulty origin sends it, and the kit's reader is held against it at every split;
//! `tests/corpus.rs` says which two are too long for that.

use std::time::Duration;

use workload::ErrorCode::{self, self as E};

use crate::template::{GOOD, reply};

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
    Silence,
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

/// The code of a fault, in the short form of the table.
const fn failed(code: ErrorCode) -> Verdict {
    Verdict::Failed(code)
}

/// A fault that is sent at once, after which the connection is closed.
const fn closing(row: &'static str, name: &'static str, template: &'static str, code: E) -> Fault {
    Fault { row, name, template, pace: Pace::Whole, end: End::Close, verdict: failed(code) }
}

/// A fault that is sent at once, after which the next request is awaited.
const fn keeping(
    row: &'static str,
    name: &'static str,
    template: &'static str,
    verdict: Verdict,
) -> Fault {
    Fault { row, name, template, pace: Pace::Whole, end: End::Keep, verdict }
}

/// A fault in all its parts.
const fn fault(
    (row, name): (&'static str, &'static str),
    template: &'static str,
    (pace, end, verdict): (Pace, End, Verdict),
) -> Fault {
    Fault { row, name, template, pace, end, verdict }
}

/// Every fault, by row.
pub const FAULTS: &[Fault] = &[
    // Connections that are lost before the first byte.
    fault(("F03", "CONNECTION_RESET_BY_PEER"), "", (Pace::Whole, End::Reset, Verdict::Lost)),
    fault(("F04", "reset_peer"), "", (Pace::Whole, End::Reset, Verdict::Lost)),
    fault(("F11", "EMPTY_RESPONSE"), "", (Pace::Whole, End::Close, Verdict::Lost)),
    fault(("F12", "empty_when_reused"), "", (Pace::Whole, End::Close, Verdict::Lost)),
    // Heads that do not come to their end.
    closing(
        "F13",
        "head_cut",
        "HTTP/1.1 200 OK\r\ninflight-id: {id}\r\ncontent-le",
        E::HeadMalformed,
    ),
    fault(
        ("F13", "head_reset"),
        "HTTP/1.1 200 OK\r\ncontent-le",
        (Pace::Whole, End::Reset, failed(E::ResetInHead)),
    ),
    fault(
        ("F13", "head_stall"),
        "HTTP/1.1 200 OK\r\ncontent-le",
        (Pace::Whole, End::Silence, Verdict::Late(E::HeadTimeout)),
    ),
    fault(("F13", "timeout"), "", (Pace::Whole, End::Silence, Verdict::Late(E::HeadTimeout))),
    // What drips comes at intervals that no deadline would cut, and for longer than a harness
    // waits: whoever begins to wait anew with each byte does not come to its end.
    fault(
        ("F14", "head_slow"),
        "{head}x: {digits}\r\ny: {digits}\r\n{whole}",
        (Pace::Slow(100), End::Keep, Verdict::Late(E::HeadTimeout)),
    ),
    fault(("F14", "latency"), GOOD, (Pace::After(3_000), End::Keep, Verdict::Late(E::HeadTimeout))),
    // Status lines that are none.
    closing("F15", "garbage_line", "garbage\r\n\r\n", E::BadStatusLine),
    closing("F15", "RANDOM_DATA_THEN_CLOSE", "{noise}", E::BadStatusLine),
    closing("F15", "http_2_0", "HTTP/2.0 200 OK\r\n{last fields}{whole}", E::BadStatusLine),
    closing("F15", "http_1_2", "HTTP/1.2 200 OK\r\n{last fields}{whole}", E::BadStatusLine),
    closing("F15", "icy", "ICY 200 OK\r\n{last fields}{whole}", E::BadStatusLine),
    closing("F15", "http_0_9", "{body}", E::BadStatusLine),
    closing("F16", "status_99", "HTTP/1.1 99 X\r\n{last fields}{whole}", E::BadStatusLine),
    closing("F16", "status_099", "HTTP/1.1 099 X\r\n{last fields}{whole}", E::BadStatusLine),
    closing("F16", "status_1000", "HTTP/1.1 1000 X\r\n{last fields}{whole}", E::BadStatusLine),
    closing("F16", "status_20", "HTTP/1.1 20 OK\r\n{last fields}{whole}", E::BadStatusLine),
    closing("F16", "status_negative", "HTTP/1.1 -200 OK\r\n{last fields}{whole}", E::BadStatusLine),
    closing(
        "F16",
        "status_100_digits",
        "HTTP/1.1 {digits} OK\r\n{last fields}{whole}",
        E::BadStatusLine,
    ),
    // Heads without measure.
    closing("F17", "field_too_long", "{last head}x: {70 KB}\r\n{whole}", E::HeadTooLarge),
    closing("F17", "fields_too_many", "{last head}{101 fields}{whole}", E::HeadTooLarge),
    closing("F17", "head_endless", "{head}{1 MB of fields}", E::HeadTooLarge),
    // Fields that are none.
    closing("F18", "nul", "{last head}x: a\0b\r\n{whole}", E::HeadMalformed),
    closing("F18", "bare_cr", "{last head}x: a\rb\r\n{whole}", E::HeadMalformed),
    keeping("F18", "bare_lf", "{head}x: a\n{whole}", Verdict::Ok),
    closing("F18", "obs_fold", "{last head}x: a\r\n b\r\n{whole}", E::HeadMalformed),
    closing("F18", "no_colon", "{last head}nothing\r\n{whole}", E::HeadMalformed),
    closing("F18", "space_before_colon", "{last head}x : a\r\n{whole}", E::HeadMalformed),
    // Lengths that contradict themselves.
    closing(
        "F19",
        "lengths_unequal",
        "{last head}content-length: {length}\r\ncontent-length: 5\r\n\r\n{body}",
        E::FramingConflict,
    ),
    closing(
        "F19",
        "length_negative",
        "{last head}content-length: -1\r\n\r\n{body}",
        E::FramingConflict,
    ),
    closing(
        "F19",
        "length_42s",
        "{last head}content-length: 42s\r\n\r\n{body}",
        E::FramingConflict,
    ),
    closing(
        "F19",
        "length_2_64",
        "{last head}content-length: 18446744073709551616\r\n\r\n{body}",
        E::FramingConflict,
    ),
    closing(
        "F19",
        "length_and_chunked",
        "{last head}content-length: {length}\r\ntransfer-encoding: chunked\r\n\r\n{chunks}",
        E::FramingConflict,
    ),
    closing(
        "F19",
        "chunked_not_last",
        "{last head}transfer-encoding: chunked, gzip\r\n\r\n{chunks}",
        E::FramingConflict,
    ),
    closing("F19", "no_length", "{last head}\r\n{body}", E::FramingConflict),
    // Interim replies.
    keeping("F20", "continue_then_ok", "HTTP/1.1 100 Continue\r\n\r\n{good}", Verdict::Ok),
    keeping(
        "F20",
        "hints_then_ok",
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n{good}",
        Verdict::Ok,
    ),
    fault(
        ("F20", "continue_alone"),
        "HTTP/1.1 100 Continue\r\n\r\n",
        (Pace::Whole, End::Silence, Verdict::Late(E::HeadTimeout)),
    ),
    closing("F20", "interim_1000", "{1000 interim}{last head}{whole}", E::TooManyInterim),
    // Replies without a body.
    keeping(
        "F21",
        "switching_protocols",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n{fields}\r\n",
        failed(E::StatusUnexpected),
    ),
    keeping(
        "F21",
        "no_content",
        "HTTP/1.1 204 No Content\r\n{fields}content-length: {length}\r\n\r\n",
        failed(E::StatusUnexpected),
    ),
    keeping(
        "F21",
        "not_modified",
        "HTTP/1.1 304 Not Modified\r\n{fields}content-length: {length}\r\n\r\n",
        failed(E::StatusUnexpected),
    ),
    // Bodies by length that do not come to their end, or go beyond it.
    closing("F22", "limit_data", "{head}content-length: {length}\r\n\r\n{half}", E::BodyTruncated),
    closing("F22", "no_body", "{head}content-length: {length}\r\n\r\n", E::BodyTruncated),
    fault(
        ("F23", "body_reset"),
        "{head}content-length: {length}\r\n\r\n{half}",
        (Pace::Whole, End::Reset, failed(E::ResetInBody)),
    ),
    fault(
        ("F23", "body_stall"),
        "{head}content-length: {length}\r\n\r\n{half}",
        (Pace::Whole, End::Silence, Verdict::Late(E::BodyTimeout)),
    ),
    keeping("F24", "extra_bytes", "{good}extra", Verdict::Ok),
    // As the next request meets what came late after a reply.
    keeping("F24", "extra_bytes_late", "extra{good}", Verdict::OkIfReused(E::BadStatusLine)),
    // Chunked bodies.
    closing("F25", "MALFORMED_RESPONSE_CHUNK", "{chunked}{noise}", E::ChunkMalformed),
    closing("F25", "chunk_size_no_number", "{chunked}zz\r\n{body}", E::ChunkMalformed),
    closing("F25", "chunk_size_negative", "{chunked}-80\r\n{body}", E::ChunkMalformed),
    closing(
        "F25",
        "chunk_size_17_digits",
        "{chunked}00000000000000080\r\n{body}",
        E::ChunkMalformed,
    ),
    closing("F25", "chunk_size_2_64", "{chunked}10000000000000000\r\n{body}", E::ChunkMalformed),
    closing("F25", "chunk_size_claimed", "{chunked}ffffffffffffffff\r\n{half}", E::ChunkTruncated),
    closing("F26", "last_chunk_missing", "{chunked}{size}\r\n{body}\r\n", E::ChunkTruncated),
    closing("F26", "line_end_missing", "{chunked}{size}\r\n{body}0\r\n\r\n", E::ChunkMalformed),
    closing(
        "F26",
        "trailer_malformed",
        "{last head}{by chunks}{size}\r\n{body}\r\n0\r\nno colon\r\n\r\n",
        E::ChunkMalformed,
    ),
    keeping("F27", "chunks", "{chunked}{chunks}", Verdict::Ok),
    keeping("F27", "chunk_extensions", "{chunked}{size};a=b\r\n{body}\r\n0;c\r\n\r\n", Verdict::Ok),
    keeping("F27", "chunks_of_one_byte", "{chunked}{tiny chunks}", Verdict::Ok),
    fault(("F27", "slicer"), GOOD, (Pace::Bytes, End::Keep, Verdict::Ok)),
    fault(("F27", "chunks_sliced"), "{chunked}{chunks}", (Pace::Bytes, End::Keep, Verdict::Ok)),
    // Bodies that come too slowly, or are too large.
    fault(
        ("F28", "bandwidth"),
        GOOD,
        (Pace::SlowBody(160), End::Keep, Verdict::Late(E::BodyTimeout)),
    ),
    fault(
        ("F28", "chunked_dribble"),
        "{chunked}{tiny chunks}",
        (Pace::SlowBody(100), End::Keep, Verdict::Late(E::BodyTimeout)),
    ),
    closing(
        "F29",
        "length_4_gib",
        "{head}content-length: 4294967296\r\n\r\n{half}",
        E::BodyTooLarge,
    ),
    keeping(
        "F29",
        "gzip_not_asked_for",
        "{head}content-encoding: gzip\r\ncontent-length: 20\r\n\r\n{gzip}",
        failed(E::BadEncoding),
    ),
    // What whole replies mean.
    keeping("F30", "status_404", "HTTP/1.1 404 X\r\n{fields}{whole}", failed(E::StatusUnexpected)),
    keeping("F30", "status_429", "HTTP/1.1 429 X\r\n{fields}{whole}", failed(E::StatusUnexpected)),
    keeping("F30", "status_500", "HTTP/1.1 500 X\r\n{fields}{whole}", failed(E::StatusUnexpected)),
    keeping("F30", "status_503", "HTTP/1.1 503 X\r\n{fields}{whole}", failed(E::StatusUnexpected)),
    keeping(
        "F31",
        "redirect_loop",
        "HTTP/1.1 302 Found\r\nlocation: /f/{id}\r\n{fields}content-length: 0\r\n\r\n",
        failed(E::RedirectUnexpected),
    ),
    keeping(
        "F31",
        "redirect_elsewhere",
        "HTTP/1.1 301 Moved\r\nlocation: http://192.0.2.1/\r\n{fields}content-length: 0\r\n\r\n",
        failed(E::RedirectUnexpected),
    ),
    keeping("F32", "wrong_byte", "{head}{wrong body}", failed(E::BodyMismatch)),
    keeping(
        "F32",
        "wrong_token",
        "HTTP/1.1 200 OK\r\ninflight-id: 7{id}\r\n{whole}",
        failed(E::TokenMismatch),
    ),
    keeping("F32", "no_token", "HTTP/1.1 200 OK\r\n{whole}", failed(E::TokenMismatch)),
    keeping("F32", "swapped", "{other}", failed(E::TokenMismatch)),
    // Connections that end after a good reply.
    closing_well("close_announced", "{last head}{whole}", End::Close),
    closing_well("slow_close", "{last head}{whole}", End::CloseAfter(50)),
    closing_well("close_unannounced", GOOD, End::CloseAtOnce),
];

/// An origin that restarts: no single reply is to blame, so it is in no list.
const RESTART: Fault =
    fault(("F34", "restart"), "", (Pace::Whole, End::Restart(50), Verdict::Lost));

/// A good reply after which the connection ends.
const fn closing_well(name: &'static str, template: &'static str, end: End) -> Fault {
    Fault { row: "F33", name, template, pace: Pace::Whole, end, verdict: Verdict::Ok }
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
