//! A fixture run of the models of the house that keeps every law, so that whoever only needs a run
//! waits for none and depends on none that is published.

use std::collections::BTreeMap;

use harness::{BASELINE, Basis, Preset};
use model_kit::content::{first_id, split_mix_64};
use model_kit::pipe::{Scheduled, Total, Turned, Window};
use model_kit::{Cell, Plan, Receipt, Turn, bare_heads_digest, ids_digest};
use record::OriginKind;
use record::{
    Block, BlockRecord, Environment, Host, Model, Placement, Probe, RoundRecord, Run, Schedule,
    State, StayRecord, TurnRecord,
};
use rules::{Sizes, evaluate};

use super::{models_below, plan};

/// What a fetch costs the cheapest model, in nanoseconds of CPU time.
const COST_NS: u64 = 15_000;
/// What a fetch costs the origin.
const ORIGIN_NS: u64 = 35_000;
/// What a fetch takes beside its delay.
const OVERHEAD_NS: u64 = 1_000_000;
/// What the rounds of a fixture block are worth: one of a batch, and so many of a steady cell.
const ROUNDS: u32 = 3;
/// The environment of every fixture run.
const ENVIRONMENT: &str = include_str!("../../crates/record/tests/golden/environment-2.0.json");

/// Returns a fixture run of the cells of `quick` with so many blocks each.
pub(crate) fn fixture(blocks: u32) -> Run {
    carried_out(schedule(blocks, models_below("crates")))
}

/// Returns the run of a schedule in which nothing went wrong.
pub(crate) fn carried_out(schedule: Schedule) -> Run {
    let (mut turns, mut rounds, mut records) = (Vec::new(), Vec::new(), Vec::new());
    for block in &schedule.blocks {
        let own = turns_of(&schedule, block);
        rounds.extend((0..).zip(&block.rounds).map(|(round, _)| quiet(block.number, round)));
        records.push(BlockRecord { block: block.number, stays: stays(&schedule, block, &own) });
        turns.extend(own);
    }
    let environment = serde_json::from_str::<Environment>(ENVIRONMENT).expect("it is read");
    Run { turns, rounds, blocks: records, ..Run::new("made-up".to_owned(), schedule, environment) }
}

/// Draws the schedule of some models.
pub(crate) fn schedule(blocks: u32, models: Vec<Model>) -> Schedule {
    let preset = Preset { blocks, rounds: ROUNDS, ..harness::quick() };
    let probe = |cell: &Cell| Probe {
        cell: cell.name.clone(),
        ceiling_per_s: 18_000,
        floor_ns: COST_NS,
        baseline_ns: COST_NS,
        origin_ns: ORIGIN_NS,
    };
    let probes = preset.cells.iter().map(probe).collect();
    let missing = Vec::new();
    harness::draw(Basis {
        preset,
        models,
        missing,
        programs: Vec::new(),
        seed: 1,
        placement: two_cpus(),
        probes,
    })
}

/// Returns the placement of a machine with two CPUs.
fn two_cpus() -> Placement {
    Placement {
        model_cpus: vec![1],
        origin_cpus: vec![0],
        several_cpus: Vec::new(),
        workers: 1,
        shards: 1,
        awake: true,
        unequal_cores: false,
        origin: OriginKind::Wiremock,
    }
}

/// Returns the turns of a block.
fn turns_of(schedule: &Schedule, block: &Block) -> Vec<TurnRecord> {
    let names = block.participants();
    let mut next: BTreeMap<&str, u32> = BTreeMap::new();
    let mut turns = Vec::new();
    for (round, order) in (0..).zip(&block.rounds) {
        for (position, name) in (0..).zip(order) {
            let cell = schedule.cell(&block.cell).expect("it is scheduled");
            // Turn 0 of a process that stays has connected it.
            let first = u32::from(cell.workload.is_resident());
            let number = next.entry(name).or_insert(first);
            let place = names.iter().position(|other| other == name).expect("it takes part");
            let turn = Turn::of(cell, *number, first_id(place as u64, *number));
            *number += 1;
            turns.push(record((schedule, block), (round, position, name), turn));
        }
    }
    turns
}

/// Returns one turn.
fn record(
    (schedule, block): (&Schedule, &Block),
    (round, position, name): (u32, u32, &str),
    turn: Turn,
) -> TurnRecord {
    let model = schedule.model(name).expect("it is scheduled");
    let plan = planned(schedule, block, model);
    let draw = split_mix_64(u64::from(block.number * 10_000 + round * 100 + position)) % 17;
    let cost_ns = cost_ns(name) * (992 + draw) / 1_000;
    let turned = turned((model, &plan), turn, cost_ns);
    TurnRecord {
        block: block.number,
        round,
        position,
        cell: block.cell.clone(),
        model: name.to_owned(),
        started_utc: "2026-11-22T10:15:02Z".to_owned(),
        spent_us: 45_000 + draw,
        state: State::Valid,
        receipt: Some(receipt((model, &plan), turn)),
        asked: None,
        held: None,
        charged_ns: Some(cost_ns * turned.total.issued),
        turned: Some(turned),
    }
}

/// Returns the plan that a model receives in a block.
fn planned(schedule: &Schedule, block: &Block, model: &Model) -> Plan {
    let cell = schedule.cell(&block.cell).expect("it is scheduled");
    let in_flight = cell.in_flight.min(model.max_in_flight.unwrap_or(u32::MAX));
    let origins = vec![([127, 0, 0, 1], 4100).into()];
    Plan { seed: block.seed, ..plan(Cell { in_flight, ..cell.clone() }, origins) }
}

/// Returns what a fetch costs by the name of who makes it: any two differ, and a copy does not.
fn cost_ns(name: &str) -> u64 {
    let program = name.split('+').next().unwrap_or(name);
    let letters = program.bytes().fold(0, |sum, letter| split_mix_64(sum ^ u64::from(letter)));
    match program {
        BASELINE => COST_NS,
        _ => COST_NS + 300 + letters % COST_NS,
    }
}

/// Returns the latencies of so many fetches: each took its delay and a little.
fn latencies(cell: &Cell, fetches: u64) -> Vec<(u64, u64)> {
    let (lo, hi) = (cell.delay_ms.lo, cell.delay_ms.hi);
    let taken = |ms: u64| ms * 1_000_000 + OVERHEAD_NS;
    if lo == hi { vec![(taken(lo), fetches)] } else { halves(taken(lo), taken(hi), fetches) }
}

/// Returns so many latencies, half of them short and half of them long.
fn halves(short: u64, long: u64, fetches: u64) -> Vec<(u64, u64)> {
    vec![(short, fetches / 2), (long, fetches - fetches / 2)]
}

/// Returns what a model reports of a turn.
fn turned((model, plan): (&Model, &Plan), turn: Turn, cost_ns: u64) -> Turned {
    let (ids, fetches) = (turn.ids(&plan.cell), turn.fetches);
    let issued = ids.end - ids.start;
    let busy: u64 = latencies(&plan.cell, fetches).iter().map(|(ns, count)| ns * count).sum();
    let cpu_ns = cost_ns * fetches;
    let window = Window {
        ended: fetches,
        ok: fetches,
        wall_ns: busy / u64::from(plan.cell.slots()) + OVERHEAD_NS / 10,
        cpu_ns,
        pacer_ns: 0,
        user_ns: cpu_ns / 4,
        system_ns: cpu_ns - cpu_ns / 4,
        switches_voluntary: Some(40),
        switches_involuntary: Some(1),
        faults_minor: Some(3),
    };
    Turned {
        turn: turn.number,
        window,
        total: Total { issued, ok: issued, errors: BTreeMap::new(), extra_bytes: 0 },
        threads: evaluate(&model.threads, Sizes::of(plan, &turn)).expect("they are terms"),
        in_flight_peak: plan.cell.slots().into(),
        scheduled: Some(Scheduled { cpu_ns: cost_ns * issued, run_delay_ns: 1_000 }),
        latencies_ns: Vec::new(),
        wake_up_delays_ns: Vec::new(),
        responses_ns: Vec::new(),
        lags_ns: Vec::new(),
    }
}

/// Returns what the origin saw of a turn.
fn receipt((model, plan): (&Model, &Plan), turn: Turn) -> Receipt {
    let ids = turn.ids(&plan.cell);
    let answered = ids.end - ids.start;
    let connects = !plan.cell.workload.is_resident();
    let slots = plan.cell.slots();
    let digest = if model.is_bare() { bare_heads_digest(ids.clone()) } else { 1 };
    Receipt {
        answered,
        ids_digest: ids_digest(ids),
        heads_digest: digest,
        in_flight_peak_estimate: slots.into(),
        in_flight_mean_estimate: 0.97 * f64::from(slots),
        connections: Some(if connects { slots.into() } else { 0 }),
        delay_late_ms_p50_estimate: 1.1,
        delay_late_ms_p99_estimate: 1.4,
        delay_late_ms_max_estimate: 1.6,
        cpu_ns: ORIGIN_NS * answered,
        wall_ns: 4 * ORIGIN_NS * answered,
        listen_overflows: Some(0),
        listen_drops: Some(0),
        timeouts: Some(0),
        retransmits: Some(0),
        segments_in: Some(3 * answered),
        resident_kib: Some(9_000),
        ..Receipt::default()
    }
}

/// Returns the stays of a block whose turns are given.
fn stays(
    schedule: &Schedule,
    block: &Block,
    turned: &[TurnRecord],
) -> BTreeMap<String, StayRecord> {
    let cell = schedule.cell(&block.cell).expect("it is scheduled");
    let stay = |name: &str| {
        let own = turned.iter().filter(|turn| turn.model == name);
        let fetches = own.filter_map(|turn| Some(turn.turned.as_ref()?.window.ok)).sum();
        let is_resident = cell.workload.is_resident();
        StayRecord {
            versions: [("core".to_owned(), "1.0.0".to_owned())].into(),
            latencies_ns: latencies(cell, fetches),
            memory_peak_kib: 4_000,
            idle_wall_ns: if is_resident { 2_000_000_000 } else { 0 },
            ..StayRecord::default()
        }
    };
    block.participants().into_iter().map(|name| (name.to_owned(), stay(name))).collect()
}

/// Returns the record of a round in which the machine did nothing else.
fn quiet(block: u32, round: u32) -> RoundRecord {
    let host = Host {
        capacity_ns: 2_000_000_000,
        busy_ns: 500_000_000,
        models_ns: 200_000_000,
        origin_ns: 250_000_000,
        harness_ns: 30_000_000,
        probe_per_ms: 800,
        ..Host::default()
    };
    RoundRecord { block, round, disturbed: Vec::new(), host: Some(host) }
}
