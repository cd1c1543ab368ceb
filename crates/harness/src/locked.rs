//! The lock file of a copy of a model's package: what cargo makes of it, why it does not, and what
//! in it differs from ours. Whatever cargo says becomes a sentence.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand};
use toml::Value;

use crate::language::cargo;
use crate::manifest::table;
use crate::{Failure, Workspace};

/// What cargo says where there is no network, or where it is told to use none.
const NO_NETWORK: [&str; 6] = [
    "Could not resolve host",
    "failed to download",
    "failed to fetch",
    "network failure",
    "to make an HTTP request, but",
    "offline mode (",
];

/// Has cargo write the lock file of a copy anew, in which nothing moves that need not, and returns
/// what the model is built of.
///
/// # Errors
///
/// Says in a sentence why `what` cannot be had.
pub(crate) fn lock(workspace: &Workspace, folder: &Path, what: &str) -> Result<Metadata> {
    let said = call(workspace, folder, (&["metadata", "--format-version", "1", "--quiet"], what))?;
    MetadataCommand::parse(said).context("failed to read what cargo says of a copy")
}

/// Has cargo move a package of a copy, named `PACKAGE@VERSION`, to another version, and whatever
/// that needs.
///
/// # Errors
///
/// Says in a sentence why `what` cannot be had.
pub(crate) fn update(
    workspace: &Workspace,
    folder: &Path,
    (from, version, what): (&str, &str, &str),
) -> Result<()> {
    let arguments = ["update", "--quiet", "-p", from, "--precise", version];
    call(workspace, folder, (&arguments, what)).map(drop)
}

/// Has cargo do something with a copy, and returns what it prints.
fn call(
    workspace: &Workspace,
    folder: &Path,
    (arguments, what): (&[&str], &str),
) -> Result<String> {
    let mut call = cargo(workspace);
    call.args(arguments).arg("--manifest-path").arg(folder.join("Cargo.toml"));
    let output = call.output().context("failed to start cargo")?;
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), Failure::Usage(refused(what, &why)));
    String::from_utf8(output.stdout).context("failed to read what cargo prints")
}

/// Says in a sentence why something cannot be had.
fn refused(what: &str, stderr: &str) -> String {
    let said = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let said: Vec<&str> = said.filter(|line| !line.starts_with("Updating")).collect();
    let says = |words: &&str| said.iter().any(|line| line.contains(*words));
    // First: where cargo is offline, the candidates are those that this machine has.
    if NO_NETWORK.iter().any(says) {
        return format!("{what} is not on this machine, and there is no network to fetch it by");
    }
    let candidates = said
        .iter()
        .find_map(|line| line.strip_prefix("candidate versions found which didn't match: "));
    if let Some(others) = candidates {
        return format!("there is no {what}; there are {others}");
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
    if let Some(conflict) = conflict(&said) {
        return format!("{what} does not suit {conflict}");
    }
    format!("{what} cannot be had: {}", said.join(" ").trim_start_matches("error: "))
}

/// Returns which package asks for other versions, and which there are, if that is what cargo says.
fn conflict(said: &[&str]) -> Option<String> {
    let after = |words: &str| said.iter().find_map(|line| line.strip_prefix(words));
    let (asker, _) = after("... required by package `")?.split_once('`')?;
    let asker: Vec<&str> = asker.split(' ').take(2).collect();
    let (wish, versions) = after("versions that meet the requirements `")?.split_once("` are: ")?;
    Some(format!("{}, which asks for {wish}; there are {versions}", asker.join(" ")))
}

/// Returns how the packages of a copy differ from those that are locked here.
pub(crate) fn differs(workspace: &Workspace, folder: &Path) -> Result<Vec<String>> {
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

/// Returns the versions of a package in the lock file of a copy.
pub(crate) fn versions(folder: &Path, package: &str) -> Result<Vec<String>> {
    let all = packages(&folder.join("Cargo.lock"))?.into_iter();
    Ok(all.filter(|(name, _)| name == package).map(|(_, version)| version).collect())
}

/// Returns the version of a package with which the model is built.
///
/// # Errors
///
/// Says in a sentence that there is none, or that there are several.
pub(crate) fn version(folder: &Path, package: &str) -> Result<String> {
    match versions(folder, package)?.as_slice() {
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

/// Returns the names and versions of the packages of a lock file.
fn packages(lock: &Path) -> Result<Vec<(String, String)>> {
    let found = table(lock)?;
    let all = found.get("package").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |package: &Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    Ok(all.iter().filter_map(|one| Some((text(one, "name")?, text(one, "version")?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_of_a_version_that_is_not_there_becomes_one_sentence() {
        let stderr = "    Updating index\nerror: failed to select a version for the requirement \
                      `tokio = \"=9.9.9\"`\ncandidate versions found which didn't match: 1.54.1, \
                      1.54.0, ...\nlocation searched: an index\n";
        let said = refused("tokio 9.9.9", stderr);
        assert_eq!(said, "there is no tokio 9.9.9; there are 1.54.1, 1.54.0, ...");
        let feature = "error: failed to select a version for `tokio`.\n\npackage `model-tokio` \
                       depends on `tokio` with feature `net` but `tokio` does not have it.\n";
        assert_eq!(
            refused("tokio 9.9.9", feature),
            "tokio 9.9.9 has no feature \"net\", without which the model does not build"
        );
        let without_network = [
            "error: failed to download `mimalloc`\n",
            "error: failed to get `mimalloc` as a dependency of package `model-tokio v0.2.0`\n\n\
             Caused by:\n  failed to fetch `file:///no/index`\n",
            "error: failed to select a version for the requirement `mimalloc = \"=0.1.52\"`\n\
             candidate versions found which didn't match: 0.1.48\nlocation searched: an index\n\
             required by package `model-tokio v0.2.0 (/no/model)`\nAs a reminder, you're using \
             offline mode (--offline) which can sometimes cause surprising resolution failures, if \
             this error is too confusing you may wish to retry without `--offline`.\n",
            "error: failed to get `mimalloc`\n\nCaused by:\n  attempting to make an HTTP request, \
             but --offline was specified\n",
        ];
        for stderr in without_network {
            assert_eq!(
                refused("mimalloc 0.1.52", stderr),
                "mimalloc 0.1.52 is not on this machine, and there is no network to fetch it by"
            );
        }
        let conflict = "error: failed to select a version for `hyper`.\n    ... required by \
                        package `hyper-util v0.1.21`\n    ... which satisfies dependency \
                        `hyper-util = \"=0.1.21\"` of package `model-tokio-hyper v0.2.0 \
                        (/no/model)`\nversions that meet the requirements `^1.9.0` are: 1.12.0, \
                        1.9.0\n\nall possible versions conflict with previously selected \
                        packages.\n";
        assert_eq!(
            refused("hyper 1.6.0", conflict),
            "hyper 1.6.0 does not suit hyper-util v0.1.21, which asks for ^1.9.0; there are \
             1.12.0, 1.9.0"
        );
        let other = refused("tokio 9.9.9", "error: no such\n\n  thing\n");
        assert_eq!(other, "tokio 9.9.9 cannot be had: no such thing");
    }
}
