//! Sets the packages up that some models in Python need: once, below the build directory, from
//! pinned versions with hashes. What was set up is tried before it is kept, and before each use.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use record::sha256;

use super::super::bounded::{FULL, Trouble, bounded};
use super::{ANSWER, FIX_VENV, Interpreter, Python, Unavailable, pip, stem};
use crate::Workspace;
use crate::doctor::{ELSEWHERE, existing, free_mib};
use crate::files::put;
use crate::nameless::without_paths;
use crate::progress::say;

/// Has an interpreter load every package that it has, and report their versions; those that install
/// others are no part of what runs.
const TRY: &str = "\
import importlib, importlib.metadata as m, json
packages = {d.name: d.version for d in m.distributions() if d.name not in ('pip', 'setuptools')}
for module, owners in m.packages_distributions().items():
    if module.isidentifier() and any(owner in packages for owner in owners):
        importlib.import_module(module)
print(json.dumps(packages))
";
/// What makes another try.
const FIX: &str = "cargo run --release -- verify {model}";

/// A disk is full on which less is free, in MiB: the longest file of an environment has as much.
const FULL_MIB: u64 = 4;

/// How long one step of setting up may take, the download included.
const STEP: Duration = Duration::from_mins(4);
/// How long another process that sets the same up is waited for.
const OTHERS: Duration = Duration::from_mins(8);

/// The versions of packages, by name.
type Versions = BTreeMap<String, String>;

/// What a virtual environment is to hold.
#[derive(Clone, Copy)]
pub(in super::super) struct Packages<'a> {
    /// The lists of packages, by their paths in the workspace.
    pub(in super::super) lists: &'a [String],
    /// What they take at least with the environment, in MiB.
    pub(in super::super) mib_min: u64,
    /// Tries what is in its folder and no module of Python, within a limit of time.
    pub(in super::super) check: fn(&Path, Duration) -> Result<(), Trouble>,
}

/// Why a virtual environment cannot be used.
enum Flaw {
    /// It did not answer within this limit, as on a machine that is busy; it may be whole.
    Late(Duration),
    /// It is not what it should be.
    Broken(anyhow::Error),
}

impl Flaw {
    /// Returns it as what a row says.
    fn unavailable(&self) -> Unavailable {
        match self {
            Self::Broken(error) => unavailable(error),
            Self::Late(limit) => Unavailable {
                why: format!(
                    "its packages do not load within {} s here, though they are set up",
                    limit.as_secs()
                ),
                fix: FIX.to_owned(),
            },
        }
    }
}

impl Python {
    /// Returns an interpreter with some packages.
    pub(in super::super) fn set_up(
        &self,
        workspace: &Workspace,
        packages: Packages<'_>,
    ) -> Result<Interpreter, Unavailable> {
        let language = BTreeMap::from([("python".to_owned(), self.version.clone())]);
        let (lists, is_compiler) = (packages.lists, false);
        if lists.is_empty() {
            let (path, lists_sha256) = (self.executable.clone(), BTreeMap::new());
            return Ok(Interpreter { path, is_compiler, versions: language, lists_sha256 });
        }
        let sums = sums(&workspace.root, lists).map_err(|error| unavailable(&error))?;
        let folder = workspace.target.join("inflight").join("python");
        let folder = folder.join(self.key(&sums));
        let versions = self.packages(&folder, (&workspace.root, packages), ANSWER)?;
        Ok(Interpreter {
            path: folder.join("bin").join("python"),
            is_compiler,
            versions: language.into_iter().chain(versions).collect(),
            lists_sha256: sums,
        })
    }

    /// Returns the packages of a virtual environment, which is made if it is not there or broken.
    /// One that does not answer within a limit is neither: the machine is busy.
    pub(super) fn packages(
        &self,
        folder: &Path,
        wanted: (&Path, Packages<'_>),
        limit: Duration,
    ) -> Result<Versions, Unavailable> {
        match tried(folder, wanted, limit) {
            Err(Flaw::Broken(_)) => self.make_once(folder, wanted, limit),
            tried => tried.map_err(|flaw| flaw.unavailable()),
        }
    }

    /// Returns the name of the folder for this Python and lists with these hashes.
    pub(super) fn key(&self, sums: &BTreeMap<String, String>) -> String {
        let text = format!("{}\n{}\n{sums:?}", self.version, self.executable.display());
        sha256(text.as_bytes())[..16].to_owned()
    }

    /// Makes a virtual environment, unless another process has made it meanwhile.
    fn make_once(
        &self,
        folder: &Path,
        wanted: (&Path, Packages<'_>),
        limit: Duration,
    ) -> Result<Versions, Unavailable> {
        let _lock = lock(folder).map_err(|error| unavailable(&error))?;
        match tried(folder, wanted, limit) {
            Err(Flaw::Broken(_)) => {}
            tried => return tried.map_err(|flaw| flaw.unavailable()),
        }
        let names: Vec<&str> = wanted.1.lists.iter().filter_map(|list| stem(list)).collect();
        let again = if folder.exists() { "again, since it is broken" } else { "once" };
        let names = names.join(" and ");
        say(&format!("setting Python {} up with {names}, {again}\n", self.version));

        let new = folder.with_extension("new");
        // What an interrupted set-up has left behind is not gone on with.
        for old in [&new, folder] {
            let _ = fs::remove_dir_all(old);
        }
        self.make(&new, wanted)?;
        let versions = tried(&new, wanted, STEP).map_err(|flaw| flaw.unavailable())?;
        // It becomes visible when it is whole.
        fs::rename(&new, folder)
            .context("failed to keep it")
            .map_err(|error| unavailable(&error))?;
        Ok(versions)
    }

    /// Makes a virtual environment with some packages, where there is room for them.
    fn make(
        &self,
        folder: &Path,
        (root, packages): (&Path, Packages<'_>),
    ) -> Result<(), Unavailable> {
        let free = free_mib(existing(folder));
        if let Some(free) = free.filter(|free| *free < packages.mib_min) {
            return Err(packages.without_room(free));
        }
        let is_full = |trouble: &Trouble| match (free, has_filled(folder, trouble)) {
            (Some(free), true) => Some(packages.without_room(free)),
            _ => None,
        };
        let mut venv = Command::new(&self.command);
        bounded(venv.args(["-I", "-m", "venv"]).arg(folder), STEP).map_err(|trouble| {
            say(&format!("python3 -m venv {trouble}\n"));
            let why = format!("Python {} cannot make a virtual environment", self.version);
            is_full(&trouble).unwrap_or_else(|| Unavailable { why, fix: FIX_VENV.to_owned() })
        })?;
        let python = folder.join("bin").join("python");
        pip::install(&python, (root, packages.lists), STEP).map_err(|trouble| {
            // It may name hosts and paths, which no run writes down.
            say(&format!("pip {trouble}\n"));
            let (lists, cause) = (packages.lists.join(", "), pip::cause(&trouble));
            let why = format!("pip could not install {lists}: {cause}");
            is_full(&trouble).unwrap_or_else(|| Unavailable { why, fix: FIX.to_owned() })
        })
    }
}

impl Packages<'_> {
    /// Returns that there is no room for them, where so many MiB were free.
    fn without_room(&self, free_mib: u64) -> Unavailable {
        let needed = self.mib_min;
        Unavailable {
            why: format!(
                "its packages need {needed} MiB or more where programs are built, and {free_mib} \
                 are free"
            ),
            fix: ELSEWHERE.to_owned(),
        }
    }
}

/// Returns whether a program failed as it had filled a disk. Python does not always say why it
/// cannot make a virtual environment; what it made stands there still.
fn has_filled(folder: &Path, trouble: &Trouble) -> bool {
    let Trouble::Failed(said) = trouble else { return false };
    let is_said = FULL.iter().any(|words| said.contains(words));
    is_said || free_mib(existing(folder)).is_some_and(|free| free < FULL_MIB)
}

/// Tries a virtual environment as models use it, within a limit of time, and returns the versions
/// of its packages.
fn tried(
    folder: &Path,
    (root, packages): (&Path, Packages<'_>),
    limit: Duration,
) -> Result<Versions, Flaw> {
    let flaw = |trouble| match trouble {
        Trouble::Late(limit) => Flaw::Late(limit),
        trouble => Flaw::Broken(anyhow!("what was set up {}", trouble.line())),
    };
    let mut python = Command::new(folder.join("bin").join("python"));
    let reported = bounded(python.args(["-I", "-c", TRY]).env_clear(), limit).map_err(flaw)?;
    let versions = has_pinned(&reported, (root, packages.lists)).map_err(Flaw::Broken)?;
    (packages.check)(folder, limit).map_err(flaw)?;
    Ok(versions)
}

/// Returns the packages that were reported, if all are among them that some lists pin.
fn has_pinned(reported: &str, (root, lists): (&Path, &[String])) -> Result<Versions> {
    let packages: Versions =
        serde_json::from_str(reported).context("failed to read its packages")?;
    for list in lists {
        let text = fs::read_to_string(root.join(list));
        for (name, version) in pinned(&text.with_context(|| format!("failed to read {list}"))?) {
            let found = packages.iter().find(|(found, _)| same_name(found, name));
            let found = found.map(|(_, version)| version.as_str());
            ensure!(found == Some(version), "{name} is not there in the version {version}");
        }
    }
    Ok(packages)
}

/// Returns the packages that a list pins, with their versions, but those under a condition.
fn pinned(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = list.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.contains(';') && !line.starts_with(['#', '-']));
    lines.filter_map(|line| {
        let (name, rest) = line.split_once("==")?;
        Some((name.trim(), rest.split_whitespace().next()?))
    })
}

/// Returns whether two names are those of one package.
fn same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    plain(one) == plain(other)
}

/// Returns what has no better word.
fn unavailable(error: &anyhow::Error) -> Unavailable {
    say(&format!("{error:#}\n"));
    let why = format!("its packages could not be set up: {}", without_paths(&format!("{error:#}")));
    Unavailable { why, fix: FIX.to_owned() }
}

/// Returns the SHA-256 of some lists of packages, by their paths in the workspace.
pub(super) fn sums(root: &Path, lists: &[String]) -> Result<BTreeMap<String, String>> {
    let sum = |list: &String| {
        let bytes = fs::read(root.join(list)).with_context(|| format!("failed to read {list}"))?;
        Ok((list.clone(), sha256(&bytes)))
    };
    lists.iter().map(sum).collect()
}

/// Waits until no other process sets the same up, and says so; no other does until the file is
/// dropped.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.with_extension("lock");
    put(&path, "")?;
    let file = File::open(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let deadline = Instant::now() + OTHERS;
    let mut is_said = false;
    while file.try_lock().is_err() {
        ensure!(Instant::now() < deadline, "another process is still setting Python up");
        if !is_said {
            say("waiting for another process, which sets Python up\n");
        }
        is_said = true;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_pins_is_read_from_among_hashes_and_conditions() {
        let list = "# made by pip-compile\n--only-binary :all:\naiohttp==3.14.5 \\\n    \
                    --hash=sha256:00==\n\
                    typing_extensions==4.1 ; python_version < '3.13'\nyarl==1.2\n";
        assert_eq!(pinned(list).collect::<Vec<_>>()[0], ("aiohttp", "3.14.5"));
        let names: Vec<&str> = pinned(list).map(|(name, _)| name).collect();
        assert!(names.contains(&"yarl") && !names.contains(&"typing_extensions"), "{names:?}");
        assert!(same_name("Typing.Extensions", "typing_extensions"));
    }
}
