//! Made-up runs for tests: no process, no machine, the same bytes from the same seed.
//!
//! [`MadeUp::good`] is a run that every gate lets pass. A test changes what the run is made from
//! (`MadeUp { blocks: 3, ..MadeUp::good() }`), or makes it and then spoils it in one respect.

use std::collections::BTreeMap;

use model_kit::pipe::{Part, Scheduled, Total, Trial, Window};
use model_kit::{Cell, DelayRange, Receipt, Workload, ids_digest};
use record::{
    Block, Control, Environment, Host, Integrity, Model, Placement, Probe, Run, Schedule, State,
    TrialRecord,
};
use stats::random::SplitMix64;
use stats::williams;

/// The model that runs twice in a block.
pub(crate) const BASELINE: &str = "tokio";
/// The least that a model could cost.
pub(crate) const FLOOR: &str = "event-loop";
/// What a fetch costs the baseline, in nanoseconds of CPU time.
const COST_NS: f64 = 20_000.0;
/// What a fetch costs the origin, in nanoseconds of CPU time.
const ORIGIN_NS: f64 = 35_000.0;
/// How far the origin's timers are late, in milliseconds.
const LATE_MS: f64 = 1.1;
/// Segments that arrive for each fetch.
const SEGMENTS: f64 = 2.7;
/// The standard deviation of what all trials of a block share, in logarithms.
const BLOCK_NOISE: f64 = 0.01;
/// The windows that a trial is divided into.
const PARTS: u64 = 20;
/// Connections, warm-up and all else before a window opens, in nanoseconds.
const BEFORE_NS: f64 = 250e6;

/// What a run is made from.
#[derive(Clone, Debug)]
pub(crate) struct MadeUp {
    /// The preset that the schedule names.
    pub(crate) preset: &'static str,
    /// The cells; each pass visits all of them.
    pub(crate) cells: Vec<Cell>,
    /// The models with their costs, in times the baseline's; `a-b` is `a` with the client `b`.
    pub(crate) models: Vec<(&'static str, f64)>,
    /// Models that run once more with busy work added: what they are called, and the percentage.
    pub(crate) controls: Vec<(&'static str, u32)>,
    /// Blocks of each cell.
    pub(crate) blocks: u32,
    /// The standard deviation of a trial's cost, in logarithms.
    pub(crate) noise: f64,
    /// Decides orders and noise.
    pub(crate) seed: u64,
}

impl MadeUp {
    /// What a run is made from that every gate lets pass.
    pub(crate) fn good() -> Self {
        let models = [(FLOOR, 0.9), (BASELINE, 1.0), ("smol", 1.04), ("threads", 1.5)];
        Self {
            preset: "standard",
            cells: vec![cell(Workload::Batch), cell(Workload::Steady)],
            models: [&models[..], &[("tokio-reqwest", 2.0)]].concat(),
            controls: vec![("tokio+5%", 5)],
            blocks: 14,
            noise: 0.004,
            seed: 7,
        }
    }

    /// Makes the run.
    pub(crate) fn run(&self) -> Run {
        let mut draws = SplitMix64::new(self.seed);
        let schedule = self.schedule(&mut draws);
        let mut trials = Vec::new();
        for block in &schedule.blocks {
            let shared = (BLOCK_NOISE * normal(&mut draws)).exp();
            for (position, name) in (0..).zip(&block.order) {
                let factor = shared * (self.noise * normal(&mut draws)).exp() * self.factor(name);
                let cell = schedule.cell(&block.cell).expect("the cell is scheduled");
                trials.push(record((block, cell), (position, name), (factor, &mut draws)));
            }
        }
        Run {
            id: "20261122T101502Z-2c-vm-7f3a91c4".to_owned(),
            schedule,
            environment: environment(),
            trials,
            cut: Vec::new(),
            primitives: record::PrimitiveTrials::default(),
            stops: Vec::new(),
            resumes: Vec::new(),
            integrity: Integrity::Whole,
            content_sha256: Some("9f86d081884c7d659a2feaa0c55ad015".repeat(2)),
        }
    }

    /// Returns the cost of a model or a control, in times the baseline's.
    fn factor(&self, name: &str) -> f64 {
        let model = self.models.iter().find(|(model, _)| *model == name);
        let control = self.controls.iter().find(|(control, _)| *control == name);
        match (model, control) {
            (Some((_, factor)), _) => *factor,
            (None, Some((_, percent))) => 1.0 + f64::from(*percent) / 100.0,
            (None, None) => 1.0,
        }
    }

    /// Draws the schedule.
    fn schedule(&self, draws: &mut SplitMix64) -> Schedule {
        let names = self.models.iter().map(|(name, _)| *name).chain([BASELINE]);
        let names = names.chain(self.controls.iter().map(|(name, _)| *name));
        let names: Vec<String> = names.map(str::to_owned).collect();
        let mut blocks = Vec::new();
        let mut rows = vec![Vec::new(); self.cells.len()];
        for _ in 0..self.blocks {
            for (cell, rows) in self.cells.iter().zip(&mut rows) {
                if rows.is_empty() {
                    *rows = williams::rows(names.len());
                    draws.shuffle(rows);
                }
                let row = rows.pop().unwrap_or_default();
                let number = u32::try_from(blocks.len()).expect("blocks are few");
                let order = row.into_iter().map(|place| names[place].clone()).collect();
                let (cell, seed) = (cell.name.clone(), draws.word());
                blocks.push(Block { number, cell, seed, order, sitting: 0 });
            }
        }
        Schedule {
            schema: "inflight.schedule/1.3".to_owned(),
            version: "0.1.0".to_owned(),
            preset: self.preset.to_owned(),
            seed: self.seed,
            placement: placement(),
            cells: self.cells.clone(),
            models: self.models.iter().map(|(name, _)| model(name)).collect(),
            absent: Vec::new(),
            missing: Vec::new(),
            blocks,
            controls: self.controls.iter().map(|(name, percent)| control(name, *percent)).collect(),
            probes: self.cells.iter().map(probe).collect(),
            stop: None,
            sittings: Vec::new(),
            supersedes: None,
            primitives: record::PrimitiveSchedule::default(),
            deviations: Some(Vec::new()),
            sweeps: Vec::new(),
        }
    }
}

/// Returns the trials of a model in a cell, to be spoiled.
pub(crate) fn spoil<'a>(
    run: &'a mut Run,
    (model, cell): (&'a str, &'a str),
) -> impl Iterator<Item = &'a mut TrialRecord> {
    let trials = run.trials.iter_mut();
    trials.filter(move |trial| trial.model == model && trial.cell == cell)
}

/// Returns what the origin saw in a trial.
pub(crate) fn receipt(trial: &mut TrialRecord) -> &mut Receipt {
    trial.receipt.as_mut().expect("a made-up trial has a receipt")
}

/// Returns what the model told of a trial.
pub(crate) fn told(trial: &mut TrialRecord) -> &mut Trial {
    trial.trial.as_mut().expect("a made-up model has told its trial")
}

/// Returns what the machine did during a trial.
pub(crate) fn host(trial: &mut TrialRecord) -> &mut Host {
    trial.host.as_mut().expect("a made-up machine was watched")
}

/// Returns a share of a count, as a count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "made-up counts are small and positive"
)]
pub(crate) fn times(count: u64, factor: f64) -> u64 {
    (count as f64 * factor) as u64
}

/// Returns a number that is normally distributed, nearly: twelve even draws less their mean.
#[expect(clippy::cast_precision_loss, reason = "53 bits of a word are kept")]
fn normal(draws: &mut SplitMix64) -> f64 {
    let even = |_| (draws.word() >> 11) as f64 / (1_u64 << 53) as f64;
    (0..12).map(even).sum::<f64>() - 6.0
}

/// Returns a cell of the usual size.
fn cell(workload: Workload) -> Cell {
    let (name, warmup, fetches, delay_ms) = match workload {
        Workload::Batch => ("batch", 0, 256, DelayRange { lo: 20, hi: 20 }),
        Workload::Steady => ("steady", 400, 1200, DelayRange { lo: 16, hi: 48 }),
    };
    let name = name.to_owned();
    Cell {
        name,
        workload,
        in_flight: 64,
        warmup,
        fetches,
        delay_ms,
        body_bytes: 128,
        heartbeat_us: 0,
        work_kib: 0,
    }
}

/// Returns the placement on two CPUs.
fn placement() -> Placement {
    let (model_cpus, origin_cpus) = (vec![1], vec![0]);
    Placement { model_cpus, origin_cpus, workers: 1, shards: 1, awake: true }
}

/// Returns a model; what follows a dash is its client, but for the floor.
fn model(name: &str) -> Model {
    let client = name.split_once('-').map_or("bare", |(_, client)| client);
    let client = if name == FLOOR { "bare" } else { client };
    Model {
        name: name.to_owned(),
        package: format!("model-{name}"),
        label: name.to_owned(),
        unit: "task".to_owned(),
        client: client.to_owned(),
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

/// Returns a control of the baseline.
fn control(name: &str, percent: u32) -> Control {
    Control { name: name.to_owned(), model: BASELINE.to_owned(), percent }
}

/// Returns what was found out of a cell.
fn probe(cell: &Cell) -> Probe {
    let cell = cell.name.clone();
    Probe { cell, ceiling_per_s: 12_000, floor_ns: 18_000, baseline_ns: 20_000, origin_ns: 35_000 }
}

/// Returns what is known of the machine.
fn environment() -> Environment {
    let told = serde_json::json!({
        "schema": "inflight.environment/1.1", "cpu": "AMD EPYC", "cpus": 2, "kind": "vm",
        "memory_mib": 24_105, "kernel": "6.18.44", "irq_time_accounting": "off",
        "clocksource": "tsc", "governor": "performance", "tcp_congestion_control": "cubic",
        "rustc": "rustc 1.95.0 (59807616e 2026-04-14)", "rustflags": "",
        "profile": "release, thin LTO, one codegen unit",
        "commit": "cb0e75ac709a69417f21c5ea407b99b59d5caca7", "modified": "no",
        "cargo_lock_sha256": "91ac49a2feb1ba225df5d12e7e2854b9682f3f4d9effa03c837054f8e2a18d77",
        "origin": "wiremock 0.6.5", "programs_sha256": {},
    });
    let mut machine: Environment = serde_json::from_value(told).unwrap();
    machine.limits.nofile.hard = serde_json::from_value("20000".into()).unwrap();
    machine.kernel_settings.clock_reading_ns = Some(25);
    machine.net.ip_local_port_range = serde_json::from_value("32768 60999".into()).unwrap();
    machine
}

/// Returns a valid trial whose fetches cost `factor` times the baseline's.
fn record(
    (block, cell): (&Block, &Cell),
    (position, name): (u32, &str),
    (factor, draws): (f64, &mut SplitMix64),
) -> TrialRecord {
    let trial = trial(cell, factor, draws);
    let receipt = receipt_of(cell, (&trial, position), draws);
    let host = host_of((&trial, &receipt), draws);
    TrialRecord {
        block: block.number,
        position,
        cell: cell.name.clone(),
        model: name.to_owned(),
        started_utc: "2026-11-22T10:15:02.000Z".to_owned(),
        spent_ms: receipt.wall_ns / 1_000_000,
        state: State::Valid,
        versions: BTreeMap::new(),
        trial: Some(trial),
        receipt: Some(receipt),
        host: Some(host),
    }
}

/// Returns the mean time of a fetch at the origin, in nanoseconds.
fn served_ns(cell: &Cell) -> f64 {
    (f64::midpoint(as_real(cell.delay_ms.lo), as_real(cell.delay_ms.hi)) + LATE_MS) * 1e6
}

/// Returns what a model tells.
fn trial(cell: &Cell, factor: f64, draws: &mut SplitMix64) -> Trial {
    let rounds = as_real(cell.fetches) / f64::from(cell.in_flight);
    let wall_ns = times(1_000_000, rounds * served_ns(cell) * near_one(0.002, draws) / 1e6);
    let cpu_ns = times(cell.fetches, COST_NS * factor);
    let part = |_| Part {
        fetches: cell.fetches / PARTS,
        wall_ns: wall_ns / PARTS,
        cpu_ns: times(cpu_ns, near_one(0.01, draws) / as_real(PARTS)),
    };
    let windows = (0..PARTS).map(part).collect();
    Trial {
        window: Window {
            ended: cell.fetches,
            ok: cell.fetches,
            wall_ns,
            cpu_ns,
            user_ns: cpu_ns / 3,
            system_ns: 2 * cpu_ns / 3,
            switches_voluntary: cell.fetches / 2,
            switches_involuntary: 1,
            faults_minor: 20,
        },
        total: Total {
            issued: cell.dealt(),
            ok: cell.dealt(),
            errors: BTreeMap::new(),
            extra_bytes: 0,
        },
        threads: 1,
        in_flight_peak: u64::from(cell.slots()),
        scheduled: Some(Scheduled { cpu_ns: 2 * cpu_ns, run_delay_ns: cpu_ns / 20 }),
        windows,
        latencies_ns: vec![(times(1, served_ns(cell)), cell.fetches)],
        beats_late_ns: Vec::new(),
    }
}

/// Returns what the origin saw of it; it keeps something of each fetch.
fn receipt_of(cell: &Cell, (trial, position): (&Trial, u32), draws: &mut SplitMix64) -> Receipt {
    let (dealt, wall_ns) = (cell.dealt(), trial.window.wall_ns);
    let mean = f64::from(cell.slots()) * near_one(0.001, draws);
    Receipt {
        answered: dealt,
        ids_digest: ids_digest(dealt),
        in_flight_peak_estimate: u64::from(cell.slots()),
        in_flight_mean_estimate: mean,
        connections_estimate: Some(u64::from(cell.slots())),
        delay_late_ms_p50_estimate: LATE_MS,
        delay_late_ms_p99_estimate: 2.0,
        cpu_ns: times(dealt, ORIGIN_NS * near_one(0.01, draws)),
        wall_ns: times(wall_ns, 1.0) + times(1, BEFORE_NS),
        segments_in: Some(times(dealt, SEGMENTS * near_one(0.002, draws))),
        listen_overflows: Some(0),
        listen_drops: Some(0),
        timeouts: Some(0),
        retransmits: Some(0),
        resident_kib: Some(20_000 + 4 * dealt * u64::from(position)),
        ..Receipt::default()
    }
}

/// Returns what the machine of two CPUs did meanwhile.
fn host_of((trial, receipt): (&Trial, &Receipt), draws: &mut SplitMix64) -> Host {
    let capacity_ns = 2 * (receipt.wall_ns + 100_000_000);
    let model_ns = trial.window.cpu_ns * 2;
    let harness_ns = capacity_ns / 2;
    let foreign_ns = capacity_ns / 100;
    Host {
        capacity_ns,
        busy_ns: model_ns + harness_ns + foreign_ns + receipt.cpu_ns,
        steal_ns: capacity_ns / 500,
        model_ns,
        harness_ns,
        memory_peak_kib: 6_000,
        probe_per_ms: times(10_000, near_one(0.005, draws)),
        clock_jump_ms: 0,
        throttled: Some(0),
    }
}

/// Returns a factor that scatters around 1.
fn near_one(noise: f64, draws: &mut SplitMix64) -> f64 {
    (noise * normal(draws)).exp()
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "made-up counts are small")]
fn as_real(count: u64) -> f64 {
    count as f64
}
