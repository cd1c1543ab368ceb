//! The faulty origin: plain threads and raw TCP, so that every byte is the script's.
//!
//! Each request head is read whole before anything is sent, closed or reset: a race between the
//! two ends would give one fault two faces.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{mem, thread};

use anyhow::{Context, Result, bail};
use origin::{End, FAULTY, FULL, Fault, FromOrigin, GOOD, REFUSING, Ready, Record, SCRIPTED};
use origin::{Script, ToOrigin, reply};
use socket2::{Domain, SockRef, Socket, Type};
use workload::ErrorCode;
use workload::content::{self, BODIES, split_mix_64};

use super::{BACKLOG, Kind, raise_descriptors};

/// Where a head ends.
const HEAD_END: &[u8] = b"\r\n\r\n";
/// How long an accept that failed is not tried again, as when no descriptor is left.
const PAUSE: Duration = Duration::from_millis(5);
/// How long the thread sleeps that shows whether the process was stopped.
const BEAT: Duration = Duration::from_millis(50);

/// What is served, and what was counted of it.
#[derive(Debug)]
struct Scene {
    script: Script,
    bodies: Vec<Vec<u8>>,
    record: Mutex<Record>,
    door: Arc<Door>,
    /// How often it has restarted; a connection belongs to the life in which it came.
    lives: AtomicU64,
    pulse: Mutex<Pulse>,
}

/// Shows whether the process was stopped, or had no CPU.
#[derive(Debug)]
struct Pulse {
    last: Instant,
    late_max: Duration,
}

/// The scene that is played, if there is one.
type Stage = Mutex<Option<Arc<Scene>>>;

/// The port at which the script is followed, and who listens there now.
#[derive(Debug)]
struct Door {
    /// Keeps the port while nothing listens.
    reserved: Socket,
    listener: Mutex<TcpListener>,
}

/// Misbehaves as a script says.
pub(super) const KIND: Kind = Kind { name: FAULTY, serve };

/// Serves until the pipe is closed.
fn serve(_: &[String]) -> Result<()> {
    raise_descriptors();
    let door = Arc::new(Door::open().context("listen on loopback")?);
    // Bound, so that nobody else gets the port, and never listening.
    let refusing = bound().context("bind a port of loopback")?;
    let full = bound().context("bind a port of loopback")?;
    let _waiting = fill(&full).context("fill a backlog")?;

    let mut origins = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); 3];
    origins[SCRIPTED] = address(&door.reserved)?;
    origins[REFUSING] = address(&refusing)?;
    origins[FULL] = address(&full)?;
    let stage: Arc<Stage> = Arc::default();
    let (entered, accepting) = (Arc::clone(&door), Arc::clone(&stage));
    thread::spawn(move || accept(&entered, &accepting));
    let beating = Arc::clone(&stage);
    thread::spawn(move || {
        loop {
            thread::sleep(BEAT);
            if let Some(scene) = &*held(&beating) {
                held(&scene.pulse).beat();
            }
        }
    });
    let ready = Ready { server: "faulty".to_owned(), origins: origins.to_vec() };
    origin::speak(ready, |asked| answer((&stage, &door), asked))
}

/// Returns the answer to one question.
fn answer((stage, door): (&Stage, &Arc<Door>), asked: ToOrigin) -> Result<FromOrigin> {
    match asked {
        ToOrigin::Misbehave(script) => {
            if let Some(name) = script.faults.iter().find(|name| Fault::named(name).is_none()) {
                bail!("misbehave: no fault is called {name}");
            }
            *held(stage) = Some(Arc::new(Scene::new(script, Arc::clone(door))));
            Ok(FromOrigin::Mounted)
        }
        ToOrigin::Receipt => match &*held(stage) {
            Some(scene) => Ok(FromOrigin::Record(scene.record())),
            None => bail!("hand over a record: there is no script"),
        },
        ToOrigin::Reset => {
            *held(stage) = None;
            Ok(FromOrigin::Reset)
        }
        ToOrigin::Release => bail!("release replies: only the fast origin holds them"),
        ToOrigin::Mount(_) => bail!("serve a cell: it only misbehaves"),
    }
}

/// Returns a socket bound to a free port that does not listen.
fn bound() -> Result<Socket> {
    bound_to(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

/// Returns a socket bound to an address, which others of this process may share.
fn bound_to(address: SocketAddr) -> Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

impl Door {
    /// Takes a free port and listens there.
    fn open() -> Result<Self> {
        let reserved = bound()?;
        let listener = Mutex::new(listening(address(&reserved)?)?);
        Ok(Self { reserved, listener })
    }

    /// Stops to listen, and begins again after a while.
    fn shut_for(&self, time: Duration) -> Result<()> {
        SockRef::from(&*held(&self.listener)).shutdown(Shutdown::Both)?;
        thread::sleep(time);
        *held(&self.listener) = listening(address(&self.reserved)?)?;
        Ok(())
    }
}

/// Returns a listener at an address.
fn listening(address: SocketAddr) -> Result<TcpListener> {
    let socket = bound_to(address)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Returns the address of a socket.
fn address(socket: &Socket) -> Result<SocketAddr> {
    socket.local_addr()?.as_socket().context("a port has an address")
}

/// Listens with a backlog that is full for as long as the connections live that are returned.
fn fill(socket: &Socket) -> Result<Vec<TcpStream>> {
    socket.listen(0)?;
    let (address, mut waiting) = (address(socket)?, Vec::new());
    loop {
        match TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
            Ok(stream) => waiting.push(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(waiting),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Accepts connections for as long as the process lives, each on a thread of its own.
fn accept(door: &Door, stage: &Stage) {
    let mut listener = held(&door.listener).try_clone();
    loop {
        let Ok((stream, _)) = listener.as_ref().map_or(Err(()), |l| l.accept().map_err(drop))
        else {
            thread::sleep(PAUSE);
            listener = held(&door.listener).try_clone();
            continue;
        };
        // A connection belongs to the script under which it came.
        let Some(scene) = held(stage).clone() else { continue };
        held(&scene.record).accepted += 1;
        let unit = thread::Builder::new().stack_size(64 * 1024);
        let _ = unit.spawn(move || scene.serve(&stream));
    }
}

impl Scene {
    /// Prepares a script.
    fn new(script: Script, door: Arc<Door>) -> Self {
        let body = |id| content::body(script.seed, id, script.body_bytes);
        let bodies = (0..BODIES as u64).map(body).collect();
        let pulse = Mutex::new(Pulse { last: Instant::now(), late_max: Duration::ZERO });
        Self { bodies, record: Mutex::default(), script, door, lives: AtomicU64::new(0), pulse }
    }

    /// Returns what was seen and done so far.
    fn record(&self) -> Record {
        let late_ms_max = held(&self.pulse).beat().as_secs_f64() * 1e3;
        Record { late_ms_max, ..held(&self.record).clone() }
    }

    /// Serves one connection until the script or the peer ends it.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut reused = false;
        let life = self.lives.load(Ordering::SeqCst);
        while let Some(head) = head(&mut reader) {
            let Some(id) = fetch_id(&head) else {
                held(&self.record).strays += 1;
                let _ = (&mut &*stream).write_all(b"HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n");
                continue;
            };
            if self.lives.load(Ordering::SeqCst) > life {
                self.leave_unanswered(id, reused);
                return;
            }
            let fault = self.script.fault(id);
            self.count(id, fault, reused);
            if !self.answer((stream, &mut reader), id, fault) {
                return;
            }
            reused = true;
        }
    }

    /// Counts a request, and the reply that it will get.
    fn count(&self, id: u64, fault: Option<&Fault>, reused: bool) {
        let mut record = held(&self.record);
        record.requests += 1;
        record.requests_digest = record.requests_digest.wrapping_add(split_mix_64(id));
        let Some(fault) = fault else {
            record.good += 1;
            return;
        };
        *record.bad.entry(fault.name.to_owned()).or_default() += 1;
        if let Some(code) = fault.code(reused) {
            *record.failures.entry(code.number().to_string()).or_default() += 1;
        }
    }

    /// Answers one request; returns whether another may follow.
    fn answer(
        &self,
        (stream, reader): (&TcpStream, &mut impl BufRead),
        id: u64,
        fault: Option<&Fault>,
    ) -> bool {
        let Some(fault) = fault else {
            let bytes = reply(GOOD, id, (self.body(id), &[]));
            return (&mut &*stream).write_all(&bytes).is_ok();
        };
        let bytes = fault.reply(id, self.body(id), self.body(id + 1));
        if fault.end == End::CloseAtOnce {
            self.close_at_once((stream, reader), &bytes);
            return false;
        }

        let sent = send(stream, &bytes, fault);
        match fault.end {
            End::Keep => return sent.is_ok(),
            End::Close | End::CloseAtOnce => {}
            End::CloseAfter(ms) => thread::sleep(Duration::from_millis(ms)),
            // A linger of zero makes the kernel send a reset instead of a close.
            End::Reset => drop(SockRef::from(stream).set_linger(Some(Duration::ZERO))),
            End::Stall => drop(std::io::copy(reader, &mut std::io::sink())),
            End::Restart(ms) => {
                self.lives.fetch_add(1, Ordering::SeqCst);
                let _ = stream.shutdown(Shutdown::Both);
                let _ = self.door.shut_for(Duration::from_millis(ms));
            }
        }
        false
    }

    /// Sends a reply whose last segment also ends the connection, so that the end is there before
    /// the peer can use it again; reads what comes nevertheless.
    fn close_at_once(&self, (stream, reader): (&TcpStream, &mut impl BufRead), bytes: &[u8]) {
        let socket = SockRef::from(stream);
        let _ = socket.set_tcp_cork(true);
        let _ = (&mut &*stream).write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        if let Some(id) = head(reader).as_deref().and_then(fetch_id) {
            self.leave_unanswered(id, true);
        }
    }

    /// Counts a request that gets no reply, since its connection is closed.
    fn leave_unanswered(&self, id: u64, reused: bool) {
        let mut record = held(&self.record);
        record.requests += 1;
        record.requests_digest = record.requests_digest.wrapping_add(split_mix_64(id));
        record.unanswered += 1;
        let code = ErrorCode::lost_before_head(reused).number().to_string();
        *record.failures.entry(code).or_default() += 1;
    }

    /// Returns the body of an id.
    fn body(&self, id: u64) -> &[u8] {
        let place = usize::try_from(id % BODIES as u64).expect("the remainder is small");
        &self.bodies[place]
    }
}

impl Pulse {
    /// Notes that time goes on, and returns the most by which it was late to be noted.
    fn beat(&mut self) -> Duration {
        let since = mem::replace(&mut self.last, Instant::now()).elapsed();
        self.late_max = self.late_max.max(since.saturating_sub(BEAT));
        self.late_max
    }
}

/// Sends bytes as a fault says; a peer that has had enough ends it.
fn send(mut stream: &TcpStream, bytes: &[u8], fault: &Fault) -> std::io::Result<()> {
    let (pace, mut sent) = (fault.pace, 0);
    let head_end = bytes.windows(HEAD_END.len()).position(|end| end == HEAD_END);
    let head = head_end.map_or(bytes.len(), |end| end + HEAD_END.len());
    while sent < bytes.len() {
        thread::sleep(pace.wait(sent, head));
        let end = match (pace.is_bytewise(sent, head), sent < head) {
            (true, _) => sent + 1,
            (false, true) if pace.is_bytewise(head, head) => head,
            (false, _) => bytes.len(),
        };
        stream.write_all(&bytes[sent..end])?;
        sent = end;
    }
    Ok(())
}

/// Reads the head of a request whole, or nothing at the end of the connection.
fn head(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        // More than this is no request of ours.
        if before > 16 * 1024 || reader.by_ref().take(16 * 1024).read_line(&mut head).ok()? == 0 {
            return None;
        }
        if head[before..].trim_end().is_empty() {
            return Some(head);
        }
    }
}

/// Returns the id that a request asks for, if it is a fetch.
fn fetch_id(head: &str) -> Option<u64> {
    head.strip_prefix("GET /f/")?.split_once(" HTTP/1.1\r\n")?.0.parse().ok()
}

/// Locks what no panic can leave half done.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
