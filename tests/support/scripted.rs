//! An origin of raw TCP that follows a script: it reads each request whole and then answers, or
//! fails, as told. It counts the requests it has read.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use model_kit::content;
use socket2::SockRef;

/// The seed and the length of the bodies that are served.
const SEED: u64 = 7;
const BODY_BYTES: u32 = 128;

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// As it should be.
    Serve,
    /// Nothing listens.
    Refuse,
    /// The connection is closed without a byte.
    CloseEarly,
    /// The body ends before its length.
    Truncate,
    /// The connection is reset.
    Reset,
    /// With status 500.
    Status500,
    /// With one byte of the body changed.
    WrongByte,
    /// Not at all.
    Silence,
}

/// A scripted origin; it lives as long as the test.
#[derive(Debug)]
pub(crate) struct Scripted {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicU64>,
}

impl Scripted {
    /// Starts an origin that answers each id as `script` says.
    pub(crate) fn start(script: fn(u64) -> Script) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        let address = listener.local_addr().expect("it is bound");
        let requests = Arc::new(AtomicU64::new(0));
        let scripted = Self { address, requests: Arc::clone(&requests) };
        if script(0) == Script::Refuse {
            return scripted;
        }
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let requests = Arc::clone(&requests);
                thread::spawn(move || serve(stream, script, &requests));
            }
        });
        scripted
    }

    /// Returns how many requests were read whole.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Serves one connection until the script or the peer ends it.
fn serve(stream: TcpStream, script: fn(u64) -> Script, requests: &AtomicU64) {
    let mut writer = stream.try_clone().expect("a socket can be cloned");
    let mut reader = BufReader::new(stream);
    while let Some(id) = request(&mut reader) {
        requests.fetch_add(1, Ordering::SeqCst);
        let mut body = content::body(SEED, id, BODY_BYTES);
        match script(id) {
            Script::Refuse => unreachable!("nothing listens"),
            Script::CloseEarly => return,
            Script::Silence => thread::sleep(Duration::from_secs(5)),
            Script::Reset => {
                // A linger of zero makes the kernel send a reset instead of a close.
                SockRef::from(&writer).set_linger(Some(Duration::ZERO)).expect("it lingers");
                return;
            }
            Script::Truncate => {
                let _ = writer.write_all(&reply("200 OK", id, &body)[..150]);
                return;
            }
            Script::Serve => drop(writer.write_all(&reply("200 OK", id, &body))),
            Script::Status500 => drop(writer.write_all(&reply("500 Oh", id, &body))),
            Script::WrongByte => {
                body[64] ^= 1;
                drop(writer.write_all(&reply("200 OK", id, &body)));
            }
        }
    }
}

/// Reads a request whole and returns its id.
fn request(reader: &mut impl BufRead) -> Option<u64> {
    let mut id = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => return id,
            line => {
                id = id.or_else(|| line.strip_prefix("GET /f/")?.split(' ').next()?.parse().ok());
            }
        }
    }
}

/// Returns the bytes of a reply.
fn reply(status: &str, id: u64, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\ninflight-id: {id}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
