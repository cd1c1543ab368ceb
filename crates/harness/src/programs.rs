//! The programs of a run: built one by one, and what is written down of them.

use std::collections::BTreeMap;

use anyhow::Result;
use record::Model;

use crate::compile::compile_shuffled;
use crate::progress::say;
use crate::python::{self, Interpreter};
use crate::{Program, Programs, Workspace, compile};

/// Builds the origin and the models, in the given layout if there is one. A model that needs what
/// this machine does not have is missing, which is said.
///
/// # Errors
///
/// Names the package that does not build.
pub fn build(workspace: &Workspace, models: &[Model], layout: Option<u64>) -> Result<Programs> {
    say(&format!("building {} programs, one by one\n", models.len() + 1));
    let program = |package: &str| match layout {
        None => compile(workspace, package),
        Some(seed) => compile_shuffled(workspace, package, seed),
    };
    let mut programs =
        Programs { origin: program("origin")?, models: BTreeMap::new(), missing: Vec::new() };
    for model in models {
        match python::missing(workspace, model) {
            Some(missing) => {
                say(&format!("{} is {missing}\n", model.name));
                programs.missing.push(missing);
            }
            None => drop(programs.models.insert(model.name.clone(), program(&model.package)?)),
        }
    }
    Ok(programs)
}

/// Returns the hash of each program by its package, and of each list of packages that one needs.
pub(crate) fn hashes(programs: &Programs) -> BTreeMap<String, String> {
    let hash =
        |(name, program): (&String, &Program)| (format!("model-{name}"), program.sha256.clone());
    let origin = ("origin".to_owned(), programs.origin.sha256.clone());
    let lists = interpreters(programs).flat_map(|found| found.lists_sha256.clone());
    programs.models.iter().map(hash).chain([origin]).chain(lists).collect()
}

/// Returns the versions of the Python that runs models, and of its packages, if one does.
pub(crate) fn python_versions(programs: &Programs) -> Option<BTreeMap<String, String>> {
    let versions = interpreters(programs).flat_map(|found| found.versions.clone());
    let versions: BTreeMap<String, String> = versions.collect();
    (!versions.is_empty()).then_some(versions)
}

/// Returns what models in another language are run by.
fn interpreters(programs: &Programs) -> impl Iterator<Item = &Interpreter> {
    programs.models.values().filter_map(|program| program.interpreter.as_ref())
}
