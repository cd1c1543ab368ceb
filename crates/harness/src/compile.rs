//! Builds programs with cargo, each alone and all in one way.
//!
//! One package a call: a joint build would unify the features of shared dependencies, and one
//! model could change another's binary.

use std::fs;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::Message;
use record::Unwritable;

use crate::python::{self, Interpreter};
use crate::{Workspace, find};

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
    // The option is that of lld, which is the linker of rustc on x86-64 Linux.
    let shuffle = format!("-Clink-arg=-Wl,--shuffle-sections=*={seed}");
    built(workspace, package, ("rustc", &["--", &shuffle]))
}

/// Takes a new package of the workspace into `Cargo.lock`, without looking anywhere for another
/// version of anything: builds are locked.
///
/// # Errors
///
/// Says that cargo failed, after cargo has said why on stderr.
pub fn update_lock(workspace: &Workspace) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["update", "--workspace", "--offline", "--quiet"])
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("failed to start cargo")?;
    ensure!(status.success(), "failed to update Cargo.lock: see above what cargo says");
    Ok(())
}

/// Builds the program of a package with a verb of cargo and what follows at its end.
fn built(workspace: &Workspace, package: &str, (verb, end): (&str, &[&str])) -> Result<Program> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo)
        .args([verb, "--release", "--locked", "--quiet", "-p", package])
        .args(["--bin", package, "--message-format=json-render-diagnostics"])
        .args(end)
        .current_dir(&workspace.root)
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
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
    ensure!(status.success(), "failed to build {package}: see above what `{command}` says");

    let path = path.with_context(|| format!("failed to find the program of {package}"))?;
    kept(workspace, package, &path.into_std_path_buf())
}

/// Keeps a program under the hash of its bytes, which is checked before each use: what cargo builds
/// while a run is under way must not change what the run measures.
fn kept(workspace: &Workspace, package: &str, built: &Path) -> Result<Program> {
    let unreadable = || format!("failed to read {}", built.display());
    let sha256 = record::sha256(&fs::read(built).with_context(unreadable)?);
    let folder = workspace.target.join("inflight").join(&sha256[..16]);
    let path = folder.join(package);
    let failed = || Unwritable(path.display().to_string());
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
