//! A slot whose HTTP is spoken by a library: it says what to fetch, and verifies what the library
//! got as strictly as a bare reply.

use std::thread;
use std::time::Instant;

use super::{Slot, State};
use crate::{ErrorCode, Fetch, LibraryReply, reply};

impl Slot {
    /// Begins the next fetch for a library that speaks HTTP itself, once there is one; nothing if
    /// there is no further turn.
    ///
    /// Where fetches arrive at a rate, it waits for the next by the model's own timer, unless they
    /// are handed in.
    pub async fn next_fetch<F: Future>(
        &mut self,
        sleep_until: impl Fn(Instant) -> F,
    ) -> Option<Fetch> {
        loop {
            self.begin_for_library();
            match self.state {
                State::Rest => self.next_turn().await,
                State::Due(_) if self.waits_for_pacer() => self.next_turn().await,
                State::Due(due) => {
                    sleep_until(due).await;
                    self.waited();
                }
                _ => return self.fetch(),
            }
        }
    }

    /// The same for a model whose units block a thread.
    pub fn next_fetch_blocking(&mut self) -> Option<Fetch> {
        loop {
            self.begin_for_library();
            match self.state {
                State::Rest => self.next_turn_blocking(),
                State::Due(_) if self.waits_for_pacer() => self.next_turn_blocking(),
                State::Due(due) => {
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    self.waited();
                }
                _ => return self.fetch(),
            }
        }
    }

    /// Takes what a library got for the last [`Slot::next_fetch`].
    pub fn finish<I, B>(&mut self, result: Result<LibraryReply<I, B>, ErrorCode>)
    where
        I: AsRef<[u8]>,
        B: AsRef<[u8]>,
    {
        let verdict = result.and_then(|reply| {
            let id = reply.id.as_ref().map(AsRef::as_ref);
            self.verify(reply.status, id, reply.body.as_ref())
        });
        match verdict {
            Ok(()) => self.succeed(),
            Err(code) => self.fail(code),
        }
    }

    /// Begins a fetch that a library will carry, if an id is left.
    fn begin_for_library(&mut self) {
        if self.probe_task.is_some() {
            // It is nothing that a library could carry.
            self.state = State::Done;
        }
        if matches!(self.state, State::Idle) {
            self.state = self.begin();
        }
        if matches!(self.state, State::Connect | State::Send) {
            self.state = State::Library;
        }
    }

    /// Returns the fetch that a library carries, if there is one.
    fn fetch(&mut self) -> Option<Fetch> {
        self.leave();
        let Self { id, origin, .. } = *self;
        let begun = matches!(self.state, State::Library);
        begun.then(|| Fetch { id, origin, deadline: self.deadline() })
    }

    /// Verifies a library's reply as strictly as a bare one.
    fn verify(&self, status: u16, id: Option<&[u8]>, body: &[u8]) -> Result<(), ErrorCode> {
        if let Some(fault) = reply::status_fault(status) {
            return Err(fault);
        }
        if !id.is_some_and(|id| reply::repeats(id, self.id)) {
            return Err(ErrorCode::TokenMismatch);
        }

        let length_matches = body.len() == self.shared.body_bytes as usize;
        match length_matches && crc32fast::hash(body) == self.shared.checksums.of(self.id) {
            true => Ok(()),
            false => Err(ErrorCode::BodyMismatch),
        }
    }
}
