//! The driver for models that wait by blocking a thread: threads, pools of threads, iterators.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Outcome, Slot, Step};

/// The connection of one slot, on a blocking socket.
#[derive(Debug, Default)]
pub struct Connection {
    stream: Option<TcpStream>,
}

/// Fetches with a slot until there is nothing more to fetch.
pub fn drive(mut slot: Slot) {
    let mut connection = Connection::default();
    while connection.fetch(&mut slot).is_some() {}
}

impl Connection {
    /// Carries one fetch to its end, and returns how it ended, or nothing when the slot is done.
    pub fn fetch(&mut self, slot: &mut Slot) -> Option<Outcome> {
        loop {
            match (slot.step(), &mut self.stream) {
                (Step::Connect(address), stream) => {
                    *stream = None;
                    *stream = slot.connected(connect(address, slot.deadline()));
                }
                (Step::Send(bytes), Some(stream)) => {
                    let result = send(stream, &bytes, slot.deadline());
                    slot.sent(bytes, result);
                }
                (Step::Receive(mut buffer), Some(stream)) => {
                    let result = receive(stream, &mut buffer, slot.deadline());
                    slot.received(buffer, result);
                }
                (Step::Wait(due), _) => {
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    slot.waited();
                }
                (Step::Rest, _) => slot.next_turn_blocking(),
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

/// Connects, by the deadline if there is one.
fn connect(address: SocketAddr, deadline: Option<Instant>) -> io::Result<TcpStream> {
    let stream = match deadline {
        None => TcpStream::connect(address)?,
        Some(deadline) => TcpStream::connect_timeout(&address, left_until(deadline)?)?,
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Writes once, by the deadline if there is one.
fn send(stream: &mut TcpStream, bytes: &[u8], deadline: Option<Instant>) -> io::Result<usize> {
    let Some(deadline) = deadline else { return stream.write(bytes) };
    stream.set_write_timeout(Some(left_until(deadline)?))?;
    stream.write(bytes).map_err(timed_out)
}

/// Reads once, by the deadline if there is one.
fn receive(
    stream: &mut TcpStream,
    buffer: &mut [u8],
    deadline: Option<Instant>,
) -> io::Result<usize> {
    let Some(deadline) = deadline else { return stream.read(buffer) };
    stream.set_read_timeout(Some(left_until(deadline)?))?;
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
