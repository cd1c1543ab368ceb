//! Java: `javac` compiles a model and the kit, and a program of Rust that holds their classes
//! becomes the virtual machine. Both are found here: a kit of development with its compiler, which
//! runtimes alone have not.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use record::{Missing, Model, sha256};

use super::bounded::bounded;
use super::rust;
use super::search::{self, ANSWER, Unavailable};
use super::{Interpreter, Language};
use crate::Workspace;
use crate::files::put;

/// The oldest version that models are written for: the first that lets a program ask the system for
/// its CPU time.
const OLDEST: u32 = 22;
/// What fixes one that is not there or too old.
const FIX: &str = "sudo apt-get install openjdk-25-jdk-headless";
/// Where it keeps what it builds, below the build directory.
const FOLDER: &str = "inflight/java";
/// Where distributions install kits of development, a folder each.
const INSTALLED: &str = "/usr/lib/jvm";
/// The kit's sources, and that of a model.
const SOURCES: [&str; 2] = ["crates/java-kit/kit", "src/Model.java"];
/// The time of every class in an archive, so that the same sources make the same bytes.
const DATE: &str = "--date=2000-01-01T00:00:00Z";

/// Models in Java.
pub(super) const LANGUAGE: Language = Language {
    name: "Java",
    version: "java",
    sources: ("java", "//"),
    start_s: 0.5,
    build: Some((build, FOLDER)),
    found: Some(|| {
        FOUND.clone().map(|java| format!("Java {} can run models in Java.", java.version))
    }),
    interpreter,
};

/// A kit of development.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Java {
    /// The folder of its programs.
    programs: PathBuf,
    /// Such as `25.0.3`.
    version: String,
}

/// That of this machine, looked for once.
static FOUND: LazyLock<Result<Java, Unavailable>> = LazyLock::new(|| Java::find(&path()));

/// Returns what runs a model.
///
/// # Errors
///
/// Returns why the model cannot run here.
fn interpreter(_: &Workspace, model: &Model) -> Result<Option<Interpreter>, Missing> {
    match FOUND.clone() {
        Ok(Java { programs, version }) => Ok(Some(Interpreter {
            path: programs.join("java"),
            is_compiler: false,
            versions: BTreeMap::from([("java".to_owned(), version)]),
            lists_sha256: BTreeMap::new(),
        })),
        Err(Unavailable { why, fix }) => {
            Err(Missing { model: model.name.clone(), reason: why, fix })
        }
    }
}

/// Returns where compilers are looked for: on `PATH`, in `JAVA_HOME`, where distributions put them.
fn path() -> std::ffi::OsString {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let home = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    let installed = fs::read_dir(INSTALLED).into_iter().flatten().flatten();
    let mut installed: Vec<PathBuf> = installed.map(|entry| entry.path()).collect();
    installed.sort();
    let homes = home.into_iter().chain(installed).map(|home| home.join("bin"));
    std::env::join_paths(std::env::split_paths(&on_path).chain(homes)).unwrap_or(on_path)
}

/// Builds the program of a package: that which cargo builds, with an archive of classes behind it.
///
/// # Errors
///
/// Says that a build failed, after cargo or `javac` has said why on stderr.
fn build(workspace: &Workspace, package: &str, layout: Option<u64>) -> Result<PathBuf> {
    let java = FOUND.clone().map_err(|why| anyhow!("failed to build {package}: {}", why.why))?;
    let launcher = rust::build(workspace, package, layout)?;
    let unreadable = || format!("failed to read {}", launcher.display());
    let launcher = fs::read(&launcher).with_context(unreadable)?;
    let sources = sources(workspace, package)?;
    let (built, known) = (folder(workspace).join(package), sum(&launcher, &sources, &java)?);
    let note = built.with_extension("made");
    let whole = || Some(format!("{known} {}", sha256(&fs::read(&built).ok()?)));
    if fs::read_to_string(&note).ok() == whole() && whole().is_some() {
        return Ok(built);
    }
    let archive = java.archive(&sources, &folder(workspace).join(format!("{package}.classes")))?;
    put(&built, [launcher, archive].concat())?;
    fs::set_permissions(&built, fs::Permissions::from_mode(0o755))?;
    put(&note, whole().unwrap_or_default())?;
    Ok(built)
}

/// Returns where it keeps what it builds.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join(FOLDER)
}

/// Returns the sources of a model and of the kit, sorted.
fn sources(workspace: &Workspace, package: &str) -> Result<Vec<PathBuf>> {
    let own = workspace.folder_of(package).context("failed to find its folder")?.join(SOURCES[1]);
    let kit = workspace.root.join(SOURCES[0]);
    let unreadable = || format!("failed to read {}", kit.display());
    let files = fs::read_dir(&kit).with_context(unreadable)?.flatten().map(|file| file.path());
    let is_java = |path: &PathBuf| path.extension().is_some_and(|end| end == "java");
    let mut sources: Vec<PathBuf> = files.filter(is_java).chain([own]).collect();
    sources.sort();
    Ok(sources)
}

/// Returns the hash of everything that a program is made of.
fn sum(launcher: &[u8], sources: &[PathBuf], java: &Java) -> Result<String> {
    let mut all = format!("{} {}", java.version, sha256(launcher));
    for source in sources {
        let unreadable = || format!("failed to read {}", source.display());
        all += &sha256(&fs::read(source).with_context(unreadable)?);
    }
    Ok(sha256(all.as_bytes()))
}

impl Java {
    /// Finds the first on a search path by which models can be built and run.
    fn find(path: &OsStr) -> Result<Self, Unavailable> {
        search::first(path, &["javac"], Self::try_one).map_err(|unavailable| {
            unavailable.unwrap_or_else(|| Unavailable {
                why: format!("no javac was found, Java {OLDEST} or newer is needed"),
                fix: FIX.to_owned(),
            })
        })
    }

    /// Makes sure that models can be built by a compiler, and run by the machine beside it, without
    /// the variables that whoever measures has.
    fn try_one(command: &Path, limit: Duration) -> Result<Self, Unavailable> {
        let unusable = |why: String| Unavailable { why, fix: FIX.to_owned() };
        // What a search path leads to may be one of several links.
        let compiler = command.canonicalize().unwrap_or_else(|_| command.to_owned());
        let ask = |program: &str| {
            let mut ask = Command::new(compiler.with_file_name(program));
            bounded(ask.arg("--version").env_clear(), limit.min(ANSWER))
                .map_err(|trouble| unusable(format!("{program} was found and {}", trouble.line())))
        };
        let said = ask("javac")?;
        let version = said.trim().strip_prefix("javac ").unwrap_or_default().to_owned();
        let number = version.split(['.', '-']).next().and_then(|number| number.parse::<u32>().ok());
        match number {
            None => Err(unusable("javac was found and does not say who it is".to_owned())),
            Some(number) if number < OLDEST => {
                Err(unusable(format!("Java {version} is older than {OLDEST}")))
            }
            Some(_) => {
                ask("java")?;
                let programs = compiler.parent().unwrap_or(&compiler).to_owned();
                Ok(Self { programs, version })
            }
        }
    }

    /// Compiles sources into a folder, and returns an archive of their classes.
    fn archive(&self, sources: &[PathBuf], classes: &Path) -> Result<Vec<u8>> {
        let _ = fs::remove_dir_all(classes);
        let archive = classes.with_extension("jar");
        let mut compile = self.call("javac");
        compile.args(["-encoding", "UTF-8", "-Werror", "-Xlint:all", "-d"]).arg(classes);
        let mut pack = self.call("jar");
        pack.args(["--create", "--no-manifest", "--no-compress", DATE, "--file"]).arg(&archive);
        pack.arg("-C").arg(classes).arg(".");
        for (name, call) in [("javac", compile.args(sources)), ("jar", &mut pack)] {
            let status = call.status().with_context(|| format!("failed to start {name}"))?;
            ensure!(
                status.success(),
                "failed to build a model in Java: see above what {name} says"
            );
        }
        fs::read(&archive).with_context(|| format!("failed to read {}", archive.display()))
    }

    /// Returns a call of one of its programs without the variables of whoever builds.
    fn call(&self, program: &str) -> Command {
        let mut call = Command::new(self.programs.join(program));
        call.env_clear().stdin(Stdio::null());
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::executable;

    /// Looks for Java in folders whose compilers say this, and whose machines do what the second
    /// script does.
    fn find(kits: &[(&str, &str)]) -> Result<Java, Unavailable> {
        let folder = tempfile::tempdir().unwrap();
        let folders = kits.iter().enumerate().map(|(at, (compiler, machine))| {
            let home = folder.path().join(at.to_string());
            fs::create_dir(&home).unwrap();
            for (name, script) in [("javac", compiler), ("java", machine)] {
                executable(&home.join(name), script);
            }
            home
        });
        Java::find(&std::env::join_paths(folders).unwrap())
    }

    #[test]
    fn a_path_without_a_compiler_is_reported_with_what_installs_it() {
        let unavailable = find(&[]).unwrap_err();
        assert_eq!(unavailable.why, "no javac was found, Java 22 or newer is needed");
        assert_eq!(unavailable.fix, FIX);
    }

    #[test]
    fn a_java_that_is_too_old_is_reported_and_hides_no_newer_one() {
        let old = ("echo javac 17.0.15", "exit 0");
        assert_eq!(find(&[old]).unwrap_err().why, "Java 17.0.15 is older than 22");
        for (said, version) in [("javac 25.0.3", "25.0.3"), ("javac 26-ea", "26-ea")] {
            let new = format!("echo {said}");
            assert_eq!(find(&[old, (&new, "exit 0")]).unwrap().version, version);
        }
    }

    #[test]
    fn a_java_that_does_not_answer_is_reported_as_found() {
        let why = |compiler, machine| find(&[(compiler, machine)]).unwrap_err().why;
        assert_eq!(why("exit 1", "exit 0"), "javac was found and fails without a word");
        assert_eq!(why("echo hello", "exit 0"), "javac was found and does not say who it is");
        let lives_on_variables = "test -n \"$CARGO_MANIFEST_DIR$HOME\"";
        let alone = why("echo javac 25.0.3", lives_on_variables);
        assert_eq!(alone, "java was found and fails without a word");
    }
}
