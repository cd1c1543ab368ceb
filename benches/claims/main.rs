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
//! analysis is wrong where the truth is known; `-- neighbour` shows what a load that comes halfway
//! does to ratios; `-- sustained` (15 minutes) holds turns against running without a pause;
//! `-- origins` (10 minutes) shows ratios at one kind of origin beside those at the other. Two more
//! are no claims: `-- builds` times a build of each model from nothing, for the runs that follow to
//! report, and `-- listing` how long a thousand runs take to be listed and one to be reported.
//! Nothing here asserts a time.

mod builds;
mod collect;
mod controls;
mod listing;
mod memory;
mod neighbour;
mod origins;
#[path = "../runner/mod.rs"]
mod runner;
mod sustained;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use clap::builder::PossibleValuesParser;
use clap::{CommandFactory, Parser};
use harness::{
    BASELINE, Child, FLOOR, Failure, IdleInhibitor, OriginProcess, Preset, Program, RunLock, Start,
    Workspace, compile,
};
use model_kit::pipe::{FromModel, Turned};
use model_kit::{Cell, DelayRange, Plan};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use origin::Mount;
use record::{Model, Placement, Run};
use stats::rounds;
use stats::{Paired, Sample, hodges_lehmann};

use crate::collect::measured;
use crate::runner::{Asked, Runner, say, warn};

/// Blocks of a claim; those that need more take a multiple.
const BLOCKS: u64 = 20;

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

/// What is measured when no claim is named.
const CLAIMS: [(&str, Claim); 3] = [
    ("slot", Bench::cost_of_the_slot),
    ("wrk", Bench::floor_beside_wrk),
    ("awake", Bench::with_spinners),
];
/// What is measured by its name alone: it takes long, or is no claim.
const BY_NAME: [(&str, Claim); 4] = [
    ("controls", controls::print),
    ("neighbour", neighbour::print),
    ("origins", origins::print),
    ("sustained", sustained::print),
];
/// What is timed by its name alone, and needs no programs of models.
const TIMED: [(&str, fn() -> Result<()>); 2] =
    [("builds", builds::print), ("listing", listing::print)];

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
    harness::preflight(&workspace.root, &[&workspace.target], (&[], &[]))?;
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

    /// The floor beside wrk, each as a whole process from start to end.
    fn floor_beside_wrk(&self) -> Result<()> {
        let Some(wrk) = wrk() else {
            return say("floor beside wrk: wrk is missing; `apt install wrk` fixes it");
        };
        let _inhibitor = self.awake()?;
        let pairs = in_blocks(BLOCKS, |seed, first| {
            let mut origin = OriginProcess::start(&self.origin, &self.placement)?;
            both(first, &mut origin, |origin, is_first| {
                Self::whole_us((origin, seed), |origin| match is_first {
                    true => self.converse(&self.floor, (origin, seed)).map(drop),
                    false => self.run_wrk(&wrk, origin),
                })
            })
        })?;
        print("CPU per fetch of the whole process, floor against wrk", &pairs)
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

    /// Returns all compiled models that can hold the cell.
    fn compiled(&self) -> Result<Vec<(Model, Program)>> {
        let found = harness::find(&self.workspace, "crates")?;
        let holds = |model: &Model| model.language.is_none() && model.max_in_flight.is_none();
        let own = found.into_iter().filter(holds);
        own.map(|model| Ok((model.clone(), compile(&self.workspace, &model.package)?))).collect()
    }

    /// Keeps all CPUs of the placement awake.
    fn awake(&self) -> Result<IdleInhibitor> {
        IdleInhibitor::keep(&self.placement.cpus())
    }

    /// Returns the CPU time per answered fetch of all processes that ended meanwhile.
    fn whole_us(
        (origin, seed): (&mut OriginProcess, u64),
        work: impl FnOnce(&OriginProcess) -> Result<()>,
    ) -> Result<f64> {
        origin.mount(Mount::whole(&long(), seed))?;
        let before = children_us()?;
        work(origin)?;
        let spent = children_us()? - before;
        let answered = origin.receipt()?.answered;
        ensure!(answered > 1_000, "failed to fetch: the origin answered {answered} times");
        Ok(spent / real(answered))
    }

    /// Lets a model carry out the cell.
    fn converse(
        &self,
        (model, program): &(Model, Program),
        (origin, seed): (&OriginProcess, u64),
    ) -> Result<Turned> {
        let origins = origin.ready.origins.clone();
        let workers = self.placement.workers;
        let plan =
            Plan { cell: long(), origins, workers, seed, deadline_ms: None, surcharge_ns: 0 };
        let reported = harness::converse(model, program, (&plan, &self.placement.model_cpus));
        let turned = reported.map_err(|why| anyhow!("{}: {why}", model.name))?.turned;
        ensure!(turned.total.errors.is_empty(), "{}: fetches failed", model.name);
        Ok(turned)
    }

    /// Runs wrk for about as many fetches as the cell has.
    fn run_wrk(&self, wrk: &Path, origin: &OriginProcess) -> Result<()> {
        let address = origin.ready.origins.first().context("failed to find the origin")?;
        let connections = format!("-c{}", cell().in_flight);
        let url = format!("http://{address}/f/7");
        let arguments = ["-t1".to_owned(), connections, "-d1s".to_owned(), url];
        let start = Start {
            program: wrk,
            arguments: arguments.into(),
            env: [].into(),
            cpus: &self.placement.model_cpus,
        };
        // What wrk says is no message of ours; that it said something is all that is asked.
        let child: Child<FromModel> = Child::start(&start)?;
        let _ = child.dismiss();
        Ok(())
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

/// Returns a cell of many fetches with one fixed delay, for whole processes.
fn long() -> Cell {
    Cell { delay_ms: DelayRange { lo: 32, hi: 32 }, warmup: 400, fetches: 1_600, ..cell() }
}

/// Returns how much one participant of a run costs in times another, block by block.
fn ratio(run: &Run, (own, other): (&str, &str)) -> Result<Sample> {
    let turns = |name: &str, block: u32| -> Vec<rounds::Turn> {
        let own = run.turns.iter().filter(|turn| turn.model == name && turn.block == block);
        let turn = |turn: &record::TurnRecord| {
            let window = &turn.valid()?.window;
            let cost = real(window.cpu_ns) / real(window.ended);
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
    let windows = own.filter_map(|turn| Some(&turn.valid()?.window));
    let mut costs: Vec<f64> =
        windows.map(|window| real(window.cpu_ns) / real(window.ended) / 1e3).collect();
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

/// Collects a pair of costs a block; which comes first alternates.
fn in_blocks(
    blocks: u64,
    mut block: impl FnMut(u64, bool) -> Result<(f64, f64)>,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let pairs = (0..blocks).map(|number| block(number, number % 2 == 0));
    Ok(pairs.collect::<Result<Vec<_>>>()?.into_iter().unzip())
}

/// Measures two costs in either order and returns the first one first.
fn both(
    first_goes_first: bool,
    origin: &mut OriginProcess,
    mut cost: impl FnMut(&mut OriginProcess, bool) -> Result<f64>,
) -> Result<(f64, f64)> {
    let one = cost(origin, first_goes_first)?;
    let other = cost(origin, !first_goes_first)?;
    Ok(if first_goes_first { (one, other) } else { (other, one) })
}

/// Prints a ratio with its interval, and how much single blocks scatter.
fn print(what: &str, (costs, references): &(Vec<f64>, Vec<f64>)) -> Result<()> {
    let paired = Paired::new(costs, references).context("failed to pair the costs")?;
    let logarithms = paired.log_ratios();
    let ratio = hodges_lehmann::ratio(&logarithms, 0.05);
    let interval = ratio.interval.context("failed to get an interval")?;
    let mut scatter: Vec<f64> = logarithms.values().iter().map(|value| value.abs()).collect();
    scatter.sort_by(f64::total_cmp);
    let (middle, most) = (scatter[scatter.len() / 2], scatter[scatter.len() * 9 / 10]);
    say(&format!(
        "{what}: {:.3} [{:.3}, {:.3}] over {} blocks; half of them are off by less than {:.1} %, \
         nine of ten by less than {:.1} %",
        ratio.value,
        interval.low,
        interval.high,
        scatter.len(),
        100.0 * middle.exp_m1(),
        100.0 * most.exp_m1()
    ))?;
    Ok(())
}

/// Returns where wrk is, if it is installed.
fn wrk() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("wrk")).find(|path| path.exists())
}

/// Returns the CPU time of all children that have ended, in microseconds.
fn children_us() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("failed to read the usage")?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(real(u64::try_from(micros).context("failed to read the usage")?))
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}
