//! Measures: from models and a preset to a run on disk, or from a run that was cut short to its
//! end. Both doors to the house, `cargo bench` and the command line, come through here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use record::{
    Again, Block, Brief, Entry, Environment, Integrity, Model, Placement, PrimitiveProgram, Resume,
    Run, RunFolder, Schedule, TurnRecord, Unreadable,
};
use workload::{Cell, OriginKind, plain};

use crate::footprint::footprints;
use crate::forecast::{beyond_origin, knows};
use crate::go_on::{is_due, next_block, same_machine, same_programs};
use crate::load::set_rates;
use crate::machine::{place_like, required};
use crate::origin_process::OriginProcess;
use crate::programs::{build_for_run, hashes, interpreter_versions};
use crate::progress::{Progress, say};
use crate::run_lock::RunLock;
use crate::{
    Basis, Event, Failure, Preset, Programs, Workers, Workspace, draw, forecast, interrupt,
    place_for, preflight, probe,
};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the models come from.
    pub workspace: Workspace,
    /// Where the run is written.
    pub results: PathBuf,
    /// Cells and blocks.
    pub preset: Preset,
    /// The models.
    pub models: Vec<Model>,
    /// The programs that measure primitives.
    pub primitives: Vec<PrimitiveProgram>,
    /// Decides everything that is drawn; the time of day if none.
    pub seed: Option<u64>,
    /// The run that this one corrects.
    pub supersedes: Option<String>,
    /// The kind of the origin.
    pub origin: OriginKind,
    /// On how many threads a runtime runs its units.
    pub workers: Workers,
}

impl Request {
    /// Returns its preset as this machine measures it, and who runs where.
    ///
    /// # Errors
    ///
    /// Says that the CPUs cannot be read, or are too few for the workers or for every cell.
    pub fn placed(&self) -> Result<(Preset, Placement)> {
        let placement = Placement { origin: self.origin, ..place_for(self.workers)? };
        self.preset.clone().on(placement)
    }
}

/// A run as far as it came.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its folder.
    pub path: PathBuf,
    /// How it ended.
    pub how: How,
}

/// How measuring ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The run is complete.
    Complete,
    /// A signal cut it short; the exit code that asks for.
    Interrupted(u8),
    /// This session is complete, and the next one is due in so many hours.
    Session(u32),
}

/// Makes sure that what is requested can be measured here and now, and claims the machine for it:
/// before anything is prepared or built. Of the models only what their manifests say is looked at.
///
/// # Errors
///
/// Says what refuses to be measured or written, or who measures already.
pub fn claim(request: &Request) -> Result<RunLock> {
    may_measure(request)?;
    RunLock::on_results(&request.results)
}

/// Measures what is requested.
///
/// # Errors
///
/// Says what refuses to be measured, built or written.
pub fn measure(request: &Request) -> Result<Ended> {
    measure_claimed(request, claim(request)?)
}

/// Measures what is requested on the machine that was claimed for it.
///
/// # Errors
///
/// Says what refuses to be built, measured or written.
pub fn measure_claimed(request: &Request, _lock: RunLock) -> Result<Ended> {
    let (mut preset, placement) = request.placed()?;
    let all = (request.models.as_slice(), request.primitives.as_slice());
    let programs = build_for_run((&request.workspace, layout(&preset)), all)?;
    interrupt::watch()?;
    let probes =
        probe((&preset.cells, preset.baseline()), &request.models, (&programs, &placement))?;
    set_rates(&mut preset.cells, &probes);
    let mut schedule = draw(Basis {
        preset,
        models: request.models.clone(),
        missing: programs.missing.clone(),
        programs: request.primitives.clone(),
        seed: request.seed.unwrap_or_else(seed),
        placement,
        probes,
    });
    if let Some(why) = beyond_origin(&schedule) {
        return Err(Failure::Preflight(why).into());
    }
    schedule.supersedes.clone_from(&request.supersedes);
    let mut environment = environment(&request.workspace.root, &schedule, &programs)?;
    let models = (request.models.as_slice(), &programs);
    environment.model_footprints = Some(footprints(&request.workspace, models, &environment));
    let earlier = earlier(&request.results, &environment, &schedule.cells);
    for line in forecast(&schedule, &earlier).lines {
        say(&format!("{}\n", plain(&line)));
    }

    let folder = RunFolder::create(&request.results, &schedule, &environment)?;
    carry_out(&schedule, &programs, (folder, Vec::new(), 0))
}

/// Goes on with a run that was cut short, in the order that it recorded: turns of the block in
/// which it was cut stay in the journal and out of every figure, and that block is repeated whole.
///
/// # Errors
///
/// Says why the run cannot go on: it is complete or altered, its next session is not due yet, or
/// the programs are others by now.
pub fn resume(workspace: &Workspace, path: &Path) -> Result<Ended> {
    let path = fs::canonicalize(path).with_context(|| Unreadable(path.display().to_string()))?;
    let _lock = RunLock::on_results(path.parent().unwrap_or(&path))?;
    let run = Run::read(&path)?;
    let next = next_block(&run)?;
    let session = session(&run.schedule, next);
    is_due(&run, session)?;
    let schedule = &run.schedule;
    let (cells, models) = (required(&schedule.cells, &schedule.sweeps), &schedule.models);
    preflight((&workspace.root, Some(&workspace.target)), Some(&path), (&cells, models))?;

    let layout = schedule.sessions.get(session as usize).and_then(|session| session.layout_seed);
    let runs = |model: &&Model| schedule.missing(&model.name).is_none();
    let models: Vec<Model> = schedule.models.iter().filter(runs).cloned().collect();
    let all = (models.as_slice(), schedule.programs.as_slice());
    let programs = build_for_run((workspace, layout), all)?;
    if let Some(missing) = programs.missing.first() {
        let why = format!("the run cannot go on: {} is {missing}", missing.model);
        return Err(Failure::Preflight(why).into());
    }
    same_programs(&run, session, &hashes(&programs))?;
    let now = environment(&workspace.root, schedule, &programs)?;
    let placement = place_like(&run.schedule.placement)?;
    same_machine(&run, (&now, &placement), session)?;
    interrupt::watch()?;
    let mut folder = RunFolder::reopen(&path)?;
    let at_utc = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let programs_sha256 = hashes(&programs);
    folder.append(&Entry::Resume(Resume { at_utc, block: next, session, programs_sha256 }))?;
    folder.sync()?;
    let done = run.turns.clone();
    let schedule = without_stopped(&run);
    carry_out(&schedule, &programs, (folder, done, next))
}

/// Returns the folder of the newest run below some results that did not come to its end.
///
/// # Errors
///
/// Says that there is none.
pub fn newest_unfinished(results: &Path) -> Result<PathBuf> {
    let unfinished = |path: &PathBuf| !path.join("MANIFEST").exists();
    record::runs(results).into_values().rev().find(unfinished).ok_or_else(|| {
        let where_ = results.display();
        anyhow!(Failure::Usage(format!("there is no run to go on with below {where_}")))
    })
}

/// Carries out what is due of a schedule, writes it down, and finishes the run if nothing is left.
fn carry_out(
    schedule: &Schedule,
    programs: &Programs,
    (mut folder, done, next): (RunFolder, Vec<TurnRecord>, u32),
) -> Result<Ended> {
    let path = folder.path().to_owned();
    let session = session(schedule, next);
    let is_due = |block: &&Block| block.number >= next && block.session == session;
    let due: Vec<Block> = schedule.blocks.iter().filter(is_due).cloned().collect();

    let mut progress = Progress::new(schedule, &due, &done);
    let ended = crate::run((schedule, &due), programs, done, &mut |event| {
        progress.show(&event);
        match event {
            Event::Turn(turn) => folder.append(&Entry::Turn(Box::new(turn.clone()))),
            Event::Round(round) => folder.append(&Entry::Round(round.clone())),
            Event::Block(_, block) => {
                folder.append(&Entry::Block(Box::new(block.clone())))?;
                folder.sync()
            }
            Event::Again(block, reason) => {
                let (block, reason) = (block.number, reason.clone());
                folder.append(&Entry::Again(Again { block, reason }))
            }
            Event::Stop(stop) => folder.append(&Entry::Stop(stop.clone())),
            Event::Begin(..) => Ok(()),
        }
    });
    progress.end();

    let how = match (ended, interrupt::exit_code()) {
        (Err(_), Some(code)) => How::Interrupted(code),
        (Err(error), None) => return Err(error),
        (Ok(()), _) => match schedule.sessions.get(session as usize + 1) {
            Some(later) => How::Session(later.hours_after_last),
            None => {
                folder.finish()?;
                How::Complete
            }
        },
    };
    Ok(Ended { path, how })
}

/// Checks that this program and this machine may measure what is requested.
fn may_measure(request: &Request) -> Result<()> {
    if cfg!(debug_assertions) {
        let why = "a debug build measures nothing: use `cargo bench`, or `cargo run --release`";
        return Err(Failure::Usage(why.to_owned()).into());
    }
    let Request { workspace, results, preset, models, .. } = request;
    let target = Some(&*workspace.target);
    let cells = required(&preset.cells, &preset.sweeps);
    preflight((&workspace.root, target), Some(results), (&cells, models))?;
    request.placed().map(drop)
}

/// Returns the layout of a preset's first session.
fn layout(preset: &Preset) -> Option<u64> {
    preset.sessions.first().and_then(|session| session.layout_seed)
}

/// Returns what a reader must know of the machine.
fn environment(root: &Path, schedule: &Schedule, programs: &Programs) -> Result<Environment> {
    let (cells, placement) = (&schedule.cells, &schedule.placement);
    // It is the one that most cells have: where all are open, the one that serves those.
    let all_open = cells.first().filter(|_| cells.iter().all(Cell::is_open));
    let placement = all_open.map_or_else(|| placement.clone(), |cell| placement.serving(cell));
    let origin = OriginProcess::start(&programs.origin, &placement)?;
    let mut environment = Environment::read(root, &origin.ready.server, hashes(programs));
    environment.python = interpreter_versions(programs);
    Ok(environment)
}

/// Returns the session that begins with a block, or goes on with it: the last one after all blocks.
fn session(schedule: &Schedule, next: u32) -> u32 {
    let blocks = || schedule.blocks.iter().map(|block| (block.number, block.session));
    let next = blocks().filter(|(number, _)| *number >= next).min();
    next.or(blocks().max()).map_or(0, |(_, session)| session)
}

/// Returns the schedule of a run without the blocks of cells that have had enough.
fn without_stopped(run: &Run) -> Schedule {
    let mut schedule = run.schedule.clone();
    let measured: BTreeSet<u32> = run.blocks.iter().map(|block| block.block).collect();
    let is_due = |block: &Block| !run.has_stopped(&block.cell);
    schedule.blocks.retain(|block| measured.contains(&block.number) || is_due(block));
    schedule
}

/// Returns the whole runs of this kind of machine below some results that show how noisy cells are:
/// of each cell the newest, and the newest of them first. A cell that no run has makes this look at
/// every schedule, but at no journal.
pub fn earlier(results: &Path, machine: &Environment, cells: &[Cell]) -> Vec<Run> {
    let is_like = |run: &Run| {
        let other = &run.environment;
        let same =
            machine.has_cpu_of(other) && (other.cpus, &other.kind) == (machine.cpus, &machine.kind);
        same && run.integrity == Integrity::Whole
    };
    let mut wanted: Vec<&Cell> = cells.iter().collect();
    let mut runs = Vec::new();
    for path in record::runs(results).into_values().rev() {
        let has = |brief: Brief| wanted.iter().any(|cell| brief.cells.contains(&cell.name));
        if !Brief::read(&path).is_ok_and(has) {
            continue;
        }
        let Some(run) = Run::read(&path).ok().filter(is_like) else { continue };
        let before = wanted.len();
        wanted.retain(|cell| !knows(&run, cell));
        if wanted.len() < before {
            runs.push(run);
        }
    }
    runs
}

/// Returns a seed that no two runs share.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // The low digits are those that differ; a seed is easier to copy when it is short.
    u64::try_from(since.as_micros() % 1_000_000_000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies the measured files of a run below a folder, under a name, as if it had been measured
    /// on the machine of another.
    fn publish((run, machine): (&Path, &Path), below: &Path, name: &str) -> Run {
        let folder = below.join(name);
        fs::create_dir(&folder).unwrap();
        let mut manifest = Vec::new();
        for (from, file) in
            [(run, "schedule.json"), (machine, "environment.json"), (run, "journal.jsonl")]
        {
            let mut bytes = fs::read(from.join(file)).unwrap();
            if file == "journal.jsonl" {
                let (schema, run) = ("inflight.journal/2.0".to_owned(), Some(name.to_owned()));
                let begin = Entry::Begin(record::Begin { schema, run }).to_line().unwrap();
                let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
                bytes.splice(..=end, begin.into_bytes());
            }
            manifest.push(format!("{}  {file}\n", record::sha256(&bytes)));
            fs::write(folder.join(file), bytes).unwrap();
        }
        fs::write(folder.join("MANIFEST"), manifest.concat()).unwrap();
        Run::read(&folder).unwrap()
    }

    #[test]
    fn the_noise_of_a_cell_is_that_of_the_newest_run_that_has_the_cell() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let is_quick = |path: &PathBuf| Brief::read(path).is_ok_and(|run| run.preset == "quick");
        let published = record::runs(&root.join("../../results"));
        let published = published.into_values().find(is_quick).unwrap();
        // Its cells have the names of the published run's, and are others.
        let fixture = root.join("../report/tests/golden/run");
        let results = tempfile::tempdir().unwrap();
        let old = publish((&published, &published), results.path(), "1");
        let quick = publish((&published, &published), results.path(), "2");
        let newest = publish((&fixture, &published), results.path(), "3");
        assert_eq!(quick.environment.cpu, newest.environment.cpu);

        let reported = |cells: &[Cell]| -> Vec<String> {
            let runs = earlier(results.path(), &newest.environment, cells);
            runs.into_iter().map(|run| run.id).collect()
        };
        assert_eq!(reported(&quick.schedule.cells), ["2"]);
        assert_eq!(reported(&newest.schedule.cells[..1]), ["3"]);
        let both = [quick.schedule.cells.as_slice(), &newest.schedule.cells].concat();
        assert_eq!(reported(&both), ["3", "2"]);
        let other = Cell { in_flight: 7, ..old.schedule.cells[0].clone() };
        assert_eq!(reported(&[other]), [""; 0]);

        let shown = forecast(&old.schedule, &[newest, quick]).lines;
        let of = |line: &&String| line.contains("with the noise of 2,");
        assert_eq!(shown.iter().filter(of).count(), old.schedule.cells.len(), "{shown:?}");
    }
}
