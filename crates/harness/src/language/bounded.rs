//! Runs a program to its end, within a limit of time, and keeps what it says.

use std::fmt;
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::nameless::without_paths;

/// What a program says that has no room for a file.
pub(super) const FULL: [&str; 3] =
    ["No space left on device", "Disk quota exceeded", "File too large"];

/// The most that is kept of what a program says on a pipe, in bytes.
const SAID_BYTES_MAX: u64 = 64 * 1024;
/// How long the last of it may take to arrive once the program has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The most of a line that is reported of it.
const LINE_CHARS_MAX: usize = 200;

/// Why a program did not do what it was to.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It could not be started.
    NotStarted(io::Error),
    /// It did not end within this limit, and was killed.
    Late(Duration),
    /// It ended without success, and said this.
    Failed(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(error) => write!(f, "cannot be started: {error}"),
            Self::Late(limit) => write!(f, "does not end within {} s", limit.as_secs()),
            Self::Failed(said) if said.is_empty() => write!(f, "fails without a word"),
            Self::Failed(said) => write!(f, "fails: {said}"),
        }
    }
}

impl Trouble {
    /// Returns it on one line, without a path: what went wrong stands last in a traceback.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Failed(said) if !said.is_empty() => {
                let line = without_paths(said.lines().next_back().unwrap_or_default().trim());
                format!("fails: {}", line.chars().take(LINE_CHARS_MAX).collect::<String>())
            }
            other => other.to_string(),
        }
    }
}

/// Runs a program to its end, within a limit of time, and returns what it says on stdout. Nothing
/// is needed for that but pipes: the folder for temporary files may not exist.
pub(super) fn bounded(command: &mut Command, limit: Duration) -> Result<String, Trouble> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Trouble::NotStarted)?;
    let said = read(child.stdout.take());
    let wrong = read(child.stderr.take());

    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(Trouble::NotStarted)? {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Trouble::Late(limit));
        }
        thread::sleep(Duration::from_millis(5));
    };
    let said = said.recv_timeout(LAST_WORDS).unwrap_or_default();
    if status.success() {
        return Ok(said);
    }
    // Some say on stdout what went wrong.
    let wrong = wrong.recv_timeout(LAST_WORDS).unwrap_or_default();
    Err(Trouble::Failed(format!("{said}{wrong}").trim().to_owned()))
}

/// Reads a pipe in a thread of its own until its end: a program whose pipe is full waits.
fn read(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (reported, said) = channel();
    thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let mut kept = Vec::new();
        let _ = pipe.by_ref().take(SAID_BYTES_MAX).read_to_end(&mut kept);
        let _ = io::copy(&mut pipe, &mut io::sink());
        let _ = reported.send(String::from_utf8_lossy(&kept).into_owned());
    });
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script.
    fn run(script: &str, limit: Duration) -> Result<String, Trouble> {
        bounded(Command::new("/bin/sh").args(["-c", script]), limit)
    }

    #[test]
    fn what_a_program_says_is_returned_however_much_it_is() {
        assert_eq!(run("echo one; echo two >&2", LAST_WORDS * 60).unwrap(), "one\n");
        let much = run("yes | head -c 300000", LAST_WORDS * 60).unwrap();
        assert_eq!(much.len() as u64, SAID_BYTES_MAX);
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let trouble = run("exec sleep 9", Duration::ZERO).unwrap_err();
        assert_eq!(trouble.line(), "does not end within 0 s");
    }

    #[test]
    fn a_program_that_fails_is_reported_by_its_last_line_without_paths() {
        let trouble = run("echo 'a: /home/me/b.py' >&2; exit 3", LAST_WORDS * 60).unwrap_err();
        assert_eq!(trouble.line(), "fails: a: b.py");
        assert_eq!(run("exit 1", LAST_WORDS * 60).unwrap_err().line(), "fails without a word");
    }

    #[test]
    fn a_program_that_is_not_there_is_reported() {
        let trouble = bounded(&mut Command::new("/no/such/program"), LAST_WORDS).unwrap_err();
        assert!(trouble.line().starts_with("cannot be started: No such file"), "{trouble}");
    }
}
