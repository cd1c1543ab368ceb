//! Promises about replies: the same verdict however the bytes are split, and no surprise.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const BODY: &[u8] = b"hello, world";

/// What became of a reply to id 7 whose body should be [`BODY`].
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Ok { extra: usize, persistent: bool },
    Failed(ErrorCode),
}

/// Reads the pieces one after the other on a fresh connection, then loses it as asked.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, loss: Loss) -> Verdict {
    read_on(false, pieces, loss)
}

/// The same on a connection that has carried a reply, or a fresh one.
fn read_on<'a>(reused: bool, pieces: impl IntoIterator<Item = &'a [u8]>, loss: Loss) -> Verdict {
    let mut reply = Reply::to(7, reused);
    let mut pieces = pieces.into_iter();
    while let Some(piece) = pieces.next() {
        if piece.is_empty() {
            continue;
        }
        match reply.read(piece) {
            Ok(Progress::More) => {}
            Ok(Progress::Whole { extra }) => {
                let extra = extra + pieces.map(<[u8]>::len).sum::<usize>();
                let persistent = reply.is_persistent();
                let length = u32::try_from(BODY.len()).unwrap();
                return match reply.verdict(length, crc32fast::hash(BODY)) {
                    Ok(()) => Verdict::Ok { extra, persistent },
                    Err(code) => Verdict::Failed(code),
                };
            }
            Err(code) => return Verdict::Failed(reply.fault().unwrap_or(code)),
        }
    }
    Verdict::Failed(reply.fault().unwrap_or_else(|| reply.lost(loss, reused)))
}

/// Checks the verdict whole, split in two at every place, and byte by byte.
fn check(reply: &[u8], expected: &Verdict) {
    let shown = String::from_utf8_lossy(&reply[..reply.len().min(80)]);
    for split in 0..=reply.len() {
        let (first, rest) = reply.split_at(split);
        assert_eq!(&read([first, rest], Loss::Closed), expected, "{shown:?} split at {split}");
    }
    assert_eq!(&read(reply.chunks(1), Loss::Closed), expected, "{shown:?} byte by byte");
}

/// Checks that a reply is ok.
fn check_ok(reply: impl AsRef<[u8]>, extra: usize, persistent: bool) {
    check(reply.as_ref(), &Verdict::Ok { extra, persistent });
}

/// Checks that a reply fails with this code.
fn check_failed(reply: impl AsRef<[u8]>, code: ErrorCode) {
    check(reply.as_ref(), &Verdict::Failed(code));
}

/// Returns a reply with these fields and this body.
fn with(fields: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ninflight-id: 7\r\n{fields}\r\n{body}")
}

/// Returns a good reply.
fn good() -> String {
    with("Content-Length: 12\r\n", "hello, world")
}

#[test]
fn a_good_reply_is_ok() {
    check_ok(good(), 0, true);
    check_ok(
        with("transfer-encoding: Chunked\r\n", "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n"),
        0,
        true,
    );
    check_ok(
        good().replace("Content-Length: 12", "content-length: 12\r\ncontent-length: 12"),
        0,
        true,
    );
}

#[test]
fn a_connection_ends_where_the_reply_says_so() {
    check_ok(with("Content-Length: 12\r\nConnection: x, Close\r\n", "hello, world"), 0, false);
    check_ok(good().replace("HTTP/1.1", "HTTP/1.0"), 0, false);
}

#[test]
fn bytes_after_the_reply_are_reported_and_the_fetch_is_ok() {
    check_ok(good() + "more", 4, true);
}

#[test]
fn interim_replies_are_passed_over_up_to_a_limit() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    check_ok(format!("HTTP/1.1 100 Continue\r\n\r\n{interim}{}", good()), 0, true);
    check_failed(interim.repeat(17) + &good(), ErrorCode::TooManyInterim);
    assert_eq!(read([interim.as_bytes()], Loss::Timeout), Verdict::Failed(ErrorCode::HeadTimeout));
}

#[test]
fn empty_lines_after_an_interim_reply_are_passed_over() {
    for lines in ["\r\n", "\n", "\r\n\n\r\n"] {
        check_ok(format!("HTTP/1.1 100 Continue\r\n\r\n{lines}{}", good()), 0, true);
    }
    let cut = "HTTP/1.1 100 Continue\r\n\r\n\r\n";
    check_failed(cut, ErrorCode::HeadMalformed);
}

#[test]
fn a_status_line_that_is_none_is_reported_as_such() {
    for line in [
        "garbage",
        "HTTP/2.0 200 OK",
        "HTTP/1.2 200 OK",
        "ICY 200 OK",
        "HTTP/1.1 99 X",
        "HTTP/1.1 099 X",
        "HTTP/1.1 1000 X",
        "HTTP/1.1 -20 X",
        "HTTP/1.1 2000000000000000 X",
    ] {
        check_failed(good().replace("HTTP/1.1 200 OK", line), ErrorCode::BadStatusLine);
    }
}

#[test]
fn a_field_that_is_none_is_reported_as_such() {
    for field in ["no colon", "space : x", "nul: \0", "return: a\rb", ": nameless"] {
        check_failed(with(&format!("{field}\r\n"), ""), ErrorCode::HeadMalformed);
    }
}

#[test]
fn a_head_without_end_is_cut_at_its_limit() {
    check_failed(with(&"x: y\r\n".repeat(101), ""), ErrorCode::HeadTooLarge);
    let long = with(&format!("x: {}\r\n", "y".repeat(70_000)), "");
    for piece in [1_000, 16_384, 100_000] {
        let verdict = read(long.as_bytes().chunks(piece), Loss::Closed);
        assert_eq!(verdict, Verdict::Failed(ErrorCode::HeadTooLarge), "in pieces of {piece}");
    }
}

#[test]
fn a_length_that_is_not_clear_is_a_conflict() {
    for fields in [
        "",
        "Content-Length: 12\r\nContent-Length: 13\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 12s\r\n",
        "Content-Length: 12, 12\r\n",
        "Content-Length:\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 12\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ] {
        check_failed(with(fields, "hello, world"), ErrorCode::FramingConflict);
    }
}

#[test]
fn a_body_that_ends_early_or_never_is_reported_as_such() {
    check_failed(with("Content-Length: 13\r\n", "hello, world"), ErrorCode::BodyTruncated);
    check_failed(with("Content-Length: 99999999999\r\n", "hel"), ErrorCode::BodyTooLarge);
    let chunked = |body| with("Transfer-Encoding: chunked\r\n", body);
    check_failed(chunked("c\r\nhello, world\r\n"), ErrorCode::ChunkTruncated);
    check_failed(chunked("c\r\nhello, world0\r\n\r\n"), ErrorCode::ChunkMalformed);
    check_failed(chunked("ffffffffffffffff\r\n"), ErrorCode::ChunkTruncated);
}

#[test]
fn a_body_of_another_fetch_is_no_body() {
    check_failed(with("Content-Length: 12\r\n", "hello, World"), ErrorCode::BodyMismatch);
    check_failed(with("Content-Length: 11\r\n", "hello, worl"), ErrorCode::BodyMismatch);
    for id in ["8", "07", "7 7", "", "-7"] {
        let reply = good().replace("inflight-id: 7", &format!("inflight-id: {id}"));
        check_failed(reply, ErrorCode::TokenMismatch);
    }
    check_failed(good().replace("inflight-id: 7\r\n", ""), ErrorCode::TokenMismatch);
    check_failed(
        with("Content-Length: 12\r\nContent-Encoding: gzip\r\n", "hello, world"),
        ErrorCode::BadEncoding,
    );
}

#[test]
fn a_status_that_is_not_200_decides_whatever_follows() {
    for (status, code) in [
        ("500 X", ErrorCode::StatusUnexpected),
        ("404 X", ErrorCode::StatusUnexpected),
        ("206 X", ErrorCode::StatusUnexpected),
        ("302 X", ErrorCode::RedirectUnexpected),
    ] {
        check_failed(good().replace("200 OK", status), code);
        check_failed(good().replace("200 OK", status).replace("world", ""), code);
    }
    for status in ["101 X", "204 X", "304 X"] {
        check_failed(format!("HTTP/1.1 {status}\r\n\r\n"), ErrorCode::StatusUnexpected);
    }
}

#[test]
fn a_loss_is_reported_by_where_it_happened() {
    let head = "HTTP/1.1 200 OK\r\ncontent-le";
    let body = good().replace("world", "");
    let cases = [
        ("", Loss::Closed, ErrorCode::ClosedBeforeHeadFresh),
        ("", Loss::Reset, ErrorCode::ClosedBeforeHeadFresh),
        ("", Loss::Timeout, ErrorCode::HeadTimeout),
        (head, Loss::Closed, ErrorCode::HeadMalformed),
        (head, Loss::Reset, ErrorCode::ResetInHead),
        (head, Loss::Timeout, ErrorCode::HeadTimeout),
        (&body, Loss::Closed, ErrorCode::BodyTruncated),
        (&body, Loss::Reset, ErrorCode::ResetInBody),
        (&body, Loss::Timeout, ErrorCode::BodyTimeout),
    ];
    for (reply, loss, code) in cases {
        assert_eq!(read([reply.as_bytes()], loss), Verdict::Failed(code), "{reply:?} {loss:?}");
    }
    assert_eq!(Reply::to(7, false).lost(Loss::Closed, true), ErrorCode::ClosedBeforeHeadReused);
}

#[test]
fn bytes_of_an_earlier_reply_are_skipped_on_a_reused_connection_and_refused_on_a_fresh_one() {
    for strays in ["extra", "H", "HTTP", "\r\n", "\n", "\r\nx", "HTTHTTP\r\n\r\n"] {
        let bytes = [strays.as_bytes(), good().as_bytes()].concat();
        for split in 0..=bytes.len() {
            let (first, rest) = bytes.split_at(split);
            let reused = read_on(true, [first, rest], Loss::Closed);
            assert_eq!(reused, Verdict::Ok { extra: strays.len(), persistent: true }, "{strays:?}");
        }
        check_failed(bytes, ErrorCode::BadStatusLine);
    }
}

#[test]
fn a_reused_connection_that_brings_no_reply_is_lost_as_what_came_of_it_says() {
    let lost = |bytes: &str, loss| read_on(true, [bytes.as_bytes()], loss);
    for (bytes, loss, code) in [
        ("", Loss::Closed, ErrorCode::ClosedBeforeHeadReused),
        ("", Loss::Timeout, ErrorCode::HeadTimeout),
        ("extra", Loss::Closed, ErrorCode::BadStatusLine),
        ("extra", Loss::Timeout, ErrorCode::BadStatusLine),
        ("HTT", Loss::Closed, ErrorCode::HeadMalformed),
        ("HTT", Loss::Reset, ErrorCode::ResetInHead),
        ("HTTP/2.0 200 OK\r\n", Loss::Closed, ErrorCode::BadStatusLine),
    ] {
        assert_eq!(lost(bytes, loss), Verdict::Failed(code), "{bytes:?} {loss:?}");
    }
    let endless = vec![b'x'; HEAD_BYTES_MAX + 1];
    let refused = read_on(true, [endless.as_slice()], Loss::Timeout);
    assert_eq!(refused, Verdict::Failed(ErrorCode::BadStatusLine));
}

/// Returns pieces of the bytes, cut at these places.
fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place % (bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

proptest! {
    #[test]
    fn whatever_comes_is_read_alike_in_any_pieces(
        start in 0..200_usize,
        chunked in any::<bool>(),
        noise in vec(any::<u8>(), 0..60),
        places in vec(any::<usize>(), 0..6),
    ) {
        // Noise alone fails at once; after some of a good reply it reaches every part.
        let chunks = "5;x=y\r\nhello\r\n7\r\n, world\r\n0\r\nt: u\r\n\r\n";
        let good = if chunked { with("Transfer-Encoding: chunked\r\n", chunks) } else { good() };
        let bytes = [&good.as_bytes()[..start % (good.len() + 1)], &noise].concat();
        let whole = read([bytes.as_slice()], Loss::Closed);
        prop_assert_eq!(read(cut(&bytes, &places), Loss::Closed), whole);

        let (late, pieces) = ([noise.as_slice(), good.as_bytes()].concat(), &places);
        let whole = read_on(true, [late.as_slice()], Loss::Closed);
        prop_assert_eq!(read_on(true, cut(&late, pieces), Loss::Closed), whole);
    }

    #[test]
    fn one_changed_byte_of_the_body_is_always_found(place in 0..12_usize, change in 1..=255_u8) {
        let mut bytes = good().into_bytes();
        let body = bytes.len() - BODY.len();
        bytes[body + place] ^= change;
        let failed = Verdict::Failed(ErrorCode::BodyMismatch);
        prop_assert_eq!(read([bytes.as_slice()], Loss::Closed), failed);
    }
}
