//! What the threads of a process do: what is reported of a child that hangs, before it is killed.
//!
//! The kernel reports in which call each thread waits. Its stack would take a debugger.

use std::collections::BTreeMap;
use std::fs;

use nix::libc;

/// The most kinds of threads that are reported.
const KINDS_MAX: usize = 8;

/// Calls that wait for another thread.
const FOR_THREADS: &[libc::c_long] = &[libc::SYS_futex];
/// Calls that wait for time to pass.
const FOR_TIME: &[libc::c_long] = &[libc::SYS_nanosleep, libc::SYS_clock_nanosleep];
/// Calls that wait for any of several things.
const FOR_EVENTS: &[libc::c_long] = &[
    libc::SYS_epoll_pwait,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
];
/// Calls that wait for bytes to come or to go.
const FOR_BYTES: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_write,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
];

/// Says what each thread of a process does, like threads together; nothing once it has ended.
pub(crate) fn thread_states(process: u32) -> Option<String> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for thread in threads {
        let read = |name: &str| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        let name: String =
            read("comm").trim_end().chars().filter(|letter| !letter.is_control()).collect();
        *kinds.entry(format!("{name} {}", doing(&read("syscall"), &read("stat")))).or_default() +=
            1;
    }
    reported(&kinds)
}

/// Writes kinds of threads, each with how many there are.
fn reported(kinds: &BTreeMap<String, usize>) -> Option<String> {
    let shown = kinds.iter().take(KINDS_MAX).map(|(kind, count)| format!("{count} x {kind}"));
    let mut shown: Vec<String> = shown.collect();
    if kinds.len() > KINDS_MAX {
        shown.push("others".to_owned());
    }
    (!shown.is_empty()).then(|| format!("its threads: {}", shown.join(", ")))
}

/// Returns what a thread does, by the call that it is in, or else by the letter of its state.
fn doing(syscall: &str, stat: &str) -> String {
    let call = syscall.split_whitespace().next();
    let number: Option<libc::c_long> = call.and_then(|word| word.parse().ok());
    // The name of a thread, which stands in brackets before the letter, may have brackets too.
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    let text = match (number, state) {
        (Some(number), _) if FOR_THREADS.contains(&number) => "waits for another thread",
        (Some(number), _) if FOR_TIME.contains(&number) => "waits for time to pass",
        (Some(number), _) if FOR_EVENTS.contains(&number) => "waits for events",
        (Some(number), _) if FOR_BYTES.contains(&number) => "reads or writes",
        (Some(number), _) if number >= 0 => return format!("is in system call {number}"),
        (None, Some('R')) => "runs",
        (_, Some('T')) => "is stopped",
        (_, Some('D')) => "waits for the disk",
        (_, Some('Z')) => "has ended",
        (_, _) => "sleeps",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_thread_that_waits_is_reported_by_name_and_what_it_waits_for() {
        let (release, hold) = channel::<()>();
        let builder = thread::Builder::new().name("a\u{1b}[31m thread".to_owned());
        let waiting = builder.spawn(move || hold.recv()).unwrap();
        let began = Instant::now();
        // It takes a moment until it waits.
        let mut said = String::new();
        while !said.contains("a[31m thread waits for another thread") {
            assert!(began.elapsed() < Duration::from_mins(1), "{said}");
            said = thread_states(std::process::id()).unwrap();
        }
        assert!(!said.contains('\u{1b}'), "{said:?}");
        drop(release);
        assert!(waiting.join().unwrap().is_err());
        assert_eq!(thread_states(0), None);
    }

    #[test]
    fn a_state_is_read_behind_a_name_with_brackets_where_the_call_is_hidden() {
        assert_eq!(doing("", "7 (a) R b) T 1 7"), "is stopped");
        assert_eq!(doing("running\n", "7 (a) R 1 7"), "runs");
        assert_eq!(doing("-1 0x0 0x0\n", "7 (a) S 1 7"), "sleeps");
        assert_eq!(doing("99999 0x0\n", "7 (a) S 1 7"), "is in system call 99999");
        let kinds = (0..9).map(|number| (number.to_string(), 2)).collect();
        let said = reported(&kinds).unwrap();
        assert!(said.starts_with("its threads: 2 x 0, 2 x 1"), "{said}");
        assert!(said.ends_with("2 x 7, others"), "{said}");
    }
}
