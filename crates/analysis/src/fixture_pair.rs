//! Pairs of runs for tests, whose truth is known.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use record::{
    Block, BlockRecord, Environment, RoundRecord, Run, Schedule, State, StayRecord, TurnRecord,
};
use stats::random::SplitMix64;
use workload::pipe::{Total, Turned, Window};
use workload::{Cell, DelayRange, Workload};

use crate::fixture::{self, COPY, Fixture};

/// The models of a run, from the cheapest on; the second is the baseline.
pub const MODELS: [&str; 8] =
    ["loop", "tokio", "smol", "std", "reqwest", "hyper", "threads", "rayon"];
/// The model that has two turns in a round, and a second process in each block.
pub const BASELINE: &str = "tokio";
/// Rounds of each block.
const ROUNDS: usize = 3;

/// What a run is made from.
#[derive(Clone, Debug)]
pub struct PairFixture {
    /// Decides the noise.
    pub seed: u64,
    /// How many blocks each cell has.
    pub blocks: u32,
    /// The standard deviation of what the turns of a process share, in logarithmic cost.
    pub noise: f64,
    /// By how much the machine is slower, as a factor.
    pub machine: f64,
    /// Which models cost another factor.
    pub changed: Vec<(&'static str, f64)>,
    /// The models.
    pub models: Vec<&'static str>,
}

impl PairFixture {
    /// Returns the maker of a quiet run of 12 blocks.
    pub fn new(seed: u64) -> Self {
        let models = MODELS.to_vec();
        Self { seed, blocks: 12, noise: 0.01, machine: 1.0, changed: Vec::new(), models }
    }

    /// Makes the run: a batch and a steady cell, whose blocks drift by several percent. What is
    /// drawn for a participant in a block is what its turns share; a turn scatters by a tenth of
    /// it.
    pub fn run(&self) -> Run {
        let mut random = SplitMix64::new(self.seed);
        let mut run = empty(self);
        for block in run.schedule.blocks.clone() {
            let drift = self.machine * (0.05 * normal(&mut random)).exp();
            let mut levels: BTreeMap<&str, f64> = BTreeMap::new();
            for model in block.participants() {
                let level = (1.0 + 0.25 * place(model)) * drift * self.factor(model);
                levels.insert(model, level * (self.noise * heavy(&mut random)).exp());
            }
            for (round, order) in (0..).zip(&block.rounds) {
                for (position, model) in (0..).zip(order) {
                    let cost =
                        levels[model.as_str()] * (0.1 * self.noise * heavy(&mut random)).exp();
                    run.turns.push(turn(&block, (round, position), cost));
                }
                let (block, disturbed) = (block.number, Vec::new());
                run.rounds.push(RoundRecord { block, round, disturbed, host: None });
            }
            let stays = levels.into_keys().map(|name| (name.to_owned(), stay(name))).collect();
            run.blocks.push(BlockRecord { block: block.number, stays });
        }
        run
    }

    /// Returns by how much a model costs more.
    fn factor(&self, model: &str) -> f64 {
        let model = program(model);
        self.changed.iter().find(|(name, _)| *name == model).map_or(1.0, |(_, factor)| *factor)
    }
}

/// Returns the place of a model among all.
fn place(model: &str) -> f64 {
    let model = program(model);
    MODELS.iter().zip(0_u32..).find(|(name, _)| **name == model).map_or(0.0, |(_, i)| f64::from(i))
}

/// Returns the model that a participant runs.
fn program(name: &str) -> &str {
    name.split('+').next().unwrap_or(name)
}

/// Draws a number between 0 and 1, neither of them included.
fn unit(random: &mut SplitMix64) -> f64 {
    (f64::from(u32::try_from(random.word() >> 32).expect("it has 32 bits")) + 0.5)
        / 2.0_f64.powi(32)
}

/// Draws from the standard normal distribution.
fn normal(random: &mut SplitMix64) -> f64 {
    (-2.0 * unit(random).ln()).sqrt() * (TAU * unit(random)).cos()
}

/// Draws noise of which a tenth is five times as large.
fn heavy(random: &mut SplitMix64) -> f64 {
    let factor = if unit(random) < 0.1 { 5.0 } else { 1.0 };
    factor * normal(random)
}

/// Returns a cell.
fn cell(name: &str, workload: Workload) -> Cell {
    let delay_ms = DelayRange { lo: 32, hi: 32 };
    let name = name.to_owned();
    Cell {
        name,
        workload,
        in_flight: 64,
        warmup: 0,
        fetches: 1_000,
        delay_ms,
        body_bytes: 128,
        probe_period_us: 0,
        work_kib: 0,
    }
}

/// Returns a run in which nothing was measured yet.
fn empty(maker: &PairFixture) -> Run {
    let mut order: Vec<String> = maker.models.iter().map(|name| (*name).to_owned()).collect();
    if maker.models.contains(&BASELINE) {
        order.extend([COPY, BASELINE].map(str::to_owned));
    }
    let block = |(number, cell): (u32, &str)| {
        let (cell, rounds) = (cell.to_owned(), vec![order.clone(); ROUNDS]);
        Block { number, cell, seed: 1, rounds, session: 0 }
    };
    let cells = ["batch", "steady"].into_iter().cycle();
    let good = Fixture { blocks: 0, ..Fixture::good() }.run();
    let schedule = Schedule {
        preset: "test".to_owned(),
        seed: maker.seed,
        cells: vec![cell("batch", Workload::Batch), cell("steady", Workload::Steady)],
        models: maker.models.iter().copied().map(fixture::model).collect(),
        blocks: (0..2 * maker.blocks).zip(cells).map(block).collect(),
        controls: vec![fixture::control(COPY, 0)],
        probes: Vec::new(),
        quirks: None,
        ..good.schedule
    };
    let id = format!("run-{}", maker.seed);
    Run { id, environment: environment(), content_sha256: None, ..fixture::empty(schedule) }
}

/// Returns a machine.
fn environment() -> Environment {
    let reported = serde_json::json!({
        "schema": "inflight.environment/2.0", "cpu": "A CPU", "cpus": 2, "kind": "known",
        "memory_mib": 1, "kernel": "known", "irq_time_accounting": "off", "clocksource": "known",
        "governor": "known", "tcp_congestion_control": "known", "rustc": "rustc 1.95.0",
        "rustflags": "", "profile": "known", "commit": "known", "modified": "known",
        "cargo_lock_sha256": "known", "origin": "known", "programs_sha256": {},
        "build": {
            "rustc_chosen_by": "known", "rustc_wrapper": "known", "rustc_bootstrap": "known",
            "target": "known", "linker": "known", "incremental": "none",
            "config": { "replacements": "none", "variables": "none" },
        },
    });
    serde_json::from_value(reported).expect("it is a machine")
}

/// Returns a valid turn of a place in the order whose fetches cost 20 us of CPU time times `cost`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "costs are small")]
fn turn(block: &Block, (round, position): (u32, u32), cost: f64) -> TurnRecord {
    let ns = (cost * 2e7) as u64;
    let model = block.rounds[round as usize][position as usize].clone();
    let window = Window {
        ended: 1_000,
        ok: 1_000,
        wall_ns: 3 * ns,
        cpu_ns: ns,
        user_ns: 0,
        system_ns: 0,
        switches_voluntary: 0,
        switches_involuntary: 0,
        faults_minor: 0,
    };
    let total = Total { issued: 1_000, ok: 1_000, errors: BTreeMap::new(), extra_bytes: 0 };
    let turned = Turned {
        turn: round,
        window,
        total,
        threads: 1,
        in_flight_peak: 64,
        scheduled: None,
        latencies_ns: Vec::new(),
        wake_up_delays_ns: Vec::new(),
    };
    TurnRecord {
        block: block.number,
        round,
        position,
        cell: block.cell.clone(),
        model,
        started_utc: String::new(),
        spent_us: 0,
        state: State::Valid,
        asked: None,
        turned: Some(turned),
        receipt: None,
        charged_ns: None,
    }
}

/// Returns the stay of a participant.
fn stay(name: &str) -> StayRecord {
    let versions = [(program(name).to_owned(), "1.0.0".to_owned())].into();
    StayRecord { versions, ..StayRecord::default() }
}
