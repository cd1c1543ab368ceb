//! The driver for runtimes that must own a buffer while the kernel uses it: one future a slot.
//!
//! A runtime says how it connects, writes, reads and keeps time, and gives each buffer back with
//! the result; the rest is the same for all. A buffer that is with the kernel when a deadline
//! passes is lost with its connection, and the slot gets another.
//!
//! A turn begins on another thread, so the runtime's wakers must work from there: some runtimes of
//! one thread have that behind a feature.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use crate::asynchronous::before;
use crate::{Slot, Step};

/// What a runtime of completions brings. No future here needs to be `Send`.
#[expect(async_fn_in_trait, reason = "who spawns a future says whether it must be Send")]
pub trait Runtime {
    /// A connection.
    type Stream;

    /// Connects and sets `TCP_NODELAY`.
    async fn connect(address: SocketAddr) -> io::Result<Self::Stream>;

    /// Writes once, and gives the bytes back.
    async fn write(stream: &mut Self::Stream, bytes: Vec<u8>) -> (io::Result<usize>, Vec<u8>);

    /// Reads once, and gives the buffer back.
    async fn read(stream: &mut Self::Stream, buffer: Box<[u8]>) -> (io::Result<usize>, Box<[u8]>);

    /// Waits until then, by the runtime's own timer.
    async fn sleep_until(deadline: Instant);
}

/// Fetches with a slot until there is nothing more to fetch.
pub async fn drive<R: Runtime>(mut slot: Slot) {
    let late = || io::ErrorKind::TimedOut.into();
    let mut connection = None;
    loop {
        // The fetch has begun once the step is known, and its deadline with it.
        let step = slot.step();
        let deadline = slot.deadline();
        match (step, &mut connection) {
            (Step::Connect(address), connection) => {
                *connection = None;
                let result = before(deadline.map(R::sleep_until), R::connect(address)).await;
                *connection = slot.connected(result.unwrap_or_else(|| Err(late())));
            }
            (Step::Send(bytes), Some(stream)) => {
                let sent = before(deadline.map(R::sleep_until), R::write(stream, bytes)).await;
                let (result, bytes) = sent.unwrap_or_else(|| (Err(late()), Vec::new()));
                slot.sent(bytes, result);
            }
            (Step::Receive(buffer), Some(stream)) => {
                let read = before(deadline.map(R::sleep_until), R::read(stream, buffer)).await;
                let (result, buffer) = read.unwrap_or_else(|| (Err(late()), slot.receive_buffer()));
                slot.received(buffer, result);
            }
            (Step::Wait(due), _) => {
                R::sleep_until(due).await;
                slot.waited();
            }
            (Step::Rest, _) => slot.next_turn().await,
            (Step::Done, _) => return,
            (Step::Send(_) | Step::Receive(_), None) => {
                unreachable!("a slot asks for a connection first")
            }
        }
    }
}
