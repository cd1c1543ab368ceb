//! Builds programs with cargo, each alone and all in one way.
//!
//! One package a call: a joint build would unify the features of shared dependencies, and one
//! model could change another's binary.

use std::fs::{self, File, TryLockError};
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::Message;
use record::Unwritable;

use crate::progress::say;
use crate::python::{self, Interpreter};
use crate::{Failure, Workspace, find};

/// The manifest of a package that belongs to no workspace and has nothing in it.
const EMPTY_PACKAGE: &str = "[package]\nname = \"linker\"\nedition = \"2024\"\n\n[workspace]\n";

/// A program that was built.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What it replaces itself by, if its model is in another language.
    pub interpreter: Option<Interpreter>,
}

/// Builds the program of a package, `cargo build --release --locked -p PACKAGE`, and returns it.
///
/// # Errors
///
/// Says that cargo failed, after cargo has said why on stderr, or that its model needs what is not
/// there.
pub fn compile(workspace: &Workspace, package: &str) -> Result<Program> {
    built(workspace, package, ("build", &[]))
}

/// Builds the program of a package with its sections in an order drawn from a seed: where code lies
/// in memory changes what it costs (Mytkowicz et al., ASPLOS 2009), and one layout is one sample.
///
/// # Errors
///
/// Says that cargo failed, after cargo has said why on stderr.
pub(crate) fn compile_shuffled(workspace: &Workspace, package: &str, seed: u64) -> Result<Program> {
    built(workspace, package, ("rustc", &["--", &shuffle(seed)]))
}

/// Makes sure that builds here can put sections in another order, before anything long is built: an
/// empty program is linked as models are, by the settings of whoever builds.
///
/// # Errors
///
/// Says that the linker is not lld, and what it says.
pub(crate) fn may_shuffle(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target.join("inflight").join("linker");
    let (manifest, source) = (folder.join("Cargo.toml"), folder.join("src/main.rs"));
    let failed = || Unwritable(folder.display().to_string());
    fs::create_dir_all(folder.join("src"))
        .and_then(|()| fs::write(&manifest, EMPTY_PACKAGE))
        .and_then(|()| fs::write(source, "fn main() {}\n"))
        .with_context(failed)?;
    let linked = cargo(workspace)
        .args(["rustc", "--release", "--quiet", "--offline", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(folder.join("target"))
        .args(["--", &shuffle(1)])
        .output()
        .context("failed to start cargo")?;
    let stderr = String::from_utf8_lossy(&linked.stderr);
    let why = stderr.lines().rfind(|line| line.contains("shuffle-sections"));
    let why = why.or(stderr.lines().next()).unwrap_or("it does not say why");
    let why = why.trim().trim_start_matches("= note: ");
    ensure!(
        linked.status.success(),
        Failure::Preflight(format!(
            "this preset puts sections in another order at each session, which the linker lld \
             alone can, and programs are linked by another here ({why}): take what chooses a \
             linker out of RUSTFLAGS and of cargo's configuration, such as \
             `-Clinker-features=-lld`"
        ))
    );
    Ok(())
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

/// Builds the program of a package with a verb of cargo and what follows at its end.
fn built(workspace: &Workspace, package: &str, (verb, end): (&str, &[&str])) -> Result<Program> {
    tell_of_waiting(workspace);
    let mut child = cargo(workspace)
        .args([verb, "--release", "--locked", "--quiet", "-p", package])
        .args(["--bin", package, "--message-format=json-render-diagnostics"])
        // Its variable may hold a path from another folder.
        .arg("--target-dir")
        .arg(&workspace.target)
        .args(end)
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to start cargo")?;

    let mut path = None;
    let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
    for message in Message::parse_stream(output) {
        if let Message::CompilerArtifact(artifact) = message.context("failed to read cargo")? {
            path = artifact.executable.or(path);
        }
    }
    let status = child.wait().context("failed to wait for cargo")?;
    let command = format!("cargo {verb} --release --locked -p {package}");
    ensure!(
        status.success(),
        "failed to build {package}: see above what `{command}` says ({status})"
    );

    let path = path.with_context(|| format!("failed to find the program of {package}"))?;
    kept(workspace, package, &path.into_std_path_buf())
}

/// Returns a call of cargo in the workspace.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(&workspace.root).stdin(Stdio::null());
    command
}

/// Returns the argument by which a program is linked with its sections in an order drawn from a
/// seed. The option is that of lld, which is the linker of rustc on x86-64 Linux.
fn shuffle(seed: u64) -> String {
    format!("-Clink-arg=-Wl,--shuffle-sections=*={seed}")
}

/// Says that a build waits for another call of cargo, if it will: cargo, told to be quiet, waits
/// without a word.
fn tell_of_waiting(workspace: &Workspace) {
    let lock = workspace.target.join("release/.cargo-lock");
    let tried = File::open(lock).map(|lock| lock.try_lock_shared());
    if let Ok(Err(TryLockError::WouldBlock)) = tried {
        let target = workspace.target.display();
        say(&format!("waiting for another cargo, which builds into {target}\n"));
    }
}

/// Keeps a program under the hash of its bytes, which is checked before each use: what cargo builds
/// while a run is under way must not change what the run measures.
fn kept(workspace: &Workspace, package: &str, built: &Path) -> Result<Program> {
    let unreadable = || format!("failed to read {}", built.display());
    let bytes = fs::read(built).with_context(unreadable)?;
    let sha256 = record::sha256(&bytes);
    let folder = workspace.target.join("inflight").join(&sha256[..16]);
    let path = folder.join(package);
    let failed = || Unwritable::of(&path, bytes.len());
    if !is_whole(&path, &sha256) {
        fs::create_dir_all(&folder).with_context(failed)?;
        // Under another name first: two builds may keep the same program at once.
        let new = folder.join(format!("{package}.{}", std::process::id()));
        fs::copy(built, &new).and_then(|_| fs::rename(&new, &path)).with_context(failed)?;
    }
    let model = find::of_package(workspace, package)?;
    let interpreter = match model.map(|model| python::interpreter(workspace, &model)) {
        None => None,
        Some(Ok(interpreter)) => interpreter,
        Some(Err(missing)) => bail!("failed to run {package}: {missing}"),
    };
    Ok(Program { path, sha256, interpreter })
}

/// Returns whether a kept program is what its hash says, and may be run: a full disk, a crash or a
/// hand may have changed it since.
fn is_whole(kept: &Path, sha256: &str) -> bool {
    let may_run = |file: fs::Metadata| file.permissions().mode() & 0o100 != 0;
    let is_same = |bytes: Vec<u8>| record::sha256(&bytes) == sha256;
    fs::metadata(kept).is_ok_and(may_run) && fs::read(kept).is_ok_and(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_program_that_was_changed_is_made_anew_before_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let mut workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        workspace.target = folder.path().to_owned();
        let keep = || kept(&workspace, "origin", Path::new("/bin/true")).unwrap();
        let spoil: [fn(&Path); 4] = [
            |kept| fs::write(kept, "").unwrap(),
            |kept| fs::write(kept, "#!/bin/false\n").unwrap(),
            |kept| fs::set_permissions(kept, fs::Permissions::from_mode(0o644)).unwrap(),
            |kept| fs::remove_file(kept).unwrap(),
        ];
        for spoil in spoil {
            let program = keep();
            spoil(&program.path);
            assert_eq!(keep().path, program.path);
            assert!(is_whole(&program.path, &program.sha256));
            assert!(Command::new(&program.path).status().unwrap().success());
        }
    }
}
