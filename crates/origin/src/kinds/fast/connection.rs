//! A connection: the requests that come over it, one after the other, and the replies.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use httparse::{EMPTY_HEADER, Header, Status};
use mio::net::TcpStream;
use nix::libc::MSG_MORE;
use socket2::SockRef;
use workload::mixed;

/// Fields that a request may have.
const FIELDS_MAX: usize = 64;
/// The longest head that is read.
const HEAD_MAX: usize = 64 * 1024;

/// A connection. Between requests it holds no buffer.
pub(super) struct Connection {
    stream: TcpStream,
    /// What waits for its moment to be sent, if anything does.
    pub(super) due: Option<Reply>,
    /// What came before its request was whole or could be served, and what the kernel had no room
    /// for, if there is any.
    rest: Option<Box<Rest>>,
    /// Whether it ends with the reply that is under way.
    ends: bool,
}

/// Bytes that wait.
#[derive(Default)]
struct Rest {
    came: Vec<u8>,
    leaves: Vec<u8>,
}

/// A reply that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// Which it is among all replies of the shard.
    pub(super) serial: u64,
    /// What it is of.
    pub(super) id: u64,
}

/// A request.
pub(super) struct Request {
    /// The id of the fetch, if it is `GET /f/<id>`.
    pub(super) id: Option<u64>,
    /// A digest of method, target and sorted fields without Host.
    pub(super) digest: u64,
    /// Whether the connection goes on after it.
    keeps: bool,
}

/// What can be done with a connection next.
pub(super) enum Next {
    /// Nothing: more has to come, or to be sent.
    Wait,
    /// A request is to be answered.
    Serve(Request),
    /// It is to be dropped.
    Drop,
}

impl Connection {
    /// Takes a connection that was accepted.
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, due: None, rest: None, ends: false }
    }

    /// Reads what has come, until there is no more; `ends` says that the other side has closed.
    ///
    /// Whoever closes while a reply is due gets none.
    pub(super) fn read(&mut self, buffer: &mut [u8], ends: bool) -> Next {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Next::Drop,
                Ok(count) => {
                    // The usual case copies nothing: one whole request, and nobody is being served.
                    let is_idle = self.due.is_none() && self.rest.is_none();
                    if let Some(request) = is_idle.then(|| whole(&buffer[..count])).flatten()
                        && count < buffer.len()
                        && !ends
                    {
                        return self.begin(request);
                    }
                    let came = &mut self.rest.get_or_insert_default().came;
                    came.extend_from_slice(&buffer[..count]);
                    if came.len() > HEAD_MAX {
                        return Next::Drop;
                    }
                    // A short read has emptied the socket.
                    if count < buffer.len() && !ends {
                        return self.next();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.next(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Next::Drop,
            }
        }
    }

    /// Returns the next request of those that have come, if the last one is answered.
    pub(super) fn next(&mut self) -> Next {
        let Some(rest) = self.rest.as_mut().filter(|rest| rest.leaves.is_empty()) else {
            return Next::Wait;
        };
        if self.due.is_some() {
            return Next::Wait;
        }
        match parse(&rest.came) {
            Ok(Some((request, length))) => {
                rest.came.drain(..length);
                if rest.came.is_empty() {
                    self.rest = None;
                }
                self.begin(request)
            }
            Ok(None) => Next::Wait,
            Err(_) => Next::Drop,
        }
    }

    /// Begins to serve a request.
    fn begin(&mut self, request: Request) -> Next {
        self.ends = !request.keeps;
        Next::Serve(request)
    }

    /// Sends a reply as far as there is room, and keeps the rest.
    pub(super) fn send(&mut self, reply: &[u8]) -> Next {
        match self.written(reply) {
            Err(_) => Next::Drop,
            Ok(count) if count == reply.len() => self.sent(),
            Ok(count) => {
                let rest = self.rest.get_or_insert_default();
                rest.leaves.extend_from_slice(&reply[count..]);
                Next::Wait
            }
        }
    }

    /// Sends what there was no room for.
    pub(super) fn send_rest(&mut self) -> Next {
        let Some(mut rest) = self.rest.take_if(|rest| !rest.leaves.is_empty()) else {
            return Next::Wait;
        };
        match self.written(&rest.leaves) {
            Err(_) => Next::Drop,
            Ok(count) => {
                rest.leaves.drain(..count);
                let is_sent = rest.leaves.is_empty();
                self.rest = Some(rest);
                if is_sent { self.sent() } else { Next::Wait }
            }
        }
    }

    /// Writes until there is no more room, and returns how much was.
    ///
    /// The last reply waits in the kernel for the end of the connection, which follows at once, so
    /// that both leave as one segment: however quick the other side is, this one has closed first.
    fn written(&self, bytes: &[u8]) -> io::Result<usize> {
        let flags = if self.ends { MSG_MORE } else { 0 };
        let mut count = 0;
        while count < bytes.len() {
            match SockRef::from(&self.stream).send_with_flags(&bytes[count..], flags) {
                Ok(more) => count += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    /// Goes on after a reply.
    fn sent(&mut self) -> Next {
        if self.ends { Next::Drop } else { self.next() }
    }

    /// Has it end with the reply that is under way.
    pub(super) fn end(&mut self) {
        self.ends = true;
    }

    /// Returns whether it ends with the reply that is under way.
    pub(super) fn ends(&self) -> bool {
        self.ends
    }

    /// Closes it by a reset, after which it does not linger. What was sent is not lost.
    pub(super) fn reset(&self) {
        // It sends what waits for the end of the connection.
        let _ = self.stream.set_nodelay(true);
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

/// Returns the request that these bytes are, if they are just one.
fn whole(bytes: &[u8]) -> Option<Request> {
    let (request, length) = parse(bytes).ok()??;
    (length == bytes.len()).then_some(request)
}

/// Reads the first request of some bytes and its length, if it is whole. One with a body is none
/// that is served here.
fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, httparse::Error> {
    let mut fields = [EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Request::new(&mut fields);
    let Status::Complete(length) = head.parse(bytes)? else { return Ok(None) };
    let (method, target) = (head.method.unwrap_or_default(), head.path.unwrap_or_default());
    let is_new = head.version == Some(1);
    let keeps = !has_body(head.headers) && keeps(head.headers, is_new);
    let id = fetch_id(method, target);
    let digest = digest(method, target, head.headers);
    Ok(Some((Request { id, digest, keeps }, length)))
}

/// Returns whether a body follows these fields.
fn has_body(fields: &[Header<'_>]) -> bool {
    let is_named = |name| fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
    is_named("transfer-encoding").is_some()
        || is_named("content-length").is_some_and(|field| field.value != b"0")
}

/// Returns whether the connection goes on, which is usual from HTTP/1.1 on.
fn keeps(fields: &[Header<'_>], is_new: bool) -> bool {
    let mut named = fields.iter().filter(|field| field.name.eq_ignore_ascii_case("connection"));
    match named.next() {
        None => is_new,
        Some(field) if is_new => !field.value.eq_ignore_ascii_case(b"close"),
        Some(field) => field.value.eq_ignore_ascii_case(b"keep-alive"),
    }
}

/// Returns the id that a request asks for, if it is `GET /f/<id>`.
fn fetch_id(method: &str, target: &str) -> Option<u64> {
    let digits = target.strip_prefix("/f/").filter(|_| method == "GET")?;
    // Only the one way to write an id is an id.
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = digits == "0" || !digits.starts_with('0');
    (is_plain && is_short).then(|| digits.parse().ok()).flatten()
}

/// Returns a digest of method, target and sorted fields without Host.
fn digest(method: &str, target: &str, fields: &[Header<'_>]) -> u64 {
    let fields = fields.iter().filter(|field| !field.name.eq_ignore_ascii_case("host"));
    let mut lines: Vec<Vec<u8>> = fields
        .map(|field| [field.name.to_ascii_lowercase().as_bytes(), b":", field.value].concat())
        .collect();
    lines.sort_unstable();
    let start = mixed(mixed(0, method.as_bytes()), target.as_bytes());
    lines.iter().fold(start, |digest, line| mixed(digest, line))
}
