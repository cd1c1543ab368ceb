//! The processes that tests start, as the kernel shows them, and signals to them.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, gettid};

/// How long something is waited for that takes a moment, on a machine however busy. A connection
/// that lingers does so for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Processes that take whatever they get of every CPU, for as long as this is kept.
pub(crate) struct Hogs(Vec<Child>);

impl Hogs {
    /// Starts two for each CPU.
    pub(crate) fn start() -> Self {
        let count = 2 * thread::available_parallelism().map_or(1, usize::from);
        let hog = || Command::new("/bin/sh").args(["-c", "while :; do :; done"]).spawn();
        Self((0..count).map(|_| hog().expect("a shell starts")).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            let _ = (hog.kill(), hog.wait());
        }
    }
}

/// Returns a command that listens to every signal, whatever those who started the tests ignore: a
/// job in the background of a shell ignores Ctrl-C, and so do the programs that it starts.
pub(crate) fn listening(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(program);
    command
}

/// Returns the youngest child of a thread of this process whose name begins so: the harness starts
/// what takes part in a run from the thread that carries the run out.
pub(crate) fn child(thread: Pid, name: &str) -> Option<Pid> {
    let ids = fs::read_to_string(format!("/proc/self/task/{thread}/children")).unwrap_or_default();
    let is_it = |id: &i32| {
        let own = fs::read_to_string(format!("/proc/{id}/comm"));
        own.is_ok_and(|own| own.starts_with(name))
    };
    ids.split_whitespace().filter_map(|id| id.parse().ok()).filter(is_it).max().map(Pid::from_raw)
}

/// Returns the threads of this process.
pub(crate) fn threads() -> Vec<Pid> {
    let entries = fs::read_dir("/proc/self/task").expect("Linux has it").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.map(Pid::from_raw).collect()
}

/// Waits until something is so, but not for ever.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it takes too long until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Writes a script that can be run at once, by another process: what this one has open for writing
/// while another test starts a child cannot be run before that child runs its own program.
pub(crate) fn executable(path: &Path, text: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut shell = shell.spawn().expect("sh starts");
    let mut input = shell.stdin.take().expect("it is a pipe");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    assert!(shell.wait().expect("it ends").success(), "{}", path.display());
}

/// Returns whether any process has a file open for writing, as the mode of its link to it says.
pub(crate) fn is_written(path: &Path) -> bool {
    let processes = fs::read_dir("/proc").expect("Linux has it").flatten();
    let opened = processes.filter_map(|process| fs::read_dir(process.path().join("fd")).ok());
    let mut links = opened.flatten().flatten().map(|entry| entry.path());
    links.any(|link| {
        let writes = |of: fs::Metadata| of.permissions().mode() & 0o200 != 0;
        fs::read_link(&link).is_ok_and(|file| file == path)
            && fs::symlink_metadata(&link).is_ok_and(writes)
    })
}

/// Sends a signal to a child of this thread of that name, once the model whose turn it is has so
/// many connections: in the middle of the turn, however late a busy machine begins it.
pub(crate) fn strike((name, signal): (&'static str, Signal), connections: usize) {
    let own = gettid();
    thread::spawn(move || {
        let began = Instant::now();
        while child(own, "model-").is_none_or(|model| self::connections(model) < connections) {
            assert!(began.elapsed() < Duration::from_mins(5), "no model connects");
            thread::sleep(Duration::from_millis(1));
        }
        kill(child(own, name).expect("it runs"), signal).expect("it is ours");
    });
}

/// Returns how many connections a process has, whatever their state.
pub(crate) fn connections(id: Pid) -> usize {
    // One line a connection; the tenth word is the number in the name of its descriptor.
    let table = fs::read_to_string(format!("/proc/{id}/net/tcp")).unwrap_or_default();
    let numbers = table.lines().filter_map(|line| line.split_whitespace().nth(9));
    let names: Vec<String> = numbers.map(|number| format!("socket:[{number}]")).collect();
    let links = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    let links = links.filter_map(|entry| fs::read_link(entry.path()).ok());
    links.filter(|link| names.iter().any(|name| link.as_os_str() == name.as_str())).count()
}
