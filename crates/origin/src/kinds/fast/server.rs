//! The event loop of one shard.

use std::io::{self, Write};
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use nix::errno::Errno;
use origin::Tally;
use slab::Slab;
use workload::ID_FIELD;

use super::connection::{Connection, Next, Reply, Request};
use super::timers::{Due, Timers};
use super::{Assignment, Order};

/// What wakes and what is due; what listens comes after them, and then connections.
const WAKER: Token = Token(0);
const TIMER: Token = Token(1);
const LISTENERS: usize = 2;
/// What is read at once.
const READ_MAX: usize = 64 * 1024;
/// What the head of a reply has room for at first.
const HEAD_USUAL: usize = 192;
/// How long the time of day in replies is kept.
const DATE_AGE: Duration = Duration::from_secs(1);
/// How it answers a fetch that it serves, and anything else.
const CONTENT_TYPE: &str = "application/octet-stream";
const SERVED: &str = "200 OK";
const STRAY: &str = "404 Not Found";

/// One shard.
pub(super) struct Server {
    poll: Poll,
    listeners: Vec<TcpListener>,
    assignments: Receiver<Assignment>,
    timers: Timers,
    connections: Slab<Connection>,
    /// Whether a connection waits for a descriptor.
    is_full: bool,
    /// Whether replies wait until they are released.
    holds: bool,
    /// Whether connections end by a reset: thousands would linger for a minute otherwise, and be
    /// in the way of whatever is measured next.
    resets: bool,
    serial: u64,
    tally: Option<Arc<Tally>>,
    buffer: Box<[u8]>,
    date: (Instant, String),
}

impl Server {
    /// Makes the loop of some listeners, and what wakes it when there is an assignment.
    pub(super) fn start(
        listeners: Vec<StdListener>,
        assignments: Receiver<Assignment>,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let register = |(place, listener): (usize, StdListener)| -> io::Result<TcpListener> {
            listener.set_nonblocking(true)?;
            let mut listener = TcpListener::from_std(listener);
            let token = Token(LISTENERS + place);
            poll.registry().register(&mut listener, token, Interest::READABLE)?;
            Ok(listener)
        };
        let listeners = listeners.into_iter().enumerate().map(register);
        let listeners = listeners.collect::<io::Result<Vec<_>>>()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let timers = Timers::new(poll.registry(), TIMER)?;
        let server = Self {
            poll,
            listeners,
            assignments,
            timers,
            connections: Slab::new(),
            is_full: false,
            holds: false,
            resets: false,
            serial: 0,
            tally: None,
            buffer: vec![0; READ_MAX].into(),
            date: (Instant::now(), httpdate::fmt_http_date(SystemTime::now())),
        };
        Ok((server, waker))
    }

    /// Serves for as long as the process lives. Should it end, who asks learns that it has.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        while let Ok(()) = self.poll.poll(&mut events, None).or_else(interrupted) {
            for event in &events {
                match event.token() {
                    WAKER => self.obey(),
                    TIMER => {}
                    Token(token) if token < self.first() => self.accept(),
                    Token(token) => self.advance(token - self.first(), event),
                }
            }
            self.answer();
            if self.timers.arm().is_err() {
                return;
            }
        }
    }

    /// Returns the token of the first connection.
    fn first(&self) -> usize {
        LISTENERS + self.listeners.len()
    }

    /// Takes all connections that wait. One that cannot be taken, for want of a descriptor, waits
    /// until another is closed.
    fn accept(&mut self) {
        self.is_full = (0..self.listeners.len()).any(|place| self.accept_at(place));
    }

    /// Takes all that wait at a listener, and returns whether one has to go on waiting.
    fn accept_at(&mut self, place: usize) -> bool {
        loop {
            match self.listeners[place].accept() {
                Ok((stream, _)) => self.greet(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if is_want(&error) => return true,
                // Of a connection that its own side has given up.
                Err(_) => {}
            }
        }
    }

    /// Takes a connection.
    fn greet(&mut self, mut stream: TcpStream) {
        if let Some(tally) = &self.tally {
            tally.connect();
        }
        let entry = self.connections.vacant_entry();
        let token = Token(entry.key() + LISTENERS + self.listeners.len());
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(&mut stream, token, interest).is_ok() {
            entry.insert(Connection::new(stream));
        }
    }

    /// Does as it was ordered, once all that came before is taken.
    fn obey(&mut self) {
        self.accept();
        while let Ok(Assignment { order, done }) = self.assignments.try_recv() {
            match order {
                Order::Serve(tally) => self.begin(tally),
                Order::Release => self.release(),
            }
            let _ = done.send(());
        }
    }

    /// Serves something else from now on.
    fn begin(&mut self, tally: Option<Arc<Tally>>) {
        self.holds = tally.as_ref().is_some_and(|tally| tally.mount.cell.workload.is_held());
        self.resets |=
            self.holds || tally.as_ref().is_some_and(|tally| tally.mount.cell.is_large());
        self.tally = tally;
        self.timers.clear();
        for (_, connection) in &mut self.connections {
            connection.due = None;
        }
    }

    /// Sends every reply that is held, and holds none from now on.
    fn release(&mut self) {
        let Some(tally) = self.tally.clone().filter(|_| self.holds) else { return };
        self.holds = false;
        let keys: Vec<usize> = self.connections.iter().map(|(key, _)| key).collect();
        for key in keys {
            let held = self.connections.get_mut(key).and_then(|held| held.due.take());
            let Some(Reply { id, .. }) = held else { continue };
            if let Some(next) = self.reply(key, (&tally, id), Instant::now()) {
                self.follow(key, next);
            }
        }
    }

    /// Goes on with a connection of which the kernel has news.
    fn advance(&mut self, key: usize, event: &Event) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if event.is_writable() {
            let next = connection.send_rest();
            self.follow(key, next);
        }
        let Some(connection) = self.connections.get_mut(key) else { return };
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            let ends = event.is_read_closed() || event.is_error();
            let next = connection.read(&mut self.buffer, ends);
            self.follow(key, next);
        }
    }

    /// Serves requests of a connection until it has to wait or ends.
    fn follow(&mut self, key: usize, mut next: Next) {
        loop {
            next = match next {
                Next::Wait => return,
                Next::Drop => return self.drop(key),
                Next::Serve(request) => match self.serve(key, &request) {
                    Some(next) => next,
                    None => return,
                },
            };
        }
    }

    /// Serves a request: at once, or when its delay is over, and then nothing is returned.
    fn serve(&mut self, key: usize, request: &Request) -> Option<Next> {
        let served = self.tally.clone().zip(request.id).filter(|(tally, id)| tally.has(*id));
        let Some((tally, id)) = served else {
            if let Some(tally) = &self.tally {
                tally.stray();
            }
            return self.send(key, STRAY, None);
        };
        tally.arrive(id, request.digest);
        if tally.mount.cell.workload.ends_connections() {
            self.connections.get_mut(key)?.end();
        }
        // Where replies are held, what comes after their release is answered at once.
        let is_held = tally.mount.cell.workload.is_held();
        let delay = if is_held { Duration::ZERO } else { tally.delay(id) };
        let now = Instant::now();
        if delay.is_zero() && !self.holds {
            return self.reply(key, (&tally, id), now);
        }
        self.serial += 1;
        self.connections.get_mut(key)?.due = Some(Reply { serial: self.serial, id });
        if self.holds {
            return None;
        }
        let key = u32::try_from(key).expect("there are fewer descriptors than that");
        self.timers.push(Due { at: now + delay, serial: self.serial, key });
        None
    }

    /// Sends all replies that are due.
    fn answer(&mut self) {
        let Some(tally) = self.tally.clone() else { return };
        while let Some(due) = self.timers.pop(Instant::now()) {
            let key = due.key as usize;
            let connection = self.connections.get_mut(key);
            let waits = connection
                .and_then(|connection| connection.due.take_if(|reply| reply.serial == due.serial));
            let Some(Reply { id, .. }) = waits else {
                // Its connection is gone: it was in flight until now.
                tally.leave(due.at);
                continue;
            };
            if let Some(next) = self.reply(key, (&tally, id), due.at) {
                self.follow(key, next);
            }
        }
    }

    /// Sends the reply for an id, which was due at a moment.
    fn reply(&mut self, key: usize, (tally, id): (&Tally, u64), due: Instant) -> Option<Next> {
        let next = self.send(key, SERVED, Some((id, tally.body(id))));
        tally.leave(due);
        next
    }

    /// Sends a reply of this status, with the fields that wiremock sends in its order.
    fn send(&mut self, key: usize, status: &str, fetch: Option<(u64, &[u8])>) -> Option<Next> {
        let connection = self.connections.get_mut(key)?;
        if self.date.0.elapsed() > DATE_AGE {
            self.date = (Instant::now(), httpdate::fmt_http_date(SystemTime::now()));
        }
        let (_, body) = fetch.unwrap_or_default();
        let mut reply = Vec::with_capacity(HEAD_USUAL + body.len());
        // A vector takes all that is written to it.
        let _ = write!(reply, "HTTP/1.1 {status}\r\n");
        if let Some((id, _)) = fetch {
            let _ = write!(reply, "{ID_FIELD}: {id}\r\ncontent-type: {CONTENT_TYPE}\r\n");
        }
        if connection.ends() {
            reply.extend_from_slice(b"connection: close\r\n");
        }
        let (length, date) = (body.len(), &self.date.1);
        let _ = write!(reply, "content-length: {length}\r\ndate: {date}\r\n\r\n");
        reply.extend_from_slice(body);
        Some(connection.send(&reply))
    }

    /// Closes a connection. A reply that is still due is none any more.
    fn drop(&mut self, key: usize) {
        // The kernel forgets to watch it as it is closed.
        if let Some(connection) = self.connections.try_remove(key) {
            if self.resets {
                connection.reset();
            }
            // One that waits for no timer leaves with its connection.
            if let Some(tally) = self.tally.as_ref().filter(|_| self.holds)
                && connection.due.is_some()
            {
                tally.leave(Instant::now());
            }
        }
        if self.is_full {
            self.accept();
        }
    }
}

/// Returns whether a connection was not taken for want of something.
fn is_want(error: &io::Error) -> bool {
    let wants = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM];
    error.raw_os_error().is_some_and(|code| wants.contains(&Errno::from_raw(code)))
}

/// Goes on after a signal.
fn interrupted(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}
