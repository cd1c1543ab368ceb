//! One run at a time: two at once would be each other's foreign load. Verifications, which time
//! nothing, may go on beside each other, but not beside a run.
//!
//! A machine has no lock that every process of it can see. Its runs hold two: a file that all have
//! who see the same folders, and a name that all have who see the same network. So two in
//! namespaces that differ in one of them still meet. Those that verify share the file; a name is
//! not shared, so each has one of its own, and runs look for those.
//!
//! Two containers that share neither, as is usual, do not meet: nothing that a program without
//! rights can make is seen in both. Each sees the load of the other in `/proc/stat`, and measures
//! its rounds again for it; `benches/README.md` says so.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result};
use record::Unwritable;

use crate::Failure;

/// The name that a machine has once: of a socket without a file, which nobody speaks over, and of
/// the file. The kernel takes both back when their process ends, however that ends, and shows whose
/// they are.
const NAME: &str = "inflight-measures";
/// How the names of those that verify begin; a number follows.
const VERIFIES: &str = "inflight-verifies-";
/// How many may verify whom one process counts alike.
const VERIFYING_MAX: u32 = 1_000;
/// Where the file is: in the first of these folders that there is, as no variable moves them.
const FOLDERS: [&str; 2] = ["/dev/shm", "/tmp"];

/// Held by the one that measures, or by those that verify: the machine, and these results.
#[derive(Debug)]
pub struct RunLock {
    _results: Option<Locked>,
    _machine: Option<File>,
    _name: Option<UnixListener>,
}

impl RunLock {
    /// Makes sure, until it is dropped, that no other run measures into these results, and nothing
    /// else on this machine, whichever workspace it is of.
    ///
    /// # Errors
    ///
    /// Says that there is such a run, or that the folder cannot be written.
    pub(crate) fn on_results(results: &Path) -> Result<Self> {
        let results = lock(results)?;
        Ok(Self { _results: Some(results), ..Self::on_this_machine()? })
    }

    /// Makes sure, until it is dropped, that nothing else measures or verifies on this machine.
    ///
    /// # Errors
    ///
    /// Says what does.
    pub fn on_this_machine() -> Result<Self> {
        let file = file_of_machine(NAME);
        let machine = file.map(|path| claim_file(&path)).transpose()?;
        let name = claim(NAME)?;
        // Each takes its own name first, so that of two that begin at once one sees the other.
        match named(VERIFIES) {
            Some(other) => Err(verifies(holder(&other))),
            None => Ok(Self { _results: None, _machine: machine, _name: Some(name) }),
        }
    }

    /// Makes sure, until it is dropped, that no run measures on this machine; others may do the
    /// same.
    ///
    /// # Errors
    ///
    /// Says that there is such a run.
    pub fn beside_no_run() -> Result<Self> {
        let file = file_of_machine(NAME);
        let machine = file.map(|path| share_file(&path)).transpose()?;
        let name = claim_one_of(VERIFIES);
        match named(NAME) {
            Some(_) => Err(taken("on this machine", holder(NAME))),
            None => Ok(Self { _results: None, _machine: machine, _name: name }),
        }
    }
}

/// The locked file of a folder of results, which goes when the run has ended, and with it the
/// folder if it was made for a run that came to nothing.
#[derive(Debug)]
struct Locked {
    file: File,
    path: PathBuf,
    made: Option<PathBuf>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        // What stays there does no harm: the kernel takes the lock back, and not the name.
        let _ = fs::remove_file(&self.path);
        if let Some(folder) = &self.made {
            let _ = fs::remove_dir(folder);
        }
        let _ = self.file.unlock();
    }
}

/// Returns the file of that name which stands for this machine, made if it is not there; nothing
/// where no folder takes one.
fn file_of_machine(name: &str) -> Option<PathBuf> {
    let made = |path: &PathBuf| -> io::Result<()> {
        if !path.exists() {
            File::create_new(path)?;
            // Whoever made it, everybody may lock it: for that it need only be read.
            fs::set_permissions(path, Permissions::from_mode(0o444))?;
        }
        File::open(path).map(drop)
    };
    let mut paths = FOLDERS.map(|folder| Path::new(folder).join(name)).into_iter();
    // Another process may have made it in between.
    paths.find(|path| made(path).is_ok() || File::open(path).is_ok())
}

/// Locks the file of a machine for one.
fn claim_file(path: &Path) -> Result<File> {
    let file = File::open(path).context("failed to claim this machine")?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(error).context("failed to claim this machine"),
        Err(TryLockError::WouldBlock) if file.try_lock_shared().is_ok() => {
            drop(file);
            Err(verifies(who_opened(path)))
        }
        Err(TryLockError::WouldBlock) => {
            drop(file);
            Err(taken("on this machine", who_opened(path)))
        }
    }
}

/// Locks the file of a machine together with others.
fn share_file(path: &Path) -> Result<File> {
    let file = File::open(path).context("failed to share this machine")?;
    match file.try_lock_shared() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(error).context("failed to share this machine"),
        Err(TryLockError::WouldBlock) => {
            drop(file);
            Err(taken("on this machine", who_opened(path)))
        }
    }
}

/// Locks the file in a folder of results that says whether somebody measures, and writes into it
/// who does: where there is no room for so little, nothing is built for a run that cannot be kept.
fn lock(results: &Path) -> Result<Locked> {
    let path = results.join(".lock");
    let who = format!("{}\n", process::id());
    let failed = || Unwritable::of(&path, who.len());
    let made = (!results.exists()).then(|| results.to_owned());
    fs::create_dir_all(results).with_context(failed)?;
    let file = File::create(&path).with_context(failed)?;
    match file.try_lock() {
        Ok(()) => {
            let locked = Locked { file, path: path.clone(), made };
            let written = (&locked.file).write_all(who.as_bytes());
            written.and_then(|()| locked.file.sync_data()).with_context(failed)?;
            Ok(locked)
        }
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

/// Takes the first name that is free of those that begin so; where none can be had, the file alone
/// reports of this process.
fn claim_one_of(begin: &str) -> Option<UnixListener> {
    let first = process::id();
    let mut numbers = first..first.saturating_add(VERIFYING_MAX);
    numbers.find_map(|number| claim(&format!("{begin}{number}")).ok())
}

/// Returns a name that somebody has here and that begins so, if there is one.
fn named(begin: &str) -> Option<String> {
    let sockets = fs::read_to_string("/proc/net/unix").ok()?;
    let mut names = sockets.lines().filter_map(|line| Some(line.rsplit_once(" @")?.1));
    names.find(|name| name.starts_with(begin)).map(str::to_owned)
}

/// Returns the process that has a name, if it can be seen from here: another user's cannot.
fn holder(name: &str) -> Option<u32> {
    let sockets = fs::read_to_string("/proc/net/unix").ok()?;
    let ours = format!(" @{name}");
    let socket = sockets.lines().find(|line| line.ends_with(&ours))?;
    who_opened(Path::new(&format!("socket:[{}]", socket.split_whitespace().nth(6)?)))
}

/// Returns a process that holds a file or a socket open, by the name that the kernel gives it.
fn who_opened(file: &Path) -> Option<u32> {
    let holds = |process: &u32| {
        let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|link| link == file)
    };
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(holds)
}

/// Says that another run measures.
fn taken(place: &str, holder: Option<u32>) -> anyhow::Error {
    refused("another run", &format!("is measuring {place}"), holder)
}

/// Says that somebody verifies.
fn verifies(holder: Option<u32>) -> anyhow::Error {
    refused("a verification", "is under way on this machine", holder)
}

/// Says who does what, and what to do about it.
fn refused(who: &str, does: &str, holder: Option<u32>) -> anyhow::Error {
    let process = holder.map_or_else(String::new, |process| format!(", process {process},"));
    Failure::Preflight(format!("{who}{process} {does}: wait until it has ended")).into()
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// Waits until something can be had, but not for ever: a child that another test is just
    /// starting holds every file and socket of this process until it runs its program.
    fn freed<T>(mut had: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(had) = had() {
                return had;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "somebody holds it");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_machine_is_claimed_once_by_name_and_free_when_its_run_has_ended() {
        let name = format!("inflight-test-{}", process::id());
        let first = claim(&name).unwrap();
        let refused = claim(&name).unwrap_err().to_string();
        let named = format!("another run, process {}, is measuring", process::id());
        assert!(refused.starts_with(&named), "{refused}");
        drop(first);
        drop(freed(|| claim(&name).ok()));
        freed(|| holder(&name).is_none().then_some(()));
    }

    #[test]
    fn those_that_share_no_folder_find_each_other_by_the_names_that_they_have() {
        let begin = format!("inflight-test-verifies-{}-", process::id());
        assert_eq!(named(&begin), None);
        let both = [claim_one_of(&begin).unwrap(), claim_one_of(&begin).unwrap()];
        let found = named(&begin).unwrap();
        assert_eq!(holder(&found), Some(process::id()), "{found}");
        drop(both);
        freed(|| named(&begin).is_none().then_some(()));
    }

    #[test]
    fn a_run_excludes_everything_and_a_verification_excludes_runs_alone() {
        let path = file_of_machine(&format!("inflight-test-file-{}", process::id())).unwrap();
        let run = claim_file(&path).unwrap();
        let reported = |error: anyhow::Error| {
            assert_eq!(crate::exit_code(&error), 6, "{error}");
            error.to_string()
        };
        let process = process::id();
        let measuring = format!("another run, process {process}, is measuring on this machine");
        assert!(reported(claim_file(&path).unwrap_err()).starts_with(&measuring));
        assert!(reported(share_file(&path).unwrap_err()).starts_with(&measuring));
        drop(run);

        let verifications = [freed(|| share_file(&path).ok()), freed(|| share_file(&path).ok())];
        let verifying = format!("a verification, process {process}, is under way on this machine");
        assert!(reported(claim_file(&path).unwrap_err()).starts_with(&verifying));
        drop(verifications);
        drop(freed(|| claim_file(&path).ok()));
        fs::remove_file(path).unwrap();
    }
}
