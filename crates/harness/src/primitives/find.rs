//! Finds the programs that measure primitives by their manifests, as models are found.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use cargo_metadata::Package;
use record::PrimitiveProgram;
use serde_json::{Value, json};

use crate::language::compile_in;
use crate::progress::Building;
use crate::{Program, Workspace};

/// The section of a manifest that describes such a program.
const SECTION: &str = "inflight-primitives";

/// Returns the programs below a folder of the workspace, sorted by name.
///
/// # Errors
///
/// Names the manifest that does not describe its program as it should.
pub fn find_primitives(workspace: &Workspace, folder: &str) -> Result<Vec<PrimitiveProgram>> {
    let packages = workspace.packages_below(folder);
    let programs = packages
        .into_iter()
        .filter_map(|package| described(package, package.metadata.get(SECTION)?).into());
    let mut programs: Vec<PrimitiveProgram> = programs.collect::<Result<_>>()?;
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

/// Builds the programs, in the given layout if there is one.
///
/// # Errors
///
/// Names the package that does not build.
pub fn build_primitives(
    workspace: &Workspace,
    found: &[PrimitiveProgram],
    layout: Option<u64>,
) -> Result<BTreeMap<String, Program>> {
    build_reported((workspace, layout), found, &mut Building::alone(found.len()))
}

/// Builds them, and shows how many of a number of programs that makes.
pub(crate) fn build_reported(
    (workspace, layout): (&Workspace, Option<u64>),
    found: &[PrimitiveProgram],
    building: &mut Building,
) -> Result<BTreeMap<String, Program>> {
    let built = |program: &PrimitiveProgram| {
        building.next(&program.package);
        Ok((program.name.clone(), compile_in(workspace, &program.package, layout)?))
    };
    found.iter().map(built).collect()
}

/// Returns the program that a manifest describes.
fn described(package: &Package, section: &Value) -> Result<PrimitiveProgram> {
    let named = || format!("failed to read [package.metadata.{SECTION}] of {}", package.name);
    let mut fields = section.clone();
    let table = fields.as_object_mut().with_context(named)?;
    let name = package.name.strip_prefix("primitives-").unwrap_or(&package.name);
    table.insert("name".to_owned(), json!(name));
    table.insert("package".to_owned(), json!(package.name));
    let program: PrimitiveProgram = serde_json::from_value(fields).with_context(named)?;
    ensure!(!program.primitives.is_empty(), "{}: it names no primitive", named());
    Ok(program)
}
