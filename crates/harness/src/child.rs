//! A child process that speaks over a pipe: started on given CPUs in a process group of its own,
//! with a cleared environment, read with a deadline, and killed when it times out. What is reported
//! of one names no path of this machine, since it is written down and published.
//!
//! Children are started from the caller's thread, which must live as long as they do: they ask
//! the kernel to be killed when the thread that started them ends.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use workload::pipe;

use crate::nameless::without_paths;
use crate::starved::Watched;
use crate::{interrupt, thread_states};

/// What is kept of a child's stderr: the first bytes, where a panic says why.
const STDERR_BYTES_MAX: u64 = 16 * 1024;
/// How late the harness itself may look at a deadline; when it was stopped for longer, what was
/// sent to it meanwhile is read first.
const GRACE: Duration = Duration::from_millis(500);
/// How long a child may take to leave once its pipe is closed. Nothing is measured meanwhile, and
/// where memory is short, what it needs for leaving may have to come back from a slow disk.
const LEAVE: Duration = Duration::from_secs(20);
/// How often a child that is starved gets half of its time again: for five minutes at least of what
/// may take ten seconds.
const STARVED_MAX: u32 = 60;
/// How often it is looked at in that time.
const LOOKS: u32 = 20;
/// How long its last words may take to arrive after it has left.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// What is shown of them.
const LAST_WORDS_CHARS_MAX: usize = 400;

/// How to start a child.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
    /// The CPUs that it may use; all if empty.
    pub cpus: &'a [usize],
}

/// A child that reports messages `M`.
#[derive(Debug)]
pub struct Child<M> {
    process: std::process::Child,
    stdin: Option<ChildStdin>,
    messages: Receiver<Result<Option<M>, workload::Error>>,
    stderr: Receiver<String>,
    /// How often it gets half of its time again while it is starved.
    starved_max: u32,
}

/// Why a message did not come.
#[derive(Debug)]
pub enum ReceiveError {
    /// The deadline passed.
    Timeout,
    /// The deadline passed again and again, and others had the CPUs.
    Starved,
    /// The pipe was closed.
    Closed,
    /// What came is no message.
    Malformed(String),
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => write!(f, "it timed out and was killed"),
            Self::Starved => write!(
                f,
                "it got no CPU, since other processes had them, and was killed: stop those"
            ),
            Self::Closed => write!(f, "it ended before it reported its result"),
            Self::Malformed(what) => write!(f, "it sent a malformed message on {what}"),
        }
    }
}

impl<M: DeserializeOwned + Send + 'static> Child<M> {
    /// Starts a child.
    ///
    /// # Errors
    ///
    /// Names the program that could not be started.
    pub fn start(start: &Start<'_>) -> Result<Self> {
        let mut command = Command::new(start.program);
        command.args(&start.arguments).env_clear().envs(&start.env).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());

        forbid_core_dumps();
        let spawned = on_cpus(start.cpus, || command.spawn());
        let name = start.program.file_name().unwrap_or_default();
        let failed = || format!("failed to start {}", name.display());
        let mut process =
            spawned.and_then(|child| child.map_err(Into::into)).with_context(failed)?;
        interrupt::born(group(&process));
        let stdout = process.stdout.take().expect("stdout is piped");
        let stderr = process.stderr.take().expect("stderr is piped");
        Ok(Self {
            stdin: process.stdin.take(),
            messages: read_all(stdout),
            stderr: first_of(stderr),
            starved_max: STARVED_MAX,
            process,
        })
    }

    /// Sends a message; a child that no longer reads is noticed when its answer does not come.
    pub fn send(&mut self, message: &impl Serialize) {
        if let Some(stdin) = &mut self.stdin {
            let _ = pipe::write(stdin, message);
        }
    }

    /// Returns the next message, if it comes before the deadline. The caller sleeps meanwhile.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    pub fn receive(&mut self, deadline: Instant) -> Result<M, ReceiveError> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.messages.recv_timeout(left) {
            Ok(Ok(Some(message))) => Ok(message),
            Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => Err(ReceiveError::Closed),
            Ok(Err(error)) => Err(ReceiveError::Malformed(without_paths(&error.to_string()))),
            // Whoever overslept was stopped, and so may the reader of the pipe have been.
            Err(RecvTimeoutError::Timeout) if deadline.elapsed() > GRACE => {
                self.receive(Instant::now() + GRACE)
            }
            Err(RecvTimeoutError::Timeout) => Err(ReceiveError::Timeout),
        }
    }

    /// Returns the next message, if it comes within a time for which the child is not starved. Half
    /// of the time is enough for an honest one. Where none came in the first half, the child is
    /// looked at in the second: nobody who is in time is.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    pub fn receive_within(&mut self, time: Duration) -> Result<M, ReceiveError> {
        self.unless_starved(time, Self::receive)
    }

    /// Returns the id of the process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Closes the pipe and waits until the child has left; returns how it ended.
    ///
    /// # Errors
    ///
    /// Says that it did not leave, went on talking, or left with an error.
    pub fn dismiss(mut self) -> Result<(), String> {
        drop(self.stdin.take());
        let left = self.unless_starved(LEAVE, Self::leave);
        let more = self.messages.recv_timeout(LAST_WORDS).ok();
        match (left, more.filter(|reported| !matches!(reported, Ok(None)))) {
            (Err(_), _) => {
                let why = "it did not leave when its pipe was closed, and was killed";
                Err(self.kill_and_report(why.to_owned()))
            }
            (Ok(_), Some(_)) => Err("it reported more than one result".to_owned()),
            (Ok(status), None) if status.success() => Ok(()),
            (Ok(status), None) => Err(self.last_words(status)),
        }
    }

    /// Ends the child and all that it started, at once.
    pub fn kill(&mut self) -> ExitStatus {
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.process.kill();
        self.process.wait().unwrap_or_default()
    }

    /// Ends the child from which no message came; returns what is known of its end.
    pub fn end_after(mut self, error: &ReceiveError) -> String {
        let status = match error {
            // It may be about to leave by itself, with a reason to report.
            ReceiveError::Closed => self.unless_starved(LEAVE, Self::leave).ok(),
            ReceiveError::Timeout | ReceiveError::Starved | ReceiveError::Malformed(_) => None,
        };
        match status.filter(|status| !status.success()) {
            Some(status) => self.last_words(status),
            None => {
                let why = error.to_string();
                if matches!(error, ReceiveError::Timeout | ReceiveError::Starved) {
                    return self.kill_and_report(why);
                }
                self.kill();
                why
            }
        }
    }

    /// Kills the child, and says why, with where its threads stood before.
    fn kill_and_report(&mut self, why: String) -> String {
        let stood = thread_states::thread_states(self.id());
        self.kill();
        match stood {
            Some(stood) => format!("{why}; {stood}"),
            None => why,
        }
    }

    /// Waits until the child has left, or the deadline has passed. Whoever was stopped meanwhile
    /// looks once more: the child may have left long ago.
    fn leave(&mut self, deadline: Instant) -> Result<ExitStatus, ReceiveError> {
        loop {
            let is_late = Instant::now() >= deadline;
            if let Ok(Some(status)) = self.process.try_wait() {
                // What it started and left behind goes with it.
                let _ = killpg(self.group(), Signal::SIGKILL);
                return Ok(status);
            }
            if is_late {
                return Err(ReceiveError::Timeout);
            }
            // Nothing is measured while a child leaves.
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits within a time for what comes before a deadline, and longer while the child is starved.
    fn unless_starved<T>(
        &mut self,
        time: Duration,
        wait: impl Fn(&mut Self, Instant) -> Result<T, ReceiveError>,
    ) -> Result<T, ReceiveError> {
        let half = time / 2;
        let mut came = wait(self, Instant::now() + half);
        for _ in 0..self.starved_max {
            let mut watched = Watched::new(self.id());
            for _ in 0..LOOKS {
                if !matches!(came, Err(ReceiveError::Timeout)) {
                    return came;
                }
                came = wait(self, Instant::now() + half / LOOKS);
                watched.look();
            }
            if !watched.is_starved() {
                return came;
            }
        }
        came.map_err(|error| match error {
            ReceiveError::Timeout => ReceiveError::Starved,
            error => error,
        })
    }

    /// Returns how the child ended, with what it said last.
    fn last_words(&mut self, status: ExitStatus) -> String {
        let said = self.stderr.recv_timeout(LAST_WORDS).unwrap_or_default();
        let said = without_paths(said.trim()).replace('\n', " | ");
        let said: String = said.chars().take(LAST_WORDS_CHARS_MAX).collect();
        let ended = match (status.signal(), status.code()) {
            (Some(signal), _) => format!("it was killed by signal {signal}"),
            (None, code) => format!("it ended with exit code {}", code.unwrap_or(-1)),
        };
        if said.is_empty() { ended } else { format!("{ended}: {said}") }
    }
}

impl<M> Child<M> {
    /// Returns the process group.
    fn group(&self) -> Pid {
        group(&self.process)
    }
}

/// Returns the process group of a child, which has its id.
fn group(process: &std::process::Child) -> Pid {
    Pid::from_raw(i32::try_from(process.id()).expect("a process id is an i32"))
}

impl<M> Drop for Child<M> {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            let _ = killpg(self.group(), Signal::SIGKILL);
            let _ = self.process.wait();
        }
        interrupt::dead(self.group());
    }
}

/// Reads messages in a thread of its own until there are no more.
fn read_all<M: DeserializeOwned + Send + 'static>(
    stdout: ChildStdout,
) -> Receiver<Result<Option<M>, workload::Error>> {
    let (reported, messages) = channel();
    thread::spawn(move || {
        let mut pipe = BufReader::new(stdout);
        loop {
            let message = pipe::read(&mut pipe);
            let last = !matches!(message, Ok(Some(_)));
            if reported.send(message).is_err() || last {
                return;
            }
        }
    });
    messages
}

/// Reads what a child says in a thread of its own until its end, and reports the first of it. What
/// it started may hold the pipe open for longer, so whoever waits for this waits with a limit.
fn first_of(mut stderr: ChildStderr) -> Receiver<String> {
    let (reported, said) = channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        let _ = stderr.by_ref().take(STDERR_BYTES_MAX).read_to_end(&mut kept);
        let text = String::from_utf8_lossy(&kept);
        let clean = text.chars().filter(|letter| !letter.is_control() || *letter == '\n');
        let _ = reported.send(clean.collect());
        // A child that says more must not block on a full pipe.
        let _ = io::copy(&mut stderr, &mut io::sink());
    });
    said
}

/// Lets this process, and so whatever it starts, leave no core when it crashes: that of a model
/// with many threads would be written to the disk while the next one is measured. The limit is the
/// whole process's, so it is not raised again: another thread may be starting a child.
fn forbid_core_dumps() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
    }
}

/// Does something while this thread is bound to some CPUs, which a child inherits.
pub(crate) fn on_cpus<T>(cpus: &[usize], work: impl FnOnce() -> T) -> Result<T> {
    let this_thread = Pid::from_raw(0);
    let before = sched_getaffinity(this_thread).context("failed to read the CPU affinity")?;
    if !cpus.is_empty() {
        let mut set = CpuSet::new();
        for &cpu in cpus {
            set.set(cpu).context("failed to name a CPU")?;
        }
        sched_setaffinity(this_thread, &set).context("failed to bind to a CPU")?;
    }
    let done = work();
    sched_setaffinity(this_thread, &before).context("failed to restore the CPU affinity")?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_program_that_cannot_be_started_is_reported_by_its_name_alone() {
        let program = Path::new("/no such folder/of mine/model-a");
        let start = Start { program, arguments: Vec::new(), env: BTreeMap::new(), cpus: &[] };
        let error = Child::<u64>::start(&start).expect_err("it is not there");
        let said = format!("{error:#}");
        assert!(said.starts_with("failed to start model-a: No such file"), "{said}");
    }

    /// Returns how to start a shell with a script.
    fn shell(script: &str, cpus: &'static [usize]) -> Start<'static> {
        let arguments = ["-c", script].map(str::to_owned).into();
        Start { program: Path::new("/bin/sh"), arguments, env: BTreeMap::new(), cpus }
    }

    /// Lets a child count on a CPU that this process keeps busy, and then report a number; returns
    /// what came within 0.4 s, half of which it gets so often again, and how it ended.
    fn beside_a_spinner(nice: u8, counts: &str, again: u32) -> (Result<u64, ReceiveError>, String) {
        let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let cpu = (0..CpuSet::count()).find(|&cpu| allowed.is_set(cpu) == Ok(true)).unwrap();
        let cpus: &[usize] = vec![cpu].leak();
        let counting = format!("i=0; while [ $i -lt {counts} ]; do i=$((i+1)); done; echo 7");
        let script = format!("exec nice -n {nice} sh -c '{counting}'");
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                on_cpus(cpus, || {
                    while !is_over.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                })
            });
            let child = Child::<u64>::start(&shell(&script, cpus));
            let ended = child.map(|mut child| {
                child.starved_max = again;
                let received = child.receive_within(Duration::from_millis(400));
                let end = received.as_ref().err().map(|error| child.end_after(error));
                (received, end.unwrap_or_default())
            });
            is_over.store(true, Ordering::Relaxed);
            ended.unwrap()
        })
    }

    #[test]
    fn a_child_that_others_keep_off_the_cpus_gets_its_time_again() {
        let (received, _) = beside_a_spinner(7, "200000", STARVED_MAX);
        assert!(matches!(received, Ok(7)), "{received:?}");
    }

    #[test]
    fn a_child_that_is_starved_again_and_again_is_not_waited_for_forever() {
        let (received, end) = beside_a_spinner(19, "9000000000", 2);
        assert!(matches!(received, Err(ReceiveError::Starved)), "{received:?}");
        let words = "it got no CPU, since other processes had them, and was killed: stop those; ";
        assert!(end.starts_with(words), "{end}");
        // As long as a child may take for an answer, that is five minutes.
        assert!(STARVED_MAX * Duration::from_secs(10) / 2 >= Duration::from_mins(5));
    }

    #[test]
    fn a_child_that_has_left_before_anybody_looked_is_not_late() {
        let mut child = Child::<u64>::start(&shell("exit 0", &[])).unwrap();
        let stat = format!("/proc/{}/stat", child.id());
        while !std::fs::read_to_string(&stat).unwrap().contains(") Z ") {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(child.leave(Instant::now()).unwrap().success());
    }

    #[test]
    fn a_child_leaves_no_core() {
        let (_, hard) = getrlimit(Resource::RLIMIT_CORE).unwrap();
        setrlimit(Resource::RLIMIT_CORE, hard, hard).unwrap();
        let mut child = Child::<u64>::start(&shell("ulimit -c", &[])).unwrap();
        assert_eq!(child.receive(Instant::now() + LEAVE).unwrap(), 0);
        child.dismiss().unwrap();
    }
}
