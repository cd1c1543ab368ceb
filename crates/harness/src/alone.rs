//! One run at a time: two at once would be each other's foreign load.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use anyhow::{Context, Result};
use record::Unwritable;

use crate::Failure;

/// The name that a machine has once: of a socket without a file, which nobody speaks over. The
/// kernel takes it back when its process ends, however that ends, and tells whose it is.
const NAME: &str = "inflight-measures";

/// Held by the one that measures: these results, and the machine.
#[derive(Debug)]
pub(crate) struct Alone {
    _results: File,
    _machine: UnixListener,
}

impl Alone {
    /// Makes sure, until it is dropped, that no other run measures into these results, and none on
    /// this machine, whichever workspace it is of.
    ///
    /// # Errors
    ///
    /// Says that there is such a run, or that the folder cannot be written.
    pub(crate) fn into(results: &Path) -> Result<Self> {
        Ok(Self { _results: lock(results)?, _machine: claim(NAME)? })
    }
}

/// Locks the file in a folder of results that says whether somebody measures.
fn lock(results: &Path) -> Result<File> {
    let path = results.join(".lock");
    let failed = || Unwritable(path.display().to_string());
    fs::create_dir_all(results).with_context(failed)?;
    let lock = File::create(&path).with_context(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(taken("into these results", holder(NAME))),
        Err(TryLockError::Error(error)) => Err(error).with_context(failed),
    }
}

/// Takes a name that the machine has once.
fn claim(name: &str) -> Result<UnixListener> {
    let address = SocketAddr::from_abstract_name(name).context("failed to name a socket")?;
    match UnixListener::bind_addr(&address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Err(taken("on this machine", holder(name)))
        }
        claimed => claimed.context("failed to claim this machine"),
    }
}

/// Returns the process that has a name, if it can be seen from here: another user's cannot.
fn holder(name: &str) -> Option<u32> {
    let sockets = fs::read_to_string("/proc/net/unix").ok()?;
    let ours = format!(" @{name}");
    let socket = sockets.lines().find(|line| line.ends_with(&ours))?;
    let held = format!("socket:[{}]", socket.split_whitespace().nth(6)?);
    let holds = |process: &u32| {
        let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|link| link == Path::new(&held))
    };
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(holds)
}

/// Says that another run measures.
fn taken(place: &str, holder: Option<u32>) -> anyhow::Error {
    let who = holder.map_or_else(String::new, |process| format!(", process {process},"));
    Failure::Preflight(format!("another run{who} is measuring {place}: wait until it has ended"))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_claimed_once_by_name_and_free_when_its_run_has_ended() {
        let name = format!("inflight-test-{}", std::process::id());
        let first = claim(&name).unwrap();
        let refused = claim(&name).unwrap_err().to_string();
        let named = format!("another run, process {}, is measuring", std::process::id());
        assert!(refused.starts_with(&named), "{refused}");
        drop(first);
        assert_eq!(holder(&name), None);
        drop(claim(&name).unwrap());
    }
}
