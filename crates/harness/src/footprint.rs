//! What each model costs beside its speed: lines to write, packages to trust, bytes to carry, and,
//! where somebody took the time to measure it, seconds to build.
//!
//! A build from nothing takes longer than a quick run, so no run waits for it. [`time_builds`]
//! writes the times down beside the programs, and a run reports those that were measured on this
//! machine with the same lock file, compiler and flags; all others are unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection};
use record::environment::Footprint;
use record::{Environment, Model, Unwritable};
use serde::{Deserialize, Serialize};

use crate::files::put;
use crate::language::{self, cargo, cargo_into};
use crate::{Program, Programs, Workspace};

/// Sections that only name code; a program runs the same without them.
const NAMING: [&str; 2] = [".symtab", ".strtab"];
/// How the names of sections with debug information begin.
const DEBUG: &str = ".debug_";

/// Returns the footprint of each model, by its name, as far as it can be found out.
pub(crate) fn footprints(
    workspace: &Workspace,
    (models, programs): (&[Model], &Programs),
    environment: &Environment,
) -> BTreeMap<String, Footprint> {
    let builds = Builds::read(workspace).filter(|builds| builds.are_of(environment));
    let footprint = |model: &Model| {
        let program = programs.models.get(&model.name);
        // What is built apart is built of other packages.
        let is_locked = !model.is_apart();
        let built = builds
            .as_ref()
            .filter(|_| is_locked)
            .and_then(|builds| builds.build_ms.get(&model.package));
        Footprint {
            lines: workspace.folder_of(&model.package).and_then(|folder| lines(&folder)),
            dependencies: is_locked.then(|| dependencies(workspace, &model.package)).flatten(),
            program_bytes: program
                .and_then(|program| Some(fs::metadata(&program.path).ok()?.len())),
            program_bytes_without_symbols: program.and_then(without_symbols),
            build_ms: built.copied(),
        }
    };
    models.iter().map(|model| (model.name.clone(), footprint(model))).collect()
}

/// Returns how many lines of the sources below a folder are neither blank nor only a comment.
fn lines(folder: &Path) -> Option<u64> {
    let mut count = 0;
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        let kind = entry.file_type().ok()?;
        // What others installed there is nobody's own source.
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            count += lines(&path)?;
        }
        let comment = path.extension().and_then(|end| language::comment(end.to_str()?));
        if let (true, Some(comment)) = (kind.is_file(), comment) {
            count += code(&fs::read_to_string(&path).ok()?, comment);
        }
    }
    Some(count)
}

/// Returns how many lines of a text are neither blank nor only a comment. A comment that spans
/// lines counts as code: the house writes none.
fn code(text: &str, comment: &str) -> u64 {
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with(comment);
    text.lines().map(str::trim).filter(is_code).count() as u64
}

/// Returns how many packages from outside the workspace a package is made of or built with, by
/// what cargo selects when it builds that package alone for this machine.
fn dependencies(workspace: &Workspace, package: &str) -> Option<u64> {
    let mut tree = cargo(workspace);
    tree.args(["tree", "--locked", "--quiet", "-p", package, "--edges", "normal,build"]);
    tree.args(["--prefix", "none", "--format", "{p}"]).stderr(Stdio::null());
    let output = tree.output().ok().filter(|output| output.status.success())?;
    Some(packages(&String::from_utf8(output.stdout).ok()?).len() as u64)
}

/// Returns the packages that cargo's tree names, those of the workspace aside, which stand there
/// with their folder.
fn packages(tree: &str) -> BTreeSet<(&str, &str)> {
    let foreign = tree.lines().filter(|line| !line.contains("(/"));
    foreign
        .filter_map(|line| line.split_once(' '))
        .map(|(name, rest)| (name, version(rest)))
        .collect()
}

/// Returns the version that begins a text, without what cargo adds after it.
fn version(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

/// Returns the bytes of a program that do more than name its code.
fn without_symbols(program: &Program) -> Option<u64> {
    let bytes = fs::read(&program.path).ok()?;
    let file = object::File::parse(bytes.as_slice()).ok()?;
    let names = |name: &str| NAMING.contains(&name) || name.starts_with(DEBUG);
    let naming = file.sections().filter(|section| section.name().is_ok_and(names));
    let naming: u64 = naming.filter_map(|section| Some(section.file_range()?.1)).sum();
    (bytes.len() as u64).checked_sub(naming)
}

/// Times of builds from nothing, and what they hold for.
#[derive(Debug, Serialize, Deserialize)]
struct Builds {
    cpu: String,
    cpus: usize,
    rustc: String,
    rustflags: String,
    cargo_lock_sha256: String,
    /// Milliseconds by package.
    build_ms: BTreeMap<String, u64>,
}

impl Builds {
    /// Returns where they are kept.
    fn path(workspace: &Workspace) -> PathBuf {
        workspace.target.join("inflight").join("builds.json")
    }

    /// Reads those that were kept.
    fn read(workspace: &Workspace) -> Option<Self> {
        serde_json::from_slice(&fs::read(Self::path(workspace)).ok()?).ok()
    }

    /// Keeps them.
    fn write(&self, workspace: &Workspace) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).context("failed to write the times")?;
        put(&Self::path(workspace), text)
    }

    /// Returns none yet, for this machine.
    fn none(environment: &Environment) -> Self {
        Self {
            cpu: environment.cpu.clone(),
            cpus: environment.cpus,
            rustc: environment.rustc.clone(),
            rustflags: environment.rustflags.clone(),
            cargo_lock_sha256: environment.cargo_lock_sha256.clone(),
            build_ms: BTreeMap::new(),
        }
    }

    /// Returns whether they hold for an environment.
    fn are_of(&self, environment: &Environment) -> bool {
        let other = Self::none(environment);
        environment.has_cpu_of(environment)
            && (&self.cpu, self.cpus, &self.rustc) == (&other.cpu, other.cpus, &other.rustc)
            && (&self.rustflags, &self.cargo_lock_sha256)
                == (&other.rustflags, &other.cargo_lock_sha256)
    }
}

/// Builds each model from nothing that cargo builds, one after the other, shows how long each took,
/// and keeps the times for the runs that follow. What a build needs is downloaded before.
///
/// # Errors
///
/// Says that cargo failed, after cargo has said why on stderr, or that the times cannot be kept.
pub fn time_builds(
    workspace: &Workspace,
    models: &[Model],
    say: &mut dyn FnMut(&Model, Duration) -> Result<()>,
) -> Result<()> {
    let fetched = cargo(workspace).args(["fetch", "--locked", "--quiet"]).status();
    ensure!(fetched.context("failed to start cargo")?.success(), "failed to fetch the packages");
    let environment = Environment::read(&workspace.root, "none", BTreeMap::new());
    let kept = Builds::read(workspace).filter(|builds| builds.are_of(&environment));
    let mut builds = kept.unwrap_or_else(|| Builds::none(&environment));
    for model in models.iter().filter(|model| language::is_built_by_cargo(model)) {
        let took = build(workspace, &model.package)?;
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        builds.build_ms.insert(model.package.clone(), ms);
        // After each, since all of them together take many minutes.
        builds.write(workspace)?;
        say(model, took)?;
    }
    Ok(())
}

/// Builds a package from nothing, in a folder that is gone afterwards, and returns how long it
/// took.
fn build(workspace: &Workspace, package: &str) -> Result<Duration> {
    let folder = workspace.target.join("inflight").join("from-nothing");
    let failed = || Unwritable(folder.display().to_string());
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(failed)?;
    }
    let mut command = cargo_into(workspace, "build", &folder);
    command.args(["--locked", "--offline", "-p", package]);
    let began = Instant::now();
    let status = command.status().context("failed to start cargo")?;
    let took = began.elapsed();
    ensure!(status.success(), "failed to build {package}: see above what cargo says");
    fs::remove_dir_all(&folder).with_context(failed)?;
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_comments_are_no_code() {
        let rust = "//! What it is.\n\nfn main() {\n    // Why.\n    call(); // it\n}\n";
        assert_eq!(code(rust, "//"), 3);
        assert_eq!(code("#!/usr/bin/env python3\n\nprint(1)  # it\n", "#"), 1);
    }

    #[test]
    fn a_package_counts_once_in_each_version_and_the_house_not_at_all() {
        let tree = "model-x v0.1.0 (/w/crates/model-x)\nmodel-kit v0.1.0 (/w/crates/model-kit)\n\
                    syn v3.0.10\nserde_derive v1.0.229 (proc-macro)\nsyn v2.0.1\nsyn v3.0.10 (*)\n";
        assert_eq!(packages(tree).len(), 3);
    }

    #[test]
    fn symbols_are_kept_apart_from_what_runs() {
        // This test is a program with symbols and debug information.
        let path = std::env::current_exe().unwrap();
        let whole = fs::metadata(&path).unwrap().len();
        let program = Program { path, sha256: String::new(), interpreter: None };
        let without = without_symbols(&program).unwrap();
        assert!(0 < without && without < whole, "{without} of {whole}");
        let no_program =
            Program { path: "Cargo.toml".into(), sha256: String::new(), interpreter: None };
        assert_eq!(without_symbols(&no_program), None);
    }

    #[test]
    fn times_of_another_compiler_lock_file_or_machine_are_not_reported() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let here = Environment::read(&root, "none", BTreeMap::new());
        let builds = Builds::none(&here);
        assert!(builds.are_of(&here));
        let changes: [fn(&mut Environment); 5] = [
            |e| e.rustc.push('x'),
            |e| e.cargo_lock_sha256.push('x'),
            |e| e.cpu.push('x'),
            |e| e.cpus += 1,
            |e| e.rustflags.push('x'),
        ];
        for change in changes {
            let mut other = here.clone();
            change(&mut other);
            assert!(!builds.are_of(&other));
        }
    }

    #[test]
    fn the_footprint_of_every_model_is_known_but_for_its_build() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let workspace = Workspace::of(&root).unwrap();
        let models = crate::find(&workspace, "crates").unwrap();
        let environment = Environment::read(&root, "none", BTreeMap::new());
        let own = Program {
            path: std::env::current_exe().unwrap(),
            sha256: String::new(),
            interpreter: None,
        };
        let programs = Programs {
            origin: own.clone(),
            models: models.iter().map(|model| (model.name.clone(), own.clone())).collect(),
            primitives: BTreeMap::new(),
            missing: Vec::new(),
        };
        let footprints = footprints(&workspace, (&models, &programs), &environment);
        assert_eq!(footprints.len(), models.len());
        for (name, footprint) in footprints {
            assert!(footprint.lines.is_some_and(|lines| (5..1_000).contains(&lines)), "{name}");
            // A standard library may be all that a model in another language needs.
            let is_rust = |model: &Model| model.name == name && model.language.is_none();
            let least = if models.iter().any(is_rust) { 5 } else { 0 };
            assert!(
                footprint.dependencies.is_some_and(|count| count >= least),
                "{name}: {footprint:?}"
            );
            assert!(footprint.program_bytes > footprint.program_bytes_without_symbols, "{name}");
        }
    }
}
