//! The driver for a loop over completions: one thread steps every slot to its next operation, and
//! keeps what the kernel uses for it at its place until that is complete.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use crate::readiness::patience;
use crate::{Plan, Slot, Step};

/// The kernel's side of the loop.
pub trait Ring {
    /// A connection, and its address while it connects.
    type Socket;

    /// Makes a socket for that address and sets `TCP_NODELAY`, without connecting.
    ///
    /// # Errors
    ///
    /// Returns the error of the system.
    fn open(&mut self, address: SocketAddr) -> io::Result<Self::Socket>;

    /// Begins an operation under a number; what it names stays at its place until the number is
    /// complete.
    ///
    /// # Errors
    ///
    /// Says that the ring is full, which ends the loop.
    fn begin(&mut self, number: u64, operation: Operation<'_, Self::Socket>) -> io::Result<()>;

    /// Waits until an operation is complete, or until the limit has passed, and adds all that are.
    ///
    /// # Errors
    ///
    /// Returns the error of the system, which ends the loop unless it is `ETIME` or a signal.
    fn wait(&mut self, limit: Option<Duration>, complete: &mut Vec<Complete>) -> io::Result<()>;
}

/// The number of an operation, and what the kernel says of it: how many bytes it wrote or read, or
/// the number of an error below zero.
pub type Complete = (u64, i32);

/// What the kernel is to do.
#[derive(Debug)]
pub enum Operation<'a, S> {
    /// Connect.
    Connect(&'a S),
    /// Write these bytes, or the first of them.
    Send(&'a S, &'a [u8]),
    /// Read into this buffer.
    Receive(&'a S, &'a mut [u8]),
    /// Read from this descriptor, which is no socket, into this buffer.
    Read(RawFd, &'a mut [u8]),
    /// Cancel the operation of that number, which completes it.
    Cancel(u64),
}

/// What Linux says when the limit of a wait has passed.
const ETIME: i32 = 62;
/// The number of every cancellation: nobody waits for one.
const CANCELLATION: u64 = u64::MAX;
/// The number of every reading of the bell, which is rung as a fetch is handed in.
const BELL: u64 = u64::MAX - 1;

/// A slot with its connection and what is lent to the kernel.
#[derive(Debug)]
struct Entry<S> {
    slot: Slot,
    socket: Option<S>,
    lent: Option<Lent>,
    is_late: bool,
}

/// What the kernel works on.
#[derive(Debug)]
enum Lent {
    /// The socket alone.
    Socket,
    /// What it reads the request from.
    Request(Vec<u8>),
    /// What it writes the reply into.
    Buffer(Box<[u8]>),
}

/// Fetches with the slots of the whole process until there is nothing more to fetch.
///
/// # Errors
///
/// Returns what ended the loop.
pub fn drive<R: Ring>(
    plan: &Plan,
    slots: impl IntoIterator<Item = Slot>,
    ring: &mut R,
) -> io::Result<()> {
    let new = |slot| Entry { slot, socket: None, lent: None, is_late: false };
    // Never freed: where the loop ends by an error, the kernel still uses what it was lent.
    let entries: &mut [Entry<R::Socket>] = slots.into_iter().map(new).collect::<Vec<_>>().leak();
    let mut complete = Vec::with_capacity(entries.len());
    let (bell, count) = (bell(entries)?, Box::leak(Box::new([0_u8; 8])));
    if let Some(bell) = bell {
        ring.begin(BELL, Operation::Read(bell, count))?;
    }
    for (number, entry) in (0..).zip(&mut *entries) {
        entry.advance(number, ring)?;
    }
    while entries.iter().any(|entry| !entry.slot.is_done()) {
        let limit = patience(plan, entries.iter().map(|entry| &entry.slot));
        match ring.wait(limit, &mut complete) {
            Err(error) if is_awaited(&error) => {}
            ended => ended?,
        }
        for (number, result) in complete.drain(..) {
            if let Some(bell) = bell.filter(|_| number == BELL) {
                if result < 0 {
                    return Err(io::Error::from_raw_os_error(-result));
                }
                // Who was handed in finds out below.
                ring.begin(BELL, Operation::Read(bell, count))?;
            }
            let entry = usize::try_from(number).ok().and_then(|number| entries.get_mut(number));
            if let Some(entry) = entry {
                let count = usize::try_from(result);
                entry.complete(count.map_err(|_| io::Error::from_raw_os_error(-result)));
                entry.advance(number, ring)?;
            }
        }
        if limit.is_some() {
            for (number, entry) in (0..).zip(&mut *entries) {
                entry.expire(number, ring)?;
            }
        }
    }
    Ok(())
}

/// Returns what to listen to beside the sockets of these slots, if anything.
fn bell<S>(entries: &[Entry<S>]) -> io::Result<Option<RawFd>> {
    entries.first().map_or(Ok(None), |entry| entry.slot.bell())
}

/// Returns whether an error says that the limit has passed, or that a signal came.
fn is_awaited(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ETIME) || error.kind() == ErrorKind::Interrupted
}

impl<S> Entry<S> {
    /// Has the kernel begin what the slot asks for, if it asks for anything.
    fn advance<R: Ring<Socket = S>>(&mut self, number: u64, ring: &mut R) -> io::Result<()> {
        loop {
            match self.slot.step() {
                Step::Connect(address) => {
                    // The old connection is dropped before the new one is made.
                    self.socket = None;
                    match ring.open(address) {
                        Ok(socket) => (self.socket, self.lent) = (Some(socket), Some(Lent::Socket)),
                        Err(error) => {
                            drop(self.slot.connected::<S>(Err(error)));
                            continue;
                        }
                    }
                }
                Step::Send(bytes) => self.lent = Some(Lent::Request(bytes)),
                Step::Receive(buffer) => self.lent = Some(Lent::Buffer(buffer)),
                Step::Wait(_) | Step::Rest => {}
                Step::Done => self.socket = None,
            }
            let (Some(lent), Some(socket)) = (&mut self.lent, &self.socket) else { return Ok(()) };
            let operation = match lent {
                Lent::Socket => Operation::Connect(socket),
                Lent::Request(bytes) => Operation::Send(socket, bytes),
                Lent::Buffer(buffer) => Operation::Receive(socket, buffer),
            };
            return ring.begin(number, operation);
        }
    }

    /// Takes what came of the operation.
    fn complete(&mut self, result: io::Result<usize>) {
        // What was cancelled may have been complete by then, and was late all the same.
        let is_late = std::mem::take(&mut self.is_late);
        let result = if is_late { Err(ErrorKind::TimedOut.into()) } else { result };
        match self.lent.take() {
            Some(Lent::Socket) => {
                let socket = self.socket.take();
                let connected = result.and_then(|_| socket.ok_or(ErrorKind::NotConnected.into()));
                self.socket = self.slot.connected(connected);
            }
            Some(Lent::Request(bytes)) => self.slot.sent(bytes, result),
            Some(Lent::Buffer(buffer)) => self.slot.received(buffer, result),
            None => {}
        }
    }

    /// Cancels an operation whose deadline has passed, or goes on after a wait or a rest.
    fn expire<R: Ring<Socket = S>>(&mut self, number: u64, ring: &mut R) -> io::Result<()> {
        if self.lent.is_none() {
            return if self.slot.expire() { self.advance(number, ring) } else { Ok(()) };
        }
        let deadline = self.slot.deadline();
        if self.is_late || deadline.is_none_or(|deadline| Instant::now() < deadline) {
            return Ok(());
        }
        self.is_late = true;
        ring.begin(CANCELLATION, Operation::Cancel(number))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::{Cell, DelayRange, Workload, content, rehearse};

    const ECANCELED: i32 = 125;
    const EMFILE: i32 = 24;

    /// A kernel that takes every write and reads what it was given, and then nothing.
    struct Fake {
        opens: bool,
        reads: VecDeque<Vec<u8>>,
        complete: Vec<Complete>,
        cancelled: Vec<u64>,
    }

    impl Ring for Fake {
        type Socket = ();

        fn open(&mut self, _: SocketAddr) -> io::Result<()> {
            if self.opens { Ok(()) } else { Err(io::Error::from_raw_os_error(EMFILE)) }
        }

        fn begin(&mut self, number: u64, operation: Operation<'_, ()>) -> io::Result<()> {
            let count = match operation {
                Operation::Connect(()) => 0,
                Operation::Send((), bytes) => bytes.len(),
                Operation::Receive((), buffer) => match self.reads.pop_front() {
                    Some(bytes) => {
                        buffer[..bytes.len()].copy_from_slice(&bytes);
                        bytes.len()
                    }
                    None => return Ok(()),
                },
                Operation::Read(..) => panic!("nothing is handed in"),
                Operation::Cancel(other) => {
                    self.cancelled.push(other);
                    self.complete.extend([(number, 0), (other, -ECANCELED)]);
                    return Ok(());
                }
            };
            self.complete.push((number, i32::try_from(count).unwrap()));
            Ok(())
        }

        fn wait(
            &mut self,
            limit: Option<Duration>,
            complete: &mut Vec<Complete>,
        ) -> io::Result<()> {
            if self.complete.is_empty() {
                // Only a fetch that is never answered waits for its limit here.
                std::thread::sleep(limit.expect("somebody would wait for ever"));
            }
            complete.append(&mut self.complete);
            Ok(())
        }
    }

    /// Fetches once, and returns the codes of failures and what was cancelled.
    fn fetched(opens: bool, reads: Vec<Vec<u8>>) -> (Vec<String>, Vec<u64>) {
        let cell = Cell {
            name: "test".to_owned(),
            workload: Workload::Batch,
            in_flight: 1,
            warmup: 0,
            fetches: 1,
            delay_ms: DelayRange { lo: 0, hi: 0 },
            body_bytes: 16,
            ..Cell::least(Workload::Batch)
        };
        let origins = vec![([127, 0, 0, 1], 4100).into()];
        let plan =
            Plan { cell, origins, workers: 1, seed: 1, deadline_ms: Some(1_000), surcharge_ns: 0 };
        let reads = reads.into();
        let mut ring = Fake { opens, reads, complete: Vec::new(), cancelled: Vec::new() };
        let trial = rehearse(&plan, |slots| drive(&plan, slots, &mut ring).unwrap());
        (trial.unwrap().total.errors.into_keys().collect(), ring.cancelled)
    }

    /// Returns a reply.
    fn reply() -> Vec<u8> {
        let head = b"HTTP/1.1 200 OK\r\ninflight-id: 0\r\ncontent-length: 16\r\n\r\n";
        [&head[..], &content::body(1, 0, 16)].concat()
    }

    #[test]
    fn a_reply_in_pieces_is_one_fetch() {
        let (head, body) = (reply()[..30].to_vec(), reply()[30..].to_vec());
        assert_eq!(fetched(true, vec![head, body]), (vec![], vec![]));
    }

    #[test]
    fn what_is_late_is_cancelled_and_counted_by_what_was_waited_for() {
        assert_eq!(fetched(true, vec![]), (vec!["1403".to_owned()], vec![0]));
        let part = reply()[..60].to_vec();
        assert_eq!(fetched(true, vec![part]), (vec!["1504".to_owned()], vec![0]));
    }

    #[test]
    fn a_socket_that_cannot_be_made_is_a_failed_fetch() {
        assert_eq!(fetched(false, vec![]), (vec!["1001".to_owned()], vec![]));
    }
}
