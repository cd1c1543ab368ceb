//! The driver for models that wait by blocking a unit: threads, pools of threads, iterators, and
//! coroutines that have a stack each.
//!
//! What blocks is a thread of the system, unless the model says how its own units block
//! ([`Runtime`]).

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Outcome, Slot, Step};

/// What units that block bring, if they are no threads.
pub trait Runtime {
    /// A connection. What passes its limit of time fails with `TimedOut` or `WouldBlock`.
    type Stream: Read + Write;

    /// Connects, within that time if there is a limit, and sets `TCP_NODELAY`.
    ///
    /// # Errors
    ///
    /// Returns the error of the system.
    fn connect(address: SocketAddr, limit: Option<Duration>) -> io::Result<Self::Stream>;

    /// Limits the time of each read that follows.
    ///
    /// # Errors
    ///
    /// Returns the error of the system.
    fn limit_reads(stream: &Self::Stream, limit: Duration) -> io::Result<()>;

    /// Limits the time of each write that follows.
    ///
    /// # Errors
    ///
    /// Returns the error of the system.
    fn limit_writes(stream: &Self::Stream, limit: Duration) -> io::Result<()>;

    /// Blocks the unit for that time.
    fn sleep(time: Duration);

    /// Blocks the unit until the next turn.
    fn next_turn(slot: &mut Slot);
}

/// Threads of the system, with the sockets of the standard library.
#[derive(Debug)]
pub struct Threads;

/// The connection of one slot, on a blocking socket.
#[derive(Debug)]
pub struct Connection<R: Runtime = Threads> {
    stream: Option<R::Stream>,
}

/// Fetches with a slot on a thread until there is nothing more to fetch.
pub fn drive(mut slot: Slot) {
    let mut connection = Connection::<Threads>::default();
    while connection.fetch(&mut slot).is_some() {}
}

impl<R: Runtime> Default for Connection<R> {
    fn default() -> Self {
        Self { stream: None }
    }
}

impl<R: Runtime> Connection<R> {
    /// Carries one fetch to its end, and returns how it ended, or nothing when the slot is done.
    pub fn fetch(&mut self, slot: &mut Slot) -> Option<Outcome> {
        loop {
            match (slot.step(), &mut self.stream) {
                (Step::Connect(address), stream) => {
                    *stream = None;
                    *stream = slot.connected(connect::<R>(address, slot.deadline()));
                }
                (Step::Send(bytes), Some(stream)) => {
                    let result = send::<R>(stream, &bytes, slot.deadline());
                    slot.sent(bytes, result);
                }
                (Step::Receive(mut buffer), Some(stream)) => {
                    let result = receive::<R>(stream, &mut buffer, slot.deadline());
                    slot.received(buffer, result);
                }
                (Step::Wait(due), _) => {
                    R::sleep(due.saturating_duration_since(Instant::now()));
                    slot.waited();
                }
                (Step::Rest, _) => R::next_turn(slot),
                (Step::Done, _) => return None,
                (Step::Send(_) | Step::Receive(_), None) => {
                    unreachable!("a slot asks for a connection first")
                }
            }
            if let Some(outcome) = slot.take_outcome() {
                return Some(outcome);
            }
        }
    }
}

impl Runtime for Threads {
    type Stream = TcpStream;

    fn connect(address: SocketAddr, limit: Option<Duration>) -> io::Result<TcpStream> {
        let stream = match limit {
            None => TcpStream::connect(address)?,
            Some(limit) => TcpStream::connect_timeout(&address, limit)?,
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn limit_reads(stream: &TcpStream, limit: Duration) -> io::Result<()> {
        stream.set_read_timeout(Some(limit))
    }

    fn limit_writes(stream: &TcpStream, limit: Duration) -> io::Result<()> {
        stream.set_write_timeout(Some(limit))
    }

    fn sleep(time: Duration) {
        thread::sleep(time);
    }

    fn next_turn(slot: &mut Slot) {
        slot.next_turn_blocking();
    }
}

/// Connects, by the deadline if there is one.
fn connect<R: Runtime>(address: SocketAddr, deadline: Option<Instant>) -> io::Result<R::Stream> {
    R::connect(address, deadline.map(left_until).transpose()?)
}

/// Writes once, by the deadline if there is one.
fn send<R: Runtime>(
    stream: &mut R::Stream,
    bytes: &[u8],
    deadline: Option<Instant>,
) -> io::Result<usize> {
    let Some(deadline) = deadline else { return stream.write(bytes) };
    R::limit_writes(stream, left_until(deadline)?)?;
    stream.write(bytes).map_err(timed_out)
}

/// Reads once, by the deadline if there is one.
fn receive<R: Runtime>(
    stream: &mut R::Stream,
    buffer: &mut [u8],
    deadline: Option<Instant>,
) -> io::Result<usize> {
    let Some(deadline) = deadline else { return stream.read(buffer) };
    R::limit_reads(stream, left_until(deadline)?)?;
    stream.read(buffer).map_err(timed_out)
}

/// Returns the time left, or the error that there is none.
fn left_until(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(io::ErrorKind::TimedOut.into()),
        false => Ok(left),
    }
}

/// Translates what Linux says when a socket's own time limit passes.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}
