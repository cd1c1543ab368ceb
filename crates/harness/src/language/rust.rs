//! Rust: programs are built with cargo, each alone and all in one way.
//!
//! One package a call: a joint build would unify the features of shared dependencies, and one
//! model could change another's binary. Where it changes nothing, it is done first, to save time.

mod joint;

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, ensure};
use cargo_metadata::Message;
use io_uring::IoUring;
use nix::errno::Errno;
use record::environment::target_folders;
use record::{Missing, Model, Need, Unwritable};

pub(crate) use self::joint::build_jointly;
use super::Language;
use super::bounded::FULL;
use crate::files::put;
use crate::progress::say;
use crate::{Failure, Workspace, outside};

/// The manifest of a package that belongs to no workspace and has nothing in it.
const EMPTY_PACKAGE: &str = "[package]\nname = \"linker\"\nedition = \"2024\"\n\n[workspace]\n";

/// What building that took, in bytes.
const EMPTY_BYTES: usize = 540 * 1024;

/// What makes lld the linker.
const ADVICE: &str = if cfg!(target_arch = "x86_64") {
    "take what chooses a linker out of RUSTFLAGS and of cargo's configuration, such as \
     `-Clinker-features=-lld`"
} else {
    "install lld, such as by `apt-get install lld`, and set RUSTFLAGS to `-Clink-arg=-fuse-ld=lld`"
};

/// The variables that have programs in Rust print where they failed.
pub(crate) const TRACES: [&str; 2] = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"];
/// Entries of the ring by which `io_uring` is tried.
const RING: u32 = 8;

/// Bytes of the header of a program.
const HEADER: usize = 64;
/// How a program begins, and what follows in one of 64 bits whose numbers begin with the low byte.
const ELF: (&[u8], &[u8]) = (b"\x7fELF", &[2, 1]);

/// A package that cargo builds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Package<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// The manifest of its workspace, if that is another one than ours.
    pub(super) manifest: Option<&'a Path>,
    /// All flags of the compiler, if they are others than those in force.
    pub(super) flags: &'a [String],
}

/// What divides flags of the compiler, which may hold spaces.
const DIVIDER: &str = "\u{1f}";

/// A model that names no language. Its program is what runs.
pub(super) const LANGUAGE: Language = Language {
    name: "Rust",
    version: "rust",
    sources: ("rs", "//"),
    start_s: 0.0,
    build: None,
    found: None,
    interpreter: |_, model| needs(model).map(|()| None),
};

/// Checks that this machine has what a model needs.
fn needs(model: &Model) -> Result<(), Missing> {
    if !model.needs.contains(&Need::IoUring) {
        return Ok(());
    }
    IoUring::new(RING).map(drop).map_err(|error| {
        let disabled = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or_default();
        let (reason, fix) = refused(&error, &disabled);
        Missing { model: model.name.clone(), reason, fix: fix.to_owned() }
    })
}

/// Says why the kernel gives no ring, by its error and by what it says of its own setting, and what
/// fixes it.
fn refused(error: &io::Error, disabled: &str) -> (String, &'static str) {
    match (error.raw_os_error().map(Errno::from_raw), disabled.trim()) {
        (_, "1" | "2") => {
            ("io_uring is disabled here".to_owned(), "sysctl -w kernel.io_uring_disabled=0")
        }
        (Some(Errno::ENOMEM), _) => {
            ("too little memory may be locked for io_uring".to_owned(), "ulimit -l unlimited")
        }
        (Some(Errno::EPERM), _) => (
            "whoever started this container forbids io_uring".to_owned(),
            "docker run --security-opt seccomp=unconfined",
        ),
        _ => (format!("this kernel has no io_uring ({error})"), "uname -r"),
    }
}

/// Makes sure that builds here can put sections in another order, before anything long is built: an
/// empty program is linked as models are, by the settings of whoever builds.
///
/// # Errors
///
/// Says that the linker is not lld, and what it says; or that there is no room for that program.
pub(crate) fn may_shuffle(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target.join("inflight").join("linker");
    let manifest = folder.join("Cargo.toml");
    put(&manifest, EMPTY_PACKAGE)?;
    put(&folder.join("src/main.rs"), "fn main() {}\n")?;
    let linked = cargo_into(workspace, "rustc", &folder.join("target"))
        .args(["--offline", "--manifest-path"])
        .arg(manifest)
        .args(["--", &shuffle(1)])
        .output()
        .context("failed to start cargo")?;
    if linked.status.success() {
        return Ok(());
    }
    Err(without_shuffling(&folder, &String::from_utf8_lossy(&linked.stderr)))
}

/// Returns why an empty program could not be linked in a folder, by what cargo says.
fn without_shuffling(folder: &Path, stderr: &str) -> anyhow::Error {
    // The command that is quoted with any failure names the option.
    if let Some(why) = FULL.iter().find(|words| stderr.contains(**words)) {
        return anyhow!("{why}").context(Unwritable::of(folder, EMPTY_BYTES));
    }
    let why = stderr.lines().rfind(|line| line.contains("shuffle-sections"));
    let why = why.or(stderr.lines().next()).unwrap_or("it does not say why");
    let why = why.trim().trim_start_matches("= note: ");
    let failure = Failure::Preflight(format!(
        "this preset puts sections in another order at each session, which the linker lld \
         alone can, and programs are linked by another here ({why}): {ADVICE}"
    ));
    failure.into()
}

/// Takes a new package of the workspace into `Cargo.lock`, without looking anywhere for another
/// version of anything: builds are locked.
///
/// # Errors
///
/// Says that cargo failed, after cargo has said why on stderr.
pub fn update_lock(workspace: &Workspace) -> Result<()> {
    let status = cargo(workspace)
        .args(["update", "--workspace", "--offline", "--quiet"])
        .stdout(Stdio::null())
        .status()
        .context("failed to start cargo")?;
    ensure!(status.success(), "failed to update Cargo.lock: see above what cargo says");
    Ok(())
}

/// Builds the program of a package by `cargo build --release --locked -p PACKAGE`, with its
/// sections in an order drawn from a seed if there is one, and returns where it is.
///
/// # Errors
///
/// Says that cargo failed, after cargo has said why on stderr.
pub(super) fn build(workspace: &Workspace, package: &str, layout: Option<u64>) -> Result<PathBuf> {
    let outside = outside::prepared(workspace, package)?;
    let package = Package { name: package, manifest: outside.as_deref(), flags: &[] };
    build_package(workspace, package, layout)
}

/// Does the same with a package that may be of another workspace.
///
/// Cargo looks at times alone: what a full disk or a crash has cut of a program is fresh to it.
/// Such a program is built anew, once.
pub(super) fn build_package(
    workspace: &Workspace,
    package: Package<'_>,
    layout: Option<u64>,
) -> Result<PathBuf> {
    let built = built(workspace, package, layout)?;
    if is_program(&built)? {
        return Ok(built);
    }
    let name = package.name;
    say(&format!("{name} was cut after it was built: building it anew\n"));
    forget(workspace, package)?;
    let built = self::built(workspace, package, layout)?;
    ensure!(
        is_program(&built)?,
        "failed to build {name}: what cargo makes of it is no whole program, even anew: make \
         room on the disk, or type `cargo clean`"
    );
    Ok(built)
}

/// Has cargo forget what it built of a package.
fn forget(workspace: &Workspace, package: Package<'_>) -> Result<()> {
    let name = package.name;
    let mut clean = cargo_into(workspace, "clean", &workspace.target);
    clean.args(["--locked", "--offline", "-p", name]);
    package.add_to(&mut clean);
    let cleaned = clean.status().context("failed to start cargo")?;
    ensure!(cleaned.success(), "failed to remove what is left of {name}: type `cargo clean`");
    Ok(())
}

/// Returns whether a file is a program from its first byte to its last: the table of its sections
/// stands at the end. Of a program for another kind of machine only how it begins is looked at.
fn is_program(path: &Path) -> Result<bool> {
    let mut begin = [0; HEADER];
    let file = File::open(path).with_context(|| format!("failed to read {}", path.display()))?;
    let length = file.metadata()?.len();
    if file.read_exact_at(&mut begin, 0).is_err() || !begin.starts_with(ELF.0) {
        return Ok(false);
    }
    if !begin[ELF.0.len()..].starts_with(ELF.1) {
        return Ok(true);
    }
    let number = |place: usize| u16::from_le_bytes([begin[place], begin[place + 1]]);
    let table = begin[0x28..0x30].try_into().map(u64::from_le_bytes)?;
    let sections = u64::from(number(0x3a)) * u64::from(number(0x3c));
    Ok(table.checked_add(sections).is_some_and(|end| end <= length))
}

impl Package<'_> {
    /// Adds its manifest and its flags to a call of cargo.
    fn add_to(&self, call: &mut Command) {
        if let Some(manifest) = self.manifest {
            call.arg("--manifest-path").arg(manifest);
        }
        if !self.flags.is_empty() {
            call.env("CARGO_ENCODED_RUSTFLAGS", self.flags.join(DIVIDER));
        }
    }
}

/// Has cargo build the program of a package, and returns where it is.
fn built(workspace: &Workspace, package: Package<'_>, layout: Option<u64>) -> Result<PathBuf> {
    let name = package.name;
    let end = layout.map(shuffle);
    let end = end.as_ref().map_or_else(Vec::new, |shuffle| vec!["--", shuffle]);
    let verb = if layout.is_some() { "rustc" } else { "build" };
    let mut call = cargo_into(workspace, verb, &workspace.target);
    call.args(["--locked", "-p", name, "--bin", name]);
    call.arg("--message-format=json-render-diagnostics");
    package.add_to(&mut call);
    let mut child =
        call.args(end).stdout(Stdio::piped()).spawn().context("failed to start cargo")?;

    let mut path = None;
    let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
    for message in Message::parse_stream(output) {
        if let Message::CompilerArtifact(artifact) = message.context("failed to read cargo")? {
            path = artifact.executable.or(path);
        }
    }
    let status = child.wait().context("failed to wait for cargo")?;
    let command = format!("cargo {verb} --release --locked -p {name}");
    ensure!(status.success(), "failed to build {name}: see above what `{command}` says ({status})");

    let path = path.with_context(|| format!("failed to find the program of {name}"))?;
    Ok(path.into_std_path_buf())
}

/// Returns a call of cargo in the workspace, to be made at once: if it will wait until another one
/// has downloaded, this is said here. What it says is quoted, without the trace of whoever debugs
/// something else.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = set.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    if let Some(home) = home {
        report_waiting(&home, ".package-cache", "downloads into");
    }
    let mut command = Command::new(named_cargo().unwrap_or_else(|| "cargo".into()));
    for variable in TRACES {
        command.env_remove(variable);
    }
    command.current_dir(&workspace.root).stdin(Stdio::null());
    command
}

/// Returns a call of cargo that does something to what is built in release below a folder; if it
/// will wait for another one that builds there, this is said too.
pub(crate) fn cargo_into(workspace: &Workspace, verb: &str, target: &Path) -> Command {
    let of_targets = target_folders(&workspace.root).into_iter().map(PathBuf::from);
    for below in [PathBuf::new()].into_iter().chain(of_targets) {
        report_waiting(&target.join(below).join("release"), ".cargo-lock", "builds into");
    }
    let mut command = cargo(workspace);
    // The variable of the folder may hold a path from another one.
    command.args([verb, "--release", "--quiet", "--target-dir"]).arg(target);
    command
}

/// Returns the cargo that somebody has named.
pub(crate) fn named_cargo() -> Option<OsString> {
    std::env::var_os("CARGO").filter(|cargo| !cargo.is_empty())
}

/// Returns the argument by which a program is linked with its sections in an order drawn from a
/// seed. The option is that of lld, which is the linker of rustc on x86-64 Linux.
fn shuffle(seed: u64) -> String {
    format!("-Clink-arg=-Wl,--shuffle-sections=*={seed}")
}

/// Says that cargo waits for another one that has locked a folder, if it will: asked to be quiet,
/// it waits without a word.
fn report_waiting(folder: &Path, lock: &str, does: &str) {
    let tried = File::open(folder.join(lock)).map(|lock| lock.try_lock_shared());
    if let Ok(Err(TryLockError::WouldBlock)) = tried {
        say(&format!("waiting for another cargo, which {does} {}\n", folder.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_whole_from_its_first_byte_to_its_last() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let is_whole = |bytes: &[u8]| {
            let path = folder.path().join("program");
            fs::write(&path, bytes).unwrap();
            is_program(&path).unwrap()
        };
        assert!(is_whole(&own));
        for cut in [0, 1, 63, 64, own.len() / 2, own.len() - 1] {
            assert!(!is_whole(&own[..cut]), "{cut} bytes of {}", own.len());
        }
        assert!(!is_whole(&vec![0; own.len()]) && !is_whole(b"#!/bin/sh\nexit 0\n"));
    }

    #[test]
    fn a_disk_that_is_full_is_not_taken_for_a_linker_that_cannot_shuffle() {
        let quoted = "error: linking with `cc` failed\n  = note:  \"cc\" \
                      \"-Wl,--shuffle-sections=*=1\"\n";
        let said = |end: &str| without_shuffling(Path::new("/t/linker"), &format!("{quoted}{end}"));
        let unknown = said("  = note: /usr/bin/ld: unrecognized option '--shuffle-sections=*=1'\n");
        assert_eq!(crate::exit_code(&unknown), 6);
        let words = "programs are linked by another here (/usr/bin/ld: unrecognized option";
        assert!(unknown.to_string().contains(words), "{unknown}");
        let full = said("  = note: rust-lld: error: cannot write: No space left on device\n");
        assert_eq!(crate::exit_code(&full), 8);
        let words = "failed to write /t/linker (552960 bytes): No space left on device";
        assert_eq!(format!("{full:#}"), words);
    }

    #[test]
    fn a_ring_that_is_refused_is_said_with_its_cause_and_what_fixes_it() {
        let refused = |errno: Errno, disabled| refused(&io::Error::from(errno), disabled);
        let fixes = [
            (refused(Errno::EPERM, "2\n"), "disabled here", "sysctl -w"),
            (refused(Errno::EPERM, "0\n"), "this container forbids", "docker run"),
            (refused(Errno::ENOMEM, ""), "may be locked", "ulimit -l"),
            (refused(Errno::ENOSYS, ""), "this kernel has no io_uring", "uname -r"),
        ];
        for ((reason, fix), words, command) in fixes {
            assert!(reason.contains(words) && fix.starts_with(command), "{reason}: {fix}");
        }
    }
}
