//! What is wrong with a file, as a type, so that a program can choose its exit code.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The most bytes that a file of a run may have. A run of a day has some tens of MiB.
const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;

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

/// Reads a file of a run. One that is too large is refused before it fills the memory, and so is
/// what is no file of its own: a link may lead out of the folder, and a pipe never ends.
///
/// # Errors
///
/// Names the file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let about = fs::symlink_metadata(path).with_context(|| unreadable(path))?;
    let is_file = about.file_type().is_file();
    ensure!(is_file, unreadable(path).because("it is a link or a device, expected a file"));
    let why = format!("it has {} bytes, expected at most {FILE_BYTES_MAX}", about.len());
    ensure!(about.len() <= FILE_BYTES_MAX, unreadable(path).because(&why));
    fs::read(path).with_context(|| unreadable(path))
}

impl Unwritable {
    /// Returns what is said of a file that so many bytes cannot be written into: how much room a
    /// full disk lacks.
    pub fn of(path: &Path, bytes: usize) -> Self {
        Self(format!("{} ({bytes} bytes)", path.display()))
    }
}

impl Unreadable {
    /// Adds why.
    fn because(self, why: &str) -> Self {
        Self(format!("{}: {why}", self.0))
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
