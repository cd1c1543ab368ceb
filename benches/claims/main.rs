//! The claims that the method stands on, measured side by side: `cargo bench --bench claims`.
//!
//! * What a slot verifies, records and counts costs the floor little: the floor beside the same
//!   loop without a slot (`tests/models/unchecked`), from memory, and as in runs.
//! * The floor is a floor: beside wrk, if it is installed, against the same origin, with as many
//!   connections and one fixed delay, each as a whole process.
//! * A thread that spins on a CPU to keep it awake bends the answer: none, on the origin's CPU, on
//!   the model's, on both.
//!
//! Each is a ratio inside blocks with its interval; `-- slot`, `-- wrk` or `-- awake` measures one
//! alone. By name only, since they take long: `-- controls` (40 minutes) counts how often the
//! analysis is wrong where the truth is known; `-- twice` (40 minutes) counts how often a version
//! that is compared with itself differs; `-- neighbour` shows what a load that comes halfway
//! does to ratios; `-- origins` (10 minutes) has the headline at both kinds of origin;
//! `-- stall` (7 minutes) shows the textbook case of response times;
//! `-- sustained` (15 minutes) holds turns against running without a pause. Two more are no claims:
//! `-- builds` times a build of each model from nothing, for the runs that follow to report, and
//! `-- listing` how long a thousand runs take to be listed and one to be reported.
//! Nothing here asserts a time but `stall`, whose times are scheduled.

mod builds;
mod collect;
mod controls;
mod listing;
mod memory;
mod neighbour;
#[path = "../runner/mod.rs"]
mod runner;
mod stall;
mod sustained;
mod twice;
mod wrk;

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::builder::PossibleValuesParser;
use clap::{CommandFactory, Parser};
use harness::{
    BASELINE, FLOOR, Failure, IdleInhibitor, Preset, Program, RunLock, Workspace, compile,
};
use model_kit::Cell;
use record::{Model, Placement, Run};
use rules::CPU;
use stats::{Sample, hodges_lehmann, rounds};

use crate::collect::measured;
use crate::runner::{Asked, Runner, say, warn};

/// What all claims share.
#[derive(Clone)]
struct Bench {
    workspace: Workspace,
    placement: Placement,
    origin: Program,
    floor: (Model, Program),
    unchecked: (Model, Program),
    baseline: (Model, Program),
}

/// Measures a claim and prints what it found.
type Claim = fn(&Bench) -> Result<()>;

/// Times something that is no claim, and prints how long it takes.
type Timed = fn() -> Result<()>;

/// What is measured when no claim is named.
const CLAIMS: [(&str, Claim); 3] =
    [("slot", Bench::cost_of_the_slot), ("wrk", wrk::print), ("awake", Bench::with_spinners)];
/// What is measured by its name alone: it takes long, or is no claim.
const BY_NAME: [(&str, Claim); 6] = [
    ("controls", controls::print),
    ("neighbour", neighbour::print),
    ("origins", Bench::at_both_origins),
    ("stall", stall::print),
    ("sustained", sustained::print),
    ("twice", twice::print),
];
/// What is timed by its name alone, and needs no programs of models.
const TIMED: [(&str, Timed); 2] = [("builds", builds::print), ("listing", listing::print)];

/// Measures the claims that the method stands on, and prints what it found.
#[derive(Clone, Debug, Parser)]
#[command(bin_name = "cargo bench --bench claims --")]
struct Arguments {
    /// The claims by name; the first three if none.
    #[arg(value_parser = PossibleValuesParser::new(names()))]
    claims: Vec<String>,
    /// What may be said to every bench.
    #[command(flatten)]
    runner: Runner,
}

fn main() -> ExitCode {
    match runner::read(Arguments::command()) {
        Ok(arguments) => runner::ended(run(&arguments)),
        Err(code) => code,
    }
}

/// Does what the arguments ask for, and returns the exit code.
fn run(arguments: &Arguments) -> Result<u8> {
    match arguments.runner.asked() {
        Asked::List => arguments.runner.list(names().map(str::to_owned)),
        Asked::Nothing => Ok(0),
        Asked::Rehearse => {
            warn("claims are measured or not: `cargo bench --bench claims` measures them");
            Ok(0)
        }
        Asked::Measure => {
            let due = due(arguments)?;
            let why = "a debug build measures nothing: use `cargo bench --bench claims`";
            ensure!(cfg!(not(debug_assertions)), Failure::Usage(why.to_owned()));
            measure(&due)
        }
    }
}

/// Returns the names of the claims that are asked for and not left out.
fn due(arguments: &Arguments) -> Result<Vec<&'static str>> {
    let Arguments { claims, runner } = arguments;
    let is_named = |name: &str| claims.iter().any(|claim| claim == name);
    let is_usual = |name: &str| claims.is_empty() && CLAIMS.iter().any(|(usual, _)| *usual == name);
    let due = names().filter(|name| runner.keeps(name) && (is_named(name) || is_usual(name)));
    let due: Vec<&str> = due.collect();
    let filter = claims.join(" ");
    runner.finds(!due.is_empty(), Some(filter.as_str()).filter(|filter| !filter.is_empty()))?;
    Ok(due)
}

/// Measures the claims of these names.
fn measure(due: &[&str]) -> Result<u8> {
    let workspace = runner::workspace()?;
    harness::preflight((&workspace.root, Some(&workspace.target)), None, (&[], &[]))?;
    let _lock = RunLock::on_this_machine()?;
    for (_, time) in TIMED.iter().filter(|(name, _)| due.contains(name)) {
        time()?;
    }
    let mut claims = CLAIMS.iter().chain(&BY_NAME).filter(|(name, _)| due.contains(name));
    let Some((_, first)) = claims.next() else { return Ok(0) };
    let bench = Bench::build()?;
    first(&bench)?;
    claims.try_for_each(|(_, measure)| measure(&bench)).map(|()| 0)
}

/// Returns all names that may be asked for.
fn names() -> impl Iterator<Item = &'static str> {
    let measured = CLAIMS.iter().chain(&BY_NAME).map(|(name, _)| *name);
    measured.chain(TIMED.iter().map(|(name, _)| *name))
}

impl Bench {
    /// Builds the programs.
    fn build() -> Result<Self> {
        let workspace = runner::workspace()?;
        Ok(Self {
            placement: harness::place()?,
            origin: compile(&workspace, "origin")?,
            floor: built(&workspace, ("crates", FLOOR))?,
            unchecked: built(&workspace, ("tests/models", "unchecked"))?,
            baseline: built(&workspace, ("crates", BASELINE))?,
            workspace,
        })
    }

    /// The floor beside the same loop without a slot, in turns as runs have them; then from memory.
    fn cost_of_the_slot(&self) -> Result<()> {
        let preset = Preset { name: "slot", cells: vec![cell()], rounds: 24, ..harness::quick() };
        let models = [&self.floor, &self.baseline, &self.unchecked];
        let run = measured(self, (preset, 1), &models, &mut |_| {})?;
        let pair = (FLOOR, self.unchecked.0.name.as_str());
        let ratio = ratio(&run, pair)?;
        report_ratio("CPU per fetch, floor against the same loop without a slot", &ratio)?;
        memory::print(floor_us(&run))
    }

    /// The floor and threads against the baseline, with a spinner of the idle class on no CPU, on
    /// the origin's, on the model's, and on both.
    fn with_spinners(&self) -> Result<()> {
        let Placement { model_cpus, origin_cpus, .. } = &self.placement;
        let both = self.placement.cpus();
        let ways = [
            ("no spinner", [].as_slice()),
            ("a spinner on the origin's CPU", origin_cpus.as_slice()),
            ("a spinner on the model's CPU", model_cpus.as_slice()),
            ("a spinner on both", both.as_slice()),
        ];
        let threads = built(&self.workspace, ("crates", "threads"))?;
        for (way, cpus) in ways {
            let _inhibitor = IdleInhibitor::keep(cpus)?;
            let preset = Preset { name: "awake", cells: vec![cell()], ..harness::quick() };
            let models = [&self.floor, &self.baseline, &threads];
            let run = measured(self, (preset, 1), &models, &mut |_| {})?;
            for name in [FLOOR, "threads", "tokio+0%"] {
                let ratio = ratio(&run, (name, BASELINE))?;
                report_ratio(&format!("{way}: CPU per fetch, {name} against {BASELINE}"), &ratio)?;
            }
        }
        Ok(())
    }

    /// The headline at both kinds of origin: what a fetch costs each, and which ratios differ.
    fn at_both_origins(&self) -> Result<()> {
        let preset = harness::preset("origins").context("failed to find a preset")?;
        let compiled = self.compiled()?;
        let models: Vec<&(Model, Program)> = compiled.iter().collect();
        let run = measured(self, (preset, 1), &models, &mut |_| {})?;
        let mut checks = analysis::checks(&run, BASELINE, FLOOR).into_iter();
        let swap = checks.find(|check| check.id == "G24").context("failed to find a check")?;
        say(&format!("{}: {}", swap.name, swap.measured))
    }

    /// Returns the compiled models of the default set that can hold the cell.
    fn compiled(&self) -> Result<Vec<(Model, Program)>> {
        let found = harness::find(&self.workspace, "crates")?;
        let is_one = |model: &Model| {
            model.is_core() && model.language.is_none() && model.max_in_flight.is_none()
        };
        let own = found.into_iter().filter(is_one);
        own.map(|model| Ok((model.clone(), compile(&self.workspace, &model.package)?))).collect()
    }
}

/// Builds a model below a folder.
fn built(workspace: &Workspace, (folder, name): (&str, &str)) -> Result<(Model, Program)> {
    let mut models = harness::find(workspace, folder)?.into_iter();
    let model = models.find(|model| model.name == name).context("failed to find a model")?;
    let program = compile(workspace, &model.package)?;
    Ok((model, program))
}

/// Returns the cell of all claims: the headline.
fn cell() -> Cell {
    let quick = harness::quick().cells.into_iter().find(|cell| cell.warmup > 0);
    quick.expect("the quick preset has a steady cell")
}

/// Returns how much one participant of a run costs in times another, block by block.
fn ratio(run: &Run, (own, other): (&str, &str)) -> Result<Sample> {
    let turns = |name: &str, block: u32| -> Vec<rounds::Turn> {
        let own = run.turns.iter().filter(|turn| turn.model == name && turn.block == block);
        let turn = |turn: &record::TurnRecord| {
            let cost = CPU.of_window(&turn.valid()?.window)?;
            Some(rounds::Turn { round: turn.round, cost })
        };
        own.filter_map(turn).collect()
    };
    let blocks = run.blocks.iter().map(|block| block.block);
    let ratios = blocks.filter_map(|b| rounds::log_ratio(&turns(own, b), &turns(other, b)));
    Sample::new(ratios.collect()).context("failed to pair any turns")
}

/// Returns the middle cost of a fetch on the floor, in microseconds.
fn floor_us(run: &Run) -> f64 {
    let own = run.turns.iter().filter(|turn| turn.model == FLOOR);
    let costs = own.filter_map(|turn| CPU.of_window(&turn.valid()?.window));
    let mut costs: Vec<f64> = costs.collect();
    costs.sort_by(f64::total_cmp);
    costs.get(costs.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints a ratio with its interval, from its logarithms by block.
fn report_ratio(what: &str, ratios: &Sample) -> Result<()> {
    let ratio = hodges_lehmann::ratio(ratios, 0.05);
    let interval = ratio.interval.context("failed to get an interval")?;
    let (low, high, blocks) = (interval.low, interval.high, ratios.values().len());
    say(&format!("{what}: {:.3} [{low:.3}, {high:.3}] over {blocks} blocks", ratio.value))
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}
