//! A slot between two turns: it rests at the gate until the next one calls.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};

use super::{Slot, State};
use crate::gate::Call;

impl Slot {
    /// Awaits the next turn; returns at once where the slot does not rest.
    pub async fn next_turn(&mut self) {
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

    /// Blocks until the next turn; returns at once where the slot does not rest.
    pub fn next_turn_blocking(&mut self) {
        if matches!(self.state, State::Rest) {
            let call = self.shared.gate.wait(self.taken);
            self.answer(call);
        }
    }

    /// Blocks a unit that is no thread of the system until the next turn: it parks, and is unparked
    /// from another thread. An `unpark` that comes first must let the next `park` through.
    pub fn next_turn_parked(&mut self, park: impl Fn(), unpark: impl Fn() + Send + Sync + 'static) {
        let waker = Arc::new(Unpark(unpark)).into();
        let mut called = pin!(self.next_turn());
        while called.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            park();
        }
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
