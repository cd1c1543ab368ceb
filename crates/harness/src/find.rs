//! Finds models and programs of primitives by their manifests: every package of the workspace below
//! a folder that has a section for one, and models outside of it. Nothing is registered anywhere.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use record::{Model, PrimitiveProgram};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Failure;
use crate::language::{self, TRACES};
use crate::outside::{self, Outside};

/// A package that every checkout of Inflight has, whatever its models are.
const KIT: &str = "model-kit";

/// The section of a manifest that describes a model.
pub(crate) const MODEL: &str = "inflight";
/// The section that describes a program of primitives.
const PROGRAM: &str = "inflight-primitives";

/// The workspace, as cargo describes it.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its folder.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
    /// The models outside of it, by their packages.
    pub(crate) outside: BTreeMap<String, Outside>,
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo for the workspace that a folder belongs to.
    ///
    /// # Errors
    ///
    /// Says that the folder is in no checkout of Inflight, that cargo is missing, or what cargo
    /// says.
    pub fn of(folder: &Path) -> Result<Self> {
        let is_package = |folder: &Path| folder.join("Cargo.toml").exists();
        ensure!(folder.ancestors().any(is_package), no_checkout());
        let mut command = MetadataCommand::new();
        for variable in TRACES {
            command.env_remove(variable);
        }
        command.cargo_path(language::named_cargo().unwrap_or_else(|| "cargo".into()));
        let metadata = command.no_deps().current_dir(folder).exec();
        let metadata = metadata.map_err(|error| refused(&error))?;
        let is_ours = metadata.workspace_packages().iter().any(|package| package.name == KIT);
        ensure!(is_ours, no_checkout());
        Ok(Self {
            root: metadata.workspace_root.clone().into_std_path_buf(),
            target: metadata.target_directory.clone().into_std_path_buf(),
            outside: BTreeMap::new(),
            metadata,
        })
    }

    /// Returns it with the models in some folders outside of it: those of packages, or folders of
    /// such.
    ///
    /// # Errors
    ///
    /// Says which folder has no model, which manifest cannot be read, or which package is there
    /// already.
    pub fn with_models(mut self, folders: &[PathBuf]) -> Result<Self> {
        let outside = outside::find(folders)?;
        for (package, Outside { folder, .. }) in &outside {
            if let Some(own) = self.folder_of(package) {
                return Err(outside::twice(package, &own, folder).into());
            }
        }
        self.outside = outside;
        Ok(self)
    }

    /// Returns the folder of a package.
    pub(crate) fn folder_of(&self, package: &str) -> Option<PathBuf> {
        if let Some(outside) = self.outside.get(package) {
            return Some(outside.folder.clone());
        }
        let packages = self.metadata.workspace_packages();
        let manifest = &packages.iter().find(|other| other.name == package)?.manifest_path;
        Some(manifest.parent()?.as_std_path().to_owned())
    }

    /// Returns the packages below one of its folders.
    pub(crate) fn packages_below(&self, folder: &str) -> Vec<&Package> {
        let below = self.root.join(folder);
        let packages = self.metadata.workspace_packages().into_iter();
        packages.filter(|package| package.manifest_path.starts_with(&below)).collect()
    }
}

/// Says that a folder is in no checkout.
fn no_checkout() -> Failure {
    let why = "this needs a checkout of Inflight, since models are built from it: change into one \
               and try again";
    Failure::Usage(why.to_owned())
}

/// Says why cargo does not describe the workspace.
fn refused(error: &cargo_metadata::Error) -> Failure {
    use cargo_metadata::Error;
    let named = language::named_cargo();
    Failure::Usage(match error {
        Error::CargoMetadata { stderr } => {
            let said = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
            let said = said.collect::<Vec<_>>().join(" ").replace(" Caused by: ", ": ");
            format!("cargo cannot read this checkout: {}", said.trim_start_matches("error: "))
        }
        Error::Io(error) if error.kind() == ErrorKind::NotFound => match named {
            Some(cargo) => format!(
                "there is no {:?}, which CARGO names as the cargo by which models are built: type \
                 `unset CARGO`, or name one that is there",
                cargo.to_string_lossy()
            ),
            None => "there is no cargo on PATH, by which models are built: install Rust from \
                     https://rustup.rs, or add the folder of cargo to PATH"
                .to_owned(),
        },
        other => format!("cargo cannot be asked for the packages of this checkout: {other}"),
    })
}

/// Returns the models below a folder of the workspace and those outside of it, sorted by name.
///
/// # Errors
///
/// Names the manifest that does not describe its model as it should.
pub fn find(workspace: &Workspace, folder: &str) -> Result<Vec<Model>> {
    let packages = workspace.packages_below(folder).into_iter();
    let inside = packages.filter_map(|own| Some((own.name.as_str(), own.metadata.get(MODEL)?)));
    let outside = workspace.outside.iter().map(|(package, own)| (package.as_str(), &own.section));
    let models = inside.chain(outside).map(|(package, section)| described(package, section));
    let mut models: Vec<Model> = models.collect::<Result<_>>()?;
    models.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(models)
}

/// Returns the programs of primitives below a folder of the workspace, sorted by name.
///
/// # Errors
///
/// Names the manifest that does not describe its program as it should.
pub fn find_primitives(workspace: &Workspace, folder: &str) -> Result<Vec<PrimitiveProgram>> {
    let program = |package: &Package| {
        let section = package.metadata.get(PROGRAM)?;
        let read = section_of::<PrimitiveProgram>(&package.name, section, (PROGRAM, "primitives-"));
        Some(read.and_then(|program| {
            let any = program.primitives.iter().all(|primitive| !primitive.fetches());
            let any = any && !program.primitives.is_empty();
            ensure!(any, "{} names no primitive, or what is none", package.name);
            Ok(program)
        }))
    };
    let programs = workspace.packages_below(folder).into_iter().filter_map(program);
    let mut programs: Vec<PrimitiveProgram> = programs.collect::<Result<_>>()?;
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

/// Returns the model of a package, if it is one.
///
/// # Errors
///
/// Says that the manifest does not describe its model as it should.
pub(crate) fn of_package(workspace: &Workspace, package: &str) -> Result<Option<Model>> {
    let packages = workspace.metadata.workspace_packages();
    let inside = packages.iter().find(|other| other.name == package);
    let inside = inside.and_then(|own| own.metadata.get(MODEL));
    let section = inside.or(workspace.outside.get(package).map(|own| &own.section));
    section.map(|section| described(package, section)).transpose()
}

/// Returns what a section of a manifest describes, with its package, and its name without what
/// packages of its kind begin with.
fn section_of<T: DeserializeOwned>(
    package: &str,
    section: &Value,
    (key, begin): (&str, &str),
) -> Result<T> {
    let named = || format!("failed to read [package.metadata.{key}] of {package}");
    let mut fields = section.clone();
    let table = fields.as_object_mut().with_context(named)?;
    let name = package.strip_prefix(begin).unwrap_or(package);
    table.insert("name".to_owned(), json!(name));
    table.insert("package".to_owned(), json!(package));
    serde_json::from_value(fields).with_context(named)
}

/// Returns the model that a manifest describes.
fn described(package: &str, section: &Value) -> Result<Model> {
    let named = || format!("failed to read [package.metadata.{MODEL}] of {package}");
    let model: Model = section_of(package, section, (MODEL, "model-"))?;
    for terms in [Some(&model.threads), model.connections.as_ref()].into_iter().flatten() {
        let value = rules::evaluate(terms, rules::Sizes { workers: 1, in_flight: 1, issued: 1 });
        ensure!(value.is_some(), "{}: cannot read the terms {terms:?}", named());
    }
    let language = model.language.as_deref();
    let known: Vec<&str> = language::names().collect();
    ensure!(
        language.is_none_or(|language| known.contains(&language)),
        "{}: expected one of the languages {known:?}, found {language:?}",
        named()
    );
    ensure!(
        language.is_some() == model.baseline.is_some(),
        "{}: `language` and `baseline` go together",
        named()
    );
    Ok(model)
}
