//! What is wrong with a file, as a type, so that a program can tell its exit code.

use std::fmt;
use std::path::Path;

/// A file or folder that could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable(pub String);

/// A file that could not be read, or is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to write {}", self.0)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to read {}", self.0)
    }
}

/// Returns what is said of a path that cannot be written.
pub(crate) fn unwritable(path: &Path) -> Unwritable {
    Unwritable(path.display().to_string())
}

/// Returns what is said of a path that cannot be read.
pub(crate) fn unreadable(path: &Path) -> Unreadable {
    Unreadable(path.display().to_string())
}
