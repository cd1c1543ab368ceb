//! Python: a program of Rust becomes the interpreter, which is found here. What packages some
//! models need is set up in [`setup`].
//!
//! Where that cannot be done, models are missing, with the reason and the command that fixes it,
//! and nothing else changes. Neither names a path, since both are written down.

mod pip;
mod setup;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use record::{Missing, Model};

pub(super) use self::setup::Packages;
use super::bounded::{Trouble, bounded};
use super::search::{self, ANSWER, Unavailable};
use super::{Interpreter, Language};
use crate::Workspace;

/// The oldest Python that models are written for.
pub(crate) const OLDEST: (u32, u32) = (3, 11);
/// What fixes a Python that is not there.
pub(crate) const FIX_NONE: &str = "sudo apt-get install python3";
/// What fixes one that is too old.
pub(crate) const FIX_OLD: &str = "sudo apt-get install python3.11";
/// What fixes one that can make no virtual environment.
pub(crate) const FIX_VENV: &str = "sudo apt-get install python3-venv";

/// The names under which an interpreter is looked for, in this order.
const NAMES: [&str; 5] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"];
/// Has an interpreter report its version and where it is; what `PATH` leads to may be a script.
const WHO: &str = "import platform, sys; print(platform.python_version()); print(sys.executable)";

/// What the smallest list of packages took with its environment was 29 MiB.
const MIB_MIN: u64 = 28;

/// A Python that was found.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    /// What `PATH` leads to, which may be a script.
    command: PathBuf,
    /// The interpreter itself.
    executable: PathBuf,
    /// Such as `3.11.7`.
    pub(crate) version: String,
}

/// The Python of this process's `PATH`, looked for once.
static FOUND: LazyLock<Result<Python, Unavailable>> =
    LazyLock::new(|| Python::find(&std::env::var_os("PATH").unwrap_or_default()));
/// What was set up, or could not be, in this process: a network that is away is asked once.
static SET_UP: Mutex<BTreeMap<Vec<String>, Result<Interpreter, Unavailable>>> =
    Mutex::new(BTreeMap::new());

/// Models in Python. Their program holds their source, and is built as any other.
pub(super) const LANGUAGE: Language = Language {
    name: "Python",
    version: "python",
    sources: ("py", "#"),
    start_s: 0.4,
    build: None,
    found: None,
    interpreter,
};

/// Returns the interpreter of a model.
///
/// # Errors
///
/// Returns why the model cannot run here.
fn interpreter(workspace: &Workspace, model: &Model) -> Result<Option<Interpreter>, Missing> {
    let mut known = SET_UP.lock().unwrap_or_else(PoisonError::into_inner);
    let packages = Packages { check: |_, _| Ok(()), mib_min: MIB_MIN, lists: &model.requirements };
    let set_up = || FOUND.clone().and_then(|python| python.set_up(workspace, packages));
    let ready = known.entry(model.requirements.clone()).or_insert_with(set_up);
    ready.clone().map(Some).map_err(|unavailable| Missing {
        model: model.name.clone(),
        reason: unavailable.why,
        fix: unavailable.fix.replace("{model}", &model.name),
    })
}

impl Python {
    /// Finds the first Python on a search path that models can be run by.
    pub(crate) fn find(path: &OsStr) -> Result<Self, Unavailable> {
        let attempt = |command: &Path, limit| Self::ask(command.to_owned(), limit)?.fit();
        search::first(path, &NAMES, attempt).map_err(|unavailable| {
            let (major, minor) = OLDEST;
            unavailable.unwrap_or_else(|| Unavailable {
                why: format!("no python3 was found, Python {major}.{minor} or newer is needed"),
                fix: FIX_NONE.to_owned(),
            })
        })
    }

    /// Returns the Python of this process's `PATH`.
    pub(crate) fn on_path() -> Result<Self, Unavailable> {
        FOUND.clone()
    }

    /// Returns whether it has what virtual environments are made with.
    pub(crate) fn can_make_venv(&self) -> bool {
        let import = ["-I", "-c", "import ensurepip, venv"];
        bounded(Command::new(&self.command).args(import), ANSWER).is_ok()
    }

    /// Asks a program who it is.
    fn ask(command: PathBuf, limit: Duration) -> Result<Self, Unavailable> {
        let mut ask = Command::new(&command);
        let (version, executable, _) = search::ask(ask.args(["-I", "-c", WHO]), limit)?;
        Ok(Self { command, executable, version })
    }

    /// Makes sure that models can be run by it: they get none of the variables that whoever
    /// measures has.
    fn fit(self) -> Result<Self, Unavailable> {
        let (major, minor) = OLDEST;
        if !self.is_new_enough() {
            let why = format!("Python {} is older than {major}.{minor}", self.version);
            return Err(Unavailable { why, fix: FIX_OLD.to_owned() });
        }
        let mut alone = Command::new(&self.executable);
        match bounded(alone.args(["-I", "-c", "pass"]).env_clear(), ANSWER) {
            Ok(_) => Ok(self),
            Err(Trouble::Late(_)) => Err(Unavailable {
                why: format!("Python {} takes too long to start", self.version),
                fix: "time python3 -I -c pass".to_owned(),
            }),
            Err(_) => Err(Unavailable {
                why: format!(
                    "Python {} does not start without variables such as LD_LIBRARY_PATH, which \
                     models do not get",
                    self.version
                ),
                fix: "sudo ldconfig \"$LD_LIBRARY_PATH\"".to_owned(),
            }),
        }
    }

    /// Returns whether it is new enough for models.
    fn is_new_enough(&self) -> bool {
        let mut parts = self.version.split('.').map_while(|part| part.parse::<u32>().ok());
        parts.next().zip(parts.next()) >= Some(OLDEST)
    }
}

/// Returns what a list of packages is called.
fn stem(list: &str) -> Option<&str> {
    Path::new(list).file_stem()?.to_str()
}

#[cfg(test)]
#[path = "python/python_tests.rs"]
mod tests;
