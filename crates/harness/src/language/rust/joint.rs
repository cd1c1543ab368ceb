//! Programs that one call of cargo builds, which is sooner done than a call for each: while one is
//! linked on one CPU, others are compiled on the rest.
//!
//! A joint build unifies the features of what its packages share. So packages are joined only where
//! they ask for the same features of everything they share. Each is asked for alone afterwards: had
//! cargo made anything otherwise than alone, it would make that anew.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::process::Stdio;

use cargo_metadata::Message;

use super::{cargo, cargo_into};
use crate::Workspace;

/// Everything that a package is built of, each with the features that are asked of it: they may
/// differ between what runs while it is built and what is linked into it.
type Features = BTreeMap<String, BTreeSet<String>>;

/// Builds those packages whose programs are not there yet, as many as agree by one call of cargo
/// each, and reports each program that is built. What fails here is left to the build of that
/// package alone, which says why.
pub(crate) fn build_jointly(
    workspace: &Workspace,
    packages: &[&str],
    report: &mut dyn FnMut(&str),
) {
    let is_due = |package: &&str| !workspace.target.join("release").join(package).exists();
    let due: Vec<&str> = packages.iter().copied().filter(is_due).collect();
    let due =
        due.into_iter().filter_map(|package| Some((package, features(workspace, &[package])?)));
    for group in groups(due).iter().filter(|group| group.len() > 1) {
        // Nothing is lost with it but time.
        let _ = build(workspace, group, report);
    }
}

/// Builds packages by one call of cargo.
fn build(workspace: &Workspace, packages: &[&str], report: &mut dyn FnMut(&str)) -> Option<()> {
    let mut child = cargo_into(workspace, "build", &workspace.target)
        .args(["--locked", "--keep-going", "--message-format=json-render-diagnostics"])
        .args(packages.iter().flat_map(|package| ["-p", package, "--bin", package]))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let output = BufReader::new(child.stdout.take()?);
    for message in Message::parse_stream(output) {
        if let Ok(Message::CompilerArtifact(artifact)) = message
            && artifact.executable.is_some()
        {
            report(&artifact.target.name);
        }
    }
    child.wait().ok().map(drop)
}

/// Returns what packages are built of if they are built together, as cargo says it.
fn features(workspace: &Workspace, packages: &[&str]) -> Option<Features> {
    let tree = cargo(workspace)
        .args(["tree", "--locked", "--quiet", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}|{f}"])
        .args(packages.iter().flat_map(|package| ["-p", package]))
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let mut features = Features::new();
    for line in String::from_utf8(tree.stdout).ok()?.lines() {
        // What was shown before is marked.
        let line = line.strip_suffix(" (*)").unwrap_or(line);
        if let Some((package, asked)) = line.split_once('|') {
            features.entry(package.to_owned()).or_default().insert(asked.to_owned());
        }
    }
    (tree.status.success() && !features.is_empty()).then_some(features)
}

/// Puts packages together that ask for the same features of everything they share.
fn groups<'a>(packages: impl Iterator<Item = (&'a str, Features)>) -> Vec<Vec<&'a str>> {
    let mut groups: Vec<(Vec<&str>, Features)> = Vec::new();
    for (package, own) in packages {
        let agrees = |(_, all): &&mut (Vec<&str>, Features)| {
            own.iter().all(|(name, asked)| all.get(name).is_none_or(|others| others == asked))
        };
        match groups.iter_mut().find(agrees) {
            Some((members, all)) => {
                members.push(package);
                all.extend(own);
            }
            None => groups.push((vec![package], own)),
        }
    }
    groups.into_iter().map(|(members, _)| members).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::find;

    #[test]
    fn packages_are_built_together_only_if_they_ask_for_the_same_of_all_they_share() {
        let asks = |asked: &[(&str, &str)]| -> Features {
            let each = asked.iter();
            each.map(|(name, asked)| ((*name).to_owned(), [(*asked).to_owned()].into())).collect()
        };
        let packages = [
            ("tokio", asks(&[("tokio", "rt"), ("serde", "std")])),
            ("threads", asks(&[("serde", "std")])),
            ("reqwest", asks(&[("tokio", "rt,net"), ("serde", "std")])),
            ("odd", asks(&[("serde", "alloc")])),
            ("late", asks(&[("tokio", "rt,net")])),
        ];
        let expected = [vec!["tokio", "threads"], vec!["reqwest", "late"], vec!["odd"]];
        assert_eq!(groups(packages.into_iter()), expected);
    }

    /// The premise: what cargo would build for a group is what it would build for each alone.
    #[test]
    fn no_package_gets_other_features_in_its_group_than_alone() {
        let workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let models = find(&workspace, "crates").unwrap();
        let names: Vec<&str> = models.iter().map(|model| model.package.as_str()).collect();
        let alone: BTreeMap<&str, Features> =
            names.iter().map(|name| (*name, features(&workspace, &[name]).unwrap())).collect();
        let groups = groups(alone.iter().map(|(name, own)| (*name, own.clone())));
        assert!(groups.iter().any(|group| group.len() > 1), "{groups:?}");
        for group in groups {
            let together = features(&workspace, &group).unwrap();
            for member in group {
                for (name, asked) in &alone[member] {
                    assert_eq!(together.get(name), Some(asked), "{name} of {member}");
                }
            }
        }
    }
}
