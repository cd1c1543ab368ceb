//! What tests about models share: the workspace, built programs, plans, and a lock.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod bench;
pub(crate) mod fixture;
pub(crate) mod go;
pub(crate) mod misbehaving;
pub(crate) mod readers;
pub(crate) mod shell;
pub(crate) mod skip;
pub(crate) mod unverified;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use harness::{Basis, Event, Preset, Program, Programs, Workspace};
use model_kit::{Cell, DelayRange, Plan, Workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use record::{
    Again, BlockRecord, Entry, Model, Placement, RoundRecord, Schedule, State, TurnRecord,
};
use rules::Reason;

/// The workspace that is tested.
pub(crate) static WORKSPACE: LazyLock<Workspace> = LazyLock::new(|| {
    Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("cargo describes the workspace")
});

/// Every model of the house, as found, that can run on this machine; no test names them.
pub(crate) static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let mut models = models_below("crates");
    models.retain(|model| harness::missing(&WORKSPACE, model).is_none());
    models
});

/// Programs that were built, by package.
static BUILT: Mutex<BTreeMap<String, Program>> = Mutex::new(BTreeMap::new());

/// Held while sockets are counted: the kernel counts them for all processes together.
static ALONE: Mutex<()> = Mutex::new(());

/// Returns a command that listens to every signal, whatever those who started the tests ignore: a
/// job in the background of a shell ignores Ctrl-C, and so do the programs that it starts.
pub(crate) fn listening(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(program);
    command
}

/// Returns the youngest child of this process whose name begins so.
pub(crate) fn child(name: &str) -> Option<Pid> {
    let own = format!("PPid:\t{}\n", std::process::id());
    let entries = fs::read_dir("/proc").expect("Linux has it").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_it = |id: &i32| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        status.starts_with(&format!("Name:\t{name}")) && status.contains(&own)
    };
    ids.filter(is_it).max().map(Pid::from_raw)
}

/// Sends a signal to a child of that name, once the model whose turn it is has so many connections:
/// in the middle of the turn, however late a busy machine begins it.
pub(crate) fn strike((name, signal): (&'static str, Signal), connections: usize) {
    thread::spawn(move || {
        let began = Instant::now();
        while child("model-").is_none_or(|model| self::connections(model) < connections) {
            assert!(began.elapsed() < Duration::from_mins(5), "no model connects");
            thread::sleep(Duration::from_millis(1));
        }
        kill(child(name).expect("it runs"), signal).expect("it is ours");
    });
}

/// Returns how many connections a process has, whatever their state.
pub(crate) fn connections(id: Pid) -> usize {
    // One line a connection; the tenth word is the number in the name of its descriptor.
    let table = fs::read_to_string(format!("/proc/{id}/net/tcp")).unwrap_or_default();
    let numbers = table.lines().filter_map(|line| line.split_whitespace().nth(9));
    let names: Vec<String> = numbers.map(|number| format!("socket:[{number}]")).collect();
    let links = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    let links = links.filter_map(|entry| fs::read_link(entry.path()).ok());
    links.filter(|link| names.iter().any(|name| link.as_os_str() == name.as_str())).count()
}

/// Returns the models below a folder.
pub(crate) fn models_below(folder: &str) -> Vec<Model> {
    harness::find(&WORKSPACE, folder).expect("every manifest describes its model")
}

/// Returns the model of that name below `tests/models`.
pub(crate) fn test_model(name: &str) -> Model {
    let mut models = models_below("tests/models").into_iter();
    models.find(|model| model.name == name).expect("it is a test package")
}

/// Returns the faulty model, with its way to misbehave.
pub(crate) fn faulty(fault: &str) -> Model {
    let env = BTreeMap::from([("FAULT".to_owned(), fault.to_owned())]);
    Model { env, ..test_model("faulty") }
}

/// Returns an origin that misbehaves as the name says by which it is started.
pub(crate) fn bad_origin(fault: &str) -> Program {
    let program = built("bad-origin");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(fault);
    match symlink(&program.path, &path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => panic!("{error}"),
        _ => Program { path, ..program },
    }
}

/// Returns the models of the house that use the shared core.
pub(crate) fn bare() -> impl Iterator<Item = &'static Model> {
    MODELS.iter().filter(|model| model.uses_core())
}

/// Returns a model of the house.
pub(crate) fn house(name: &str) -> Model {
    MODELS.iter().find(|model| model.name == name).expect("it is there").clone()
}

/// Returns the program of a package, built once.
pub(crate) fn built(package: &str) -> Program {
    let mut programs = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let build = || harness::compile(&WORKSPACE, package).expect("it builds");
    programs.entry(package.to_owned()).or_insert_with(build).clone()
}

/// Waits until no other test of this file opens sockets.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a cell of so many fetches with a fixed delay.
pub(crate) fn cell(workload: Workload, in_flight: u32, fetches: u64) -> Cell {
    Cell {
        name: "test".to_owned(),
        workload,
        in_flight,
        warmup: if workload.is_resident() { u64::from(in_flight) } else { 0 },
        fetches,
        delay_ms: DelayRange { lo: 300, hi: 300 },
        body_bytes: 128,
        rate_per_s: 0,
        probe_period_us: 0,
        work_kib: 0,
    }
}

/// Returns the plan for a cell at some origins.
pub(crate) fn plan(cell: Cell, origins: Vec<SocketAddr>) -> Plan {
    Plan { cell, origins, workers: 1, seed: plan_seed(), deadline_ms: None, surcharge_ns: 0 }
}

/// Returns the seed of every plan.
pub(crate) fn plan_seed() -> u64 {
    7
}

/// Returns a cell as a model can hold it.
pub(crate) fn held(model: &Model, cell: &Cell) -> Cell {
    let in_flight = cell.in_flight.min(model.max_in_flight.unwrap_or(u32::MAX));
    Cell { in_flight, ..cell.clone() }
}

/// Returns the placement of this machine, with the CPUs left asleep: nothing is timed here.
pub(crate) fn placement() -> Placement {
    let placement = harness::place().expect("the CPUs can be read");
    Placement { awake: false, ..placement }
}

/// Returns what the schedule of so many blocks of one cell is drawn from.
pub(crate) fn basis(models: &[Model], cell: Cell, blocks: u32) -> Basis {
    Basis {
        preset: Preset { name: "test", cells: vec![cell], blocks, ..harness::smoke() },
        models: models.to_vec(),
        missing: Vec::new(),
        programs: Vec::new(),
        seed: 1,
        placement: placement(),
        probes: Vec::new(),
    }
}

/// Returns whether a turn is valid, or invalid for no more than a busy machine.
pub(crate) fn is_valid(turn: &TurnRecord) -> bool {
    !turn.state.blames_the_model()
}

/// Returns what speaks against the model of a turn that is invalid or failed: nothing that the
/// origin did, or that a busy machine excuses.
pub(crate) fn reasons_of(turn: &TurnRecord) -> Vec<String> {
    match &turn.state {
        State::Valid => Vec::new(),
        State::Invalid(reasons) => against_the_model(reasons).map(ToString::to_string).collect(),
        State::Failed(_) | State::Out => vec![turn.state.why()],
    }
}

/// Returns those reasons that speak against the model.
pub(crate) fn against_the_model(reasons: &[Reason]) -> impl Iterator<Item = &Reason> {
    reasons.iter().filter(|reason| reason.blames_the_model())
}

/// What happened in a run that was not written down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ran {
    /// Everything that a journal would say, in order.
    pub(crate) entries: Vec<Entry>,
    /// The turns that count.
    pub(crate) turns: Vec<TurnRecord>,
    /// The turns of rounds that were measured again, and of blocks that began anew.
    pub(crate) repeated: Vec<TurnRecord>,
    /// The rounds, in the order in which they ended.
    pub(crate) rounds: Vec<RoundRecord>,
    /// The blocks.
    pub(crate) blocks: Vec<BlockRecord>,
    /// Blocks that began anew.
    pub(crate) again: Vec<Again>,
}

impl Ran {
    /// Returns every turn that was made, in order, those that do not count included: on a busy
    /// machine any round may be measured again.
    pub(crate) fn made(&self) -> impl Iterator<Item = &TurnRecord> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Turn(turn) => Some(&**turn),
            _ => None,
        })
    }

    /// Takes what happened as whoever reads a journal does.
    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Begin(..) | Event::Stop(_) => {}
            Event::Turn(turn) => {
                self.entries.push(Entry::Turn(Box::new((*turn).clone())));
                self.turns.push((*turn).clone());
            }
            Event::Round(round) => {
                self.entries.push(Entry::Round((*round).clone()));
                self.rounds.push((*round).clone());
                if !round.disturbed.is_empty() {
                    self.set_aside(|turn| (turn.block, turn.round) == (round.block, round.round));
                }
            }
            Event::Block(_, block) => {
                self.entries.push(Entry::Block(Box::new((*block).clone())));
                self.blocks.push((*block).clone());
                self.hold_against(block);
            }
            Event::Again(block, reason) => {
                let again = Again { block: block.number, reason: (*reason).clone() };
                self.entries.push(Entry::Again(again.clone()));
                self.again.push(again);
                self.set_aside(|turn| turn.block == block.number);
            }
        }
    }

    /// Sets turns aside that do not count.
    fn set_aside(&mut self, is_one: impl Fn(&TurnRecord) -> bool) {
        let (aside, kept) = self.turns.drain(..).partition(is_one);
        self.turns = kept;
        self.repeated.extend::<Vec<_>>(aside);
    }

    /// Holds the turns of a block against what its stays add up to.
    fn hold_against(&mut self, block: &BlockRecord) {
        for turn in self.turns.iter_mut().filter(|turn| turn.block == block.block) {
            let broken = block.stays.get(&turn.model).map(|stay| stay.invalid.clone());
            if let (State::Valid, Some(broken)) = (&turn.state, broken)
                && !broken.is_empty()
            {
                turn.state = State::Invalid(broken);
            }
        }
    }
}

/// Runs what is drawn from a basis against an origin, and returns the turns that count.
pub(crate) fn run(basis: Basis, origin: Program, watch: impl FnMut(&Event<'_>)) -> Vec<TurnRecord> {
    ran(basis, origin, watch).turns
}

/// Runs what is drawn from a basis against an origin, and returns all that happened.
pub(crate) fn ran(basis: Basis, origin: Program, watch: impl FnMut(&Event<'_>)) -> Ran {
    let program = |model: &Model| (model.name.clone(), built(&model.package));
    let models = basis.models.iter().map(program).collect();
    let (primitives, missing) = (BTreeMap::new(), Vec::new());
    let programs = Programs { origin, models, primitives, missing };
    carried_out(&harness::draw(basis), &programs, watch)
}

/// Carries out a schedule, and returns all that happened.
pub(crate) fn carried_out(
    schedule: &Schedule,
    programs: &Programs,
    mut watch: impl FnMut(&Event<'_>),
) -> Ran {
    let mut ran = Ran::default();
    harness::run((schedule, &schedule.blocks), programs, Vec::new(), &mut |event| {
        ran.take(&event);
        watch(&event);
        Ok(())
    })
    .expect("the run goes on to its end");
    ran
}
