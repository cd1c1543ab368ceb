//! `list`: the models, cells, runs and faults that there are.

use std::path::PathBuf;

use anyhow::Result;
use harness::Preset;
use model_kit::Cell;
use record::{Brief, INFLIGHT};
use serde_json::json;

use crate::asked::Listed;
use crate::output::Output;
use crate::place;

/// Lists what there is, models in some folders outside the repository too.
pub(crate) fn list(what: Listed, outside: &[PathBuf], output: &mut Output) -> Result<u8> {
    match what {
        Listed::Models => models(outside, output)?,
        Listed::Cells => cells(output),
        Listed::Runs => runs(output),
        Listed::Faults => faults(output),
    }
    Ok(0)
}

/// Lists the models that were found.
fn models(outside: &[PathBuf], output: &mut Output) -> Result<()> {
    let models = harness::find(&place::workspace()?.with_models(outside)?, "crates")?;
    for model in &models {
        let bound = model.max_in_flight.map_or_else(String::new, |max| format!(", at most {max}"));
        output.say(&format!(
            "{:<22} {:<41} unit: {}{bound}; client: {}",
            model.name, model.label, model.unit, model.client
        ));
    }
    output.document(&models);
    Ok(())
}

/// Lists the cells of each preset.
fn cells(output: &mut Output) {
    let presets: Vec<_> = harness::presets().collect();
    for preset in &presets {
        let sessions = match preset.sessions.len() {
            0 | 1 => String::new(),
            count => format!("{count} sessions of "),
        };
        let primitives = match (preset.cells.is_empty(), preset.primitives.blocks) {
            (true, 0) => "no cells".to_owned(),
            (true, blocks) => format!("the primitives, {blocks} blocks"),
            (false, 0) => "these cells".to_owned(),
            (false, blocks) => format!("these cells; the primitives, {blocks} blocks"),
        };
        output.say(&format!("{}: {sessions}{primitives}", preset.name));
        for (cell, blocks) in cells_of(preset) {
            output.say(&format!("  {}: {blocks} blocks", report::heading(&cell)));
        }
    }
    let reported = presets.iter().map(|preset| {
        let (cells, blocks): (Vec<Cell>, Vec<u32>) = cells_of(preset).unzip();
        json!({ "preset": preset.name, "blocks": blocks, "cells": cells })
    });
    output.document(&reported.collect::<Vec<_>>());
}

/// Returns the cells of a preset, those in which fetches are held last, each with its blocks.
fn cells_of(preset: &Preset) -> impl Iterator<Item = (Cell, u32)> {
    let cells = preset.cells.iter().map(|cell| (cell.clone(), preset.blocks_of(cell)));
    cells.chain(preset.holds.cells().into_iter().map(|cell| (cell, preset.holds.blocks)))
}

/// Lists what an origin does to a model in `verify --faults`, and what a bare model says of it.
fn faults(output: &mut Output) {
    let mut reported = Vec::new();
    for case in harness::fault_cases() {
        let expected = case.expected();
        output.say(&format!("{}  {:<24} {expected}", case.row, case.name));
        reported.push(json!({ "row": case.row, "fault": case.name, "bare_model": expected }));
    }
    output.document(&reported);
}

/// Lists the runs, the oldest first, those that cannot be read included. Only their schedules are
/// looked at, so that a thousand are listed at once.
fn runs(output: &mut Output) {
    let results = place::results();
    let mut reported = Vec::new();
    for (name, path) in record::runs(&results) {
        reported.push(match Brief::read(&path) {
            Ok(run) => {
                let state = if run.is_complete { "complete" } else { "unfinished" };
                output.say(&format!(
                    "{name}  {:<8}  {} models  {} blocks  {} turns  {state:<10}  {}",
                    run.preset,
                    run.models,
                    run.blocks,
                    run.turns,
                    run.cells.join(" ")
                ));
                json!({ "run": name, "version": run.version, "preset": run.preset,
                        "cells": run.cells, "models": run.models, "blocks": run.blocks,
                        "turns": run.turns, "state": state })
            }
            Err(error) => {
                output.say(&format!("{name}  cannot be read: {error:#}"));
                json!({ "run": name, "state": format!("cannot be read: {error:#}") })
            }
        });
    }
    if reported.is_empty() {
        output.say(&format!("there is no run yet: `cargo bench` or `{INFLIGHT} run` makes one"));
    }
    output.document(&reported);
}
