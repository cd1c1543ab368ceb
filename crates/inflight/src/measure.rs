//! `run` and `verify`: whatever builds models and lets them fetch.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use harness::{
    Agreement, BASELINE, Basis, Ended, FLOOR, Failure, FaultVerified, Holds, How, Preset, RunLock,
    Workspace,
};
use model_kit::Cell;
use record::{Environment, INFLIGHT, Model, Run, State};
use serde_json::json;

use crate::asked::{Request, Selection, Verification};
use crate::output::{Output, Tone};
use crate::rows::{self, Row};
use crate::{answer, check, place};

/// What verification that failed exits with.
const VERIFICATION_FAILED: u8 = 3;
/// What a run exits with in which a model did something wrong.
pub(crate) const NOT_SOUND: u8 = 4;

/// Measures, or goes on measuring, and prints what came of it.
pub(crate) fn run(request: &Request, output: &mut Output) -> Result<u8> {
    let workspace = place::workspace()?.with_models(&request.selection.outside)?;
    let ended = match &request.resume {
        Some(name) => resume(&workspace, (name, request.out.as_deref()))?,
        None => {
            let (mut ordered, rows) = ordered(request, workspace)?;
            if request.dry_run {
                return dry_run(&ordered, output);
            }
            let lock = harness::claim(&ordered)?;
            rows::prepare(&rows, &mut ordered.models, &ordered.workspace)?;
            harness::measure_claimed(&ordered, lock)?
        }
    };
    show(&ended, request.verbose, output)
}

/// Verifies each model on each cell, or on each fault.
pub(crate) fn verify(asked: &Verification, output: &mut Output) -> Result<u8> {
    let selection = &asked.selection;
    let workspace = place::workspace()?.with_models(&selection.outside)?;
    if asked.faults {
        return verify_faults(&workspace, selection, output);
    }
    let mut preset = preset("smoke")?;
    preset.cells = unheld(&preset, &selection.cell)?;
    let models = chosen(&harness::find(&workspace, "crates")?, &selection.models, Implied::None)?;
    let needs = (preset.cells.as_slice(), models.as_slice());
    harness::preflight((&workspace.root, Some(&workspace.target)), None, needs)?;
    let _lock = RunLock::beside_no_run()?;
    can_run(&workspace, &models, &selection.models)?;
    let programs = harness::build(&workspace, (&models, &[]))?;
    let verified = harness::verify((models, Vec::new(), preset), &programs, &mut |one| {
        output.mark(if one.works { Tone::Good } else { Tone::Bad }, &one.line());
        Ok(())
    })?;
    let works = verified.iter().all(|one| one.works);
    let reported = verified.iter().map(
        |one| json!({ "cell": one.cell, "model": one.model, "works": one.works, "says": one.says }),
    );
    output.document(&json!({ "works": works, "verified": reported.collect::<Vec<_>>() }));
    Ok(if works { 0 } else { VERIFICATION_FAILED })
}

/// Holds each model against every fault.
fn verify_faults(workspace: &Workspace, asked: &Selection, output: &mut Output) -> Result<u8> {
    let models = chosen(&harness::find(workspace, "crates")?, &asked.models, Implied::None)?;
    harness::preflight((&workspace.root, Some(&workspace.target)), None, (&[], &models))?;
    let _lock = RunLock::beside_no_run()?;
    can_run(workspace, &models, &asked.models)?;
    let programs = harness::build(workspace, (&models, &[]))?;
    let verified = harness::verify_faults(&models, &programs, &mut |one| {
        let tone = match one.agreement {
            Agreement::Agrees => Tone::Good,
            Agreement::Quirk(_) => Tone::Doubtful,
            Agreement::Fails(_) => Tone::Bad,
        };
        output.mark(tone, &one.line());
        Ok(())
    })?;
    let works = verified.iter().all(FaultVerified::works);
    let reported = verified.iter().map(|one| {
        let (agreement, says) = match &one.agreement {
            Agreement::Agrees => ("agrees", ""),
            Agreement::Quirk(what) => ("quirk", what.as_str()),
            Agreement::Fails(why) => ("fails", why.as_str()),
        };
        json!({
            "row": one.row, "fault": one.fault, "model": one.model, "failures": one.failures,
            "agreement": agreement, "says": says,
        })
    });
    output.document(&json!({ "works": works, "verified": reported.collect::<Vec<_>>() }));
    Ok(if works { 0 } else { VERIFICATION_FAILED })
}

/// Goes on with a run that was cut short.
fn resume(workspace: &Workspace, (name, out): (&str, Option<&Path>)) -> Result<Ended> {
    let results = out.map_or_else(place::results, Path::to_owned);
    let path = match name {
        "" => harness::newest_unfinished(&results)?,
        name => place::run_in(&results, name)?,
    };
    harness::resume(workspace, &path)
}

/// Returns what is to be measured, and those rows of it that are built apart.
fn ordered(request: &Request, workspace: Workspace) -> Result<(harness::Request, Vec<Row>)> {
    let mut preset = preset(&request.preset)?;
    preset.holds = holds(&preset, &request.selection.cell);
    preset.cells = cells(&preset, &request.selection.cell)?;
    let has_primitives = preset.primitives.blocks > 0;
    if let Some(blocks) = request.blocks {
        preset.set_blocks(blocks);
        preset.stop = None;
        preset.primitives.blocks = if has_primitives { blocks } else { 0 };
    }
    let found = match preset.cells.is_empty() && preset.holds.levels.is_empty() {
        true => Vec::new(),
        false => harness::find(&workspace, "crates")?,
    };
    let (models, rows) = selected(request, (&preset, found))?;
    let results = request.out.clone().unwrap_or_else(|| workspace.root.join("results"));
    let primitives = match request.selection.names_all() && has_primitives {
        true => harness::find_primitives(&workspace, "crates")?,
        false => Vec::new(),
    };
    let (seed, supersedes) = (request.seed, request.supersedes.clone());
    let ordered = harness::Request {
        workspace,
        results,
        preset,
        models,
        primitives,
        seed,
        supersedes,
        origin: request.origin,
        workers: request.workers.workers(),
    };
    Ok((ordered, rows))
}

/// Returns the models that are to be measured, and those rows of them that are built apart.
fn selected(
    request: &Request,
    (preset, found): (&Preset, Vec<Model>),
) -> Result<(Vec<Model>, Vec<Row>)> {
    let named = request.levers.on(&request.selection.models);
    let (apart, plain): (Vec<String>, Vec<String>) =
        named.into_iter().partition(|text| rows::is_apart(text));
    let rows = rows::rows(&apart, &found)?;
    let mut models = match plain.as_slice() {
        [] if !rows.is_empty() => {
            let is_implied = |model: &&Model| [BASELINE, FLOOR].contains(&model.name.as_str());
            found.iter().filter(is_implied).cloned().collect()
        }
        [] if request.levers.is_any() => return Err(of_no_model().into()),
        [] if request.all => found,
        [] => preset.takes(&found),
        named => chosen(&found, named, Implied::BaselineAndFloor)?,
    };
    models.extend(rows.iter().map(Row::named));
    Ok((models, rows))
}

/// Says that levers are those of models that are named.
fn of_no_model() -> Failure {
    Failure::Usage(format!(
        "--feature, --cfg and --allocator are for models that are named, as in `{INFLIGHT} run \
         tokio --allocator mimalloc`"
    ))
}

/// Prints what would be measured.
fn dry_run(request: &harness::Request, output: &mut Output) -> Result<u8> {
    let (preset, placement) = request.placed()?;
    let schedule = harness::draw(Basis {
        preset,
        models: request.models.clone(),
        missing: Vec::new(),
        programs: request.primitives.clone(),
        seed: request.seed.unwrap_or_default(),
        placement,
        probes: Vec::new(),
    });
    let machine = Environment::read(&request.workspace.root, "none", [].into());
    let earlier = harness::earlier(&request.results, &machine, &schedule.cells);
    let forecast = harness::forecast(&schedule, &earlier);
    let models: Vec<&str> = schedule.models.iter().map(|model| model.name.as_str()).collect();
    output.say(&format!("{} models: {}", models.len(), models.join(", ")));
    for cell in schedule.cells.iter().chain(&schedule.holds) {
        output.say(&report::heading(cell));
    }
    if !schedule.operations.is_empty() {
        let (primitives, programs) = (schedule.operations.len(), schedule.programs.len());
        output.say(&format!("{primitives} primitives of {programs} programs"));
    }
    for line in &forecast.lines {
        output.say(line);
    }
    if earlier.is_empty() {
        output.say("what it could show is known after a first run here");
    }
    output.document(&json!({
        "preset": schedule.preset, "origin": schedule.placement.origin, "models": models,
        "cells": schedule.cells, "blocks": schedule.blocks.len(),
        "minutes_max": forecast.minutes_max, "lines": forecast.lines,
    }));
    Ok(0)
}

/// Prints a run that has ended, however it did, and returns the exit code.
fn show(ended: &Ended, verbose: bool, output: &mut Output) -> Result<u8> {
    let run = Run::read(&ended.path)?;
    harness::writing_report();
    let summary = place::summary(&run);
    if verbose {
        answer::tables(&summary, output);
    }
    answer::answer(&summary, (&ended.path, &place::called(&ended.path)), output);
    if let How::Session(hours) = ended.how {
        let resume = format!("{INFLIGHT} run --resume {}", ended.path.display());
        output.say(&format!("this session is complete; go on with `{resume}` in {hours} hours"));
    }
    // Last, so that a full disk does not keep the answer from being seen.
    let derived = report::derive(&summary);
    record::write_derived(&ended.path, check::VERSION, &derived)?;
    let valid = run.turns.iter().filter(|trial| trial.state == State::Valid).count();
    output.document(&json!({
        "run": run.id, "folder": ended.path, "complete": ended.how == How::Complete,
        "turns": run.turns.len(), "valid": valid, "repeated": run.repeated.len(),
        "cut": run.cut.len(),
        "summary": summary, "trust": summary.trust,
    }));
    Ok(code(ended, &run))
}

/// Returns the exit code of a run.
pub(crate) fn code(ended: &Ended, run: &Run) -> u8 {
    match ended.how {
        How::Interrupted(code) => code,
        _ if !run.is_sound() => NOT_SOUND,
        _ => 0,
    }
}

/// Returns the model of that name.
pub(crate) fn known<'a>(found: &'a [Model], name: &str) -> Result<&'a Model> {
    let model = found.iter().find(|model| model.name == name);
    model.ok_or_else(|| {
        let meant = place::most_like(name, found.iter().map(|model| model.name.as_str()));
        unknown("model", name, meant).into()
    })
}

/// Who is measured beside the models that were named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Implied {
    /// Nobody.
    None,
    /// The baseline and the floor.
    BaselineAndFloor,
}

/// Returns the models that were named, all if none was, and those that go with them.
fn chosen(found: &[Model], names: &[String], implied: Implied) -> Result<Vec<Model>> {
    for (place, name) in names.iter().enumerate() {
        known(found, name)?;
        if names[..place].contains(name) {
            return Err(Failure::Usage(format!("the model {name:?} is named twice")).into());
        }
    }
    let goes_with =
        |name: &str| implied == Implied::BaselineAndFloor && [BASELINE, FLOOR].contains(&name);
    let is_chosen =
        |model: &&Model| names.is_empty() || names.contains(&model.name) || goes_with(&model.name);
    Ok(found.iter().filter(is_chosen).cloned().collect())
}

/// Checks that this machine has what the models need that were named: who asks whether a model
/// works gets no yes without a try. Of all models, those that are missing are reported as such.
pub(crate) fn can_run(workspace: &Workspace, models: &[Model], named: &[String]) -> Result<()> {
    let mut named = models.iter().filter(|model| named.contains(&model.name));
    match named.find_map(|model| harness::missing(workspace, model)) {
        None => Ok(()),
        Some(missing) => {
            Err(Failure::Preflight(format!("{} cannot run here: {missing}", missing.model)).into())
        }
    }
}

/// Returns the same as `cells`, where only `run` can measure a cell whose fetches are held.
pub(crate) fn unheld(preset: &Preset, names: &[String]) -> Result<Vec<Cell>> {
    let held = all_held();
    if let Some(cell) = held.iter().find(|cell| names.contains(&cell.name)) {
        let name = &cell.name;
        let why = format!("only `{INFLIGHT} run --cell {name}` measures {name}: name another cell");
        return Err(Failure::Usage(why).into());
    }
    cells(preset, names)
}

/// Returns the cells that were named, of this preset or else of any; all of the preset if none was.
pub(crate) fn cells(preset: &Preset, names: &[String]) -> Result<Vec<Cell>> {
    if names.is_empty() {
        return Ok(preset.cells.clone());
    }
    let others = harness::presets().flat_map(|preset| preset.cells);
    let mut all: Vec<Cell> = preset.cells.iter().cloned().chain(others).collect();
    let held = all_held();
    let known = || all.iter().chain(&held).map(|cell| cell.name.as_str());
    for name in names {
        if !known().any(|known| known == name) {
            let meant = place::most_like(name, known());
            return Err(unknown("cell", name, meant).into());
        }
    }
    let mut known = BTreeSet::new();
    all.retain(|cell| names.contains(&cell.name) && known.insert(cell.name.clone()));
    Ok(all)
}

/// Returns every level of what some preset holds.
fn all_held() -> Vec<Cell> {
    harness::presets().flat_map(|preset| preset.holds.cells()).collect()
}

/// Returns what is held: the levels that were named, of whichever preset they are; those of the
/// preset if no cell was.
fn holds(preset: &Preset, names: &[String]) -> Holds {
    if names.is_empty() {
        return preset.holds.clone();
    }
    let chosen = all_held().into_iter().filter(|cell| names.contains(&cell.name));
    let levels: BTreeSet<u32> = chosen.map(|cell| cell.in_flight).collect();
    let blocks = harness::presets().map(|preset| preset.holds.blocks).max().unwrap_or_default();
    Holds { levels: levels.into_iter().collect(), blocks }
}

/// Returns the preset of that name.
fn preset(name: &str) -> Result<Preset> {
    harness::preset(name).context("failed to find the preset")
}

/// Says that there is nothing of that name.
fn unknown(kind: &str, name: &str, meant: Option<&str>) -> Failure {
    Failure::Usage(match meant {
        Some(meant) => format!("there is no {kind} {name:?}: did you mean {meant:?}?"),
        None => format!("there is no {kind} {name:?}: `{INFLIGHT} list {kind}s` names them"),
    })
}
