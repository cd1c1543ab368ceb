//! The manifests of packages that are built in a workspace of their own: read where they lie, and
//! written elsewhere.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::Workspace;

/// Where a manifest names folders of packages.
const NAMING: [&str; 5] =
    ["build-dependencies", "dependencies", "dev-dependencies", "patch", "target"];
/// How a dependency says that it is not one of the registry.
const ELSEWHERE: [&str; 5] = ["branch", "git", "path", "rev", "tag"];

/// Reads a file of cargo's.
pub(crate) fn table(path: &Path) -> Result<Table> {
    let failed = || format!("failed to read {}", path.display());
    fs::read_to_string(path).with_context(failed)?.parse().with_context(failed)
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

/// Returns the manifest of the package in a folder as it reads from elsewhere, and what it puts in
/// the place of other packages.
pub(crate) fn of(folder: &Path) -> Result<(Table, Option<Value>)> {
    let mut own = table(&folder.join("Cargo.toml"))?;
    for key in NAMING {
        own.get_mut(key).into_iter().for_each(|named| anchor(named, folder));
    }
    // Both hold for a whole workspace, and are read nowhere else.
    own.remove("workspace");
    let patch = own.remove("patch");
    Ok((own, patch))
}

/// Makes every path whole that is named from a folder.
fn anchor(named: &mut Value, folder: &Path) {
    let Value::Table(table) = named else { return };
    for (key, value) in table.iter_mut() {
        match value {
            Value::String(path) if key == "path" => {
                *path = folder.join(&*path).to_string_lossy().into_owned();
            }
            value => anchor(value, folder),
        }
    }
}

/// Returns the text of a manifest, with each dependency on a line of its own: there a model reads
/// its versions.
pub(crate) fn written(own: &Table) -> String {
    let mut own = own.clone();
    let dependencies = own.remove("dependencies");
    let dependencies = dependencies.iter().filter_map(Value::as_table).flatten();
    let lines = dependencies.map(|(name, dependency)| format!("{name} = {dependency}\n"));
    format!("{own}\n[dependencies]\n{}", lines.collect::<String>())
}

/// Has a manifest ask for this version of a package alone, if it asks for that package; where it
/// names a folder or a registry, for that in another folder if there is one, or else for the
/// published one. Returns whether it names that folder now.
pub(crate) fn ask_for(
    own: &mut Table,
    package: &str,
    (version, folder): (&str, Option<&Path>),
) -> bool {
    let dependency = own.get_mut("dependencies").and_then(|all| all.get_mut(package));
    let exact = Value::String(format!("={version}"));
    match dependency {
        None => false,
        Some(Value::Table(dependency)) => {
            dependency.insert("version".to_owned(), exact);
            let was_elsewhere = ELSEWHERE.map(|key| dependency.remove(key).is_some());
            // A patch takes the place of a package of the usual registry alone.
            let is_of_another = dependency.contains_key("registry");
            match folder.filter(|_| is_of_another || was_elsewhere.contains(&true)) {
                None => false,
                Some(folder) => {
                    dependency.insert("path".to_owned(), path(folder));
                    true
                }
            }
        }
        Some(dependency) => {
            *dependency = exact;
            false
        }
    }
}

/// Has a manifest ask for a feature of a package that the model is built with in this version.
pub(crate) fn ask_for_feature(own: &mut Table, package: &str, (version, name): (&str, &str)) {
    let Some(all) = dependencies(own) else { return };
    let exact = Value::String(format!("={version}"));
    // What others ask of the package is none of this manifest's.
    let alone = [("version".to_owned(), exact), ("default-features".to_owned(), false.into())];
    let dependency = all.entry(package).or_insert_with(|| Value::Table(Table::from_iter(alone)));
    if let Value::String(version) = dependency {
        let version = Value::String(version.clone());
        *dependency = Value::Table(Table::from_iter([("version".to_owned(), version)]));
    }
    let features = dependency.as_table_mut().map(|own| own.entry("features"));
    let features = features.map(|own| own.or_insert_with(|| Value::Array(Vec::new())));
    if let Some(Value::Array(features)) = features {
        features.push(name.into());
    }
}

/// Has a manifest ask for a package that it may not have asked for, in a version.
pub(crate) fn ask_for_package(own: &mut Table, package: &str, version: &str) {
    if let Some(all) = dependencies(own) {
        all.entry(package).or_insert_with(|| Value::String(format!("={version}")));
    }
}

/// Returns the dependencies of a manifest.
fn dependencies(own: &mut Table) -> Option<&mut Table> {
    own.entry("dependencies").or_insert_with(|| Value::Table(Table::new())).as_table_mut()
}

/// Has a workspace take a folder for a package wherever that is asked for.
pub(crate) fn put_in_place(root: &mut Table, package: &str, folder: &Path) {
    let mut inner = root;
    for key in ["patch", "crates-io"] {
        let next = inner.entry(key).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(next) = next else { return };
        inner = next;
    }
    let place = Table::from_iter([("path".to_owned(), path(folder))]);
    inner.insert(package.to_owned(), Value::Table(place));
}

/// Returns a path as a manifest has it.
fn path(folder: &Path) -> Value {
    Value::String(folder.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_the_profile_and_finds_the_kit_where_it_is() {
        let workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let root = root(&workspace).unwrap();
        assert_eq!(root["profile"]["release"]["codegen-units"].as_integer(), Some(1));
        let kit = root["workspace"]["dependencies"]["model-kit"]["path"].as_str().unwrap();
        assert!(Path::new(kit).join("Cargo.toml").exists(), "{kit}");
        assert_eq!(root.keys().collect::<Vec<_>>(), ["profile", "workspace"]);
    }

    #[test]
    fn every_path_that_a_manifest_names_is_made_whole_but_that_of_its_own_files() {
        let text = "[dependencies]\na = { path = \"../a\" }\nb = \"1\"\n\n\
                    [target.x.dependencies.c]\npath = \"c\"\n\n[[bin]]\npath = \"src/main.rs\"\n";
        let mut own: Table = text.parse().unwrap();
        for key in NAMING {
            own.get_mut(key).into_iter().for_each(|named| anchor(named, Path::new("/no/mine")));
        }
        assert_eq!(own["dependencies"]["a"]["path"].as_str(), Some("/no/mine/../a"));
        assert_eq!(own["target"]["x"]["dependencies"]["c"]["path"].as_str(), Some("/no/mine/c"));
        assert_eq!(own["bin"][0]["path"].as_str(), Some("src/main.rs"));
    }

    /// Returns what a manifest with these dependencies asks for after a change, line by line.
    fn changed(dependencies: &str, change: impl FnOnce(&mut Table)) -> Vec<String> {
        let mut own: Table = format!("[dependencies]\n{dependencies}\n").parse().unwrap();
        change(&mut own);
        let text = written(&own);
        assert!(text.parse::<Table>().is_ok(), "{text}");
        let (_, lines) = text.split_once("[dependencies]\n").unwrap();
        lines.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_version_is_asked_for_alone_and_in_the_place_of_a_folder() {
        let elsewhere = Path::new("/no/there");
        for (asked, folder, expected) in [
            ("a = \"1\"", None, "a = \"=1.2.3\""),
            ("a = \"1\"", Some(elsewhere), "a = \"=1.2.3\""),
            ("a = { path = \"..\" }", None, "a = { version = \"=1.2.3\" }"),
            (
                "a = { path = \"..\" }",
                Some(elsewhere),
                "a = { path = \"/no/there\", version = \"=1.2.3\" }",
            ),
            (
                "a = { version = \"1\", registry = \"b\" }",
                None,
                "a = { registry = \"b\", version = \"=1.2.3\" }",
            ),
            (
                "a = { version = \"1\", registry = \"b\" }",
                Some(elsewhere),
                "a = { path = \"/no/there\", registry = \"b\", version = \"=1.2.3\" }",
            ),
            ("b = \"1\"", None, "b = \"1\""),
        ] {
            let lines = changed(asked, |own| {
                let is_named = ask_for(own, "a", ("1.2.3", folder));
                assert_eq!(is_named, expected.contains("path"), "{asked}");
            });
            assert_eq!(lines, [expected], "{asked}");
        }
    }

    #[test]
    fn a_feature_is_asked_for_beside_those_that_are_on() {
        for (asked, expected) in [
            ("a = \"=1.2.3\"", "a = { features = [\"x\"], version = \"=1.2.3\" }"),
            (
                "a = { version = \"1\", features = [\"y\"] }",
                "a = { features = [\"y\", \"x\"], version = \"1\" }",
            ),
            ("", "a = { default-features = false, features = [\"x\"], version = \"=1.2.3\" }"),
        ] {
            let lines = changed(asked, |own| ask_for_feature(own, "a", ("1.2.3", "x")));
            assert_eq!(lines, [expected], "{asked}");
        }
        let lines = changed("b = \"1\"", |own| ask_for_package(own, "a", "1.2.3"));
        assert_eq!(lines, ["a = \"=1.2.3\"", "b = \"1\""]);
    }
}
