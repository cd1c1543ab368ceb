//! What a library that speaks HTTP itself is asked for, and what it got.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A fetch for a library that speaks HTTP itself.
#[derive(Clone, Copy, Debug)]
pub struct Fetch {
    /// Its id.
    pub id: u64,
    /// Where it is fetched.
    pub origin: SocketAddr,
    /// When it must have ended, if the plan sets a limit.
    pub deadline: Option<Instant>,
}

/// What a library got, for [`crate::Slot::finish`].
#[derive(Clone, Copy, Debug)]
pub struct LibraryReply<I, B> {
    /// The status code.
    pub status: u16,
    /// The value of the field [`ID_FIELD`](crate::ID_FIELD), if there is one.
    pub id: Option<I>,
    /// The body, whole.
    pub body: B,
}

impl Fetch {
    /// Returns the URL to get.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.origin, self.path())
    }

    /// Returns the path of the URL.
    pub fn path(&self) -> String {
        format!("/f/{}", self.id)
    }

    /// Returns the time left until the deadline, if there is one.
    pub fn time_left(&self) -> Option<Duration> {
        Some(self.deadline?.saturating_duration_since(Instant::now()))
    }
}
