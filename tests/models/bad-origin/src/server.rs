//! A thread for each connection, and the faults.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use model_kit::{ID_FIELD, mixed};
use nix::time::{ClockId, clock_gettime};
use origin::{Connections, FromOrigin, Tally, ToOrigin};
use socket2::SockRef;

use crate::Fault;

/// The CPU time that a request costs a saturated origin: 40 a second is all that it can serve.
const SATURATED: Duration = Duration::from_millis(25);
/// The CPU time that each request costs more than the one before.
const COSTLIER: Duration = Duration::from_micros(100);
/// What a request leaves behind, in bytes.
const LEAK: usize = 256 * 1024;

/// The request at which what happens once happens: in the middle of the second trial of 32 fetches
/// with 8 in flight, when all 8 have connected.
const ONCE: u32 = 32 + 8;

/// The server, and what it counts.
#[derive(Debug)]
pub(crate) struct Server {
    fault: Fault,
    listener: TcpListener,
    /// Every connection that ever came.
    streams: Mutex<Vec<TcpStream>>,
    tally: Mutex<Option<Arc<Tally>>>,
    connections: Arc<Mutex<Connections>>,
    /// Held while a saturated origin works.
    turn: Mutex<()>,
    /// Requests read since the start.
    requests: AtomicU32,
}

impl Server {
    /// Creates a server that serves nothing yet.
    pub(crate) fn new(fault: Fault, listener: TcpListener) -> Self {
        let address = listener.local_addr().into_iter().collect::<Vec<_>>();
        Self {
            fault,
            listener,
            connections: Arc::new(Mutex::new(Connections::of(&address))),
            streams: Mutex::default(),
            tally: Mutex::default(),
            turn: Mutex::default(),
            requests: AtomicU32::new(0),
        }
    }

    /// Returns the answer to one question of the harness.
    pub(crate) fn answer(&self, asked: ToOrigin) -> Result<FromOrigin> {
        match asked {
            ToOrigin::Mount(mount) => {
                *held(&self.tally) =
                    Some(Arc::new(Tally::watching(mount, Arc::clone(&self.connections))));
                Ok(FromOrigin::Mounted)
            }
            ToOrigin::Misbehave(_) => bail!("follow a script: it has one fault for all"),
            ToOrigin::Release => bail!("release replies: it holds none"),
            ToOrigin::Receipt => match &*held(&self.tally) {
                Some(tally) => Ok(FromOrigin::Receipt(tally.receipt())),
                None => bail!("hand over a receipt: nothing is mounted"),
            },
            ToOrigin::Reset => {
                *held(&self.tally) = None;
                Ok(FromOrigin::Reset)
            }
        }
    }

    /// Accepts connections until the first error.
    pub(crate) fn accept(self: &Arc<Self>) {
        for stream in self.listener.incoming().map_while(Result::ok) {
            held(&self.streams).extend(stream.try_clone());
            let server = Arc::clone(self);
            thread::spawn(move || server.serve(stream));
        }
    }

    /// Serves one connection until its peer ends it.
    fn serve(&self, stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut writer = stream.try_clone().ok()?;
        let mut reader = BufReader::new(stream);
        loop {
            let head = head(&mut reader)?;
            let tally = held(&self.tally).clone()?;
            let reply = match fetch_id(&head).filter(|id| tally.has(*id)) {
                Some(id) => self.fetched(&tally, (id, &head)),
                None => {
                    tally.stray();
                    b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec()
                }
            };
            writer.write_all(&reply).ok()?;
        }
    }

    /// Counts a fetch, waits for its delay, and returns its reply, all as badly as it should.
    fn fetched(&self, tally: &Arc<Tally>, (id, head): (u64, &[String])) -> Vec<u8> {
        self.misbehave();

        let due = Instant::now() + tally.delay(id);
        tally.arrive(id, digest(head));
        let shadow = Arc::clone(tally);
        let delay = thread::spawn(move || {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            shadow.leave(due);
        });
        if self.fault.waits() {
            let _ = delay.join();
        }

        let (status, body) = (self.fault.status(), tally.body(id));
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\n{ID_FIELD}: {id}\r\ncontent-length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    }

    /// Wastes what the fault says before a request is counted, as a server does that reads late.
    fn misbehave(&self) {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Fault::Saturated => {
                let _turn = held(&self.turn);
                burn(SATURATED);
            }
            Fault::Costlier => burn(COSTLIER * before),
            Fault::Leaking => drop(black_box(vec![1_u8; LEAK]).leak()),
            Fault::Restarting if before + 1 == ONCE => {
                held(&self.streams).drain(..).for_each(|it| drop(it.shutdown(Shutdown::Both)));
            }
            // A listener that is shut makes `accept` fail, and refuses whoever connects.
            Fault::Deaf if before + 1 == ONCE => {
                let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
            }
            _ => {}
        }
    }
}

/// Reads a request and returns its lines, or nothing at the end of the connection.
fn head(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => return Some(lines),
            line => lines.push(line.to_owned()),
        }
    }
}

/// Returns the id that a request asks for, if it is a fetch.
fn fetch_id(head: &[String]) -> Option<u64> {
    head.first()?.strip_prefix("GET /f/")?.strip_suffix(" HTTP/1.1")?.parse().ok()
}

/// Returns the digest of a bare head: what others send beside Host is left out.
fn digest(head: &[String]) -> u64 {
    let mut words = head.first().map_or("", String::as_str).split(' ');
    let method = mixed(0, words.next().unwrap_or_default().as_bytes());
    mixed(method, words.next().unwrap_or_default().as_bytes())
}

/// Uses so much CPU time of this thread, however busy the machine is.
fn burn(time: Duration) {
    let used = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(time, Duration::from);
    let began = used();
    while used().saturating_sub(began) < time {
        std::hint::spin_loop();
    }
}

/// Locks what no panic can leave half done.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
