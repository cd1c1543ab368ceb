//! A small run with fixed values, written to a folder and read back like any other.

use record::{
    Block, BlockRecord, Control, Entry, Environment, Resume, RoundRecord, Run, RunFolder, Schedule,
    State, StayRecord, TurnRecord,
};
use rules::Reason;
use serde_json::{Value, from_value, json};
use workload::{Cell, Workload};

/// The model that ratios are taken against.
pub(crate) const BASELINE: &str = "tokio";
/// The model that excess is taken over.
pub(crate) const FLOOR: &str = "event-loop";
/// The second process of the baseline, to which nothing is added.
pub(crate) const COPY: (&str, u32) = ("tokio+0%", 0);
/// A control of the baseline, and the share that is added.
pub(crate) const CONTROL: (&str, u32) = ("tokio+5%", 5);
/// Rounds of each block.
const ROUNDS: usize = 2;
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
pub(crate) struct RunFixture {
    /// What was decided before.
    pub(crate) schedule: Schedule,
    /// The lines of its journal.
    pub(crate) entries: Vec<Entry>,
}

impl RunFixture {
    /// Returns a run of one steady cell in which nothing went wrong.
    pub(crate) fn of(preset: &str, blocks: u32) -> Self {
        Self::by(schedule(preset, &[(steady(), blocks)]))
    }

    /// Says what happens if nothing goes wrong.
    pub(crate) fn by(schedule: Schedule) -> Self {
        let entries = schedule.blocks.iter().flat_map(measured).collect();
        Self { schedule, entries }
    }

    /// Returns the turns of a participant in a cell, to be changed.
    pub(crate) fn turns(&mut self, model: &str, cell: &str) -> Vec<&mut TurnRecord> {
        let turns = self.entries.iter_mut().filter_map(|entry| match entry {
            Entry::Turn(turn) => Some(&mut **turn),
            _ => None,
        });
        turns.filter(|turn| turn.model == model && turn.cell == cell).collect()
    }

    /// Returns the stays of a participant in all blocks, to be changed.
    pub(crate) fn stays(&mut self, model: &str) -> Vec<&mut StayRecord> {
        let stays = self.entries.iter_mut().filter_map(|entry| match entry {
            Entry::Block(block) => block.stays.get_mut(model),
            _ => None,
        });
        stays.collect()
    }

    /// Takes everything away that was measured from a block on.
    pub(crate) fn end_before(&mut self, block: u32) {
        self.entries.retain(|entry| block_of(entry).is_none_or(|number| number < block));
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

/// Returns a schedule of cells, each with its number of blocks, with every model and the controls.
pub(crate) fn schedule(preset: &str, cells: &[(Cell, u32)]) -> Schedule {
    let mut blocks = Vec::new();
    for (cell, count) in cells {
        for _ in 0..*count {
            let number = blocks.len();
            let rounds: Vec<_> =
                (0..ROUNDS).map(|round| order(&cell.name, number + round)).collect();
            let name = &cell.name;
            blocks.push(json!({ "number": number, "cell": name, "seed": 7, "rounds": rounds }));
        }
    }
    let models: Vec<Value> = COSTS.iter().map(|(name, _)| model(name)).collect();
    let control = |(name, percent): (&str, u32)| Control {
        name: name.to_owned(),
        model: BASELINE.to_owned(),
        percent,
    };
    let absent =
        json!([{ "cell": "steady", "model": "iterator", "reason": "one in flight by design" }]);
    let controls = [COPY, CONTROL].map(control);
    let is_citable = preset == "citable";
    let all = is_citable || preset == "standard";
    let schedule = json!({
        "schema": "inflight.schedule/2.0",
        "version": "0.2.0",
        "preset": preset,
        "family": if all { "all-pairs" } else { "against-baseline" },
        "is_citable": is_citable,
        "seed": 1,
        "placement": { "model_cpus": [1], "origin_cpus": [0], "workers": 1, "shards": 1,
            "awake": true },
        "cells": cells.iter().map(|(cell, _)| cell).collect::<Vec<_>>(),
        "models": models,
        "absent": absent,
        "blocks": blocks,
        "controls": controls,
    });
    from_value(schedule).unwrap()
}

/// Returns what a figure of a run shows.
pub(crate) fn figures(run: &Run) -> analysis::CellFigures {
    analysis::figures(run, BASELINE, FLOOR).cells.remove(0)
}

/// Returns the row of a model.
pub(crate) fn row<'a>(cell: &'a analysis::CellFigures, model: &str) -> &'a analysis::Row {
    cell.rows.iter().find(|row| row.model == model).unwrap()
}

/// Marks a turn as invalid for a reason.
pub(crate) fn invalid(turn: &mut TurnRecord, reason: Reason) {
    turn.state = State::Invalid(vec![reason]);
}

/// A reason that speaks against the model.
pub(crate) const CONNECTIONS: Reason = Reason::Connections { seen: 65, least: 64, most: 64 };
/// A reason that speaks against the origin.
pub(crate) const LATE: Reason = Reason::OriginLate { late_us: 3_500 };

/// Returns the block to which a line of the journal belongs.
pub(crate) fn block_of(entry: &Entry) -> Option<u32> {
    match entry {
        Entry::Turn(turn) => Some(turn.block),
        Entry::Round(round) => Some(round.block),
        Entry::Block(block) => Some(block.block),
        _ => None,
    }
}

/// Returns a cell of 64 slots.
fn cell(name: &str, workload: Workload) -> Cell {
    let warmup = if workload.is_resident() { 400 } else { 0 };
    from_value(json!({
        "name": name, "workload": workload, "in_flight": 64, "warmup": warmup,
        "fetches": FETCHES, "delay_ms": [16, 48], "body_bytes": 128,
    }))
    .unwrap()
}

/// Returns the order of a round of a cell, which differs from round to round; the baseline has two
/// turns in it.
fn order(cell: &str, number: usize) -> Vec<&'static str> {
    let models = COSTS.iter().map(|(name, _)| *name).filter(|name| *name != BASELINE);
    let models = models.filter(|name| cell != "steady" || *name != "iterator");
    let mut order: Vec<&str> = models.chain([COPY.0, CONTROL.0]).collect();
    let place = number % order.len();
    order.rotate_left(place);
    order.insert(4, BASELINE);
    order.insert(0, BASELINE);
    order
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

/// Returns what happens in a block if nothing goes wrong.
fn measured(block: &Block) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (round, order) in (0..).zip(&block.rounds) {
        let turns = (0..).zip(order).map(|(position, model)| {
            Entry::Turn(Box::new(turn((block.number, round, position), (&block.cell, model))))
        });
        entries.extend(turns);
        let (block, disturbed, host) = (block.number, Vec::new(), None);
        entries.push(Entry::Round(RoundRecord { block, round, disturbed, host }));
    }
    let stay = |name: &str| {
        let turns = block.rounds.iter().flatten().filter(|model| *model == name).count() as u64;
        let latencies_ns = [
            (31_000_000 + u64::from(block.number % 16), 900 * turns),
            (48_000_000, 90 * turns),
            (52_000_000, 10 * turns),
        ];
        let latencies_ns = latencies_ns.to_vec();
        (name.to_owned(), StayRecord { latencies_ns, ..StayRecord::default() })
    };
    let stays = block.participants().into_iter().map(stay).collect();
    entries.push(Entry::Block(Box::new(BlockRecord { block: block.number, stays })));
    entries
}

/// Returns what happens in a turn: a cost with noise of at most 0.8 %, and rare stalls of rayon.
fn turn((block, round, position): (u32, u32, u32), (cell, model): (&str, &str)) -> TurnRecord {
    let program = model.split('+').next().unwrap_or(model);
    let cost = COSTS.iter().find(|(name, _)| *name == program).unwrap().1;
    let place = u64::from(block * 1_000 + round * 100 + position);
    let noise = workload::content::split_mix_64(place) % 17;
    let (number, denominator) = match model {
        "rayon" if block % 9 == 4 => (3, 1),
        _ if model == CONTROL.0 => (105, 100),
        _ => (1, 1),
    };
    let cpu_ns = cost * FETCHES / 1_000 * (992 + noise) * number / denominator;
    let record = json!({
        "block": block, "round": round, "position": position, "cell": cell, "model": model,
        "started_utc": "2026-11-22T10:15:02Z", "spent_us": 950_000, "state": "valid",
        "turned": {
            "turn": round,
            "window": {
                "ended": FETCHES, "ok": FETCHES, "wall_ns": 620_000_000 + 1_000_000 * noise,
                "cpu_ns": cpu_ns, "user_ns": 0, "system_ns": cpu_ns,
                "switches_voluntary": 400 + noise, "switches_involuntary": noise,
                "faults_minor": 12,
            },
            "total": { "issued": FETCHES + 464, "ok": FETCHES + 464, "errors": {} },
            "threads": 1, "in_flight_peak": 64,
        },
    });
    from_value(record).unwrap()
}

/// Returns the line that says that a run went on with its first block.
pub(crate) fn resume() -> Resume {
    Resume {
        at_utc: "2026-11-22T11:00:00Z".to_owned(),
        block: 0,
        session: 0,
        programs_sha256: [].into(),
    }
}

/// Returns a machine.
fn environment() -> Environment {
    from_value(json!({
        "schema": "inflight.environment/2.0", "cpu": "AMD EPYC", "cpus": 2, "kind": "vm",
        "memory_mib": 24_000, "kernel": "6.18.0", "irq_time_accounting": "off",
        "clocksource": "kvm-clock", "governor": "unknown", "tcp_congestion_control": "cubic",
        "rustc": "rustc 1.95.0", "rustflags": "", "profile": "release, thin LTO, one codegen unit",
        "commit": "unknown", "modified": "no", "cargo_lock_sha256": "unknown",
        "origin": "wiremock 0.6.5", "programs_sha256": {},
    }))
    .unwrap()
}
