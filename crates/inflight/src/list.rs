//! `list`: the models, cells and runs that there are.

use anyhow::Result;
use record::{Integrity, Run, State};
use serde_json::json;

use crate::arguments::Listed;
use crate::output::Output;
use crate::place;

/// Lists what there is.
pub(crate) fn list(what: Listed, output: &mut Output) -> Result<u8> {
    match what {
        Listed::Models => models(output)?,
        Listed::Cells => cells(output),
        Listed::Runs => runs(output),
    }
    Ok(0)
}

/// Lists the models that were found.
fn models(output: &mut Output) -> Result<()> {
    let models = harness::find(&place::workspace()?, "crates")?;
    for model in &models {
        let bound = model.max_in_flight.map_or_else(String::new, |max| format!(", at most {max}"));
        output.say(&format!(
            "{:<18} {:<34} unit: {}{bound}; client: {}",
            model.name, model.label, model.unit, model.client
        ));
    }
    output.tell(&models);
    Ok(())
}

/// Lists the cells of each preset.
fn cells(output: &mut Output) {
    let presets = harness::PRESETS.iter().filter_map(|name| harness::preset(name));
    let presets: Vec<_> = presets.collect();
    for preset in &presets {
        let sittings = match preset.sittings.len() {
            0 | 1 => String::new(),
            count => format!("{count} sittings of "),
        };
        output.say(&format!("{}: {sittings}{} blocks a cell", preset.name, preset.blocks));
        for cell in &preset.cells {
            output.say(&format!("  {}", report::heading(cell)));
        }
    }
    let told = presets.iter().map(
        |preset| json!({ "preset": preset.name, "blocks": preset.blocks, "cells": preset.cells }),
    );
    output.tell(&told.collect::<Vec<_>>());
}

/// Lists the runs, the oldest first, those that cannot be read included.
fn runs(output: &mut Output) {
    let results = place::results();
    let mut told = Vec::new();
    for name in place::runs(&results) {
        let row = match Run::read(&results.join(&name)) {
            Ok(run) => {
                let state = match &run.integrity {
                    Integrity::Whole => "whole".to_owned(),
                    Integrity::Unfinished => "unfinished".to_owned(),
                    Integrity::Altered(files) => format!("altered: {}", files.join(", ")),
                };
                let valid = run.trials.iter().filter(|t| t.state == State::Valid).count();
                let (preset, trials) = (&run.schedule.preset, run.trials.len());
                output.say(&format!(
                    "{name}  {preset:<8}  {valid} of {trials} trials valid  {state}"
                ));
                json!({ "run": name, "preset": preset, "trials": trials, "valid": valid,
                        "state": state })
            }
            Err(error) => {
                output.say(&format!("{name}  cannot be read: {error:#}"));
                json!({ "run": name, "state": format!("cannot be read: {error:#}") })
            }
        };
        told.push(row);
    }
    if told.is_empty() {
        output.say("there is no run yet: `cargo bench` or `inflight run` makes one");
    }
    output.tell(&told);
}
