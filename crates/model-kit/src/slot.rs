//! The slot: one of the `in_flight` places that a fetch can occupy, as a state machine that never
//! touches a socket.
//!
//! What a fetch is, when it has failed, when to connect again: all of it stands here, once, so
//! that no model can gain from code that another does not get.

mod clock;
mod library;
mod rest;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::ledger::Ledger;
use crate::probe_task::ProbeTask;
use crate::reply::{Loss, Progress, Reply};
use crate::serve::Shared;
use crate::work::{burn, compute};
use crate::{ErrorCode, Outcome};

/// The room for what comes with a body: a head, and what may follow.
const HEAD_ROOM_BYTES: usize = 1024;
/// The most room for one read. A reply with a body of 16 KiB comes in two.
const RECEIVE_BYTES_MAX: usize = 16 * 1024;

/// What a model does next for a slot, in its own way of waiting.
#[derive(Debug)]
pub enum Step {
    /// Drop the old connection, connect, set `TCP_NODELAY`; then [`Slot::connected`].
    Connect(SocketAddr),
    /// Write the bytes, or the first of them; then [`Slot::sent`].
    Send(Vec<u8>),
    /// Read into the buffer; then [`Slot::received`].
    Receive(Box<[u8]>),
    /// Wait until then, by a timer of its own; then [`Slot::waited`].
    Wait(Instant),
    /// Wait for the next turn, or for a fetch to be handed in, by [`Slot::next_turn`] or
    /// [`Slot::next_turn_blocking`].
    Rest,
    /// Leave: there is nothing more to fetch.
    Done,
}

/// Where the slot is.
#[derive(Debug)]
enum State {
    /// Between two fetches.
    Idle,
    /// A fetch waits for a connection.
    Connect,
    /// The request is on its way.
    Send,
    /// The reply is on its way.
    Receive(Reply),
    /// A library carries the fetch.
    Library,
    /// A fetch arrives then, or is handed in.
    Due(Instant),
    /// The next wake-up is waited for until then.
    Wait(Instant),
    /// No id is left of this turn.
    Rest,
    /// There is no further turn.
    Done,
}

/// The connection, as far as the slot knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    /// There is none, or none that may be used again.
    None,
    /// It has carried no reply yet.
    Fresh,
    /// It has carried at least one.
    Reused,
}

/// One of the `in_flight` places that a fetch can occupy.
#[derive(Debug)]
pub struct Slot {
    shared: Arc<Shared>,
    /// The count of the turn that runs, once there is one.
    ledger: Option<Arc<Ledger>>,
    /// The number of the turn that it has taken last; 0 for none.
    taken: u64,
    /// Whether the gate waits for it.
    is_counted: bool,
    origin: SocketAddr,
    state: State,
    connection: Connection,
    pub(crate) id: u64,
    started: Instant,
    /// When its request left, where that is asked for.
    left: Instant,
    /// When the last fetch ended, which is when the next one begins.
    freed: Option<Instant>,
    request: Vec<u8>,
    /// What follows the id in every request; to write an address costs more than all the rest.
    request_end: Box<[u8]>,
    buffer: Option<Box<[u8]>>,
    outcome: Option<Outcome>,
    /// Wakes instead of fetching.
    probe_task: Option<ProbeTask>,
}

impl Slot {
    /// Creates a slot that will fetch from `origin`.
    pub(crate) fn new(shared: Arc<Shared>, origin: SocketAddr) -> Self {
        Self {
            shared,
            ledger: None,
            taken: 0,
            is_counted: true,
            origin,
            state: State::Idle,
            connection: Connection::None,
            id: 0,
            started: Instant::now(),
            left: Instant::now(),
            freed: None,
            request: Vec::new(),
            request_end: format!(" HTTP/1.1\r\nHost: {origin}\r\n\r\n").into_bytes().into(),
            buffer: None,
            outcome: None,
            probe_task: None,
        }
    }

    /// Returns it as one that fetches nothing and wakes so often.
    pub(crate) fn beating(mut self, period: Duration) -> Self {
        self.probe_task = Some(ProbeTask::new(period));
        // A model may never let it in.
        self.is_counted = false;
        self
    }

    /// Returns what to do next. Asked again without a report in between, it repeats the step.
    pub fn step(&mut self) -> Step {
        if let State::Rest = self.state
            && let Some(call) = self.shared.gate.call(self.taken)
        {
            self.answer(call);
        }
        if self.waits_for_pacer() {
            self.expire();
        }
        if matches!(self.state, State::Idle) {
            self.state = self.begin();
        }

        match &self.state {
            State::Due(_) if self.shared.is_handed_in => Step::Rest,
            State::Connect => Step::Connect(self.origin),
            State::Send => Step::Send(self.take_request()),
            State::Receive(_) => {
                let buffer = self.buffer.take();
                Step::Receive(buffer.unwrap_or_else(|| self.receive_buffer()))
            }
            State::Due(due) | State::Wait(due) => Step::Wait(*due),
            State::Rest => Step::Rest,
            State::Done => Step::Done,
            State::Idle | State::Library => unreachable!("a fetch has just begun, by steps"),
        }
    }

    /// Takes the result of connecting, and hands the connection back if there is one.
    pub fn connected<C>(&mut self, result: io::Result<C>) -> Option<C> {
        match result {
            Ok(connection) => {
                self.connection = Connection::Fresh;
                self.state = State::Send;
                Some(connection)
            }
            Err(error) if is_not_yet(&error) => None,
            Err(error) => {
                self.fail(ErrorCode::while_connecting(&error));
                None
            }
        }
    }

    /// Takes the request back, and how many of its bytes were written.
    pub fn sent(&mut self, mut bytes: Vec<u8>, result: io::Result<usize>) {
        match result {
            Ok(count) if count >= bytes.len() => {
                bytes.clear();
                self.state =
                    State::Receive(Reply::to(self.id, self.connection == Connection::Reused));
            }
            // A write of nothing will not get better by waiting.
            Ok(0) => self.lose(Loss::Closed),
            Ok(count) => drop(bytes.drain(..count)),
            Err(error) if is_not_yet(&error) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.fail(ErrorCode::SendTimeout);
            }
            Err(_) => self.lose(Loss::Reset),
        }
        self.request = bytes;
    }

    /// Takes the buffer back, and how many bytes were read into it; none means that the peer has
    /// closed the connection.
    pub fn received(&mut self, buffer: Box<[u8]>, result: io::Result<usize>) {
        match result {
            Ok(0) => self.lose(Loss::Closed),
            Ok(count) => self.read(&buffer[..count]),
            Err(error) if is_not_yet(&error) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => self.lose(Loss::Timeout),
            Err(_) => self.lose(Loss::Reset),
        }
        self.buffer = Some(buffer);
    }

    /// Returns whether there is nothing more to fetch.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Returns how the last fetch ended, once.
    pub fn take_outcome(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }

    /// Takes an id, if one is left, and starts its clock.
    fn begin(&mut self) -> State {
        if !self.is_counted {
            self.shared.gate.join();
            self.is_counted = true;
        }
        if self.ledger.is_none()
            && let Some(call) = self.shared.gate.call(self.taken)
        {
            self.answer(call);
        }
        let Some(ledger) = &self.ledger else { return self.rest() };
        if let Some(probe_task) = &mut self.probe_task {
            return match probe_task.due(ledger) {
                Some(due) => State::Wait(due),
                None => self.rest(),
            };
        }
        let Some(id) = ledger.deal() else { return self.rest() };
        self.id = id;
        self.request.clear();
        self.start()
    }

    /// Returns what is still to be written of the request: the same bytes from every bare model.
    fn take_request(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.request);
        if bytes.is_empty() {
            self.leave();
            write!(bytes, "GET /f/{}", self.id).expect("a vector takes every write");
            bytes.extend_from_slice(&self.request_end);
        }
        bytes
    }

    /// Returns a new buffer to read into, no larger than the replies need: what a slot takes is
    /// counted as memory of its model.
    pub(crate) fn receive_buffer(&self) -> Box<[u8]> {
        let body = usize::try_from(self.shared.body_bytes).unwrap_or(RECEIVE_BYTES_MAX);
        vec![0; (body + HEAD_ROOM_BYTES).min(RECEIVE_BYTES_MAX)].into_boxed_slice()
    }

    /// Reads what has come of the reply, and ends the fetch when it is whole or wrong.
    fn read(&mut self, bytes: &[u8]) {
        let State::Receive(reply) = &mut self.state else { return };
        match reply.read(bytes) {
            Ok(Progress::More) => {}
            Ok(Progress::Whole { extra }) => self.end_whole(extra),
            Err(code) => {
                let code = reply.fault().unwrap_or(code);
                self.fail(code);
            }
        }
    }

    /// Ends a fetch whose reply is whole.
    fn end_whole(&mut self, extra: usize) {
        let State::Receive(reply) = std::mem::replace(&mut self.state, State::Idle) else { return };
        self.connection = match reply.is_persistent() && extra == 0 {
            true => Connection::Reused,
            false => Connection::None,
        };
        if extra > 0
            && let Some(ledger) = &self.ledger
        {
            ledger.count_extra_bytes();
        }

        match reply.verdict(self.shared.body_bytes, self.shared.checksums.of(self.id)) {
            Ok(()) => self.succeed(),
            Err(code) => self.end(Outcome::Failed(code)),
        }
    }

    /// Ends a fetch whose connection was lost.
    fn lose(&mut self, loss: Loss) {
        let reused = self.connection == Connection::Reused;
        let code = match &self.state {
            State::Receive(reply) => reply.fault().unwrap_or_else(|| reply.lost(loss, reused)),
            _ => ErrorCode::lost_before_head(reused),
        };
        self.fail(code);
    }

    /// Ends the fetch as ok. The next one begins at this moment: one reading of the clock serves
    /// both, and what the model does in between is part of what its slot waits for.
    fn succeed(&mut self) {
        compute(self.shared.work_kib);
        let now = Instant::now();
        self.keep(now);
        self.end(Outcome::Ok(now - self.started));
        self.freed = Some(now);
    }

    /// Ends the fetch as failed; its connection is not used again.
    fn fail(&mut self, code: ErrorCode) {
        self.connection = Connection::None;
        self.end(Outcome::Failed(code));
    }

    /// Ends the fetch and counts it.
    fn end(&mut self, outcome: Outcome) {
        self.state = State::Idle;
        self.outcome = Some(outcome);
        burn(self.shared.surcharge);
        if let Some(ledger) = &self.ledger {
            ledger.end(outcome);
        }
    }
}

impl Drop for Slot {
    /// A fetch whose unit left before its end has failed, so that no fetch is lost.
    fn drop(&mut self) {
        let rests = matches!(self.state, State::Rest);
        if !rests && !matches!(self.state, State::Idle | State::Wait(_) | State::Done) {
            self.fail(match thread::panicking() {
                true => ErrorCode::TaskPanicked,
                false => ErrorCode::Cancelled,
            });
        }
        if self.is_counted {
            self.shared.gate.leave(rests.then_some(self.taken));
        }
    }
}

/// Returns whether the step is only to be repeated.
fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
