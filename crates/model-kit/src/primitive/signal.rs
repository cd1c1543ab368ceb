//! The least event that tasks can wait for, the same on every runtime: what it costs beyond a lock
//! is the runtime's own way of waking and polling a task.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// An event that one task waits for, again and again.
#[derive(Debug, Default)]
pub struct Signal(Mutex<State>);

/// Whether it is set, and who waits.
#[derive(Debug, Default)]
struct State {
    is_set: bool,
    waiter: Option<Waker>,
}

impl Signal {
    /// Sets it, and wakes the task that waits.
    pub fn set(&self) {
        let waiter = {
            let mut state = self.state();
            state.is_set = true;
            state.waiter.take()
        };
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// Waits until it is set, and takes that back.
    pub fn wait(&self) -> impl Future<Output = ()> + Send {
        poll_fn(|context| {
            let mut state = self.state();
            if std::mem::take(&mut state.is_set) {
                return Poll::Ready(());
            }
            state.waiter = Some(context.waker().clone());
            Poll::Pending
        })
    }

    /// Returns the state; nobody panics while holding it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
