//! How a program is asked one question: by its arguments, and for a limited time.

use std::io::Read;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a program may take to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);

/// Returns what a program writes to its standard output, if it succeeds in time. One that is late
/// is killed.
pub(super) fn answer(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;

    let deadline = Instant::now() + ANSWER_TIME_MAX;
    let text = child.stdout.take().and_then(read_in_time);
    let succeeded = ended_well(&mut child, deadline);
    text.filter(|_| succeeded)
}

/// Returns all that is written to a pipe, if it is closed in time. It is read by a thread, since a
/// program that fills the pipe waits.
fn read_in_time(mut pipe: ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = pipe.read_to_string(&mut text);
        // Nobody listens any more if the program was late.
        let _ = sender.send(read.map(|_| text));
    });
    receiver.recv_timeout(ANSWER_TIME_MAX).ok()?.ok()
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
        assert_eq!(ask("false", &[]), None);
        assert_eq!(ask("no-such-program", &[]), None);
    }

    #[test]
    fn a_program_that_does_not_end_is_given_up() {
        let begun = Instant::now();
        assert_eq!(answer("sleep", &["60"], Path::new("/")), None);
        assert!(begun.elapsed() < 3 * ANSWER_TIME_MAX);
    }
}
