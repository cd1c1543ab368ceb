//! Finds the interpreter of models in Python, and sets the packages up that some of them need:
//! once, below the build directory, from pinned versions with hashes.
//!
//! Where that cannot be done, models are missing, with the reason and the command that mends it,
//! and nothing else changes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use record::{Missing, Model, sha256};

use crate::Workspace;
use crate::progress::say;

/// The oldest Python that models are written for.
pub(crate) const OLDEST: (u32, u32) = (3, 11);
/// What mends a Python that is not there.
pub(crate) const MEND_NONE: &str = "sudo apt-get install python3";
/// What mends one that is too old.
pub(crate) const MEND_OLD: &str = "sudo apt-get install python3.11";
/// What mends one that can make no virtual environment.
pub(crate) const MEND_VENV: &str = "sudo apt-get install python3-venv";

/// The names under which an interpreter is looked for, in this order.
const NAMES: [&str; 5] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"];
/// Has an interpreter tell its version and where it is; what `PATH` leads to may be a script.
const WHO: &str = "import platform, sys; print(platform.python_version()); print(sys.executable)";
/// Has an interpreter tell which packages it has, and nothing of what installs them.
const WHAT: &str = "import importlib.metadata as m, json; \
                    print(json.dumps({d.name: d.version for d in m.distributions() \
                    if d.name not in ('pip', 'setuptools')}))";
/// What a virtual environment says of its packages.
const VERSIONS: &str = "versions.json";

/// How long an interpreter may take to answer.
const ANSWER: Duration = Duration::from_secs(3);
/// How long one step of setting up may take, the download included.
const STEP: Duration = Duration::from_mins(4);
/// How long another process that sets the same up is waited for.
const OTHERS: Duration = Duration::from_mins(8);

/// What runs a model in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// Where it is.
    pub path: PathBuf,
    /// The version of the language, and of every package.
    pub versions: BTreeMap<String, String>,
    /// SHA-256 of each list of packages, by its path in the workspace.
    pub lists_sha256: BTreeMap<String, String>,
}

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

/// Why there is none, and the command that mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    pub(crate) why: String,
    pub(crate) mend: String,
}

/// The Python of this process's `PATH`, looked for once.
static FOUND: LazyLock<Result<Python, Lack>> =
    LazyLock::new(|| Python::find(&std::env::var_os("PATH").unwrap_or_default()));
/// What was set up, or could not be, in this process: a network that is away is asked once.
static SET_UP: Mutex<BTreeMap<Vec<String>, Result<Interpreter, Lack>>> =
    Mutex::new(BTreeMap::new());

/// Returns the interpreter of a model, if it needs one.
///
/// # Errors
///
/// Returns why the model cannot run here.
pub(crate) fn interpreter(
    workspace: &Workspace,
    model: &Model,
) -> Result<Option<Interpreter>, Missing> {
    if model.language.is_none() {
        return Ok(None);
    }
    let mut known = SET_UP.lock().unwrap_or_else(PoisonError::into_inner);
    let set_up = || FOUND.clone().and_then(|python| python.set_up(workspace, &model.requirements));
    let ready = known.entry(model.requirements.clone()).or_insert_with(set_up);
    ready.clone().map(Some).map_err(|lack| Missing {
        model: model.name.clone(),
        reason: lack.why,
        mend: lack.mend.replace("{model}", &model.name),
    })
}

/// Returns why a model cannot run here, if it cannot.
pub fn missing(workspace: &Workspace, model: &Model) -> Option<Missing> {
    interpreter(workspace, model).err()
}

impl Python {
    /// Finds the first Python on a search path that is new enough.
    pub(crate) fn find(path: &OsStr) -> Result<Self, Lack> {
        let folders = || std::env::split_paths(path);
        let files = NAMES.iter().flat_map(|name| folders().map(move |folder| folder.join(name)));
        let mut too_old = None;
        for command in files.filter(|file| file.is_file()) {
            let Some(python) = Self::ask(command) else { continue };
            match python.is_new_enough() {
                true => return Ok(python),
                false => too_old = too_old.or(Some(python)),
            }
        }
        let (major, minor) = OLDEST;
        Err(match too_old {
            Some(python) => Lack {
                why: format!("Python {} is older than {major}.{minor}", python.version),
                mend: MEND_OLD.to_owned(),
            },
            None => Lack {
                why: format!("no python3 was found, Python {major}.{minor} or newer is needed"),
                mend: MEND_NONE.to_owned(),
            },
        })
    }

    /// Returns the Python of this process's `PATH`.
    pub(crate) fn on_path() -> Result<Self, Lack> {
        FOUND.clone()
    }

    /// Returns whether it has what virtual environments are made with.
    pub(crate) fn can_make_venv(&self) -> bool {
        let import = ["-I", "-c", "import ensurepip, venv"];
        bounded(Command::new(&self.command).args(import), ANSWER).is_ok()
    }

    /// Asks a program who it is.
    fn ask(command: PathBuf) -> Option<Self> {
        let said = bounded(Command::new(&command).args(["-I", "-c", WHO]), ANSWER).ok()?;
        let (version, executable) = said.trim().split_once('\n')?;
        let (version, executable) = (version.to_owned(), PathBuf::from(executable));
        executable.is_absolute().then_some(Self { command, executable, version })
    }

    /// Returns whether models can be run by it.
    fn is_new_enough(&self) -> bool {
        let mut parts = self.version.split('.').map_while(|part| part.parse::<u32>().ok());
        parts.next().zip(parts.next()) >= Some(OLDEST)
    }

    /// Returns an interpreter with the packages of some lists.
    fn set_up(&self, workspace: &Workspace, lists: &[String]) -> Result<Interpreter, Lack> {
        let language = BTreeMap::from([("python".to_owned(), self.version.clone())]);
        if lists.is_empty() {
            let (path, lists_sha256) = (self.executable.clone(), BTreeMap::new());
            return Ok(Interpreter { path, versions: language, lists_sha256 });
        }
        let sums = sums(&workspace.root, lists).map_err(|error| lack(&error))?;
        let folder = workspace.target.join("inflight").join("python");
        let folder = folder.join(self.key(&sums));
        if !folder.exists() {
            self.make_alone(&folder, (&workspace.root, lists))?;
        }
        let told = fs::read(folder.join(VERSIONS)).context("failed to read what was set up");
        let told = told.and_then(|told| Ok(serde_json::from_slice(&told)?));
        let packages: BTreeMap<String, String> = told.map_err(|error| lack(&error))?;
        Ok(Interpreter {
            path: folder.join("bin").join("python"),
            versions: language.into_iter().chain(packages).collect(),
            lists_sha256: sums,
        })
    }

    /// Returns the name of the folder for this Python and lists with these hashes.
    fn key(&self, sums: &BTreeMap<String, String>) -> String {
        let text = format!("{}\n{}\n{sums:?}", self.version, self.executable.display());
        sha256(text.as_bytes())[..16].to_owned()
    }

    /// Makes a virtual environment, unless another process has made it meanwhile.
    fn make_alone(&self, folder: &Path, lists: (&Path, &[String])) -> Result<(), Lack> {
        let _alone = alone(folder).map_err(|error| lack(&error))?;
        if folder.exists() {
            return Ok(());
        }
        let new = folder.with_extension("new");
        // What an interrupted set-up has left behind is not gone on with.
        let _ = fs::remove_dir_all(&new);
        let names: Vec<&str> = lists.1.iter().filter_map(|list| stem(list)).collect();
        say(&format!("setting Python {} up with {}, once\n", self.version, names.join(" and ")));
        self.make(&new, lists)?;
        // It becomes visible when it is whole.
        fs::rename(&new, folder).context("failed to keep it").map_err(|error| lack(&error))
    }

    /// Makes a virtual environment with the packages of some lists.
    fn make(&self, folder: &Path, (root, lists): (&Path, &[String])) -> Result<(), Lack> {
        let venv =
            bounded(Command::new(&self.command).args(["-I", "-m", "venv"]).arg(folder), STEP);
        venv.map_err(|error| {
            say(&format!("{error:#}\n"));
            let why = format!("Python {} cannot make a virtual environment", self.version);
            Lack { why, mend: MEND_VENV.to_owned() }
        })?;

        let python = folder.join("bin").join("python");
        let mut pip = Command::new(&python);
        pip.args(["-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip.args(["--no-input", "--require-hashes", "--only-binary", ":all:", "--retries", "1"]);
        pip.args(lists.iter().flat_map(|list| ["-r", list])).current_dir(root);
        bounded(&mut pip, STEP).map_err(|error| {
            // It may name hosts and paths, which no run writes down.
            say(&format!("{error:#}\n"));
            Lack {
                why: format!("pip could not install {}: is PyPI within reach?", lists.join(", ")),
                mend: "cargo run --release -- verify {model}".to_owned(),
            }
        })?;

        let told = bounded(Command::new(&python).args(["-I", "-c", WHAT]), ANSWER);
        let kept = told.and_then(|told| Ok(fs::write(folder.join(VERSIONS), told)?));
        kept.map_err(|error| lack(&error))
    }
}

/// Returns what cannot be told better.
fn lack(error: &anyhow::Error) -> Lack {
    say(&format!("{error:#}\n"));
    Lack {
        why: "its packages could not be set up below the build directory".to_owned(),
        mend: "cargo run --release -- verify {model}".to_owned(),
    }
}

/// Returns the SHA-256 of some lists of packages, by their paths in the workspace.
fn sums(root: &Path, lists: &[String]) -> Result<BTreeMap<String, String>> {
    let sum = |list: &String| {
        let bytes = fs::read(root.join(list)).with_context(|| format!("failed to read {list}"))?;
        Ok((list.clone(), sha256(&bytes)))
    };
    lists.iter().map(sum).collect()
}

/// Returns what a list is called.
fn stem(list: &str) -> Option<&str> {
    Path::new(list).file_stem()?.to_str()
}

/// Waits until no other process sets the same up, until the file is dropped.
fn alone(folder: &Path) -> Result<File> {
    let path = folder.with_extension("lock");
    fs::create_dir_all(path.parent().unwrap_or(folder)).context("failed to make a folder")?;
    let lock = File::create(&path).context("failed to make a lock")?;
    let deadline = Instant::now() + OTHERS;
    while lock.try_lock().is_err() {
        ensure!(Instant::now() < deadline, "another process is still setting Python up");
        thread::sleep(Duration::from_millis(100));
    }
    Ok(lock)
}

/// Runs a program to its end, within a limit of time, and returns what it says on stdout.
fn bounded(command: &mut Command, limit: Duration) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let named = || format!("failed to run {program}");
    // Files take all that it says without anybody who reads.
    let (said, wrong) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(wrong.try_clone()?);
    let mut child = command.spawn().with_context(named)?;

    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().with_context(named)? {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            anyhow::bail!("{program} did not end within {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(5));
    };
    let said = text(said)?;
    // Some say on stdout what went wrong.
    ensure!(status.success(), "{program} failed: {}", format!("{said}{}", text(wrong)?).trim());
    Ok(said)
}

/// Returns what stands in a file that somebody else has written.
fn text(mut file: File) -> Result<String> {
    use std::io::{Read, Seek};

    file.rewind()?;
    let mut text = Vec::new();
    file.take(64 * 1024).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Returns a folder with programs of these names and scripts.
    fn folder(scripts: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, script) in scripts {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    /// Returns a workspace of nothing but a list of packages.
    fn workspace(list: &str) -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("list.txt"), list).unwrap();
        let mut workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        folder.path().clone_into(&mut workspace.root);
        workspace.target = folder.path().join("target");
        (folder, workspace)
    }

    /// Sets a list of packages up.
    fn set_up(python: &Python, workspace: &Workspace) -> Result<Interpreter, Lack> {
        python.set_up(workspace, &["list.txt".to_owned()])
    }

    #[test]
    fn a_path_without_python_is_told_with_what_installs_it() {
        let folder = folder(&[("python2", "echo 2.7.18; echo /usr/bin/python2")]);
        let lack = Python::find(folder.path().as_os_str()).unwrap_err();
        assert_eq!(lack.why, "no python3 was found, Python 3.11 or newer is needed");
        assert_eq!(lack.mend, MEND_NONE);
    }

    #[test]
    fn a_python_that_is_too_old_is_told_and_hides_no_newer_one() {
        let old = "echo 3.9.2; echo /usr/bin/python3.9";
        let lack = Python::find(folder(&[("python3", old)]).path().as_os_str()).unwrap_err();
        assert_eq!(
            (lack.why.as_str(), lack.mend.as_str()),
            ("Python 3.9.2 is older than 3.11", MEND_OLD)
        );

        let new = "echo 3.14.0rc1; echo /opt/python3.14";
        let both = folder(&[("python3", old), ("python3.14", new)]);
        let found = Python::find(both.path().as_os_str()).unwrap();
        assert_eq!(found.executable, Path::new("/opt/python3.14"));
    }

    #[test]
    fn what_is_no_python_is_passed_over() {
        let scripts = [("python3", "exit 1"), ("python3.12", "echo hello")];
        assert!(Python::find(folder(&scripts).path().as_os_str()).is_err());
    }

    #[test]
    fn a_python_without_venv_runs_what_needs_no_package_and_is_told_for_the_rest() {
        let Ok(real) = FOUND.clone() else { return };
        let refuses = "echo 'ensurepip is not available' >&2; exit 1";
        let real = real.executable.display();
        let script = format!("case \"$*\" in *venv*) {refuses};; esac; exec {real} \"$@\"");
        let folder = folder(&[("python3", &script)]);
        let python = Python::find(folder.path().as_os_str()).unwrap();

        let (_kept, workspace) = workspace("# nothing\n");
        assert!(python.set_up(&workspace, &[]).is_ok());
        let lack = set_up(&python, &workspace).unwrap_err();
        assert!(lack.why.ends_with("cannot make a virtual environment"), "{lack:?}");
        assert_eq!(lack.mend, MEND_VENV);
    }

    #[test]
    fn an_index_out_of_reach_is_told_and_leaves_nothing_that_looks_whole() {
        let Ok(python) = FOUND.clone() else { return };
        let none = "0".repeat(64);
        let list =
            format!("--index-url http://127.0.0.1:9/\nuvloop==0.23.0 --hash=sha256:{none}\n");
        let (_kept, workspace) = workspace(&list);
        let lack = set_up(&python, &workspace).unwrap_err();
        // Without venv there is no pip to fail.
        let expected = ["pip could not install list.txt", "cannot make a virtual environment"];
        assert!(expected.iter().any(|words| lack.why.contains(words)), "{lack:?}");
        assert_eq!(set_up(&python, &workspace).unwrap_err(), lack);
    }

    #[test]
    fn two_at_once_set_up_one_and_what_an_interrupted_one_left_is_made_again() {
        let Ok(python) = FOUND.clone() else { return };
        let (_kept, workspace) = workspace("# nothing\n");
        let key = python.key(&sums(&workspace.root, &["list.txt".to_owned()]).unwrap());
        let folder = workspace.target.join("inflight/python").join(key);
        fs::create_dir_all(folder.with_extension("new").join("bin")).unwrap();

        let both = thread::scope(|scope| {
            let set_up = || scope.spawn(|| set_up(&python, &workspace));
            [set_up(), set_up()].map(|one| one.join().unwrap())
        });
        let [Ok(one), Ok(other)] = both else { return assert!(both[0].is_err(), "{both:?}") };
        assert_eq!(one, other);
        assert_eq!(one.versions, BTreeMap::from([("python".to_owned(), python.version.clone())]));
        let said = bounded(Command::new(&one.path).args(["-I", "-c", WHO]), ANSWER).unwrap();
        assert!(said.starts_with(&python.version), "{said}");
        assert!(!folder.with_extension("new").exists());
    }

    #[test]
    fn a_program_that_overstays_is_ended() {
        let error = bounded(Command::new("sleep").arg("9"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("did not end within"), "{error}");
    }
}
