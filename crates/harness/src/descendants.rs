//! Finds the processes that a participant has started: what they do costs it nothing, so a
//! participant with any is refused.
//!
//! Kits make their process the parent of what its children leave behind, so that a process of
//! another group or session is found too, whose own parent has ended.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rules::Reason;

/// The fields of `/proc/PID/stat`, counted from the state on, that report the minor faults of a
/// process (`minflt`, field 10), and of its children that have ended and were waited for
/// (`cminflt`, field 11): each process has some.
const FAULTS: usize = 7;
const CHILD_FAULTS: usize = 8;

/// What is known of the processes that a process has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Children {
    /// That there are so many, or none.
    Known(u64),
    /// It has the kernel forget them as they end.
    Ignored,
    /// The kernel does not say: some sandboxes count no fault, or show no other process.
    Hidden,
}

impl Children {
    /// Returns the reason against the process.
    pub(crate) fn against(self) -> Option<Reason> {
        match self {
            Self::Known(0) | Self::Hidden => None,
            Self::Known(count) => Some(Reason::Descendants { count }),
            Self::Ignored => Some(Reason::ChildrenIgnored),
        }
    }
}

/// Returns what is known of the processes that a process has started.
pub(crate) fn children(id: u32) -> Children {
    let count = descendants(id);
    let counts = stat(id).and_then(|fields| Some(fields.get(FAULTS)? != "0"));
    match (count, ignores_children(id), counts) {
        (0, Some(true), _) => Children::Ignored,
        (0, _, None | Some(false)) => Children::Hidden,
        _ => Children::Known(count),
    }
}

/// Returns whether a process ignores SIGCHLD: what its children did is then added to no counter.
fn ignores_children(id: u32) -> Option<bool> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let ignored = u64::from_str_radix(ignored.trim(), 16).ok()?;
    Some(ignored >> (Signal::SIGCHLD as i32 - 1) & 1 == 1)
}

/// Returns how many processes a process has started, as far as they are known of: those that live
/// with it as parent or in its group, and one more if any has ended and was waited for.
pub(crate) fn descendants(id: u32) -> u64 {
    let ended = stat(id).is_some_and(|fields| fields.get(CHILD_FAULTS).is_some_and(|f| f != "0"));
    living(id).len() as u64 + u64::from(ended)
}

/// Ends those that live, so that none burdens whoever is measured next.
pub(crate) fn end_descendants(id: u32) {
    for other in living(id).into_iter().filter_map(|other| i32::try_from(other).ok()) {
        let _ = kill(Pid::from_raw(other), Signal::SIGKILL);
    }
}

/// Returns those that live with a process as parent or in its group.
fn living(id: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_its = |other: &u32| {
        let Some(fields) = stat(*other) else { return false };
        let [parent, group] = [1, 2].map(|place| fields.get(place).and_then(|f| f.parse().ok()));
        *other != id && (parent == Some(id) || group == Some(id))
    };
    ids.filter(is_its).collect()
}

/// Returns the fields of a process from its state on: they follow its name, which may hold
/// anything and stands in parentheses.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields = text.get(text.rfind(')')? + 1..)?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    /// Returns what is found of the children of a shell that runs a script and then waits.
    fn of(script: &str) -> Children {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("{script}\nexec cat")]).process_group(0);
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // What it is sent comes back once it has done what the script says.
        child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let found = children(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        found
    }

    #[test]
    fn a_process_that_started_others_is_found_while_they_live_and_after_they_ended() {
        assert_eq!(of(":"), Children::Known(0));
        for script in ["/bin/sleep 2 &", "/bin/true"] {
            assert!(matches!(of(script), Children::Known(1..)), "{script}");
        }
    }

    #[test]
    fn a_process_that_has_the_kernel_forget_its_children_is_found() {
        // Of the common shells only this one can.
        let script = "exec bash -c \"trap '' CHLD; exec cat\"";
        assert_eq!(of(script), Children::Ignored);
        assert!(Children::Ignored.against().is_some());
        // Of a process that is not there nothing is known.
        assert_eq!(children(u32::MAX), Children::Hidden);
        assert!(Children::Hidden.against().is_none());
    }
}
