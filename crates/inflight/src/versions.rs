//! `compare`: versions of a package against each other, as participants of one run.

use std::path::Path;

use anyhow::{Context, Result};
use harness::{FLOOR, Failure, Preset, Request, Wanted, Workspace};
use record::{Model, OriginKind, Run};
use serde_json::json;

use crate::asked::Versions;
use crate::output::Output;
use crate::{answer, check, measure, place};

/// What a version that costs more exits with.
const SLOWER: u8 = 5;

/// A row as it was named: a model, and a version of a package if it is not to be the locked one.
struct Row<'a> {
    model: &'a Model,
    name: String,
    version: Option<(String, Wanted)>,
}

/// Measures the versions against the first of them, and says what came of it.
pub(crate) fn compare(asked: &Versions, output: &mut Output) -> Result<u8> {
    let workspace = place::workspace()?;
    let found = harness::find(&workspace, "crates")?;
    let rows = rows(&asked.rows, &found)?;
    let preset = preset(asked, &rows[0].name)?;
    let is_row = |name: &str| rows.iter().any(|row| row.name == name);
    let floor = found.iter().find(|model| model.name == FLOOR && !is_row(FLOOR));
    let results = asked.out.clone().unwrap_or_else(|| workspace.root.join("results"));
    let mut request = Request {
        workspace,
        results,
        preset,
        models: rows.iter().map(Row::named).chain(floor.cloned()).collect(),
        primitives: Vec::new(),
        seed: asked.seed,
        supersedes: None,
        origin: OriginKind::default(),
        workers: asked.workers.workers(),
    };
    // First: to prepare a version asks the network, and does away with what was there of it.
    let lock = harness::claim(&request)?;
    for (row, model) in rows.iter().zip(&mut request.models) {
        *model = row.prepared(&request.workspace)?;
    }
    let ended = harness::measure_claimed(&request, lock)?;
    let run = Run::read(&ended.path)?;
    let summary = place::summary(&run);
    match asked.md {
        true => output.say(&report::versions_table(&summary)),
        false => answer::versions(&summary, (&ended.path, &place::called(&ended.path)), output),
    }
    let slower = asked.fail_if_slower.map(|percent| summary.figures.slower_than(percent));
    let slower = slower.unwrap_or_default();
    if let (false, Some(percent)) = (slower.is_empty(), asked.fail_if_slower) {
        output.say(&format!("slower by more than {percent} %, for sure: {}", slower.join(", ")));
    }
    // Last, so that a full disk does not keep the answer from being seen.
    record::write_derived(&ended.path, check::VERSION, &report::derive(&summary))?;
    output.document(&json!({
        "run": run.id, "folder": ended.path, "baseline": rows[0].name, "slower": slower,
        "summary": summary,
    }));
    let code = measure::code(&ended, &run);
    Ok(if code == 0 && !slower.is_empty() { SLOWER } else { code })
}

impl Row<'_> {
    /// Returns the model under the name of the row.
    fn named(&self) -> Model {
        Model { name: self.name.clone(), ..self.model.clone() }
    }

    /// Returns the model of the row, ready to be built.
    fn prepared(&self, workspace: &Workspace) -> Result<Model> {
        match &self.version {
            None => Ok(self.named()),
            Some((package, wanted)) => {
                harness::prepare(workspace, (self.model, &self.name), (package, wanted))
            }
        }
    }
}

/// Reads what was named; a version that is named again gets a number.
fn rows<'a>(named: &[String], found: &'a [Model]) -> Result<Vec<Row<'a>>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (place, text) in named.iter().enumerate() {
        let mut row = row(text, found)?;
        let times = 1 + named[..place].iter().filter(|other| *other == text).count();
        if times > 1 && row.version.is_none() {
            let why = format!(
                "{text} is named twice: to compare it with itself, name its version twice, as in \
                 {text}@1.2.3 {text}@1.2.3"
            );
            return Err(Failure::Usage(why).into());
        }
        if times > 1 || rows.iter().any(|other| other.name == row.name) {
            row.name = format!("{}#{}", row.name, place + 1);
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Reads one row: `MODEL`, `MODEL@VERSION`, `MODEL@FOLDER` or either after `PACKAGE=`.
fn row<'a>(text: &str, found: &'a [Model]) -> Result<Row<'a>> {
    let (name, version) = match text.split_once('@') {
        None => (text, None),
        Some((name, version)) => (name, Some(version)),
    };
    let model = measure::known(found, name)?;
    let Some(version) = version else {
        return Ok(Row { model, name: name.to_owned(), version: None });
    };
    if model.language.is_some() {
        let why = format!("{name} is not built by cargo: only models in Rust have versions here");
        return Err(Failure::Usage(why).into());
    }
    let (package, version) = match version.split_once('=') {
        Some((package, version)) => (package.to_owned(), version),
        None => (model.runtime.clone().with_context(|| no_runtime(name, version))?, version),
    };
    let wanted = wanted(version)?;
    let shown = match &wanted {
        Wanted::Checkout(path) => last_name(path),
        Wanted::Published(_) => version.to_owned(),
    };
    let of = match model.runtime.as_deref() == Some(&package) {
        true => String::new(),
        false => format!("{package}="),
    };
    Ok(Row { model, name: format!("{name}@{of}{shown}"), version: Some((package, wanted)) })
}

/// Reads a version, or a folder, which has a slash or begins with a dot.
fn wanted(text: &str) -> Result<Wanted> {
    if text.contains('/') || text.starts_with('.') {
        let path = Path::new(text);
        let no_folder = || Failure::Usage(format!("there is no folder {text}, to hold a checkout"));
        return Ok(Wanted::Checkout(path.canonicalize().map_err(|_| no_folder())?));
    }
    let is_version = text.starts_with(|first: char| first.is_ascii_digit())
        && text.split(['.', '-', '+']).count() >= 3;
    if !is_version {
        let why = format!(
            "{text:?} is no version: expected three numbers such as 1.50.0, or a folder such as \
             ../tokio"
        );
        return Err(Failure::Usage(why).into());
    }
    Ok(Wanted::Published(text.to_owned()))
}

/// Returns what a folder is called, as far as a row may be.
fn last_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let plain =
        |sign: char| if sign.is_alphanumeric() || "-_.".contains(sign) { sign } else { '-' };
    name.unwrap_or_else(|| "checkout".to_owned()).chars().map(plain).collect()
}

/// Says that a model names no package that versions are of.
fn no_runtime(name: &str, version: &str) -> Failure {
    Failure::Usage(format!(
        "{name} names no package that it is a model of: say which, as in {name}@PACKAGE={version}"
    ))
}

/// Returns what is measured.
fn preset(asked: &Versions, baseline: &str) -> Result<Preset> {
    let mut preset = harness::of_versions(baseline);
    if !asked.cell.is_empty() {
        preset.cells = measure::cells(&preset, &asked.cell)?;
    }
    preset.cells = asked.numbers.cell().map_or(preset.cells, |cell| vec![cell]);
    if let Some(blocks) = asked.blocks {
        preset.set_blocks(blocks);
    }
    Ok(preset)
}
