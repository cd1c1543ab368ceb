//! Builds a model apart from the others: with another version of a package than the lock file has,
//! or with levers. It is a copy of its package in a workspace of its own, with a lock file of its
//! own in which all other packages stay as they are here. No file of the checkout is edited.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, mem};

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use record::{INFLIGHT, Lever, Model, Variant};

use crate::files::put;
use crate::progress::say;
use crate::{Failure, Workspace, interrupt, levers, locked, manifest, outside};

/// The folders that this process prepares for rows, until they are built. A signal that ends the
/// process has them removed, from a thread that knows nothing else of what is being done.
static UNBUILT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A version of a package that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One that is published.
    Published(String),
    /// A folder that holds it.
    Checkout(PathBuf),
}

/// What a model is built with in the place of what is locked, and beside what it asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apart {
    /// A version of a package, if not the locked one.
    pub version: Option<(String, Wanted)>,
    /// What is added.
    pub levers: Vec<Lever>,
}

impl Apart {
    /// Returns whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Builds a model that was prepared by `build`, which gets the manifest of its copy and the flags
/// of the compiler; of a copy that does not build nothing is kept.
///
/// # Errors
///
/// Says that the model does not build so, or that it was not prepared.
pub(crate) fn build(
    workspace: &Workspace,
    model: &Model,
    build: impl FnOnce(&Path, &[String]) -> Result<PathBuf>,
) -> Result<PathBuf> {
    let folder = folder(workspace, &model.name);
    let manifest = folder.join("Cargo.toml");
    let name = &model.name;
    ensure!(manifest.exists(), "{name} is not prepared any more: `{INFLIGHT} compare` does so");
    let program = build(&manifest, &levers::flags(workspace, model))
        .inspect_err(|_| drop(fs::remove_dir_all(&folder)))
        .with_context(|| format!("{} does not build with {}", model.package, settings(model)))?;
    unbuilt().remove(&folder);
    Ok(program)
}

/// Removes what was prepared and is not built, of which nothing comes any more.
pub(crate) fn forget_unbuilt() {
    let folders = mem::take(&mut *unbuilt());
    for folder in folders {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Returns the folders that are not built; a thread that panicked has left them whole.
fn unbuilt() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNBUILT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prepares a model, which gets this name, to be built apart, says which packages differ from the
/// locked ones, and returns it. From then on a signal leaves nothing behind that is not built.
///
/// # Errors
///
/// Says in a sentence what there is not, or why it does not go with the model; then nothing is left
/// behind of it, nor of others that were prepared and are not built.
pub fn prepare(
    workspace: &Workspace,
    (model, name): (&Model, &str),
    apart: &Apart,
) -> Result<Model> {
    interrupt::watch_builds()?;
    let folder = folder(workspace, name);
    let was_there = folder.exists();
    unbuilt().insert(folder.clone());
    let made = make(workspace, (model, &folder), apart)
        .and_then(|variant| Ok((variant, locked::differs(workspace, &folder)?)));
    let (variant, differs) = made.inspect_err(|_| forget_unbuilt())?;
    // A run that was cut short may go on with what an earlier command has made.
    if was_there {
        unbuilt().remove(&folder);
    }
    let folders = variant.iter().filter(|variant| variant.is_checkout);
    let folders = folders.map(|variant| format!("{} from a folder", variant.package));
    let mut parts: Vec<String> = folders.collect();
    parts.extend(apart.levers.iter().map(ToString::to_string));
    parts.extend(differs);
    let parts = if parts.is_empty() { "as locked".to_owned() } else { parts.join(", ") };
    say(&format!("{name}: {parts}\n"));
    let levers = apart.levers.clone();
    let made = Model { name: name.to_owned(), variant, levers, ..model.clone() };
    Ok(Model { label: format!("{} with {}", model.label, settings(&made)), ..made })
}

/// Makes the copy of a model's package, with all that is asked for, and returns the version that it
/// has.
fn make(
    workspace: &Workspace,
    (model, folder): (&Model, &Path),
    apart: &Apart,
) -> Result<Option<Variant>> {
    let version = apart.version.as_ref().map(|(package, wanted)| (package.as_str(), wanted));
    copy(workspace, (model, folder), version)?;
    let variant = version.map(|(package, wanted)| -> Result<Variant> {
        let version = lock(workspace, folder, (package, wanted))?;
        let is_checkout = matches!(wanted, Wanted::Checkout(_));
        Ok(Variant { package: package.to_owned(), version, is_checkout })
    });
    let variant = variant.transpose()?;
    if !apart.levers.is_empty() {
        levers::put_in(workspace, folder, (model, &apart.levers))?;
    }
    Ok(variant)
}

/// Returns what a model is built with, in words.
fn settings(model: &Model) -> String {
    let version = model.variant.iter().map(|own| format!("{} {}", own.package, shown(&model.name)));
    let levers = model.levers.iter().map(ToString::to_string);
    version.chain(levers).collect::<Vec<_>>().join(", ")
}

/// Returns the part of a row's name that says which version it has.
fn shown(name: &str) -> &str {
    let version = name.split_once('@').map_or(name, |(_, version)| version);
    let version = version.split(['+', '#']).next().unwrap_or(version);
    version.split_once('=').map_or(version, |(_, version)| version)
}

/// Returns the folder of a row.
fn folder(workspace: &Workspace, name: &str) -> PathBuf {
    let plain =
        |sign: char| if sign.is_ascii_alphanumeric() || ".+-".contains(sign) { sign } else { '_' };
    workspace.target.join("inflight/versions").join(name.chars().map(plain).collect::<String>())
}

/// Copies the package of a model into a workspace of its own that asks for a version, if there is
/// one to ask for.
fn copy(
    workspace: &Workspace,
    (model, folder): (&Model, &Path),
    version: Option<(&str, &Wanted)>,
) -> Result<()> {
    let from = workspace.folder_of(&model.package).context("failed to find the model's folder")?;
    let _ = fs::remove_dir_all(folder);
    copy_folder(&from, &folder.join("model"), outside::is_source)?;
    let (mut own, replaced) = manifest::of(&from)?;
    let mut root = manifest::root(workspace)?;
    root.extend(replaced.map(|replaced| ("patch".to_owned(), replaced)));
    match version {
        None => {}
        Some((package, Wanted::Published(version))) => {
            manifest::ask_for(&mut own, package, (version, None));
        }
        Some((package, Wanted::Checkout(path))) => {
            let (path, version) = checkout(path, package)?;
            if !manifest::ask_for(&mut own, package, (&version, Some(&path))) {
                manifest::put_in_place(&mut root, package, &path);
            }
        }
    }
    put(&folder.join("model/Cargo.toml"), manifest::written(&own))?;
    put(&folder.join("Cargo.toml"), root.to_string())?;
    copy_file(&workspace.root.join("Cargo.lock"), &folder.join("Cargo.lock"))
}

/// Returns the folder of a package and its version: in this folder, or in the workspace there.
fn checkout(path: &Path, package: &str) -> Result<(PathBuf, String)> {
    let shown = path.display();
    let found = MetadataCommand::new().no_deps().current_dir(path).exec().ok();
    let found = found.map(|metadata| metadata.packages).unwrap_or_default();
    let mut found = found.into_iter().filter(|other| other.name == package);
    let found = found.next().with_context(|| {
        Failure::Usage(format!(
            "{shown} holds no package {package:?}: name the folder of its Cargo.toml, or of the \
             workspace that it is in"
        ))
    })?;
    let folder = found.manifest_path.parent().context("failed to find its folder")?;
    Ok((folder.as_std_path().to_owned(), found.version.to_string()))
}

/// Writes the lock file of a copy, in which only that package may move and what it needs, and
/// returns the version that it has there.
fn lock(
    workspace: &Workspace,
    folder: &Path,
    (package, wanted): (&str, &Wanted),
) -> Result<String> {
    let what = match wanted {
        Wanted::Published(version) => format!("{package} {version}"),
        Wanted::Checkout(_) => format!("this checkout of {package}"),
    };
    locked::lock(workspace, folder, &what)?;
    // What the model does not name itself, or others ask for too, is moved in the lock file alone.
    if let Wanted::Published(version) = wanted {
        let found = locked::versions(folder, package)?;
        let others = found.iter().filter(|other| *other != version);
        let moved: Vec<Result<()>> = others
            .map(|other| {
                let from = format!("{package}@{other}");
                locked::update(workspace, folder, (&from, version, &what))
            })
            .collect();
        // Where the version is there, what cannot move is one of several, which is said below.
        if !found.contains(version) && !moved.iter().any(Result::is_ok) {
            moved.into_iter().collect::<Result<()>>()?;
        }
    }
    locked::version(folder, package)
}

/// Copies a file.
pub(crate) fn copy_file(from: &Path, to: &Path) -> Result<()> {
    put(to, fs::read(from).with_context(|| format!("failed to read {}", from.display()))?)
}

/// Copies a folder with what of its entries is kept, and all that is in those.
fn copy_folder(from: &Path, to: &Path, is_kept: fn(&OsStr) -> bool) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("failed to read {}", from.display()))? {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        match path.is_dir() {
            _ if !is_kept(&name) => {}
            true => copy_folder(&path, &to.join(name), |_| true)?,
            false => copy_file(&path, &to.join(name))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_row_is_built_with_is_read_from_what_it_is_and_not_from_a_number_behind_it() {
        for (name, version) in [
            ("tokio@1.50.0", "1.50.0"),
            ("tokio@1.50.0#2", "1.50.0"),
            ("tokio@mine+mimalloc", "mine"),
            ("tokio-reqwest@reqwest=0.12.28+cfg=x", "0.12.28"),
        ] {
            assert_eq!(shown(name), version, "{name}");
        }
    }
}
