//! Bytes that belong to no reply: those that came late after the reply before, on a connection that
//! carries another.

use std::borrow::Cow;

/// What every reply begins with.
const BEGINNING: &[u8] = b"HTTP/";

/// Looks for the beginning of a reply on a connection that has carried one.
///
/// Whether such bytes come with their reply or after the next request is a matter of timing. They
/// cost the same in both cases: the connection, and no fetch.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    /// What may be the first bytes of the beginning.
    held: Vec<u8>,
    /// How many bytes were skipped.
    pub(crate) skipped: usize,
}

impl Strays {
    /// Takes what has come; returns the bytes of the reply once it has begun.
    pub(crate) fn pass<'a>(&mut self, bytes: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        // As nearly all replies come.
        if self.held.is_empty() && bytes.starts_with(BEGINNING) {
            return Some(Cow::Borrowed(bytes));
        }
        self.held.extend_from_slice(bytes);
        let found = self.held.windows(BEGINNING.len()).position(|seen| seen == BEGINNING);
        let may_begin = |&at: &usize| BEGINNING.starts_with(&self.held[at..]);
        let strays = found.or_else(|| (0..self.held.len()).find(may_begin));
        self.skipped += self.held.drain(..strays.unwrap_or(self.held.len())).len();
        found.map(|_| Cow::Owned(std::mem::take(&mut self.held)))
    }

    /// Returns whether a reply may have begun.
    pub(crate) fn may_have_begun(&self) -> bool {
        !self.held.is_empty()
    }
}
