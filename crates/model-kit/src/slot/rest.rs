//! A slot that rests: at the gate between two turns, until the next one calls; and where fetches
//! are handed in, until its own is.

use std::future::poll_fn;
use std::io;
use std::os::fd::RawFd;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use super::{Slot, State};
use crate::gate::Call;
use crate::ledger::Ledger;
use crate::pacer::handed_in_or_wake;

impl Slot {
    /// Awaits the next turn, or that a fetch is handed in; returns at once where the slot does not
    /// rest.
    pub async fn next_turn(&mut self) {
        if self.waits_for_pacer() {
            poll_fn(|context| self.poll_handed_in(context.waker())).await;
        }
        if matches!(self.state, State::Rest) {
            let (gate, taken) = (&self.shared.gate, self.taken);
            let call = poll_fn(|context| match gate.call_or_wake(taken, context.waker()) {
                Some(call) => Poll::Ready(call),
                None => Poll::Pending,
            });
            let call = call.await;
            self.answer(call);
        }
    }

    /// Blocks until the next turn, or until a fetch is handed in; returns at once where the slot
    /// does not rest.
    pub fn next_turn_blocking(&mut self) {
        if self.waits_for_pacer() {
            let unit = thread::current();
            self.next_turn_parked(thread::park, move || unit.unpark());
        }
        if matches!(self.state, State::Rest) {
            let call = self.shared.gate.wait(self.taken);
            self.answer(call);
        }
    }

    /// The same for a unit that is no thread of the system: it parks, and is unparked from another
    /// thread. An `unpark` that comes first must let the next `park` through.
    pub fn next_turn_parked(&mut self, park: impl Fn(), unpark: impl Fn() + Send + Sync + 'static) {
        let waker = Arc::new(Unpark(unpark)).into();
        let mut called = pin!(self.next_turn());
        while called.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            park();
        }
    }

    /// Returns whether it waits for its fetch to be handed in.
    pub(super) fn waits_for_pacer(&self) -> bool {
        self.shared.is_handed_in && matches!(self.state, State::Due(_))
    }

    /// Returns what a loop has to listen to beside its sockets, if anything.
    pub(crate) fn bell(&self) -> io::Result<Option<RawFd>> {
        self.shared.bell()
    }

    /// Goes on once its fetch was handed in; until then, has the waker called when it is.
    fn poll_handed_in(&mut self, waker: &Waker) -> Poll<()> {
        let arrivals = self.ledger.as_deref().and_then(Ledger::arrivals);
        if arrivals.is_some_and(|own| !handed_in_or_wake(own, self.id, waker)) {
            return Poll::Pending;
        }
        self.state = self.first_step();
        Poll::Ready(())
    }

    /// Blocks while all slots of the process rest; returns whether the next turn calls.
    pub(crate) fn wait_while_all_rest(&self) -> bool {
        matches!(self.state, State::Rest) && self.shared.gate.wait_if_quiet(self.taken)
    }

    /// Takes what called it from its rest.
    pub(super) fn answer(&mut self, call: Call) {
        self.state = match call {
            Call::Turn(number, ledger) => {
                (self.taken, self.ledger) = (number, Some(ledger));
                // What it waited for between two turns belongs to neither.
                self.freed = None;
                State::Idle
            }
            Call::Over => State::Done,
        };
    }

    /// Comes to rest, as no id is left; leaves if there is one turn only.
    pub(super) fn rest(&mut self) -> State {
        if self.shared.has_one_turn {
            return State::Done;
        }
        self.shared.gate.rest();
        State::Rest
    }
}

/// Unparks a unit when it is woken.
struct Unpark<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Unpark<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}
