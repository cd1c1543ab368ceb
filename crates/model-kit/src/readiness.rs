//! The driver for readiness loops: a slot is stepped until its socket would block, then left
//! until the loop says that the socket is ready.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use crate::{Slot, Step};

/// The connection of one slot, on a non-blocking socket.
#[derive(Debug)]
pub struct Connection<S> {
    socket: Option<S>,
    pending: bool,
    drained: bool,
}

/// How a loop makes its sockets.
#[derive(Debug)]
pub struct Sockets<C, E> {
    /// Starts to connect, without waiting, and has the loop watch the socket.
    pub connect: C,
    /// Returns whether a socket is connected: `WouldBlock` while that is open.
    pub established: E,
}

impl<S> Default for Connection<S> {
    fn default() -> Self {
        Self { socket: None, pending: false, drained: false }
    }
}

impl<S: Read + Write> Connection<S> {
    /// Steps the slot until its socket has to be waited for or the slot is done. Call it when the
    /// loop says that the socket is ready.
    ///
    /// A read that does not fill its buffer has taken all there was: the next one would block, so
    /// it is not tried before the loop says that there is more. The loop has to be edge-triggered,
    /// or to say it each time.
    pub fn advance<C, E>(&mut self, slot: &mut Slot, sockets: &mut Sockets<C, E>)
    where
        C: FnMut(SocketAddr) -> io::Result<S>,
        E: Fn(&S) -> io::Result<()>,
    {
        let mut waits = false;
        self.drained = false;
        while !waits {
            match (slot.step(), &mut self.socket) {
                (Step::Connect(_), socket) if self.pending => {
                    let state = socket.as_ref().map_or(Ok(()), &sockets.established);
                    waits = would_block(&state);
                    self.pending = waits;
                    slot.connected(state);
                }
                (Step::Connect(address), socket) => {
                    // The old connection is dropped before the new one is made.
                    *socket = None;
                    self.drained = false;
                    match (sockets.connect)(address) {
                        Ok(new) => (*socket, self.pending) = (Some(new), true),
                        Err(error) => drop(slot.connected::<S>(Err(error))),
                    }
                }
                (Step::Send(bytes), Some(socket)) => {
                    let result = socket.write(&bytes);
                    waits = would_block(&result);
                    slot.sent(bytes, result);
                }
                (Step::Receive(buffer), Some(_)) if self.drained => {
                    slot.received(buffer, Err(ErrorKind::WouldBlock.into()));
                    waits = true;
                }
                (Step::Receive(mut buffer), Some(socket)) => {
                    let result = socket.read(&mut buffer);
                    waits = would_block(&result);
                    self.drained = result.as_ref().is_ok_and(|count| *count < buffer.len());
                    slot.received(buffer, result);
                }
                (Step::Done, socket) => {
                    *socket = None;
                    return;
                }
                (Step::Send(_) | Step::Receive(_), None) => {
                    unreachable!("a slot asks for a connection first")
                }
            }
        }
    }

    /// Gives a fetch up whose deadline has passed; returns whether there was one.
    pub fn expire(&mut self, slot: &mut Slot) -> bool {
        let expired = slot.expire();
        // What was being connected for that fetch is not the next one's.
        self.pending &= !expired;
        expired
    }
}

/// Returns whether a call has to wait for readiness.
fn would_block<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}
