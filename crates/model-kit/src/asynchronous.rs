//! The driver for async runtimes that wait for readiness: one future a slot.
//!
//! A runtime says how it connects, writes, reads and keeps time; the rest is the same for all, so
//! the futures that two runtimes poll differ in nothing else. Runtimes that must own a buffer
//! while the kernel uses it cannot say it this way: they drive a [`Slot`] in a loop of their own.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use crate::{Outcome, Slot, Step};

/// What an async runtime brings. No future here needs to be `Send`: a runtime that moves tasks
/// between threads demands it where it spawns them.
#[expect(async_fn_in_trait, reason = "who spawns a future says whether it must be Send")]
pub trait Runtime {
    /// A connection.
    type Stream;

    /// Connects and sets `TCP_NODELAY`.
    async fn connect(address: SocketAddr) -> io::Result<Self::Stream>;

    /// Writes once.
    async fn write(stream: &mut Self::Stream, bytes: &[u8]) -> io::Result<usize>;

    /// Reads once.
    async fn read(stream: &mut Self::Stream, buffer: &mut [u8]) -> io::Result<usize>;

    /// Waits until then, by the runtime's own timer.
    async fn sleep_until(deadline: Instant);
}

/// The connection of one slot, on the sockets of a runtime.
#[derive(Debug)]
pub struct Connection<R: Runtime> {
    stream: Option<R::Stream>,
}

/// Fetches with a slot until there is nothing more to fetch.
pub async fn drive<R: Runtime>(mut slot: Slot) {
    let mut connection = Connection::<R>::default();
    while connection.fetch(&mut slot).await.is_some() {}
}

impl<R: Runtime> Default for Connection<R> {
    fn default() -> Self {
        Self { stream: None }
    }
}

impl<R: Runtime> Connection<R> {
    /// Carries one fetch to its end, and returns how it ended, or nothing when the slot is done.
    pub async fn fetch(&mut self, slot: &mut Slot) -> Option<Outcome> {
        loop {
            match (slot.step(), &mut self.stream) {
                (Step::Connect(address), stream) => {
                    *stream = None;
                    let result = within::<R, _>(slot.deadline(), R::connect(address)).await;
                    *stream = slot.connected(result);
                }
                (Step::Send(bytes), Some(stream)) => {
                    let result = within::<R, _>(slot.deadline(), R::write(stream, &bytes)).await;
                    slot.sent(bytes, result);
                }
                (Step::Receive(mut buffer), Some(stream)) => {
                    let read = R::read(stream, &mut buffer);
                    let result = within::<R, _>(slot.deadline(), read).await;
                    slot.received(buffer, result);
                }
                (Step::Wait(due), _) => {
                    R::sleep_until(due).await;
                    slot.waited();
                }
                (Step::Rest, _) => slot.next_turn().await,
                (Step::Done, _) => return None,
                (Step::Send(_) | Step::Receive(_), None) => {
                    unreachable!("a slot asks for a connection first")
                }
            }
            if let Some(outcome) = slot.take_outcome() {
                return Some(outcome);
            }
        }
    }
}

/// Runs some work, unless the deadline passes first.
async fn within<R: Runtime, T>(
    deadline: Option<Instant>,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let ended = before(deadline.map(R::sleep_until), work).await;
    ended.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
}

/// Runs some work and returns what comes of it, or nothing if `late` ends first.
pub async fn before<T>(late: Option<impl Future>, work: impl Future<Output = T>) -> Option<T> {
    let Some(late) = late else { return Some(work.await) };
    let (mut late, mut work) = (pin!(late), pin!(work));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending => late.as_mut().poll(context).map(|_| None),
    })
    .await
}
