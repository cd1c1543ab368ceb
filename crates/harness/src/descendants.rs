//! Finds the processes that a participant has started: what they do costs it nothing, so a
//! participant with any is refused.
//!
//! Kits make their process the parent of what its children leave behind, so that a process of
//! another group or session is found too, whose own parent has ended.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The field of `/proc/PID/stat`, counted from the state on, that reports the minor faults of
/// children that have ended and were waited for (`cminflt`, field 11): each child has some.
const CHILD_FAULTS: usize = 8;

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
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    /// Returns how many descendants a shell is found to have that runs a script and then waits.
    fn of(script: &str) -> u64 {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("{script}\nread line")]).process_group(0);
        let mut child = shell.stdin(Stdio::piped()).spawn().unwrap();
        let mut found = 0;
        // It needs a moment to do what the script says.
        for _ in 0..200 {
            found = descendants(child.id());
            if found > 0 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        found
    }

    #[test]
    fn a_process_that_started_others_is_found_while_they_live_and_after_they_ended() {
        assert_eq!(of(":"), 0);
        assert!(of("/bin/sleep 2 &") >= 1);
        assert!(of("/bin/true") >= 1);
    }
}
