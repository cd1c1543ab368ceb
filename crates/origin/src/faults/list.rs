//! The list of the faults: one entry each, by row.

use workload::ErrorCode::{self, self as E};

use super::{End, Fault, Pace, Verdict};
use crate::template::GOOD;

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
        (Pace::Whole, End::Stall, Verdict::Late(E::HeadTimeout)),
    ),
    fault(("F13", "timeout"), "", (Pace::Whole, End::Stall, Verdict::Late(E::HeadTimeout))),
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
    keeping("F15", "blank_line_first", "\r\n{good}", Verdict::OkIfReused(E::BadStatusLine)),
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
    closing("F18", "control_in_value", "{last head}x: a\x0b\r\n{whole}", E::HeadMalformed),
    keeping("F18", "bare_lf", "{head}x: a\n{whole}", Verdict::Ok),
    keeping(
        "F18",
        "lf_alone",
        "HTTP/1.1 200 OK\ninflight-id: {id}\ncontent-length: {length}\n\n{body}",
        Verdict::Ok,
    ),
    closing("F18", "obs_fold", "{last head}x: a\r\n b\r\n{whole}", E::HeadMalformed),
    closing("F18", "no_colon", "{last head}nothing\r\n{whole}", E::HeadMalformed),
    closing("F18", "space_before_colon", "{last head}x : a\r\n{whole}", E::HeadMalformed),
    closing("F18", "name_with_space", "{last head}x y: a\r\n{whole}", E::HeadMalformed),
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
        (Pace::Whole, End::Stall, Verdict::Late(E::HeadTimeout)),
    ),
    closing("F20", "continue_then_close", "HTTP/1.1 100 Continue\r\n\r\n", E::HeadMalformed),
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
        (Pace::Whole, End::Stall, Verdict::Late(E::BodyTimeout)),
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
    closing(
        "F26",
        "trailer_name_with_space",
        "{last head}{by chunks}{size}\r\n{body}\r\n0\r\nx y: a\r\n\r\n",
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
    // What a head shows stands, even if the rest does not come.
    fault(
        ("F30", "status_404_stall"),
        "HTTP/1.1 404 X\r\n{fields}content-length: {length}\r\n\r\n{half}",
        (Pace::Whole, End::Stall, Verdict::Late(E::StatusUnexpected)),
    ),
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
    closing(
        "F32",
        "no_token_cut",
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{half}",
        E::TokenMismatch,
    ),
    keeping("F32", "swapped", "{other}", failed(E::TokenMismatch)),
    // Connections that end after a good reply.
    closing_well("close_announced", "{last head}{whole}", End::Close),
    closing_well("slow_close", "{last head}{whole}", End::CloseAfter(50)),
    closing_well("close_unannounced", GOOD, End::CloseAtOnce),
];

/// An origin that restarts: no single reply is to blame, so it is in no list.
pub(super) const RESTART: Fault =
    fault(("F34", "restart"), "", (Pace::Whole, End::Restart(50), Verdict::Lost));

/// A good reply after which the connection ends.
const fn closing_well(name: &'static str, template: &'static str, end: End) -> Fault {
    Fault { row: "F33", name, template, pace: Pace::Whole, end, verdict: Verdict::Ok }
}
