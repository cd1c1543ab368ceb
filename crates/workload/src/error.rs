//! What stops a trial. A fetch that fails is no error but an [`Outcome`](crate::Outcome).

use std::fmt;
use std::io;

/// What stops a trial.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The pipe to the harness broke.
    Pipe(io::Error),
    /// A line on the pipe is not what the protocol says.
    Protocol(String),
    /// The plan cannot be carried out.
    Plan(String),
    /// The model could not start, or came back before its work was done.
    Model(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pipe(error) => write!(f, "the pipe to the harness broke: {error}"),
            Self::Protocol(what) => write!(f, "the pipe: {what}"),
            Self::Plan(what) => write!(f, "the plan: {what}"),
            Self::Model(what) => write!(f, "the model: {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Pipe(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Pipe(error)
    }
}
