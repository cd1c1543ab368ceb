//! The programs of a run: built one by one, and what is written down of them.

use std::collections::BTreeMap;
use std::iter;

use anyhow::Result;
use record::{Missing, Model, PrimitiveProgram};

use crate::language::{
    build_jointly, compile_in, compile_model, is_built_by_cargo, may_shuffle, missing,
};
use crate::progress::{Building, say};
use crate::{Interpreter, Program, Programs, Workspace, versions};

/// Builds the origin, the models, and the programs of primitives. A model that needs what this
/// machine does not have is missing, which is said.
///
/// # Errors
///
/// Names the package that does not build.
pub fn build(
    workspace: &Workspace,
    (models, primitives): (&[Model], &[PrimitiveProgram]),
) -> Result<Programs> {
    let mut building = Building::alone(1 + models.len() + primitives.len());
    build_all((workspace, None), (models, primitives), &mut building)
}

/// Builds them for a run, in the given layout if there is one; nothing is kept of what was prepared
/// and is not built then.
pub(crate) fn build_for_run(
    (workspace, layout): (&Workspace, Option<u64>),
    (models, primitives): (&[Model], &[PrimitiveProgram]),
) -> Result<Programs> {
    let may_build = layout.map_or(Ok(()), |_| may_shuffle(workspace));
    let mut building = Building::of_run(1 + models.len() + primitives.len());
    let built = may_build
        .and_then(|()| build_all((workspace, layout), (models, primitives), &mut building));
    // Either something does not build, or what is not built cannot run here.
    versions::forget_unbuilt();
    built
}

/// Builds them, and shows how many of all are built.
fn build_all(
    (workspace, layout): (&Workspace, Option<u64>),
    (models, primitives): (&[Model], &[PrimitiveProgram]),
    building: &mut Building,
) -> Result<Programs> {
    let models: Vec<(&Model, Option<Missing>)> =
        models.iter().map(|model| (model, missing(workspace, model))).collect();
    if layout.is_none() {
        let models = models.iter().filter(|(model, missing)| {
            // What is built apart has a workspace of its own, and so have models outside of ours.
            let is_ours = !model.is_apart() && !workspace.outside.contains_key(&model.package);
            missing.is_none() && is_ours && is_built_by_cargo(model)
        });
        let models = models.map(|(model, _)| model.package.as_str());
        let primitives = primitives.iter().map(|program| program.package.as_str());
        let packages: Vec<&str> = iter::once("origin").chain(models).chain(primitives).collect();
        build_jointly(workspace, &packages, &mut |package| building.built(package));
    }
    building.next("origin");
    let mut programs = Programs {
        origin: compile_in(workspace, "origin", layout)?,
        models: BTreeMap::new(),
        primitives: BTreeMap::new(),
        missing: Vec::new(),
    };
    for (model, missing) in models {
        match missing {
            Some(missing) => {
                building.pass_over();
                say(&format!("{} is {missing}\n", model.name));
                programs.missing.push(missing);
            }
            None => {
                building.next(if model.is_apart() { &model.name } else { &model.package });
                let built = compile_model(workspace, model, layout)?;
                programs.models.insert(model.name.clone(), built);
            }
        }
    }
    for program in primitives {
        building.next(&program.package);
        let built = compile_in(workspace, &program.package, layout)?;
        programs.primitives.insert(program.package.clone(), built);
    }
    Ok(programs)
}

/// Returns the hash of each program by its package, and of each list of packages that one needs.
pub(crate) fn hashes(programs: &Programs) -> BTreeMap<String, String> {
    let hash =
        |(name, program): (&String, &Program)| (format!("model-{name}"), program.sha256.clone());
    let origin = ("origin".to_owned(), programs.origin.sha256.clone());
    let lists = interpreters(programs).flat_map(|found| found.lists_sha256.clone());
    let primitives = programs.primitives.iter();
    let primitives = primitives.map(|(package, program)| (package.clone(), program.sha256.clone()));
    programs.models.iter().map(hash).chain(primitives).chain([origin]).chain(lists).collect()
}

/// Returns the versions of what runs models beside their programs, and of its packages, if anything
/// does.
pub(crate) fn interpreter_versions(programs: &Programs) -> Option<BTreeMap<String, String>> {
    let versions = interpreters(programs).flat_map(|found| found.versions.clone());
    let versions: BTreeMap<String, String> = versions.collect();
    (!versions.is_empty()).then_some(versions)
}

/// Returns what models in another language are run by.
fn interpreters(programs: &Programs) -> impl Iterator<Item = &Interpreter> {
    programs.models.values().filter_map(|program| program.interpreter.as_ref())
}
