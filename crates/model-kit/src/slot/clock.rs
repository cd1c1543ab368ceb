//! What a slot waits for that is no socket: the arrival of its fetch, its deadline, and, of a probe
//! task, the next wake-up.

use std::time::Instant;

use super::{Connection, Slot, State};
use crate::ErrorCode;
use crate::ledger::Ledger;
use crate::reply::Loss;

impl Slot {
    /// Takes the end of a wait. Of one that ended too early it asks for the rest.
    pub fn waited(&mut self) {
        if let State::Due(due) = self.state {
            if Instant::now() >= due {
                self.state = self.first_step();
            }
            return;
        }
        if let (Some(probe_task), Some(ledger)) = (&mut self.probe_task, &self.ledger) {
            probe_task.wake_up(ledger);
        }
        self.state = State::Idle;
    }

    /// Returns when the fetch must have ended, if the plan sets a limit; the model bounds its
    /// waits with its own timer and reports `TimedOut`, or [`ErrorCode::Deadline`]. The time begins
    /// with the arrival of the fetch, whether or not a slot was free.
    pub fn deadline(&self) -> Option<Instant> {
        self.shared.deadline.map(|limit| self.started + limit)
    }

    /// Returns when a loop has to look at the slot even if its socket is not ready: at the deadline
    /// of its fetch, or at the end of its wait.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Rest | State::Done => None,
            State::Due(_) if self.shared.is_handed_in => None,
            State::Due(due) | State::Wait(due) => Some(due),
            _ => self.deadline(),
        }
    }

    /// Gives the fetch up if its deadline has passed, or ends a wait, and returns whether it did:
    /// for loops whose timer is not part of the call that waits.
    pub fn expire(&mut self) -> bool {
        match self.state {
            State::Due(_) => {
                let arrivals = self.ledger.as_deref().and_then(Ledger::arrivals);
                let has_arrived = arrivals.is_none_or(|arrivals| arrivals.has_arrived(self.id));
                if has_arrived {
                    self.state = self.first_step();
                }
                return has_arrived;
            }
            State::Wait(due) => {
                let over = Instant::now() >= due;
                if over {
                    self.waited();
                }
                return over;
            }
            State::Rest => {
                let call = self.shared.gate.call(self.taken);
                return call.map(|call| self.answer(call)).is_some();
            }
            _ => {}
        }
        if self.deadline().is_none_or(|deadline| Instant::now() < deadline) {
            return false;
        }
        match &self.state {
            State::Connect => self.fail(ErrorCode::ConnectTimeout),
            State::Send => self.fail(ErrorCode::SendTimeout),
            State::Receive(_) => self.lose(Loss::Timeout),
            _ => return false,
        }
        true
    }

    /// Starts the clock of a fetch that was dealt: where fetches arrive at a rate, at its arrival,
    /// which may be still to come or long over; else when the slot was freed.
    pub(super) fn start(&mut self) -> State {
        let freed = self.freed.take();
        let arrivals = self.ledger.as_deref().and_then(Ledger::arrivals);
        let arrival = arrivals.map(|own| (own.due(self.id), own.has_arrived(self.id)));
        let Some((due, has_arrived)) = arrival else {
            self.started = freed.unwrap_or_else(Instant::now);
            return self.first_step();
        };
        self.started = due;
        if has_arrived { self.first_step() } else { State::Due(due) }
    }

    /// Notes that the request leaves now, if that is asked for.
    pub(super) fn leave(&mut self) {
        if self.shared.is_open {
            self.left = Instant::now();
        }
    }

    /// Keeps what a fetch waited for that ended now and was ok, if it arrived at a rate.
    pub(super) fn keep(&self, now: Instant) {
        if let Some(arrivals) = self.ledger.as_deref().and_then(Ledger::arrivals) {
            arrivals.keep(self.id, (self.left, now));
        }
    }

    /// Returns what a fetch begins with.
    pub(super) fn first_step(&self) -> State {
        match self.connection {
            Connection::None => State::Connect,
            Connection::Fresh | Connection::Reused => State::Send,
        }
    }
}
