//! Made-up runs whose truth is known, for tests.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use model_kit::pipe::{Total, Trial, Window};
use model_kit::{Cell, DelayRange, Workload};
use record::{Block, Environment, Integrity, Model, Placement, Run, Schedule, State, TrialRecord};
use stats::random::SplitMix64;

/// The models of a made-up run, from the cheapest on; the second is the baseline.
pub(crate) const MODELS: [&str; 8] =
    ["loop", "tokio", "smol", "std", "reqwest", "hyper", "threads", "rayon"];
/// The model that runs twice in a block.
pub(crate) const BASELINE: &str = "tokio";

/// What a made-up run is made from.
#[derive(Clone, Debug)]
pub(crate) struct Maker {
    /// Decides the noise.
    pub(crate) seed: u64,
    /// How many blocks each cell has.
    pub(crate) blocks: u32,
    /// The standard deviation of a trial's own noise, in logarithmic cost.
    pub(crate) noise: f64,
    /// By how much the machine is slower, as a factor.
    pub(crate) machine: f64,
    /// Which models cost another factor.
    pub(crate) changed: Vec<(&'static str, f64)>,
    /// The models.
    pub(crate) models: Vec<&'static str>,
}

impl Maker {
    /// Returns the maker of a quiet run of 12 blocks.
    pub(crate) fn new(seed: u64) -> Self {
        let models = MODELS.to_vec();
        Self { seed, blocks: 12, noise: 0.01, machine: 1.0, changed: Vec::new(), models }
    }

    /// Makes the run: a batch and a steady cell, whose blocks drift by several percent.
    pub(crate) fn run(&self) -> Run {
        let mut random = SplitMix64::new(self.seed);
        let mut run = empty(self);
        for block in run.schedule.blocks.clone() {
            let drift = self.machine * (0.05 * normal(&mut random)).exp();
            for (model, position) in block.order.iter().zip(0..) {
                let level = (1.0 + 0.25 * place(model)) * drift * self.factor(model);
                let cost = level * (self.noise * heavy(&mut random)).exp();
                run.trials.push(trial(&block, position, cost));
            }
        }
        run
    }

    /// Returns by how much a model costs more.
    fn factor(&self, model: &str) -> f64 {
        self.changed.iter().find(|(name, _)| *name == model).map_or(1.0, |(_, factor)| *factor)
    }
}

/// Returns the place of a model among all.
fn place(model: &str) -> f64 {
    MODELS.iter().zip(0_u32..).find(|(name, _)| **name == model).map_or(0.0, |(_, i)| f64::from(i))
}

/// Draws a number between 0 and 1, neither of them included.
fn unit(random: &mut SplitMix64) -> f64 {
    (f64::from(u32::try_from(random.word() >> 32).unwrap()) + 0.5) / 2.0_f64.powi(32)
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
        heartbeat_us: 0,
        work_kib: 0,
    }
}

/// Returns a run without trials.
fn empty(maker: &Maker) -> Run {
    let order: Vec<String> =
        maker.models.iter().copied().chain([BASELINE]).map(str::to_owned).collect();
    let block = |(number, cell): (u32, &str)| {
        let (cell, order) = (cell.to_owned(), order.clone());
        Block { number, cell, seed: 1, order, sitting: 0 }
    };
    let cells = ["batch", "steady"].into_iter().cycle();
    let placement =
        Placement { model_cpus: vec![1], origin_cpus: vec![0], workers: 1, shards: 1, awake: true };
    let schedule = Schedule {
        schema: "inflight.schedule/1.3".to_owned(),
        version: "0.1.0".to_owned(),
        preset: "test".to_owned(),
        seed: maker.seed,
        placement,
        cells: vec![cell("batch", Workload::Batch), cell("steady", Workload::Steady)],
        models: maker.models.iter().copied().map(model).collect(),
        absent: Vec::new(),
        missing: Vec::new(),
        blocks: (0..2 * maker.blocks).zip(cells).map(block).collect(),
        controls: Vec::new(),
        probes: Vec::new(),
        stop: None,
        sittings: Vec::new(),
        supersedes: None,
        primitives: record::PrimitiveSchedule::default(),
        deviations: None,
        sweeps: Vec::new(),
    };
    Run {
        id: format!("run-{}", maker.seed),
        schedule,
        environment: environment(),
        trials: Vec::new(),
        cut: Vec::new(),
        primitives: record::PrimitiveTrials::default(),
        stops: Vec::new(),
        resumes: Vec::new(),
        integrity: Integrity::Whole,
        content_sha256: None,
    }
}

/// Returns a model.
fn model(name: &str) -> Model {
    Model {
        name: name.to_owned(),
        package: format!("model-{name}"),
        label: name.to_owned(),
        unit: "task".to_owned(),
        client: "bare".to_owned(),
        threads: "1".to_owned(),
        max_in_flight: None,
        connections: None,
        env: BTreeMap::new(),
        knobs: Vec::new(),
        language: None,
        baseline: None,
        requirements: Vec::new(),
    }
}

/// Returns a machine.
fn environment() -> Environment {
    let told = serde_json::json!({
        "schema": "inflight.environment/1.1", "cpu": "Made-up CPU", "cpus": 2, "kind": "known",
        "memory_mib": 1, "kernel": "known", "irq_time_accounting": "off", "clocksource": "known",
        "governor": "known", "tcp_congestion_control": "known", "rustc": "rustc 1.95.0",
        "rustflags": "", "profile": "known", "commit": "known", "modified": "known",
        "cargo_lock_sha256": "known", "origin": "known", "programs_sha256": {},
    });
    serde_json::from_value(told).unwrap()
}

/// Returns a valid trial whose fetches cost 20 us of CPU time times `cost`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "costs are small")]
fn trial(block: &Block, position: usize, cost: f64) -> TrialRecord {
    let ns = (cost * 2e7) as u64;
    let model = block.order[position].clone();
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
    TrialRecord {
        block: block.number,
        position: u32::try_from(position).unwrap(),
        cell: block.cell.clone(),
        versions: [(model.clone(), "1.0.0".to_owned())].into(),
        model,
        started_utc: String::new(),
        spent_ms: 0,
        state: State::Valid,
        trial: Some(Trial {
            window,
            total,
            threads: 1,
            in_flight_peak: 64,
            scheduled: None,
            windows: Vec::new(),
            latencies_ns: Vec::new(),
            beats_late_ns: Vec::new(),
        }),
        receipt: None,
        host: None,
    }
}
