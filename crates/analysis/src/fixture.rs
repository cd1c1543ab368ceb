//! Runs for tests: no process, no machine, the same bytes from the same seed.
//!
//! [`Fixture::good`] is a run that every check lets pass. A test changes what the run is made from
//! (`Fixture { blocks: 3, ..Fixture::good() }`), or makes it and then corrupts it in one respect.

use std::collections::{BTreeMap, BTreeSet};

use record::{
    Block, BlockRecord, Control, Environment, Family, Host, Model, Placement, Probe, RoundRecord,
    Run, Schedule, StayRecord, TurnRecord,
};
use stats::random::SplitMix64;
use stats::williams;
use workload::pipe::Turned;
use workload::{Cell, DelayRange, OriginKind, Receipt, Workload};

pub use crate::fixture_turn::times;
use crate::fixture_turn::{host_of, near_one, stay_of, turn_of};

/// The model that has several turns in a round, and a second process in each block.
pub const BASELINE: &str = "tokio";
/// The second process of the baseline.
pub const COPY: &str = "tokio+0%";
/// The least that a model could cost.
pub const FLOOR: &str = "event-loop";
/// Participants between two turns of the baseline.
const BETWEEN: usize = 4;
/// The standard deviation of what all turns of a block share, in logarithms.
const BLOCK_NOISE: f64 = 0.01;

/// What a run is made from.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The preset that the schedule names; `quick` holds each model against the baseline alone.
    pub preset: &'static str,
    /// The cells; each pass visits all of them.
    pub cells: Vec<Cell>,
    /// The models with their costs, in times the baseline's; `a-b` is `a` with the client `b`.
    pub models: Vec<(&'static str, f64)>,
    /// Models that run once more with busy work added: what they are called, and the percentage.
    pub controls: Vec<(&'static str, u32)>,
    /// Blocks of each cell.
    pub blocks: u32,
    /// Rounds of each block, of a batch and of a steady cell.
    pub rounds: [usize; 2],
    /// The standard deviation of what the turns of a process share, in logarithmic cost; that of a
    /// single turn is half as large.
    pub noise: f64,
    /// How many times as large a tenth of that noise is; 1 for none.
    pub tail: f64,
    /// Decides orders and noise.
    pub seed: u64,
}

impl Fixture {
    /// What a run is made from that every check lets pass.
    pub fn good() -> Self {
        let models = [(FLOOR, 0.9), (BASELINE, 1.0), ("smol", 1.04), ("threads", 1.5)];
        Self {
            preset: "standard",
            cells: vec![cell(Workload::Batch), cell(Workload::Steady)],
            models: [&models[..], &[("tokio-reqwest", 2.0)]].concat(),
            controls: vec![(COPY, 0), ("tokio+5%", 5)],
            blocks: 14,
            // With fewer than six a warm-up could not be seen.
            rounds: [2, 6],
            noise: 0.004,
            tail: 1.0,
            seed: 7,
        }
    }

    /// Makes the run.
    pub fn run(&self) -> Run {
        let mut draws = SplitMix64::new(self.seed);
        let schedule = self.schedule(&mut draws);
        let mut run = empty(schedule);
        for block in run.schedule.blocks.clone() {
            self.measure(&mut run, &block, &mut draws);
        }
        run
    }

    /// Adds what became of a block.
    fn measure(&self, run: &mut Run, block: &Block, draws: &mut SplitMix64) {
        let shared = near_one(BLOCK_NOISE, draws);
        let mut levels: BTreeMap<&str, f64> = BTreeMap::new();
        for name in block.participants() {
            levels.insert(name, shared * self.scatter(self.noise, draws) * self.factor(name));
        }
        let cell = run.schedule.cell(&block.cell).expect("the cell is scheduled").clone();
        let (first, mut before) = (run.turns.len(), 0);
        for (round, order) in (0..).zip(&block.rounds) {
            let begin = run.turns.len();
            for (position, name) in (0..).zip(order) {
                let factor = levels[name.as_str()] * self.scatter(self.noise / 2.0, draws);
                let turn = turn_of((&cell, before), factor, draws);
                let (model, block) = (name.clone(), block.number);
                run.turns.push(TurnRecord { block, round, position, model, ..turn });
                before += 1;
            }
            let host = Some(host_of(&run.turns[begin..], draws));
            let (block, disturbed) = (block.number, Vec::new());
            run.rounds.push(RoundRecord { block, round, disturbed, host });
        }
        let stay = |name: &str| (name.to_owned(), stay_of(name, &cell, &run.turns[first..]));
        let stays = levels.into_keys().map(stay).collect();
        run.blocks.push(BlockRecord { block: block.number, stays });
    }

    /// Returns a factor that scatters around 1. Whether it lies in the tail is drawn only where
    /// there is one.
    fn scatter(&self, noise: f64, draws: &mut SplitMix64) -> f64 {
        let is_far = self.tail > 1.0 && draws.below(10) == 0;
        near_one(noise * if is_far { self.tail } else { 1.0 }, draws)
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
        let models = self.models.iter().map(|(name, _)| *name).filter(|name| *name != BASELINE);
        let others = models.chain(self.controls.iter().map(|(name, _)| *name));
        let others: Vec<String> = others.map(str::to_owned).collect();
        let mut rows = Vec::new();
        let mut order = |draws: &mut SplitMix64| {
            if rows.is_empty() {
                rows = williams::rows(others.len());
                draws.shuffle(&mut rows);
            }
            let row = rows.pop().unwrap_or_default();
            with_baseline(row.into_iter().map(|place| others[place].clone()).collect())
        };
        let is_quick = self.preset == "quick";
        let mut blocks = Vec::new();
        for _ in 0..self.blocks {
            for cell in &self.cells {
                let number = u32::try_from(blocks.len()).expect("blocks are few");
                let rounds = self.rounds[usize::from(cell.workload.is_resident())];
                let rounds = (0..rounds).map(|_| order(draws)).collect();
                let (cell, seed) = (cell.name.clone(), draws.word());
                blocks.push(Block { number, cell, seed, rounds, session: 0 });
            }
        }
        Schedule {
            schema: "inflight.schedule/2.0".to_owned(),
            version: "0.2.0".to_owned(),
            preset: self.preset.to_owned(),
            family: if is_quick { Family::AgainstBaseline } else { Family::AllPairs },
            is_citable: self.preset == "citable",
            seed: self.seed,
            placement: placement(),
            cells: self.cells.clone(),
            models: self.models.iter().map(|(name, _)| model(name)).collect(),
            baseline: None,
            absent: Vec::new(),
            missing: Vec::new(),
            blocks,
            controls: self.controls.iter().map(|(name, percent)| control(name, *percent)).collect(),
            probes: self.cells.iter().map(probe).collect(),
            stop: None,
            sessions: Vec::new(),
            supersedes: None,
            operations: Vec::new(),
            programs: Vec::new(),
            batch_ns: 0,
            quirks: Some(Vec::new()),
            sweeps: Vec::new(),
            holds: Vec::new(),
            groups: BTreeMap::new(),
        }
    }
}

/// Returns a run in which fetches arrive at each of these rates, of which a model cannot hold the
/// last. Of 100 fetches two take longer than the 10 ms of the others: 12 ms, and 3 ms more for each
/// 1,000 a second.
pub fn paced(rates: &[u32], slow: &str) -> Run {
    let cell = |rate: &u32| Cell {
        name: format!("paced-{rate}"),
        rate_per_s: *rate,
        delay_ms: DelayRange { lo: 4, hi: 12 },
        ..cell(Workload::Paced)
    };
    let cells: Vec<Cell> = rates.iter().map(cell).collect();
    let mut run = Fixture { cells, ..Fixture::good() }.run();
    for turn in &mut run.turns {
        // No window is as short as the one, and one that is as long as the other achieved little.
        let cell = run.schedule.cell(&turn.cell).expect("it is scheduled");
        let is_lost = turn.model == slow && rates.last() == Some(&cell.rate_per_s);
        reported(turn).window.wall_ns = if is_lost { 1_000_000_000_000 } else { 1_000_000 };
    }
    for block in &mut run.blocks {
        let cell = run.schedule.blocks.iter().find(|own| own.number == block.block);
        let cell = cell.and_then(|own| run.schedule.cell(&own.cell)).expect("it is scheduled");
        let long_ns = 12_000_000 + 3_000 * u64::from(cell.rate_per_s);
        for stay in block.stays.values_mut() {
            stay.responses_ns = vec![(10_000_000, 980), (long_ns, 20)];
            stay.lags_ns = vec![(100_000, 1_000)];
        }
    }
    run
}

/// Returns the turns of a model in a cell, to be corrupted.
pub fn corrupt<'a>(
    run: &'a mut Run,
    (model, cell): (&'a str, &'a str),
) -> impl Iterator<Item = &'a mut TurnRecord> {
    let turns = run.turns.iter_mut();
    turns.filter(move |turn| turn.model == model && turn.cell == cell)
}

/// Returns the stays of a model in a cell, to be corrupted.
pub fn stays<'a>(
    run: &'a mut Run,
    (model, cell): (&'a str, &str),
) -> impl Iterator<Item = &'a mut StayRecord> {
    let own = numbers(run, cell);
    let blocks = run.blocks.iter_mut().filter(move |block| own.contains(&block.block));
    blocks.filter_map(move |block| block.stays.get_mut(model))
}

/// Returns what the machine did in the rounds of a cell, to be corrupted.
pub fn hosts<'a>(run: &'a mut Run, cell: &str) -> impl Iterator<Item = &'a mut Host> {
    let own = numbers(run, cell);
    let rounds = run.rounds.iter_mut().filter(move |round| own.contains(&round.block));
    rounds.filter_map(|round| round.host.as_mut())
}

/// Returns the numbers of the blocks of a cell.
fn numbers(run: &Run, cell: &str) -> BTreeSet<u32> {
    let blocks = run.schedule.blocks.iter().filter(|block| block.cell == cell);
    blocks.map(|block| block.number).collect()
}

/// Returns what the origin saw in a turn.
pub fn receipt(turn: &mut TurnRecord) -> &mut Receipt {
    turn.receipt.as_mut().expect("each turn has a receipt")
}

/// Returns what the model reported of a turn.
pub fn reported(turn: &mut TurnRecord) -> &mut Turned {
    turn.turned.as_mut().expect("each model has reported its turn")
}

/// Puts a turn of the baseline before every few participants.
fn with_baseline(order: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (place, name) in order.into_iter().enumerate() {
        if place % BETWEEN == 0 {
            all.push(BASELINE.to_owned());
        }
        all.push(name);
    }
    if all.is_empty() { vec![BASELINE.to_owned()] } else { all }
}

/// Returns a run in which nothing was measured yet.
fn empty(schedule: Schedule) -> Run {
    Run {
        content_sha256: Some("9f86d081884c7d659a2feaa0c55ad015".repeat(2)),
        ..Run::new("20261122T101502Z-2c-vm-7f3a91c4".to_owned(), schedule, environment())
    }
}

/// Returns a cell of the usual size.
fn cell(workload: Workload) -> Cell {
    let (warmup, delay_ms) = match workload.is_resident() {
        false => (0, DelayRange { lo: 20, hi: 20 }),
        true => (64, DelayRange { lo: 16, hi: 48 }),
    };
    let (name, in_flight, fetches) = (workload.name().to_owned(), 64, 256);
    let (body_bytes, least) = (128, Cell::least(workload));
    Cell { name, in_flight, warmup, fetches, delay_ms, body_bytes, ..least }
}

/// Returns the placement on two CPUs.
fn placement() -> Placement {
    let (model_cpus, origin_cpus) = (vec![1], vec![0]);
    Placement {
        model_cpus,
        origin_cpus,
        several_cpus: Vec::new(),
        workers: 1,
        shards: 1,
        awake: true,
        unequal_cores: false,
        origin: OriginKind::Wiremock,
    }
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
        may_be_slow: None,
        runtime: None,
        needs: Vec::new(),
        core: None,
        variant: None,
        levers: Vec::new(),
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
    let reported = serde_json::json!({
        "schema": "inflight.environment/2.0", "cpu": "AMD EPYC", "cpus": 2, "kind": "vm",
        "memory_mib": 24_105, "kernel": "6.18.44", "irq_time_accounting": "off",
        "clocksource": "tsc", "governor": "performance", "tcp_congestion_control": "cubic",
        "rustc": "rustc 1.95.0 (59807616e 2026-04-14)", "rustflags": "",
        "profile": "release, thin LTO, one codegen unit",
        "commit": "cb0e75ac709a69417f21c5ea407b99b59d5caca7", "modified": "no",
        "cargo_lock_sha256": "91ac49a2feb1ba225df5d12e7e2854b9682f3f4d9effa03c837054f8e2a18d77",
        "origin": "wiremock 0.6.5", "programs_sha256": {},
    });
    let mut machine: Environment = serde_json::from_value(reported).expect("it is a machine");
    machine.limits.nofile.hard = serde_json::from_value("20000".into()).expect("it is a fact");
    machine.kernel_settings.clock_reading_ns = Some(25);
    machine.tool.built_before_source = serde_json::from_value("no".into()).expect("it is a fact");
    machine.net.ip_local_port_range =
        serde_json::from_value("32768 60999".into()).expect("it is a fact");
    machine
}
