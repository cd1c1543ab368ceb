//! The languages that models are written in: one file each, and the list of them. No other code
//! asks for the name of one.

mod bounded;
mod go;
mod java;
mod node;
mod python;
mod rust;
mod search;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use record::{Missing, Model, Unwritable};

pub(crate) use self::python::{FIX_VENV, Python};
pub use self::rust::update_lock;
pub(crate) use self::rust::{TRACES, build_jointly, cargo, cargo_into, may_shuffle, named_cargo};
pub(crate) use self::search::Unavailable;
use crate::{Workspace, find, versions};

/// The languages; the first is that of a model which names none.
const LANGUAGES: [Language; 5] =
    [rust::LANGUAGE, python::LANGUAGE, node::LANGUAGE, go::LANGUAGE, java::LANGUAGE];

/// Builds the program of a package, in a layout drawn from a seed if there is one.
type Build = fn(&Workspace, &str, Option<u64>) -> Result<PathBuf>;

/// What a language says of itself.
#[derive(Clone, Copy)]
pub(crate) struct Language {
    /// What a manifest and reports call it.
    name: &'static str,
    /// Under which name a model reports its version in the hello.
    version: &'static str,
    /// How the name of a source file ends, and how a comment begins.
    sources: (&'static str, &'static str),
    /// What a process takes longer to start than a program does, in seconds.
    start_s: f64,
    /// Builds the program of a package, where cargo does not, and the folder below the build
    /// directory where it is then.
    build: Option<(Build, &'static str)>,
    /// Says in a sentence what there is here to run or build models, or why there is nothing, if
    /// `doctor` does not look at it by a check of its own. It sets nothing up.
    found: Option<fn() -> Result<String, Unavailable>>,
    /// Returns what a model is run or built by, beside its program and cargo, or why it cannot run
    /// here.
    interpreter: fn(&Workspace, &Model) -> Result<Option<Interpreter>, Missing>,
}

/// What runs a model in another language, or builds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it builds the program, which then runs without it.
    pub is_compiler: bool,
    /// The version of the language, and of every package.
    pub versions: BTreeMap<String, String>,
    /// SHA-256 of each list of packages, by its path in the workspace.
    pub lists_sha256: BTreeMap<String, String>,
}

/// A program that was built.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What it replaces itself by, or what built it, if its model is in another language.
    pub interpreter: Option<Interpreter>,
}

/// Returns the language of a model; that of a name which is none's is the first.
fn of(model: &Model) -> Language {
    let named = |language: &Language| model.language.as_deref() == Some(language.name);
    LANGUAGES.into_iter().find(named).unwrap_or(LANGUAGES[0])
}

/// Returns what a manifest may name: every language but the first.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    LANGUAGES.into_iter().skip(1).map(|language| language.name)
}

/// Returns how a comment begins in a file whose name ends so, if a model may be written in it.
pub(crate) fn comment(extension: &str) -> Option<&'static str> {
    let sources = LANGUAGES.into_iter().map(|language| language.sources);
    sources.into_iter().find(|(end, _)| *end == extension).map(|(_, comment)| comment)
}

/// Returns whether cargo builds the program of a model.
pub(crate) fn is_built_by_cargo(model: &Model) -> bool {
    of(model).build.is_none()
}

/// Returns what a model takes longer to start than a program does, in seconds.
pub(crate) fn start_s(model: &Model) -> f64 {
    of(model).start_s
}

/// Returns the version of the language among those that a model reports, if it reports it.
pub(crate) fn version(versions: &BTreeMap<String, String>) -> Option<&String> {
    LANGUAGES.into_iter().find_map(|language| versions.get(language.version))
}

/// Returns the folder below the build directory where programs of a model's language are built, if
/// cargo does not do so.
pub(crate) fn folder(model: &Model) -> Option<&'static str> {
    of(model).build.map(|(_, folder)| folder)
}

/// Says of each language what there is here to run or build its models, or why there is nothing;
/// each by the name of its version.
pub(crate) fn found() -> Vec<(&'static str, &'static str, Result<String, Unavailable>)> {
    let asked = |language: Language| Some((language.version, language.name, language.found?()));
    LANGUAGES.into_iter().filter_map(asked).collect()
}

/// Returns why a model cannot run here, if it cannot.
pub fn missing(workspace: &Workspace, model: &Model) -> Option<Missing> {
    (of(model).interpreter)(workspace, model).err()
}

/// Builds the program of a package, and returns it.
///
/// # Errors
///
/// Says that the build failed, after it has said why on stderr, or that its model needs what is not
/// there.
pub fn compile(workspace: &Workspace, package: &str) -> Result<Program> {
    compile_in(workspace, package, None)
}

/// Does the same, with its sections in an order drawn from a seed if there is one: where code lies
/// in memory changes what it costs (Mytkowicz et al., ASPLOS 2009), and one layout is one sample.
///
/// # Errors
///
/// Says the same.
pub(crate) fn compile_in(
    workspace: &Workspace,
    package: &str,
    layout: Option<u64>,
) -> Result<Program> {
    let model = find::of_package(workspace, package)?;
    let language = model.as_ref().map_or(LANGUAGES[0], of);
    let makes = language.build.map_or(rust::build as Build, |(build, _)| build);
    let built = makes(workspace, package, layout)?;
    let (path, sha256) = kept(workspace, package, &built)?;
    let interpreter = match model.map(|model| (language.interpreter)(workspace, &model)) {
        None => None,
        Some(Ok(interpreter)) => interpreter,
        Some(Err(missing)) => bail!("failed to run {package}: {missing}"),
    };
    Ok(Program { path, sha256, interpreter })
}

/// Builds the program of a model, apart from the others if it was prepared for that.
pub(crate) fn compile_model(
    workspace: &Workspace,
    model: &Model,
    layout: Option<u64>,
) -> Result<Program> {
    if !model.is_apart() {
        return compile_in(workspace, &model.package, layout);
    }
    let built = versions::build(workspace, model, |manifest, flags| {
        let package = rust::Package { name: &model.package, manifest: Some(manifest), flags };
        rust::build_package(workspace, package, layout)
    })?;
    let (path, sha256) = kept(workspace, &model.package, &built)?;
    Ok(Program { path, sha256, interpreter: None })
}

/// Keeps a program under the hash of its bytes, and returns where it is, and its hash, which is
/// checked before each use: what cargo builds while a run is under way must not change what the run
/// measures.
fn kept(workspace: &Workspace, package: &str, built: &Path) -> Result<(PathBuf, String)> {
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
    Ok((path, sha256))
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
    use std::process::Command;

    use super::*;

    #[test]
    fn a_kept_program_that_was_changed_is_made_anew_before_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let mut workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        workspace.target = folder.path().to_owned();
        let keep = || kept(&workspace, "origin", Path::new("/bin/true")).unwrap();
        let corrupt: [fn(&Path); 4] = [
            |kept| fs::write(kept, "").unwrap(),
            |kept| fs::write(kept, "#!/bin/false\n").unwrap(),
            |kept| fs::set_permissions(kept, fs::Permissions::from_mode(0o644)).unwrap(),
            |kept| fs::remove_file(kept).unwrap(),
        ];
        for corrupt in corrupt {
            let (path, sha256) = keep();
            corrupt(&path);
            assert_eq!(keep().0, path);
            assert!(is_whole(&path, &sha256));
            assert!(Command::new(&path).status().unwrap().success());
        }
    }
}
