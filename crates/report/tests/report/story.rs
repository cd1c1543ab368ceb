//! A small run with fixed values, written to a folder and read back like any other.

use model_kit::{Cell, Workload};
use record::{Control, Entry, Environment, Resume, Run, RunFolder, Schedule, State, TrialRecord};
use serde_json::{Value, from_value, json};

/// The model that ratios are taken against.
pub(crate) const BASELINE: &str = "tokio";
/// The model that excess is taken over.
pub(crate) const FLOOR: &str = "event-loop";
/// A control of the baseline, and the share that is added.
pub(crate) const CONTROL: (&str, u32) = ("tokio+5%", 5);
/// Fetches in a window.
const FETCHES: u64 = 1_000;

/// What a fetch costs on each model, in nanoseconds, before noise.
const COSTS: [(&str, u64); 8] = [
    ("event-loop", 14_000),
    ("iterator", 15_400),
    ("rayon", 16_100),
    ("smol", 15_020),
    ("smol-hyper", 24_000),
    ("threads", 24_900),
    ("tokio", 15_000),
    ("tokio-reqwest", 29_500),
];

/// A run that has not been written yet.
pub(crate) struct Story {
    /// What was decided before.
    pub(crate) schedule: Schedule,
    /// The lines of its journal.
    pub(crate) entries: Vec<Entry>,
}

impl Story {
    /// Tells a run of one steady cell in which nothing went wrong.
    pub(crate) fn of(preset: &str, blocks: u32) -> Self {
        Self::told(schedule(preset, &[(steady(), blocks)]))
    }

    /// Tells what happens if nothing goes wrong.
    pub(crate) fn told(schedule: Schedule) -> Self {
        let mut entries = Vec::new();
        for block in &schedule.blocks {
            for (position, model) in (0..).zip(&block.order) {
                entries.push(trial((block.number, position), (&block.cell, model)));
            }
        }
        Self { schedule, entries }
    }

    /// Returns the trials of a model in a cell, to be changed.
    pub(crate) fn trials(&mut self, model: &str, cell: &str) -> Vec<&mut TrialRecord> {
        let trials = self.entries.iter_mut().filter_map(|entry| match entry {
            Entry::Trial(trial) => Some(&mut **trial),
            _ => None,
        });
        trials.filter(|trial| trial.model == model && trial.cell == cell).collect()
    }

    /// Writes the run into a new folder under a path.
    pub(crate) fn write(&self, results: &std::path::Path) -> std::path::PathBuf {
        let mut folder = RunFolder::create(results, &self.schedule, &environment()).unwrap();
        for entry in &self.entries {
            folder.append(entry).unwrap();
        }
        let path = folder.path().to_owned();
        folder.finish().unwrap();
        path
    }

    /// Writes the run and reads it back.
    pub(crate) fn run(&self) -> Run {
        let results = tempfile::tempdir().unwrap();
        Run::read(&self.write(results.path())).unwrap()
    }
}

/// Returns a steady cell.
pub(crate) fn steady() -> Cell {
    cell("steady", Workload::Steady)
}

/// Returns a batch.
pub(crate) fn batch() -> Cell {
    cell("batch", Workload::Batch)
}

/// Returns a schedule of cells, each with its number of blocks, with every model and the control.
pub(crate) fn schedule(preset: &str, cells: &[(Cell, u32)]) -> Schedule {
    let mut blocks = Vec::new();
    for (cell, count) in cells {
        for _ in 0..*count {
            let number = blocks.len();
            let mut order = order(&cell.name);
            let turn = number % order.len();
            order.rotate_left(turn);
            blocks.push(json!({ "number": number, "cell": cell.name, "seed": 7, "order": order }));
        }
    }
    let models: Vec<Value> = COSTS.iter().map(|(name, _)| model(name)).collect();
    let (name, percent) = CONTROL;
    let control = Control { name: name.to_owned(), model: BASELINE.to_owned(), percent };
    let absent =
        json!([{ "cell": "steady", "model": "iterator", "reason": "one in flight by design" }]);
    let schedule = json!({
        "schema": "inflight.schedule/1.1",
        "version": "0.1.0",
        "preset": preset,
        "seed": 1,
        "placement": { "model_cpus": [1], "origin_cpus": [0], "workers": 1, "shards": 1,
            "awake": true },
        "cells": cells.iter().map(|(cell, _)| cell).collect::<Vec<_>>(),
        "models": models,
        "absent": absent,
        "blocks": blocks,
        "controls": [control],
    });
    from_value(schedule).unwrap()
}

/// Returns what a figure of a run shows.
pub(crate) fn figures(run: &Run) -> report::CellFigures {
    report::figures(run, BASELINE, FLOOR).cells.remove(0)
}

/// Returns the row of a model.
pub(crate) fn row<'a>(cell: &'a report::CellFigures, model: &str) -> &'a report::Row {
    cell.rows.iter().find(|row| row.model == model).unwrap()
}

/// Marks a trial as void for a reason.
pub(crate) fn void(trial: &mut TrialRecord, reason: &str) {
    trial.state = State::Void(vec![reason.to_owned()]);
}

/// Returns a cell of 64 slots.
fn cell(name: &str, workload: Workload) -> Cell {
    let warmup = if workload == Workload::Steady { 400 } else { 0 };
    from_value(json!({
        "name": name, "workload": workload, "in_flight": 64, "warmup": warmup,
        "fetches": FETCHES, "delay_ms": [16, 48], "body_bytes": 128,
    }))
    .unwrap()
}

/// Returns who runs in a block of a cell: the baseline twice.
fn order(cell: &str) -> Vec<&'static str> {
    let models = COSTS.iter().map(|(name, _)| *name);
    let models = models.filter(|name| cell != "steady" || *name != "iterator");
    models.chain([BASELINE, CONTROL.0]).collect()
}

/// Returns a model as its manifest describes it.
fn model(name: &str) -> Value {
    let client = name.split_once('-').filter(|(bare, _)| *bare != "event");
    let client = client.map_or("bare", |(_, client)| client);
    json!({
        "name": name, "package": format!("model-{name}"), "label": name, "unit": "task",
        "client": client, "threads": "1",
    })
}

/// Returns what happens in a trial: a cost with noise of at most 0.8 %, and rare stalls of rayon.
fn trial((block, position): (u32, u32), (cell, model): (&str, &str)) -> Entry {
    let program = model.split('+').next().unwrap_or(model);
    let cost = COSTS.iter().find(|(name, _)| *name == program).unwrap().1;
    let noise = model_kit::content::split_mix_64(u64::from(block * 100 + position)) % 17;
    let (number, denominator) = match model {
        "rayon" if block % 9 == 4 => (3, 1),
        _ if model == CONTROL.0 => (105, 100),
        _ => (1, 1),
    };
    let cpu_ns = cost * FETCHES / 1_000 * (992 + noise) * number / denominator;
    let record = json!({
        "block": block, "position": position, "cell": cell, "model": model,
        "started_utc": "2026-11-22T10:15:02Z", "spent_ms": 950, "state": "valid", "versions": {},
        "receipt": null,
        "trial": {
            "window": {
                "ended": FETCHES, "ok": FETCHES, "wall_ns": 620_000_000 + 1_000_000 * noise,
                "cpu_ns": cpu_ns, "user_ns": 0, "system_ns": cpu_ns,
                "switches_voluntary": 400 + noise, "switches_involuntary": noise,
                "faults_minor": 12,
            },
            "total": { "issued": FETCHES + 464, "ok": FETCHES + 464, "errors": {} },
            "threads": 1, "in_flight_peak": 64, "windows": [],
            "latencies_ns": [[31_000_000 + noise, 900], [48_000_000, 90], [52_000_000, 10]],
        },
    });
    Entry::Trial(Box::new(from_value(record).unwrap()))
}

/// Returns the line that says that a run went on with its first block.
pub(crate) fn resume() -> Resume {
    Resume {
        at_utc: "2026-11-22T11:00:00Z".to_owned(),
        block: 0,
        sitting: 0,
        programs_sha256: [].into(),
    }
}

/// Returns a machine.
fn environment() -> Environment {
    from_value(json!({
        "schema": "inflight.environment/1.0", "cpu": "AMD EPYC", "cpus": 2, "kind": "vm",
        "memory_mib": 24_000, "kernel": "6.18.0", "irq_time_accounting": "off",
        "clocksource": "kvm-clock", "governor": "unknown", "tcp_congestion_control": "cubic",
        "rustc": "rustc 1.95.0", "rustflags": "", "profile": "release, thin LTO, one codegen unit",
        "commit": "unknown", "modified": "no", "cargo_lock_sha256": "unknown",
        "origin": "wiremock 0.6.5", "programs_sha256": {},
    }))
    .unwrap()
}
