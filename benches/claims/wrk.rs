//! The floors are floors: the floor, and the floor of completions, beside wrk against the same
//! origin, with as many connections and one fixed delay, each as a whole process.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use harness::{Child, IdleInhibitor, OriginProcess, Program, Start};
use model_kit::pipe::FromModel;
use model_kit::{Cell, DelayRange, Plan};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use origin::Mount;
use record::Model;
use stats::Sample;

use crate::runner::say;
use crate::{Bench, built, cell, real, report_ratio};

/// Blocks.
const BLOCKS: u64 = 20;

/// Measures both, and prints what each costs in times wrk.
pub(crate) fn print(bench: &Bench) -> Result<()> {
    let Some(wrk) = installed() else {
        return say("floor beside wrk: wrk is missing; `apt install wrk` fixes it");
    };
    let _inhibitor = IdleInhibitor::keep(&bench.placement.cpus())?;
    beside(bench, &bench.floor, &wrk)?;
    let completions = built(&bench.workspace, ("crates", "io-uring"))?;
    // Where the kernel gives no ring, that is what there is to say.
    beside(bench, &completions, &wrk).or_else(|why| say(&format!("{why:#}")))
}

/// Measures a model beside wrk, which comes first in every other block, and prints the ratio.
fn beside(bench: &Bench, model: &(Model, Program), wrk: &Path) -> Result<()> {
    let mut ratios = Vec::new();
    for seed in 0..BLOCKS {
        let mut origin = OriginProcess::start(&bench.origin, &bench.placement)?;
        let own = |origin: &mut OriginProcess| {
            whole_us((origin, seed), |origin| converse(bench, model, (origin, seed)))
        };
        let other = |origin: &mut OriginProcess| {
            whole_us((origin, seed), |origin| run_wrk(bench, wrk, origin))
        };
        let (own, other) = match seed % 2 {
            0 => (own(&mut origin)?, other(&mut origin)?),
            _ => {
                let other = other(&mut origin)?;
                (own(&mut origin)?, other)
            }
        };
        ratios.push((own / other).ln());
    }
    let what = format!("CPU per fetch of the whole process, {} against wrk", model.0.name);
    report_ratio(&what, &Sample::new(ratios).context("failed to pair the costs")?)
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
    bench: &Bench,
    (model, program): &(Model, Program),
    (origin, seed): (&OriginProcess, u64),
) -> Result<()> {
    let (origins, workers) = (origin.ready.origins.clone(), bench.placement.workers);
    let plan = Plan { cell: long(), origins, workers, seed, deadline_ms: None, surcharge_ns: 0 };
    let reported = harness::converse(model, program, (&plan, &bench.placement.model_cpus));
    let turned = reported.map_err(|why| anyhow!("{}: {why}", model.name))?.turned;
    ensure!(turned.total.errors.is_empty(), "{}: fetches failed", model.name);
    Ok(())
}

/// Runs wrk for about as many fetches as the cell has.
fn run_wrk(bench: &Bench, wrk: &Path, origin: &OriginProcess) -> Result<()> {
    let address = origin.ready.origins.first().context("failed to find the origin")?;
    let connections = format!("-c{}", cell().in_flight);
    let url = format!("http://{address}/f/7");
    let arguments = ["-t1".to_owned(), connections, "-d1s".to_owned(), url];
    let start = Start {
        program: wrk,
        arguments: arguments.into(),
        env: [].into(),
        cpus: &bench.placement.model_cpus,
    };
    // What wrk says is no message of ours; that it said something is all that is asked.
    let child: Child<FromModel> = Child::start(&start)?;
    let _ = child.dismiss();
    Ok(())
}

/// Returns a cell of many fetches with one fixed delay, for whole processes.
fn long() -> Cell {
    Cell { delay_ms: DelayRange { lo: 32, hi: 32 }, warmup: 400, fetches: 1_600, ..cell() }
}

/// Returns where wrk is, if it is installed.
fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("wrk")).find(|path| path.exists())
}

/// Returns the CPU time of all children that have ended, in microseconds.
fn children_us() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("failed to read the usage")?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(real(u64::try_from(micros).context("failed to read the usage")?))
}
