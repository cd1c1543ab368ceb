//! How a program is asked one question: by its arguments, and for a limited time.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a program may take to answer: some are scripts that first look for another, and
/// a machine may be busy.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// Returns what a program writes to its standard output, if it succeeds in time. One that is late
/// is killed.
pub(super) fn answer(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    answer_to(command, String::new())
}

/// Returns what a command writes to its standard output when it is given a text to read.
pub(super) fn answer_to(command: Command, given: String) -> Option<String> {
    answer_within(ANSWER_TIME_MAX, command, given)
}

/// Returns what a command writes within a limit of time.
fn answer_within(limit: Duration, mut command: Command, given: String) -> Option<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;

    let deadline = Instant::now() + limit;
    let mut stdin = child.stdin.take()?;
    // A program that does not read it is judged by what it answers.
    thread::spawn(move || stdin.write_all(given.as_bytes()));
    let text = child.stdout.take().and_then(|pipe| read_within(limit, pipe));
    let succeeded = ended_well(&mut child, deadline);
    text.filter(|_| succeeded)
}

/// Returns all that is written to a pipe, if it is closed in time. It is read by a thread, since a
/// program that fills the pipe waits.
fn read_within(limit: Duration, mut pipe: ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = pipe.read_to_string(&mut text);
        // Nobody listens any more if the program was late.
        let _ = sender.send(read.map(|_| text));
    });
    receiver.recv_timeout(limit).ok()?.ok()
}

/// Returns whether a program ended with success before the deadline, and leaves no program behind.
fn ended_well(child: &mut Child, deadline: Instant) -> bool {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            _ => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_that_succeeds_has_answered() {
        let ask = |program, arguments: &[&str]| answer(program, arguments, Path::new("/"));
        assert_eq!(ask("echo", &["two", "words"]).unwrap(), "two words\n");
        assert_eq!(answer_to(Command::new("cat"), "given".to_owned()).unwrap(), "given");
        assert_eq!(ask("false", &[]), None);
        assert_eq!(ask("no-such-program", &[]), None);
    }

    #[test]
    fn a_program_that_does_not_end_is_given_up() {
        let mut sleep = Command::new("sleep");
        sleep.arg("60");
        assert_eq!(answer_within(Duration::from_millis(1), sleep, String::new()), None);
    }
}
