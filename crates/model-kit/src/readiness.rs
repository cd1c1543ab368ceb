//! The driver for readiness loops: a slot is stepped until its socket would block, then left
//! until the loop says that the socket is ready.

use std::io::{self, ErrorKind, Read, Write};
use std::iter;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::{Duration, Instant};

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::{Plan, Slot, Slots, Step};

/// How long a loop may wait where fetches are handed in, since it is woken as one is.
const HAND_IN_MAX: Duration = Duration::from_hours(1);

/// The connection of one slot, on a non-blocking socket.
#[derive(Debug)]
pub struct Connection<S> {
    socket: Option<S>,
    pending: bool,
    drained: bool,
    hung_up: bool,
}

/// How a loop makes its sockets.
#[derive(Debug)]
pub struct Sockets<C, E> {
    /// Starts to connect, without waiting, and has the loop watch the socket.
    pub connect: C,
    /// Returns whether a socket is connected: `WouldBlock` while that is open.
    pub established: E,
}

/// A descriptor that a loop watches beside its sockets, for edges, and need not read: a timer finer
/// than the millisecond to which the loop rounds its wait, ready when the time is over; where
/// fetches are handed in instead, ready when one is.
#[derive(Debug)]
pub struct Alarm {
    timer: TimerFd,
    bell: Option<RawFd>,
}

/// Returns how long a loop may wait for its sockets: until the first deadline or wait of these
/// slots is over. A plan that sets neither, nor a rate of arrivals, lets it wait for ever, without
/// a look at the slots.
///
/// Between two turns it blocks, since all slots rest: they are to be those of the whole process.
pub fn patience<'a>(plan: &Plan, mut slots: impl Iterator<Item = &'a Slot>) -> Option<Duration> {
    let first = slots.next()?;
    if first.wait_while_all_rest() {
        return Some(Duration::ZERO);
    }
    if plan.deadline_ms.is_none() && plan.cell.probe_period_us == 0 && !plan.cell.is_open() {
        return None;
    }
    let due = iter::once(first).chain(slots).filter_map(Slot::due).min();
    let left = due.map(|due| due.saturating_duration_since(Instant::now()));
    left.or(plan.cell.handed_in.then_some(HAND_IN_MAX))
}

impl Alarm {
    /// Makes one for a loop over these slots, which is not set.
    ///
    /// # Errors
    ///
    /// Returns the error of the system.
    pub fn new(slots: &Slots) -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        Ok(Self { timer, bell: slots.bell()? })
    }

    /// Returns its descriptor.
    pub fn fd(&self) -> RawFd {
        self.bell.unwrap_or_else(|| self.timer.as_fd().as_raw_fd())
    }

    /// Sets it to the end of a wait, if that has one, and returns the wait.
    ///
    /// # Errors
    ///
    /// Returns the error of the system.
    pub fn set(&self, wait: Option<Duration>) -> io::Result<Option<Duration>> {
        // A time of zero would disarm it, and the loop does not wait.
        let timed = wait.filter(|wait| !wait.is_zero() && self.bell.is_none());
        if let Some(wait) = timed {
            let expiration = Expiration::OneShot(TimeSpec::from(wait));
            self.timer.set(expiration, TimerSetTimeFlags::empty())?;
        }
        Ok(wait)
    }
}

impl<S> Default for Connection<S> {
    fn default() -> Self {
        Self { socket: None, pending: false, drained: false, hung_up: false }
    }
}

impl<S: Read + Write> Connection<S> {
    /// Steps the slot until its socket has to be waited for or the slot is done. Call it when the
    /// loop says that the socket is ready.
    ///
    /// `hung_up` says whether the loop has been informed that the peer sends nothing more. A read
    /// that does not fill its buffer has taken all there was: the next one would block, so it is
    /// not tried before the loop says that there is more; unless the peer has hung up, for then an
    /// edge-triggered loop says nothing more.
    pub fn advance<C, E>(&mut self, slot: &mut Slot, sockets: &mut Sockets<C, E>, hung_up: bool)
    where
        C: FnMut(SocketAddr) -> io::Result<S>,
        E: Fn(&S) -> io::Result<()>,
    {
        let mut waits = false;
        self.drained = false;
        self.hung_up |= hung_up;
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
                    (self.drained, self.hung_up) = (false, false);
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
                    let took_all = result.as_ref().is_ok_and(|count| *count < buffer.len());
                    self.drained = took_all && !self.hung_up;
                    slot.received(buffer, result);
                }
                // The loop ends it, by [`Connection::expire`].
                (Step::Wait(_) | Step::Rest, _) => waits = true,
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

    /// Gives a fetch up whose deadline has passed, or ends a wait or a rest that is over; returns
    /// whether there was one.
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::{Cell, DelayRange, Workload, content, rehearse};

    /// A socket that takes every write and reads what it was given, then blocks.
    struct Fake(VecDeque<io::Result<Vec<u8>>>);

    impl Read for Fake {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let bytes = self.0.pop_front().unwrap_or(Err(ErrorKind::WouldBlock.into()))?;
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    impl Write for Fake {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Fetches once from a socket that blocks and then reads this, informed once that it is ready;
    /// returns the codes: 1005 if the fetch did not end.
    fn fetched(reads: Vec<Vec<u8>>, hung_up: bool) -> Option<Vec<String>> {
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
        let plan = Plan { cell, origins, workers: 1, seed: 1, deadline_ms: None, surcharge_ns: 0 };
        let blocks = Err(ErrorKind::WouldBlock.into());
        let mut reads: VecDeque<_> =
            [blocks].into_iter().chain(reads.into_iter().map(Ok)).collect();
        let trial = rehearse(&plan, |slots| {
            for mut slot in slots {
                let connect = |_| Ok(Fake(std::mem::take(&mut reads)));
                let established = |_: &Fake| Ok(());
                let mut sockets = Sockets { connect, established };
                let mut connection = Connection::default();
                connection.advance(&mut slot, &mut sockets, false);
                connection.advance(&mut slot, &mut sockets, hung_up);
            }
        });
        trial.ok().map(|trial| trial.total.errors.into_keys().collect())
    }

    /// Returns a reply cut to so many bytes from its end.
    fn reply(cut: usize) -> Vec<u8> {
        let head = b"HTTP/1.1 200 OK\r\ninflight-id: 0\r\ncontent-length: 16\r\n\r\n";
        let mut bytes = [&head[..], &content::body(1, 0, 16)].concat();
        bytes.truncate(bytes.len() - cut);
        bytes
    }

    #[test]
    fn a_whole_reply_is_one_fetch() {
        assert_eq!(fetched(vec![reply(0)], false), Some(vec![]));
    }

    #[test]
    fn after_a_short_read_the_loop_has_to_say_that_there_is_more() {
        assert_eq!(fetched(vec![reply(5), vec![]], false), Some(vec!["1005".to_owned()]));
    }

    #[test]
    fn a_reply_that_came_together_with_its_end_is_read_to_the_end() {
        assert_eq!(fetched(vec![reply(5), vec![]], true), Some(vec!["1501".to_owned()]));
    }
}
