//! What people's cargo is, what it says and what it leaves behind: each cause is reported by its
//! name, whoever waits for another learns of it, and a program that was cut is built anew.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::support::shell::{check, copy_workspace, inflight};
use crate::support::{WORKSPACE, alone, beside, built, executable, test_model};

/// How long a line is waited for at most.
const PATIENCE: Duration = Duration::from_mins(2);

/// Returns the program, to be run in a folder.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(built("inflight").path);
    command.args(arguments).current_dir(folder);
    command
}

#[test]
fn a_folder_that_is_no_checkout_and_a_missing_cargo_are_distinguished() {
    let folder = tempfile::tempdir().expect("it is made");
    let words = "this needs a checkout of Inflight";
    check(&inflight(folder.path(), &["list", "models"]), 2, words);
    fs::create_dir(folder.path().join("src")).expect("it is ours");
    fs::write(folder.path().join("src/lib.rs"), "").expect("it is ours");
    let manifest = "[package]\nname = \"other\"\nedition = \"2024\"\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).expect("it is ours");
    check(&inflight(folder.path(), &["list", "models"]), 2, words);

    let mut without = program(&WORKSPACE.root, &["list", "models"]);
    let without = without.env_remove("CARGO").env("PATH", folder.path()).output();
    check(&without.expect("it starts"), 2, "there is no cargo on PATH");

    let absent = folder.path().join("cargo");
    let mut named = program(&WORKSPACE.root, &["list", "models"]);
    let named = named.env("CARGO", &absent).output().expect("it starts");
    check(&named, 2, &format!("there is no {absent:?}, which CARGO names as the cargo by which"));
    check(&named, 2, "type `unset CARGO`");
    let mut empty = program(&WORKSPACE.root, &["list", "models"]);
    check(&empty.env("CARGO", "").output().expect("it starts"), 0, "");
}

#[test]
fn what_a_cargo_that_fails_says_is_quoted_without_a_trace() {
    let folder = tempfile::tempdir().expect("it is made");
    let cargo = folder.path().join("cargo");
    // As rustup does, which is what people have on PATH for a cargo.
    let script = "#!/bin/sh\necho 'error: toolchain x is not installed' >&2\n\
                  test -z \"$RUST_BACKTRACE$RUST_LIB_BACKTRACE\" || echo ' 0: rustup::main' >&2\n\
                  exit 1\n";
    executable(&cargo, script);
    let mut list = program(&WORKSPACE.root, &["list", "models"]);
    list.env("CARGO", &cargo).env("RUST_BACKTRACE", "1").env("RUST_LIB_BACKTRACE", "full");
    let output = list.output().expect("it starts");
    check(&output, 2, "cargo cannot read this checkout: toolchain x is not installed\n");
}

/// Returns the target that programs are built for here.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("it names its host").to_owned()
}

#[test]
fn a_program_that_was_cut_after_it_was_built_is_built_anew() {
    let _beside = beside();
    let package = test_model("example").package;
    let whole = built(&package);
    let length = |path: &Path| fs::metadata(path).expect("it is there").len();
    for cut in [0, length(&whole.path) / 2] {
        // As a full disk or a crash leaves it, which cargo takes for fresh.
        let fresh = WORKSPACE.target.join("release").join(&package);
        let file = File::options().write(true).open(&fresh).expect("it is ours");
        file.set_len(cut).expect("it is ours");
        let again = harness::compile(&WORKSPACE, &package).expect("it is built anew");
        assert_eq!(length(&again.path), length(&whole.path), "cut to {cut} bytes");
        assert_eq!(length(&fresh), length(&whole.path), "cut to {cut} bytes");
    }
}

#[test]
fn a_build_that_waits_for_another_says_so() {
    let _beside = beside();
    let host = host();
    let of_host = format!("{host}/release/.cargo-lock");
    let copy = empty();
    copy_workspace(copy.path());
    let (own, configured) = (&WORKSPACE.root, &copy.path().to_owned());
    let config = format!("[build]\ntarget = {host:?}\n");
    fs::create_dir_all(configured.join(".cargo")).expect("it is ours");
    fs::write(configured.join(".cargo/config.toml"), config).expect("it is ours");
    for (root, variable, locked, target, does) in [
        (own, "CARGO_TARGET_DIR", "release/.cargo-lock", None, "builds into"),
        (own, "CARGO_TARGET_DIR", &of_host, Some(&host), "builds into"),
        (configured, "CARGO_TARGET_DIR", &of_host, None, "builds into"),
        (own, "CARGO_HOME", ".package-cache", None, "downloads into"),
    ] {
        let folder = empty();
        let mut verify = program(root, &["verify", "tokio"]);
        verify.envs(target.map(|target| ("CARGO_BUILD_TARGET", target)));
        verify.env(variable, folder.path());
        waits(verify, &folder.path().join(locked), does);
    }
}

#[test]
fn whatever_else_cargo_is_called_for_says_that_it_waits() {
    let _alone = alone();
    let (copy, folder, out) = (empty(), empty(), empty());
    copy_workspace(copy.path());
    let out = out.path().to_str().expect("our paths are UTF-8");
    let cache = folder.path().join(".package-cache");
    // A lock file is brought up to date, and one is made for another version.
    let mut new = program(copy.path(), &["new-model", "mine"]);
    new.env("CARGO_HOME", folder.path());
    waits(new, &cache, "downloads into");
    let rows = ["compare", "tokio", "tokio@1.0.0", "--out", out];
    let mut compare = program(&WORKSPACE.root, &rows);
    // What is left of it when it is killed goes with the folder.
    compare.env("CARGO_HOME", folder.path()).env("CARGO_TARGET_DIR", folder.path());
    waits(compare, &cache, "downloads into");
    // An empty program is linked, in a folder of its own.
    let mut citable = program(&WORKSPACE.root, &["run", "--preset", "citable", "--out", out]);
    citable.env("CARGO_TARGET_DIR", folder.path());
    let linker = folder.path().join("inflight/linker/target/release/.cargo-lock");
    waits(citable, &linker, "builds into");
}

#[test]
fn a_signal_before_a_version_is_built_ends_at_once_and_leaves_nothing_of_it() {
    let _alone = alone();
    let (folder, out) = (empty(), empty());
    let out = out.path().to_str().expect("our paths are UTF-8");
    let rows = ["compare", "tokio", "tokio@1.0.0", "--out", out];
    let mut compare = program(&WORKSPACE.root, &rows);
    compare.env("CARGO_HOME", folder.path()).env("CARGO_TARGET_DIR", folder.path());
    let cache = folder.path().join(".package-cache");
    let mut waiting = Waiting::start(compare, &cache, "downloads into");
    let half = folder.path().join("inflight/versions/tokio_1.0.0");
    assert!(half.join("Cargo.toml").exists(), "it is being prepared");
    kill(waiting.id(), Signal::SIGTERM).expect("it is ours");
    assert_eq!(waiting.child.wait().expect("it ends").code(), Some(143));
    assert!(!half.exists());
}

/// Returns a folder with nothing in it.
fn empty() -> TempDir {
    tempfile::tempdir().expect("it is made")
}

/// Checks that a command says, while another cargo holds a lock, that it waits and for whom.
fn waits(command: Command, lock: &Path, does: &str) {
    drop(Waiting::start(command, lock, does));
}

/// A command that waits for a lock, which nobody else has. It is killed in the end.
struct Waiting {
    child: Child,
    _lock: File,
}

impl Waiting {
    /// Starts a command, and waits until it says that it waits and for whom.
    fn start(mut command: Command, lock: &Path, does: &str) -> Self {
        fs::create_dir_all(lock.parent().expect("it lies in a folder")).expect("it is ours");
        let lock = File::create(lock).expect("it is ours");
        lock.lock().expect("nobody else has it");
        // In a group of its own, so that no cargo is left that goes on once nobody has the lock.
        command.process_group(0).stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let waiting = Self { child, _lock: lock };
        let (say, said) = mpsc::channel();
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| say.send(line))
        });
        let expected = format!("waiting for another cargo, which {does} ");
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| line.starts_with(&expected)) {
            let line = said.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{command:?}: {lines:?}"));
            lines.push(line);
        }
        waiting
    }

    /// Returns the process, whose group is called the same.
    fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id is an i32"))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Whatever it did, a cargo that it started may wait on.
        let _ = killpg(self.id(), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "rustc links with lld on x86-64 alone")]
fn a_linker_that_cannot_reorder_sections_is_refused_before_anything_is_built() {
    let _alone = alone();
    let out = tempfile::tempdir().expect("it is made");
    let mut citable = program(&WORKSPACE.root, &["run", "--preset", "citable", "--out"]);
    citable.arg(out.path()).env("RUSTFLAGS", "-Clinker-features=-lld");
    let output = citable.output().expect("it starts");
    check(&output, 6, "which the linker lld alone can");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("`-Clinker-features=-lld`") && !said.contains("building"), "{said}");
}
