//! Levers: what a model is built with beside what its manifest asks for, put into a copy of its
//! package. A lever that would change nothing is refused: whatever differs between two builds of
//! the same source is not to be taken for what it does.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Metadata, Package, Target};
use record::environment::flags_in_force;
use record::{Allocator, Lever, Model};

use crate::files::put;
use crate::locked::{lock, version};
use crate::manifest::{ask_for_feature, ask_for_package, table, written};
use crate::{Failure, Workspace};

/// Puts levers into a copy of a model's package.
///
/// # Errors
///
/// Says in a sentence which of them there is not, or that it would change nothing.
pub(crate) fn put_in(
    workspace: &Workspace,
    folder: &Path,
    (model, levers): (&Model, &[Lever]),
) -> Result<()> {
    let mut what = format!("what {} is built of", model.name);
    let built_of = lock(workspace, folder, &what)?;
    let manifest = folder.join("model/Cargo.toml");
    let mut own = table(&manifest)?;
    for lever in levers {
        match lever {
            Lever::Feature { package, name } => {
                let version = version(folder, package)?;
                may_be_added(&built_of, (package, &version), name)?;
                ask_for_feature(&mut own, package, (&version, name));
            }
            Lever::Cfg(name) => ensure!(
                built_of.packages.iter().any(|package| asks(package, name)),
                Failure::Usage(format!(
                    "nothing that {} is built of asks for the cfg {name:?}: it would change \
                     nothing; check its spelling, or leave it out",
                    model.name
                ))
            ),
            Lever::Allocator(allocator) => {
                if let Some((package, version)) = package_of(*allocator) {
                    ask_for_package(&mut own, package, version);
                    what = format!("{package} {version}");
                }
                declare(*allocator, &folder.join("model/src/main.rs"))?;
            }
        }
    }
    put(&manifest, written(&own))?;
    lock(workspace, folder, &what).map(drop)
}

/// Returns all flags of the compiler with which a model is built, if it has any beside those in
/// force.
pub(crate) fn flags(workspace: &Workspace, model: &Model) -> Vec<String> {
    let added = model.levers.iter().filter_map(|lever| match lever {
        Lever::Cfg(name) => Some(["--cfg".to_owned(), name.clone()]),
        Lever::Feature { .. } | Lever::Allocator(_) => None,
    });
    let added: Vec<String> = added.flatten().collect();
    match added.is_empty() {
        true => added,
        false => [flags_in_force(&workspace.root), added].concat(),
    }
}

/// Checks that a package has a feature, and that it is off.
fn may_be_added(
    built_of: &Metadata,
    (package, version): (&str, &str),
    feature: &str,
) -> Result<()> {
    let found = built_of.packages.iter().find(|own| own.name == package);
    let found = found.with_context(|| format!("failed to find {package} among the packages"))?;
    let known: Vec<&str> = found.features.keys().map(String::as_str).collect();
    ensure!(
        known.contains(&feature),
        Failure::Usage(format!(
            "{package} {version} has no feature {feature:?}, expected one of {}",
            known.join(", ")
        ))
    );
    let nodes = built_of.resolve.iter().flat_map(|resolved| &resolved.nodes);
    let mut on = nodes.filter(|node| node.id == found.id).flat_map(|node| &node.features);
    ensure!(
        !on.any(|name| name.as_str() == feature),
        Failure::Usage(format!(
            "the feature {feature:?} of {package} {version} is on without a lever: it would change \
             nothing; leave it out"
        ))
    );
    Ok(())
}

/// Returns whether a package asks for a flag of conditional compilation: in its manifest, in what
/// builds it, or in its sources.
fn asks(package: &Package, flag: &str) -> bool {
    let is_aside = |target: &Target| target.is_test() || target.is_bench() || target.is_example();
    let mut built = package.targets.iter().filter(|target| !is_aside(target));
    let of_target = |target: &Target| {
        let main = target.src_path.as_std_path();
        // What builds a package lies beside all that does not belong to it.
        match main.parent() {
            Some(folder) if !target.is_custom_build() => any_names(folder, flag),
            _ => names(main, flag),
        }
    };
    names(package.manifest_path.as_std_path(), flag) || built.any(of_target)
}

/// Returns whether a source below a folder names a flag.
fn any_names(folder: &Path, flag: &str) -> bool {
    let mut below = fs::read_dir(folder).into_iter().flatten().flatten().map(|one| one.path());
    below.any(|path| match path.is_dir() {
        true => any_names(&path, flag),
        false => path.extension().is_some_and(|end| end == "rs") && names(&path, flag),
    })
}

/// Returns whether a file has a flag in it as a word.
fn names(path: &Path, flag: &str) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let is_part = |sign: char| sign.is_alphanumeric() || sign == '_';
    text.match_indices(flag).any(|(place, _)| {
        let (before, after) = (&text[..place], &text[place + flag.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

/// Returns the package of an allocator and its version, which is part of the result.
fn package_of(allocator: Allocator) -> Option<(&'static str, &'static str)> {
    match allocator {
        Allocator::System => None,
        Allocator::Mimalloc => Some(("mimalloc", "0.1.52")),
        Allocator::Jemalloc => Some(("tikv-jemallocator", "0.7.0")),
    }
}

/// Has a program take its memory from an allocator.
fn declare(allocator: Allocator, main: &Path) -> Result<()> {
    let of = match allocator {
        Allocator::System => "std::alloc::System",
        Allocator::Mimalloc => "mimalloc::MiMalloc",
        Allocator::Jemalloc => "tikv_jemallocator::Jemalloc",
    };
    let text = fs::read_to_string(main);
    let text = text.with_context(|| format!("failed to read {}", main.display()))?;
    let declared = format!("#[global_allocator]\nstatic ALLOCATOR: ::{of} = ::{of};\n");
    put(main, format!("{text}\n/// Where memory comes from.\n{declared}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_named_as_a_whole_word() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/source.rs");
        put(&path, "#[cfg(all(tokio_unstable, feature = \"rt\"))]\n").unwrap();
        assert!(any_names(folder.path(), "tokio_unstable"));
        for other in ["tokio", "unstable", "okio_unstabl", "tokio_unstable_"] {
            assert!(!any_names(folder.path(), other), "{other}");
        }
    }
}
