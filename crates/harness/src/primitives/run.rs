//! Carries the blocks of primitives out.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use record::{
    Entry, PrimitiveBlock, PrimitiveProgram, PrimitiveRecord, RunFolder, Schedule, State,
};

use workload::primitive::PrimitivePlan;

use super::PrimitiveBlocks;
use super::draw::add_primitives;
use super::trial::{Tried, measure_primitive, planned};
use super::validate::{against_the_kernel, validate_primitive};
use crate::{Basis, Program, draw, interrupt, place, progress, smoke};

/// Who learns of each trial that has ended, and of each block; an error from here ends the run.
pub type PrimitiveWatch<'a> =
    dyn FnMut(&PrimitiveBlock, Option<&PrimitiveRecord>) -> Result<()> + 'a;

/// Carries out the blocks of primitives that are due. A signal ends it after the last whole trial,
/// with an error.
///
/// # Errors
///
/// Says what `watch` said, or that a signal came.
pub fn run_primitives(
    (schedule, due): (&Schedule, &[PrimitiveBlock]),
    programs: &BTreeMap<String, Program>,
    watch: &mut PrimitiveWatch<'_>,
) -> Result<()> {
    for block in due {
        for (position, name) in block.order.iter().enumerate() {
            let described = schedule.primitives.program(name);
            let described = described.context("failed to find a program of the schedule")?;
            let program = programs.get(name).context("failed to find a built program")?;
            let trial = trial(schedule, block, (position, described, program));
            // A signal has ended the trial too: it says nothing.
            ensure!(interrupt::exit_code().is_none(), "interrupted");
            watch(block, Some(&trial))?;
        }
        watch(block, None)?;
    }
    Ok(())
}

/// Returns the blocks that are due from a number on, in a session.
pub(crate) fn due(schedule: &Schedule, (next, session): (u32, u32)) -> Vec<PrimitiveBlock> {
    let is_due = |block: &&PrimitiveBlock| block.number >= next && block.session == session;
    schedule.primitives.blocks.iter().filter(is_due).cloned().collect()
}

/// Carries out the blocks that are due, and writes them down.
pub(crate) fn carry_out(
    (schedule, due): (&Schedule, &[PrimitiveBlock]),
    programs: &BTreeMap<String, Program>,
    folder: &mut RunFolder,
) -> Result<()> {
    let mut ended = 0;
    run_primitives((schedule, due), programs, &mut |block, trial| match trial {
        Some(trial) => folder.append(&Entry::Primitive(Box::new(trial.clone()))),
        None => {
            ended += 1;
            progress::primitives(block, (ended, due.len()));
            folder.sync()
        }
    })
}

/// Runs one trial and validates it.
fn trial(
    schedule: &Schedule,
    block: &PrimitiveBlock,
    (position, described, program): (usize, &PrimitiveProgram, &Program),
) -> PrimitiveRecord {
    let (began, started) = (Instant::now(), SystemTime::now());
    let plan = planned(&schedule.primitives, block);
    let (state, reported) = match measure_primitive(described, program, &plan) {
        Ok(tried) => (state(&plan, &tried), Some((tried.versions, tried.trial))),
        Err(reason) => (State::Failed(reason), None),
    };
    let (versions, trial) = reported.unzip();
    PrimitiveRecord {
        block: block.number,
        position: u32::try_from(position).expect("a block has few trials"),
        primitive: block.primitive,
        program: described.name.clone(),
        started_utc: humantime::format_rfc3339_millis(started).to_string(),
        spent_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        state,
        versions: versions.unwrap_or_default(),
        trial,
    }
}

/// Returns the state of a trial, by its own counts and by what the kernel reports of its process.
fn state(plan: &PrimitivePlan, tried: &Tried) -> State {
    let broken = against_the_kernel(plan, tried);
    match validate_primitive(plan, &tried.trial) {
        State::Valid if broken.is_empty() => State::Valid,
        State::Valid => State::Invalid(broken),
        State::Invalid(reasons) => State::Invalid([reasons, broken].concat()),
        failed => failed,
    }
}

/// Runs each primitive once, tiny, and reports of each trial.
///
/// # Errors
///
/// Says what `say` said.
pub fn verify_primitives(
    found: Vec<PrimitiveProgram>,
    programs: &BTreeMap<String, Program>,
    say: &mut dyn FnMut(&PrimitiveRecord) -> Result<()>,
) -> Result<()> {
    let preset = crate::Preset { cells: Vec::new(), ..smoke() };
    let (models, probes) = (Vec::new(), Vec::new());
    let basis = Basis { preset, models, missing: Vec::new(), seed: 1, placement: place()?, probes };
    let mut schedule = draw(basis);
    add_primitives(&mut schedule, found, PrimitiveBlocks::ONCE);
    let due = schedule.primitives.blocks.clone();
    run_primitives((&schedule, &due), programs, &mut |_, trial| trial.map_or(Ok(()), &mut *say))
}
