//! Where slots wait between two turns: one mechanism for units that block a thread, for tasks that
//! await, and for loops that poll sockets.
//!
//! A slot that finds no id left rests here. Once every slot rests the turn is over, which the
//! control thread waits for; it then informs the harness what was counted, and opens the next turn
//! when the harness asks for it. Nothing of this is touched while a turn runs: a slot asks the
//! ledger of its turn alone.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::ledger::Ledger;

/// Where slots wait between two turns.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    /// A turn began, or the last one is over: what slots wait for.
    called: Condvar,
    /// The last slot came to rest: what the control thread waits for.
    quiet: Condvar,
}

/// What is known at one moment.
#[derive(Debug, Default)]
struct State {
    /// The turn that runs, or the last one.
    ledger: Option<Arc<Ledger>>,
    /// How many turns have begun.
    turns: u64,
    /// Whether there will be no further turn.
    is_over: bool,
    /// Slots that have not left.
    live: usize,
    /// Slots that rest.
    resting: usize,
    /// Tasks that await the next turn.
    wakers: Vec<Waker>,
}

/// What a slot that rests finds at the gate.
#[derive(Debug)]
pub(crate) enum Call {
    /// The turn of that number has begun.
    Turn(u64, Arc<Ledger>),
    /// There is no further turn.
    Over,
}

impl Gate {
    /// Creates a gate for so many slots, none of which rests yet.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            state: Mutex::new(State { live: slots, ..State::default() }),
            called: Condvar::new(),
            quiet: Condvar::new(),
        }
    }

    /// Begins a turn and wakes every slot.
    pub(crate) fn begin(&self, ledger: Arc<Ledger>) {
        let mut state = self.state();
        state.ledger = Some(ledger);
        state.turns += 1;
        state.resting = 0;
        self.wake(state);
    }

    /// Lets every slot leave: there will be no further turn.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.is_over = true;
        self.wake(state);
    }

    /// Returns whether there will be no further turn.
    pub(crate) fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// Blocks until every slot rests or has left.
    pub(crate) fn wait_until_quiet(&self) {
        let state = self.state();
        let wait = self.quiet.wait_while(state, |state| state.resting < state.live);
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts one slot more, which comes last and fetches nothing.
    pub(crate) fn join(&self) {
        self.state().live += 1;
    }

    /// Counts a slot that has no id left.
    pub(crate) fn rest(&self) {
        let mut state = self.state();
        state.resting += 1;
        self.look(&state);
    }

    /// Counts a slot that leaves: one that has rested since it took the turn of that number, or
    /// one that fetches.
    pub(crate) fn leave(&self, rested_since: Option<u64>) {
        let mut state = self.state();
        state.live = state.live.saturating_sub(1);
        state.resting -= usize::from(rested_since == Some(state.turns));
        self.look(&state);
    }

    /// Returns what calls a slot that has rested since it took the turn of that number, if anything
    /// does; it rests no longer.
    pub(crate) fn call(&self, taken: u64) -> Option<Call> {
        self.state().call(taken)
    }

    /// Returns the same, and has the waker called once there is something.
    pub(crate) fn call_or_wake(&self, taken: u64, waker: &Waker) -> Option<Call> {
        let mut state = self.state();
        let call = state.call(taken);
        if call.is_none() {
            state.wakers.push(waker.clone());
        }
        call
    }

    /// Blocks until a slot that has rested since it took its last turn is called.
    pub(crate) fn wait(&self, taken: u64) -> Call {
        let mut state = self.state();
        loop {
            if let Some(call) = state.call(taken) {
                return call;
            }
            state = self.called.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Blocks while every slot rests and none is called, of which one has rested since it took the
    /// turn of that number; returns whether there is a call.
    pub(crate) fn wait_if_quiet(&self, taken: u64) -> bool {
        let mut state = self.state();
        loop {
            if state.call(taken).is_some() {
                return true;
            }
            if state.resting < state.live {
                return false;
            }
            state = self.called.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Informs who waits for it that every slot rests.
    fn look(&self, state: &State) {
        if state.resting >= state.live {
            self.quiet.notify_all();
        }
    }

    /// Wakes everyone who waits.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.called.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Returns the state; a thread that panicked while it held it has left it whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns what calls a slot that has rested since it took the turn of that number.
    fn call(&self, taken: u64) -> Option<Call> {
        match &self.ledger {
            Some(ledger) if self.turns > taken => Some(Call::Turn(self.turns, Arc::clone(ledger))),
            _ if self.is_over => Some(Call::Over),
            _ => None,
        }
    }
}
