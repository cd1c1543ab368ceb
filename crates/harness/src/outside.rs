//! Models outside the repository, such as in a runtime's own: found by their manifests in folders
//! that somebody names, and built as those inside are.
//!
//! Each is built in a workspace of its own below the build directory, which has the profile, the
//! lints and the lock file of ours, and links to its files: a profile or a lock file beside it
//! would compile the kit in another way than for all others. Nothing is written into its folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use record::{INFLIGHT, Unwritable};
use serde_json::Value as Json;
use toml::Value;

use crate::files::put;
use crate::find::MODEL;
use crate::language::cargo;
use crate::manifest::{self, root, table};
use crate::versions::copy_file;
use crate::{Failure, Workspace};

/// What of its folder is not linked: the first is written, the others are cargo's.
const OWN: [&str; 3] = ["Cargo.toml", "Cargo.lock", "target"];

/// A model outside the repository.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// The section of its manifest that describes it.
    pub(crate) section: Json,
}

/// Finds the models in some folders: that of a package, or of folders of packages.
///
/// # Errors
///
/// Says which folder has none, which manifest cannot be read, or that a package is there twice.
pub(crate) fn find(folders: &[PathBuf]) -> Result<BTreeMap<String, Outside>> {
    let mut found: BTreeMap<String, Outside> = BTreeMap::new();
    for named in folders {
        let mut count = 0;
        for folder in packages(named)? {
            let Some((package, section)) = described(&folder)? else { continue };
            count += 1;
            let (shown, name) = (folder.display(), package.strip_prefix("model-"));
            let why = format!("{shown} holds {package:?}, expected a name such as \"model-mine\"");
            ensure!(name.is_some(), Failure::Usage(why));
            let other = found.insert(package.clone(), Outside { folder: folder.clone(), section });
            if let Some(other) = other.filter(|other| other.folder != folder) {
                return Err(twice(&package, &other.folder, &folder).into());
            }
        }
        ensure!(
            count > 0,
            Failure::Usage(format!(
                "{} holds no model, expected a Cargo.toml with [package.metadata.{MODEL}] there or \
                 one folder below: `{INFLIGHT} new-model NAME --models DIR` writes one",
                named.display()
            ))
        );
    }
    Ok(found)
}

/// Says that a package is there twice.
pub(crate) fn twice(package: &str, one: &Path, other: &Path) -> Failure {
    let (one, other) = (one.display(), other.display());
    Failure::Usage(format!("there are two packages {package}, in {one} and {other}: rename one"))
}

/// Returns the folders of packages at and one below a folder, sorted.
fn packages(named: &Path) -> Result<Vec<PathBuf>> {
    let shown = named.display();
    let failed = || Failure::Usage(format!("there is no folder {shown}, to hold models"));
    let named = named.canonicalize().ok().with_context(failed)?;
    let below = fs::read_dir(&named).ok().with_context(failed)?.flatten();
    let mut folders: Vec<PathBuf> = below.map(|entry| entry.path()).collect();
    folders.sort();
    folders.insert(0, named);
    folders.retain(|folder| folder.join("Cargo.toml").is_file());
    Ok(folders)
}

/// Returns the package in a folder and the section of its manifest, if it is a model.
fn described(folder: &Path) -> Result<Option<(String, Json)>> {
    let path = folder.join("Cargo.toml");
    let manifest = table(&path).map_err(|error| Failure::Usage(one_line(&error)))?;
    let package = manifest.get("package");
    let section = package.and_then(|own| own.get("metadata")?.get(MODEL));
    let name = package.and_then(|own| own.get("name")?.as_str());
    let Some((name, section)) = name.zip(section) else { return Ok(None) };
    let failed = || format!("failed to read {}", path.display());
    Ok(Some((name.to_owned(), serde_json::to_value(section).with_context(failed)?)))
}

/// Returns an error on one line: that of a manifest shows the place in it.
fn one_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// Makes the workspace in which a model outside is built, and returns its manifest; nothing for any
/// other package.
///
/// # Errors
///
/// Says that cargo finds not what the model needs, after cargo has said what.
pub(crate) fn prepared(workspace: &Workspace, package: &str) -> Result<Option<PathBuf>> {
    let Some(Outside { folder, .. }) = workspace.outside.get(package) else { return Ok(None) };
    let made = workspace.target.join("inflight").join("outside").join(package);
    let (member, manifest) = (made.join("model"), made.join("Cargo.toml"));
    link(folder, &member).with_context(|| Unwritable(member.display().to_string()))?;

    let (own, patch) = manifest::of(folder)?;
    let mut root = root(workspace)?;
    root.extend(patch.map(|patch| ("patch".to_owned(), patch)));
    put(&member.join("Cargo.toml"), manifest::written(&own))?;
    put(&manifest, root.to_string())?;
    lock(workspace, &made, package)?;
    Ok(Some(manifest))
}

/// Makes a folder with a link to everything in another.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        if is_source(&name) {
            symlink(path, to.join(name))?;
        }
    }
    Ok(())
}

/// Returns whether something in the folder of a package is of its own and not cargo's or hidden.
pub(crate) fn is_source(name: &OsStr) -> bool {
    !name.as_encoded_bytes().starts_with(b".") && OWN.iter().all(|own| name != *own)
}

/// Writes the lock file of a workspace: that of ours, and what the model needs beside it.
fn lock(workspace: &Workspace, made: &Path, package: &str) -> Result<()> {
    let (ours, from) = (workspace.root.join("Cargo.lock"), made.join("Cargo.lock.from"));
    // What was found beside it is kept until ours changes: it is not to move from run to run.
    if fs::read(&from).ok() != fs::read(&ours).ok() {
        copy_file(&ours, &made.join("Cargo.lock"))?;
        copy_file(&ours, &from)?;
    }
    let mut call = cargo(workspace);
    call.args(["metadata", "--format-version", "1", "--quiet", "--manifest-path"]);
    let status = call.arg(made.join("Cargo.toml")).stdout(Stdio::null()).status();
    let status = status.context("failed to start cargo")?;
    ensure!(status.success(), "failed to find what {package} needs: see above what cargo says");
    Ok(())
}

/// Returns the manifest of a model in the repository as one that stands by itself, one folder below
/// another: what it takes from the workspace is written out, and kits are named by their paths.
///
/// # Errors
///
/// Says that the manifest of the workspace cannot be read, or lacks what this one takes from it.
pub fn standing_alone(workspace: &Workspace, manifest: &str, folder: &Path) -> Result<String> {
    let ours = table(&workspace.root.join("Cargo.toml"))?;
    let shared = |section: &str, key: &str| -> Result<Value> {
        let found = ours.get("workspace").and_then(|own| own.get(section)?.get(key));
        found.cloned().with_context(|| format!("failed to find {key} of the workspace"))
    };
    let crates = Path::new("..").join(away(&workspace.root.join("crates"), folder));
    let mut text = String::new();
    for line in manifest.lines() {
        let (key, value) = line.split_once(" = ").unwrap_or((line, ""));
        let own = match (key.strip_suffix(".workspace"), value) {
            // An edition says how it is compiled; the others are of whoever writes it.
            (Some("edition"), _) => format!("edition = {}", shared("package", "edition")?),
            (Some("version"), _) => "version = \"0.1.0\"".to_owned(),
            (Some("publish"), _) => "publish = false".to_owned(),
            (Some(_), _) => continue,
            (None, "{ workspace = true }") => match shared("dependencies", key)? {
                Value::Table(named) if named.contains_key("path") => {
                    format!("{key} = {{ path = \"{}\" }}", crates.join(key).display())
                }
                named => format!("{key} = {named}"),
            },
            // It belongs to no workspace around it, which would compile it in another way.
            (None, _) if line == "[lints]" => "[workspace]".to_owned(),
            (None, "true") if key == "workspace" => continue,
            _ => line.replace("\"../go-kit", &format!("\"{}", crates.join("go-kit").display())),
        };
        text.push_str(&own);
        text.push('\n');
    }
    Ok(text)
}

/// Returns the way to a folder from another one.
fn away(to: &Path, from: &Path) -> PathBuf {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (to, from) = (whole(to), whole(from));
    let shared = to.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the manifest of a package into a folder below another.
    fn package(folder: &Path, name: &str, section: &str) {
        let text = format!("[package]\nname = \"{name}\"\n\n{section}\n");
        put(&folder.join(name).join("Cargo.toml"), text).unwrap();
    }

    #[test]
    fn models_are_found_in_a_folder_and_one_below_and_other_packages_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        package(folder.path(), "model-a", "[package.metadata.inflight]\nlabel = \"A\"");
        package(folder.path(), "other", "");
        for named in [folder.path().to_owned(), folder.path().join("model-a")] {
            let found = find(&[named.clone(), named]).unwrap();
            assert_eq!(found.keys().collect::<Vec<_>>(), ["model-a"]);
            assert_eq!(found["model-a"].section["label"], "A");
        }
    }

    #[test]
    fn a_folder_that_does_not_do_is_reported_in_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let said = |named: &[&str]| {
            let named: Vec<PathBuf> = named.iter().map(|name| folder.path().join(name)).collect();
            let error = find(&named).unwrap_err();
            assert_eq!(crate::exit_code(&error), 2);
            let said = format!("{error:#}");
            assert!(!said.contains('\n'), "{said}");
            said
        };
        assert!(said(&["nowhere"]).contains("there is no folder "));
        assert!(said(&["."]).contains("holds no model, expected a Cargo.toml with "));
        package(&folder.path().join("one"), "model-a", "[package.metadata.inflight]");
        package(&folder.path().join("two"), "model-a", "[package.metadata.inflight]");
        assert!(said(&["one", "two"]).contains("there are two packages model-a, in "));
        package(&folder.path().join("three"), "mine", "[package.metadata.inflight]");
        assert!(
            said(&["three"]).contains("holds \"mine\", expected a name such as \"model-mine\"")
        );
        package(&folder.path().join("four"), "model-b", "[[[");
        assert!(said(&["four"]).contains("failed to read "));
    }

    #[test]
    fn a_way_leads_up_and_down() {
        let way = |to, from| away(Path::new(to), Path::new(from));
        assert_eq!(way("/no/a/crates", "/no/b/bench"), Path::new("../../a/crates"));
        assert_eq!(way("/no/a/crates", "/no/a"), Path::new("crates"));
    }
}
