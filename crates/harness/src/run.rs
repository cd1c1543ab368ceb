//! Carries a schedule out: block by block, trial by trial, each in a fresh process.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};
use model_kit::{Cell, Plan, Receipt};
use origin::Mount;
use record::{Block, Model, Schedule, State, TrialRecord};

use crate::session::{OriginProcess, Told, converse};
use crate::{Awake, FLOOR, Program, judge};

/// The programs of a run.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The origin.
    pub origin: Program,
    /// The models, by name.
    pub models: BTreeMap<String, Program>,
}

/// What happens during a run, told between measured windows.
#[derive(Debug)]
pub enum Event<'a> {
    /// A trial is about to begin: its block, and its place in it.
    Trial(&'a Block, usize),
    /// A block has ended, or was cut short after these trials.
    Block(&'a Block, &'a [TrialRecord]),
}

/// Who is told what happens; an error from here ends the run.
pub type Watch<'a> = dyn FnMut(Event<'_>) -> Result<()> + 'a;

/// Carries a schedule out and returns all trials.
///
/// # Errors
///
/// Says why no origin could be had, or what `watch` said.
pub fn run(
    schedule: &Schedule,
    programs: &Programs,
    watch: &mut Watch<'_>,
) -> Result<Vec<TrialRecord>> {
    let placement = &schedule.placement;
    let mut cpus = [placement.model_cpus.as_slice(), &placement.origin_cpus].concat();
    cpus.sort_unstable();
    cpus.dedup();
    let _awake = placement.awake.then(|| Awake::keep(&cpus));

    let mut trials = Vec::new();
    for block in &schedule.blocks {
        let mut ended = Vec::with_capacity(block.order.len());
        let outcome = run_block(schedule, programs, (block, &mut *watch), &mut ended);
        void_unlike_heads(schedule, &mut ended);
        // What ended before a block was cut short is told all the same.
        watch(Event::Block(block, &ended))?;
        trials.extend(ended);
        outcome?;
    }
    Ok(trials)
}

/// Runs every model of a block once, against an origin that is new at its beginning.
fn run_block(
    schedule: &Schedule,
    programs: &Programs,
    (block, watch): (&Block, &mut Watch<'_>),
    trials: &mut Vec<TrialRecord>,
) -> Result<()> {
    let mut origin = OriginProcess::start(&programs.origin, &schedule.placement)?;
    for (position, name) in block.order.iter().enumerate() {
        watch(Event::Trial(block, position))?;
        let model = schedule.model(name).context("failed to find a model of the schedule")?;
        let cell = schedule.cell(&block.cell).context("failed to find a cell of the schedule")?;
        let program = &programs.models[name];
        let plan = plan(schedule, block, (model, cell, &origin));

        let started = (Instant::now(), SystemTime::now());
        let outcome = run_trial(model, program, (&plan, schedule, &mut origin));
        let origin_failed = outcome.origin_failed;
        trials.push(outcome.record(block, (position, name), started));
        if origin_failed {
            origin = OriginProcess::start(&programs.origin, &schedule.placement)?;
        }
    }
    Ok(())
}

/// Returns what a model is told: a model that holds fewer in flight gets so many slots.
fn plan(
    schedule: &Schedule,
    block: &Block,
    (model, cell, origin): (&Model, &Cell, &OriginProcess),
) -> Plan {
    let in_flight = cell.in_flight.min(model.max_in_flight.unwrap_or(u32::MAX));
    Plan {
        cell: Cell { in_flight, ..cell.clone() },
        origins: origin.ready.origins.clone(),
        workers: schedule.placement.workers,
        seed: block.seed,
        deadline_ms: None,
    }
}

/// What came of a trial.
struct Outcome {
    state: State,
    told: Option<Told>,
    receipt: Option<Receipt>,
    origin_failed: bool,
}

/// Runs one trial and judges it.
fn run_trial(
    model: &Model,
    program: &Program,
    (plan, schedule, origin): (&Plan, &Schedule, &mut OriginProcess),
) -> Outcome {
    let mount = Mount { cell: plan.cell.clone(), seed: plan.seed };
    if let Err(error) = origin.accepts().and_then(|()| origin.mount(mount)) {
        return Outcome::without_origin(None, &error);
    }

    let told = converse(model, program, (plan, &schedule.placement.model_cpus));
    let receipt = origin.receipt().and_then(|receipt| origin.accepts().map(|()| receipt));
    match (told, receipt) {
        (told, Err(error)) => Outcome::without_origin(told.ok(), &error),
        (Err(reason), Ok(receipt)) => Outcome {
            state: State::Failed(reason),
            told: None,
            receipt: Some(receipt),
            origin_failed: false,
        },
        (Ok(told), Ok(receipt)) => {
            let reasons = judge(model, plan, (&told.trial, &receipt));
            let state = if reasons.is_empty() { State::Valid } else { State::Void(reasons) };
            Outcome { state, told: Some(told), receipt: Some(receipt), origin_failed: false }
        }
    }
}

impl Outcome {
    /// A trial whose origin failed says nothing of its model.
    fn without_origin(told: Option<Told>, error: &anyhow::Error) -> Self {
        let state = State::Void(vec![format!("the origin failed, not the model: {error:#}")]);
        Self { state, told, receipt: None, origin_failed: true }
    }

    /// Returns what is written down of it.
    fn record(
        self,
        block: &Block,
        (position, model): (usize, &str),
        (began, started): (Instant, SystemTime),
    ) -> TrialRecord {
        let (hello, trial) = self.told.map(|told| (told.hello, told.trial)).unzip();
        TrialRecord {
            block: block.number,
            position: u32::try_from(position).expect("a block has few trials"),
            cell: block.cell.clone(),
            model: model.to_owned(),
            started_utc: humantime::format_rfc3339_millis(started).to_string(),
            spent_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            state: self.state,
            versions: hello.map(|hello| hello.versions).unwrap_or_default(),
            trial,
            receipt: self.receipt,
        }
    }
}

/// Voids the trials of bare models whose request heads were not the floor's. In a block without a
/// valid trial of the floor nothing can be compared.
fn void_unlike_heads(schedule: &Schedule, trials: &mut [TrialRecord]) {
    let digest = |trial: &TrialRecord| trial.receipt.as_ref().map(|receipt| receipt.heads_digest);
    let floor = trials.iter().find(|trial| trial.model == FLOOR && trial.state == State::Valid);
    let Some(expected) = floor.and_then(digest) else { return };
    for trial in trials {
        let bare = schedule.model(&trial.model).is_some_and(Model::is_bare);
        if bare && trial.state == State::Valid && digest(trial) != Some(expected) {
            let reason = "its request heads are not those of the floor".to_owned();
            trial.state = State::Void(vec![reason]);
        }
    }
}
