//! What tests share: the workspace, built programs, and plans.

#![allow(dead_code, unused_imports, reason = "each program of tests uses its part")]

pub(crate) mod bench;
pub(crate) mod beside;
pub(crate) mod fixture;
pub(crate) mod go;
pub(crate) mod misbehaving;
pub(crate) mod processes;
pub(crate) mod readers;
pub(crate) mod shell;
pub(crate) mod skip;
pub(crate) mod unverified;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use harness::{Basis, Event, Preset, Program, Programs, Workspace};
use model_kit::{Cell, DelayRange, Plan, Workload};
use record::{
    Again, Block, BlockRecord, Entry, Model, Placement, RoundRecord, Schedule, State, TurnRecord,
};
use rules::Reason;

pub(crate) use self::beside::{alone, beside, one_by_one, together, together_with};
pub(crate) use self::processes::{
    Hogs, child, connections, executable, is_written, listening, strike, threads, wait_until,
};

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

/// The programs of the house, built by few calls of cargo: that is sooner done than a call each.
pub(crate) static PROGRAMS: LazyLock<Programs> = LazyLock::new(|| {
    let primitives = harness::find_primitives(&WORKSPACE, "crates").expect("they are described");
    let programs = harness::build(&WORKSPACE, (&MODELS, &primitives)).expect("they build");
    let all = programs.models.values().chain(programs.primitives.values());
    all.chain([&programs.origin]).for_each(settle);
    let models = programs.models.clone().into_iter();
    let models = models.map(|(name, program)| (house(&name).package, program));
    let others = programs.primitives.clone().into_iter();
    let others = others.chain([("origin".to_owned(), programs.origin.clone())]);
    BUILT.lock().unwrap_or_else(PoisonError::into_inner).extend(models.chain(others));
    programs
});

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

/// Returns some of them, one for each way in which the core is driven: for what it does by itself,
/// whatever carries its steps out.
pub(crate) fn drivers() -> impl Iterator<Item = &'static Model> {
    let names = ["threads", "tokio", "compio", "io-uring", "event-loop"];
    bare().filter(move |model| names.contains(&model.name.as_str()))
}

/// Returns a model of the house.
pub(crate) fn house(name: &str) -> Model {
    MODELS.iter().find(|model| model.name == name).expect("it is there").clone()
}

/// Waits until a program that was just written can be run: until then a child that another test
/// was starting meanwhile has it open for writing, as this process had.
fn settle(program: &Program) {
    wait_until("nobody writes it", || !is_written(&program.path));
}

/// Returns the program of a package, built once.
pub(crate) fn built(package: &str) -> Program {
    let mut programs = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let build = || {
        let program = harness::compile(&WORKSPACE, package).expect("it builds");
        settle(&program);
        program
    };
    programs.entry(package.to_owned()).or_insert_with(build).clone()
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
        ..Cell::least(workload)
    }
}

/// Returns the plan for a cell at some origins.
pub(crate) fn plan(cell: Cell, origins: Vec<SocketAddr>) -> Plan {
    let deadline_ms = (cell.deadline_ms > 0).then_some(cell.deadline_ms);
    Plan { cell, origins, workers: 1, seed: plan_seed(), deadline_ms, surcharge_ns: 0 }
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
    watch: impl FnMut(&Event<'_>),
) -> Ran {
    carried_out_in_part((schedule, &schedule.blocks), programs, watch)
}

/// Carries out some blocks of a schedule, and returns all that happened.
pub(crate) fn carried_out_in_part(
    (schedule, blocks): (&Schedule, &[Block]),
    programs: &Programs,
    mut watch: impl FnMut(&Event<'_>),
) -> Ran {
    let mut ran = Ran::default();
    harness::run((schedule, blocks), programs, Vec::new(), &mut |event| {
        ran.take(&event);
        watch(&event);
        Ok(())
    })
    .expect("the run goes on to its end");
    ran
}
