//! One HTTP/1.1 reply, read from bytes as they come, at any split, without any I/O.
//!
//! Heads are read by httparse with its strict defaults. Bodies are those of RFC 9112 section 6
//! that keep a connection usable: by Content-Length or chunked. A body that lasts until the
//! connection closes cannot be distinguished from a truncated one and is refused.

use std::mem::MaybeUninit;

use crc32fast::Hasher;
use httparse::{Header, ParserConfig, Response, Status};
use workload::{ErrorCode, ID_FIELD};

use crate::chunked::Chunked;
use crate::strays::Strays;

/// The longest head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The most fields of a head.
const FIELDS_MAX: usize = 100;
/// The longest body.
const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The most interim replies before the final one.
const INTERIM_MAX: u8 = 16;

/// How far a reply has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More bytes are needed.
    More,
    /// The reply is whole, and so many bytes that belong to none came before or after it.
    Whole { extra: usize },
}

/// Why no more bytes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The peer closed the connection.
    Closed,
    /// The connection was reset.
    Reset,
    /// The deadline passed.
    Timeout,
}

/// Where the reader is.
#[derive(Debug)]
enum Part {
    /// In a head, of which these bytes have come in earlier pieces.
    Head(Vec<u8>),
    /// In a body of which so many bytes are missing.
    Length(u64),
    /// In a chunked body.
    Chunked(Chunked),
    /// After the end.
    Whole,
}

/// What a head says of the reply.
struct Head {
    status: u16,
    framing: Framing,
    persistent: bool,
    echo: bool,
    encoded: bool,
}

/// How the end of the body is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// There is none after this status.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// One reply, as far as it has come.
#[derive(Debug)]
pub(crate) struct Reply {
    id: u64,
    part: Part,
    interim: u8,
    persistent: bool,
    fault: Option<ErrorCode>,
    length: u64,
    checksum: Hasher,
    /// Looks for its beginning, until it has begun.
    strays: Option<Strays>,
    /// How many bytes came before it that belong to none.
    skipped: usize,
}

impl Reply {
    /// Starts before the first byte of the reply to this id; `reused` says whether the connection
    /// has carried a reply, after which more bytes may have come.
    pub(crate) fn to(id: u64, reused: bool) -> Self {
        Self {
            id,
            part: Part::Head(Vec::new()),
            interim: 0,
            persistent: true,
            fault: None,
            length: 0,
            checksum: Hasher::new(),
            strays: reused.then(Strays::default),
            skipped: 0,
        }
    }

    /// Reads what has come.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Progress, ErrorCode> {
        let Some(mut strays) = self.strays.take() else { return self.read_own(bytes) };
        let own = strays.pass(bytes);
        self.skipped = strays.skipped;
        match own {
            Some(own) => self.read_own(&own),
            None if self.skipped > HEAD_BYTES_MAX => Err(ErrorCode::BadStatusLine),
            None => {
                self.strays = Some(strays);
                Ok(Progress::More)
            }
        }
    }

    /// Reads what has come of the reply itself.
    fn read_own(&mut self, mut bytes: &[u8]) -> Result<Progress, ErrorCode> {
        while let Part::Head(earlier) = &mut self.part {
            let before = earlier.len();
            // The parser passes over empty lines. Before the first head they belong to no reply.
            if before == 0 && self.interim == 0 && matches!(bytes.first(), Some(b'\r' | b'\n')) {
                return Err(ErrorCode::BadStatusLine);
            }
            // A head that comes in one piece, as nearly all do, is read where it lies.
            if before > 0 {
                earlier.extend_from_slice(bytes);
            }
            let whole = if before > 0 { earlier.as_slice() } else { bytes };
            let Some((head, end)) = parse_head(whole, self.id)? else {
                if before == 0 {
                    earlier.extend_from_slice(bytes);
                }
                return Ok(Progress::More);
            };
            bytes = &bytes[end - before..];
            self.take_head(&head)?;
        }
        self.read_body(bytes)
    }

    /// Returns the fault that status and head have shown already, though the body is still read
    /// to keep the connection usable.
    pub(crate) fn fault(&self) -> Option<ErrorCode> {
        self.fault
    }

    /// Returns the verdict over a whole reply.
    pub(crate) fn verdict(self, length: u32, checksum: u32) -> Result<(), ErrorCode> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.length != u64::from(length) || self.checksum.finalize() != checksum {
            return Err(ErrorCode::BodyMismatch);
        }
        Ok(())
    }

    /// Returns whether the connection may be used again after this reply.
    pub(crate) fn is_persistent(&self) -> bool {
        self.persistent
    }

    /// Returns what losing the connection here means; `reused` says whether it had carried a
    /// reply before.
    pub(crate) fn lost(&self, loss: Loss, reused: bool) -> ErrorCode {
        let begins = self.strays.as_ref().is_some_and(Strays::may_have_begun);
        match (&self.part, loss) {
            // Whatever came in its place was no beginning of a reply.
            _ if self.strays.is_some() && self.skipped > 0 => ErrorCode::BadStatusLine,
            (Part::Head(_), Loss::Timeout) => ErrorCode::HeadTimeout,
            (Part::Head(bytes), _) if bytes.is_empty() && self.interim == 0 && !begins => {
                ErrorCode::lost_before_head(reused)
            }
            (Part::Head(_), Loss::Closed) => ErrorCode::HeadMalformed,
            (Part::Head(_), Loss::Reset) => ErrorCode::ResetInHead,
            (_, Loss::Timeout) => ErrorCode::BodyTimeout,
            (_, Loss::Reset) => ErrorCode::ResetInBody,
            (Part::Chunked(_), Loss::Closed) => ErrorCode::ChunkTruncated,
            (_, Loss::Closed) => ErrorCode::BodyTruncated,
        }
    }

    /// Moves on from a head to its body, or from an interim head to the next.
    fn take_head(&mut self, head: &Head) -> Result<(), ErrorCode> {
        if (100..200).contains(&head.status) && head.status != 101 {
            self.interim += 1;
            self.part = Part::Head(Vec::new());
            return match self.interim {
                ..=INTERIM_MAX => Ok(()),
                _ => Err(ErrorCode::TooManyInterim),
            };
        }

        // After a switch of protocols the connection speaks no HTTP any more.
        self.persistent = head.persistent && head.status != 101;
        self.fault = match head {
            Head { status, .. } if *status != 200 => status_fault(*status),
            Head { encoded: true, .. } => Some(ErrorCode::BadEncoding),
            Head { echo: false, .. } => Some(ErrorCode::TokenMismatch),
            _ => None,
        };
        self.part = match head.framing {
            Framing::None | Framing::Length(0) => Part::Whole,
            Framing::Length(length) if length > BODY_BYTES_MAX => {
                return Err(ErrorCode::BodyTooLarge);
            }
            Framing::Length(length) => Part::Length(length),
            Framing::Chunked => Part::Chunked(Chunked::new()),
        };
        Ok(())
    }

    /// Reads what has come of the body.
    fn read_body(&mut self, bytes: &[u8]) -> Result<Progress, ErrorCode> {
        let (length, checksum) = (&mut self.length, &mut self.checksum);
        let mut take = |run: &[u8]| {
            *length += run.len() as u64;
            checksum.update(run);
            if *length > BODY_BYTES_MAX { Err(ErrorCode::BodyTooLarge) } else { Ok(()) }
        };

        let (used, whole) = match &mut self.part {
            Part::Head(_) => unreachable!("the head has been taken"),
            Part::Whole => (0, true),
            Part::Chunked(chunked) => (chunked.read(bytes, take)?, chunked.is_whole()),
            Part::Length(left) => {
                let run = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                take(&bytes[..run])?;
                *left -= run as u64;
                (run, *left == 0)
            }
        };
        if !whole {
            return Ok(Progress::More);
        }

        self.part = Part::Whole;
        Ok(Progress::Whole { extra: bytes.len() - used + self.skipped })
    }
}

/// Reads a head; returns it and its length, or nothing while it is incomplete.
fn parse_head(bytes: &[u8], id: u64) -> Result<Option<(Head, usize)>, ErrorCode> {
    let limited = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut response = Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        limited,
        &mut fields,
    );

    match parsed {
        Ok(Status::Complete(end)) => Ok(Some((understand(&response, id)?, end))),
        Ok(Status::Partial) if bytes.len() >= HEAD_BYTES_MAX => Err(ErrorCode::HeadTooLarge),
        Ok(Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(ErrorCode::HeadTooLarge),
        Err(httparse::Error::Version | httparse::Error::Status) => Err(ErrorCode::BadStatusLine),
        // Before the first field there is only the status line.
        Err(_) if response.code.is_none() => Err(ErrorCode::BadStatusLine),
        Err(_) => Err(ErrorCode::HeadMalformed),
    }
}

/// Returns what the fields of a head say.
fn understand(response: &Response<'_, '_>, id: u64) -> Result<Head, ErrorCode> {
    let status = response.code.expect("a complete head has a status");
    if status < 100 {
        return Err(ErrorCode::BadStatusLine);
    }

    let mut head = Head {
        status,
        framing: Framing::None,
        persistent: response.version == Some(1),
        echo: false,
        encoded: false,
    };
    let (mut length, mut chunked) = (None, false);
    for field in response.headers.iter() {
        match field.name.len() {
            14 if is(field, "content-length") => length = Some(same_length(length, field.value)?),
            17 if is(field, "transfer-encoding") => chunked = only_chunked(chunked, field.value)?,
            11 if is(field, ID_FIELD) => head.echo = repeats(field.value, id),
            10 if is(field, "connection") => head.persistent &= !has_token(field.value, b"close"),
            16 if is(field, "content-encoding") => {
                head.encoded |= !field.value.eq_ignore_ascii_case(b"identity");
            }
            _ => {}
        }
    }

    head.framing = framing(status, length, chunked)?;
    Ok(head)
}

/// Returns how the body's end is reported, or that it is not.
fn framing(status: u16, length: Option<u64>, chunked: bool) -> Result<Framing, ErrorCode> {
    match (length, chunked) {
        _ if matches!(status, 100..=199 | 204 | 304) => Ok(Framing::None),
        (Some(length), false) => Ok(Framing::Length(length)),
        (None, true) => Ok(Framing::Chunked),
        (None, false) | (Some(_), true) => Err(ErrorCode::FramingConflict),
    }
}

/// Returns the fault of a status that is not 200.
pub(crate) fn status_fault(status: u16) -> Option<ErrorCode> {
    match status {
        200 => None,
        300..=303 | 305..=399 => Some(ErrorCode::RedirectUnexpected),
        _ => Some(ErrorCode::StatusUnexpected),
    }
}

/// Returns whether a field has this name.
fn is(field: &Header<'_>, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name)
}

/// Returns the length that a Content-Length reports: digits only, and the same each time.
fn same_length(earlier: Option<u64>, value: &[u8]) -> Result<u64, ErrorCode> {
    let length = digits(value).ok_or(ErrorCode::FramingConflict)?;
    match earlier {
        Some(other) if other != length => Err(ErrorCode::FramingConflict),
        _ => Ok(length),
    }
}

/// Returns the number that a value of decimal digits reports.
fn digits(value: &[u8]) -> Option<u64> {
    let mut number: Option<u64> = None;
    for byte in value {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
    }
    number
}

/// Returns true if the only transfer coding is chunked, named once; no other was asked for.
fn only_chunked(earlier: bool, value: &[u8]) -> Result<bool, ErrorCode> {
    match !earlier && value.eq_ignore_ascii_case(b"chunked") {
        true => Ok(true),
        false => Err(ErrorCode::FramingConflict),
    }
}

/// Returns whether a value is this id in decimal, with no sign and no leading zero.
pub(crate) fn repeats(value: &[u8], id: u64) -> bool {
    digits(value) == Some(id) && (value.len() == 1 || value.first() != Some(&b'0'))
}

/// Returns whether a comma-separated value names a token.
fn has_token(value: &[u8], token: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
