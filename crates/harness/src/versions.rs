//! Builds a model with another version of a package than the lock file has: a copy of its package
//! in a workspace of its own, with a lock file of its own in which all other packages stay as they
//! are here. No file of the checkout is edited.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use record::{INFLIGHT, Model, Variant};
use toml::{Table, Value};

use crate::files::put;
use crate::language::cargo;
use crate::progress::say;
use crate::{Failure, Workspace};

/// A version of a package that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One that is published.
    Published(String),
    /// A folder that holds it.
    Checkout(PathBuf),
}

/// Builds a model that was prepared for a version by `build`, which gets the manifest of its copy;
/// of a copy that does not build nothing is kept.
///
/// # Errors
///
/// Says that the version does not go with the model, or that the model was not prepared.
pub(crate) fn build(
    workspace: &Workspace,
    (model, variant): (&Model, &Variant),
    build: impl FnOnce(&Path) -> Result<PathBuf>,
) -> Result<PathBuf> {
    let folder = folder(workspace, &model.name);
    let manifest = folder.join("Cargo.toml");
    let name = &model.name;
    ensure!(manifest.exists(), "{name} is not prepared any more: `{INFLIGHT} compare` does so");
    build(&manifest).inspect_err(|_| drop(fs::remove_dir_all(&folder))).with_context(|| {
        let Variant { package, version, .. } = variant;
        format!("{} does not build with {package} {version}", model.package)
    })
}

/// Prepares a model, which gets this name, to be built with a version of a package, says which
/// packages differ from the locked ones, and returns it.
///
/// # Errors
///
/// Says in a sentence that there is no such version, or why it does not go with the model; then
/// nothing is left behind.
pub fn prepare(
    workspace: &Workspace,
    (model, name): (&Model, &str),
    (package, wanted): (&str, &Wanted),
) -> Result<Model> {
    let folder = folder(workspace, name);
    let made = copy(workspace, (model, &folder), (package, wanted))
        .and_then(|()| lock(workspace, &folder, (package, wanted)));
    let version = made.inspect_err(|_| drop(fs::remove_dir_all(&folder)))?;
    let is_checkout = matches!(wanted, Wanted::Checkout(_));
    let variant = Some(Variant { package: package.to_owned(), version, is_checkout });
    let label = format!("{} with {package} {}", model.label, shown(name));
    let differs = differs(workspace, &folder)?;
    let what =
        if is_checkout { format!("{package} from a folder") } else { "as locked".to_owned() };
    let differs = if differs.is_empty() { what } else { differs.join(", ") };
    say(&format!("{name}: {differs}\n"));
    Ok(Model { name: name.to_owned(), label, variant, ..model.clone() })
}

/// Returns the part of a row's name that says which version it has.
fn shown(name: &str) -> &str {
    let version = name.split_once('@').map_or(name, |(_, version)| version);
    version.split_once('=').map_or(version, |(_, version)| version)
}

/// Returns the folder of a row.
fn folder(workspace: &Workspace, name: &str) -> PathBuf {
    let plain =
        |sign: char| if sign.is_ascii_alphanumeric() || ".-".contains(sign) { sign } else { '_' };
    workspace.target.join("inflight/versions").join(name.chars().map(plain).collect::<String>())
}

/// Copies the package of a model into a workspace of its own that asks for the version.
fn copy(
    workspace: &Workspace,
    (model, folder): (&Model, &Path),
    (package, wanted): (&str, &Wanted),
) -> Result<()> {
    let from = workspace.folder_of(&model.package).context("failed to find the model's folder")?;
    let _ = fs::remove_dir_all(folder);
    copy_folder(&from, &folder.join("model"))?;
    let manifest = folder.join("model/Cargo.toml");
    let mut own = table(&manifest)?;
    let mut root = root(workspace)?;
    let version = match wanted {
        Wanted::Published(version) => version.clone(),
        Wanted::Checkout(path) => {
            let (path, version) = checkout(path, package)?;
            root.insert("patch".to_owned(), patch(package, &path));
            version
        }
    };
    if let Some(dependency) = own.get_mut("dependencies").and_then(|all| all.get_mut(package)) {
        let exact = Value::String(format!("={version}"));
        match dependency {
            Value::Table(dependency) => drop(dependency.insert("version".to_owned(), exact)),
            dependency => *dependency = exact,
        }
    }
    put(&manifest, own.to_string())?;
    put(&folder.join("Cargo.toml"), root.to_string())?;
    let lock = folder.join("Cargo.lock");
    copy_file(&workspace.root.join("Cargo.lock"), &lock)
}

/// Returns the manifest of the workspace without its members: its profile, its lints, and its
/// dependencies by whole paths.
pub(crate) fn root(workspace: &Workspace) -> Result<Table> {
    let mut found = table(&workspace.root.join("Cargo.toml"))?;
    let mut root = Table::new();
    let mut own = match found.remove("workspace") {
        Some(Value::Table(own)) => own,
        _ => Table::new(),
    };
    own.remove("exclude");
    own.remove("default-members");
    own.insert("members".to_owned(), Value::Array(vec![Value::String("model".to_owned())]));
    let dependencies = own.get_mut("dependencies").and_then(Value::as_table_mut);
    for (_, dependency) in dependencies.into_iter().flatten() {
        if let Some(Value::String(path)) = dependency.get_mut("path") {
            *path = workspace.root.join(&*path).to_string_lossy().into_owned();
        }
    }
    root.insert("workspace".to_owned(), Value::Table(own));
    if let Some(release) = found.get("profile").and_then(|profiles| profiles.get("release")) {
        let release = Table::from_iter([("release".to_owned(), release.clone())]);
        root.insert("profile".to_owned(), Value::Table(release));
    }
    Ok(root)
}

/// Returns the section by which a folder stands for a package wherever it is asked for.
fn patch(package: &str, path: &Path) -> Value {
    let path = Value::String(path.to_string_lossy().into_owned());
    let place = Table::from_iter([("path".to_owned(), path)]);
    let package = Table::from_iter([(package.to_owned(), Value::Table(place))]);
    Value::Table(Table::from_iter([("crates-io".to_owned(), Value::Table(package))]))
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
    let manifest = folder.join("Cargo.toml");
    let run = |arguments: &[&str]| -> Result<()> {
        let mut call = cargo(workspace);
        call.args(arguments).arg("--manifest-path").arg(&manifest);
        let output = call.output().context("failed to start cargo")?;
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), Failure::Usage(refused((package, wanted), &why)));
        Ok(())
    };
    run(&["metadata", "--format-version", "1", "--quiet"])?;
    let locked = || -> Result<Vec<String>> {
        let all = packages(&folder.join("Cargo.lock"))?.into_iter();
        Ok(all.filter(|(name, _)| name == package).map(|(_, version)| version).collect())
    };
    let mut found = locked()?;
    // A package that the model does not name itself is moved in the lock file alone.
    if let Wanted::Published(version) = wanted
        && !found.is_empty()
        && !found.contains(version)
    {
        run(&["update", "--quiet", "-p", package, "--precise", version])?;
        found = locked()?;
    }
    match found.as_slice() {
        [version] => Ok(version.clone()),
        [] => {
            Err(Failure::Usage(format!("the model is not built with a package {package:?}")).into())
        }
        several => {
            let why = format!("the model is built with several {package}: {}", several.join(", "));
            Err(Failure::Usage(why).into())
        }
    }
}

/// Says in a sentence why a version cannot be had.
fn refused((package, wanted): (&str, &Wanted), stderr: &str) -> String {
    let said = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let said: Vec<&str> = said.filter(|line| !line.starts_with("Updating")).collect();
    let has = |words: &str| said.iter().any(|line| line.contains(words));
    let what = match wanted {
        Wanted::Published(version) => format!("{package} {version}"),
        Wanted::Checkout(_) => format!("this checkout of {package}"),
    };
    let candidates = said
        .iter()
        .find_map(|line| line.strip_prefix("candidate versions found which didn't match: "));
    if let Some(others) = candidates {
        return format!("there is no {what}; there are {others}");
    }
    if has("Could not resolve host") || has("failed to download") || has("network") {
        return format!("{what} is not on this machine, and there is no network to fetch it by");
    }
    let feature = said.iter().find_map(|line| {
        let (asked, _) = line.split_once("` but `")?;
        Some(asked.rsplit_once("with feature `")?.1.to_owned())
    });
    if let Some(feature) = feature {
        return format!(
            "{what} has no feature {feature:?}, without which the model does not build"
        );
    }
    format!("{what} cannot be had: {}", said.join(" ").trim_start_matches("error: "))
}

/// Returns how the packages of a copy differ from those that are locked here.
fn differs(workspace: &Workspace, folder: &Path) -> Result<Vec<String>> {
    let here = packages(&workspace.root.join("Cargo.lock"))?;
    let there = packages(&folder.join("Cargo.lock"))?;
    let changed = there.iter().filter(|package| !here.contains(package));
    let reported = changed.map(|(name, version)| {
        let gone = |other: &&(String, String)| other.0 == *name && !there.contains(other);
        match here.iter().find(gone) {
            Some((_, locked)) => format!("{name} {locked} -> {version}"),
            None => format!("{name} {version}, new"),
        }
    });
    Ok(reported.collect())
}

/// Returns the names and versions of the packages of a lock file.
fn packages(lock: &Path) -> Result<Vec<(String, String)>> {
    let found = table(lock)?;
    let all = found.get("package").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |package: &Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    Ok(all.iter().filter_map(|one| Some((text(one, "name")?, text(one, "version")?))).collect())
}

/// Reads a file of cargo's.
pub(crate) fn table(path: &Path) -> Result<Table> {
    let failed = || format!("failed to read {}", path.display());
    fs::read_to_string(path).with_context(failed)?.parse().with_context(failed)
}

/// Copies a file.
pub(crate) fn copy_file(from: &Path, to: &Path) -> Result<()> {
    put(to, fs::read(from).with_context(|| format!("failed to read {}", from.display()))?)
}

/// Copies a folder with all that is in it.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("failed to read {}", from.display()))? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_folder(&entry.path(), &place)?,
            false => copy_file(&entry.path(), &place)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_of_a_version_that_is_not_there_becomes_one_sentence() {
        let wanted = Wanted::Published("9.9.9".to_owned());
        let stderr = "    Updating index\nerror: failed to select a version for the requirement \
                      `tokio = \"=9.9.9\"`\ncandidate versions found which didn't match: 1.54.1, \
                      1.54.0, ...\nlocation searched: an index\n";
        let said = refused(("tokio", &wanted), stderr);
        assert_eq!(said, "there is no tokio 9.9.9; there are 1.54.1, 1.54.0, ...");
        let feature = "error: failed to select a version for `tokio`.\n\npackage `model-tokio` \
                       depends on `tokio` with feature `net` but `tokio` does not have it.\n";
        assert_eq!(
            refused(("tokio", &wanted), feature),
            "tokio 9.9.9 has no feature \"net\", without which the model does not build"
        );
        let other = refused(("tokio", &wanted), "error: no such\n\n  thing\n");
        assert_eq!(other, "tokio 9.9.9 cannot be had: no such thing");
    }

    #[test]
    fn a_copy_keeps_the_profile_and_finds_the_kit_where_it_is() {
        let workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let root = root(&workspace).unwrap();
        assert_eq!(root["profile"]["release"]["codegen-units"].as_integer(), Some(1));
        let kit = root["workspace"]["dependencies"]["model-kit"]["path"].as_str().unwrap();
        assert!(Path::new(kit).join("Cargo.toml").exists(), "{kit}");
        assert_eq!(root.keys().collect::<Vec<_>>(), ["profile", "workspace"]);
    }
}
