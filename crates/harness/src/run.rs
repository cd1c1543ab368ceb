//! Carries a schedule out: block by block, trial by trial, each in a fresh process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use model_kit::{Cell, DelayRange, Plan, Receipt, Workload};
use origin::Mount;
use record::{Block, Host, Missing, Model, Schedule, State, Stop, TrialRecord};

use crate::host::HostReading;
use crate::judge::{ORIGIN_FAILED, jumped};
use crate::session::{OriginProcess, Told, converse};
use crate::sweep::part;
use crate::{Awake, FLOOR, Program, interrupt, judge, stop};

/// Origins that are started before a block is given up.
const ORIGINS_MAX: usize = 3;
/// Fetches that warm an origin.
const WARMING_FETCHES: u64 = 400;

/// The programs of a run.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The origin.
    pub origin: Program,
    /// The models, by name.
    pub models: BTreeMap<String, Program>,
    /// Those that cannot run on this machine.
    pub missing: Vec<Missing>,
}

/// What happens during a run, told between measured windows.
#[derive(Debug)]
pub enum Event<'a> {
    /// A trial is about to begin: its block, and its place in it.
    Begin(&'a Block, usize),
    /// A trial has ended.
    Trial(&'a TrialRecord),
    /// A block has ended.
    Block(&'a Block),
    /// Blocks that were planned will not be measured.
    Stop(&'a Stop),
}

/// Who is told what happens; an error from here ends the run.
pub type Watch<'a> = dyn FnMut(Event<'_>) -> Result<()> + 'a;

/// Carries out the blocks of a schedule that are due, and returns all trials of whole blocks:
/// those of `done`, which an earlier process has measured, and those measured now. A signal ends
/// it after the last whole trial, with an error.
///
/// # Errors
///
/// Says why no origin could be had, what `watch` said, or that a signal came.
pub fn run(
    (schedule, due): (&Schedule, &[Block]),
    programs: &Programs,
    mut done: Vec<TrialRecord>,
    watch: &mut Watch<'_>,
) -> Result<Vec<TrialRecord>> {
    let _awake = Awake::for_placement(&schedule.placement);
    let mut stopped: Vec<&str> = Vec::new();
    for block in due {
        if stopped.contains(&block.cell.as_str()) {
            continue;
        }
        if let Some(over) = schedule.stop.as_ref().and_then(|r| stop::time_is_over(r, &done)) {
            watch(Event::Stop(&over))?;
            break;
        }

        done.extend(run_block(schedule, programs, (block, &mut *watch))?);
        watch(Event::Block(block))?;
        if let Some(stop) = stop::narrow_enough(schedule, block, &done) {
            watch(Event::Stop(&stop))?;
            stopped.push(&block.cell);
        }
    }
    Ok(done)
}

/// Runs every model of a block once, against an origin that is new at its beginning.
fn run_block(
    schedule: &Schedule,
    programs: &Programs,
    (block, watch): (&Block, &mut Watch<'_>),
) -> Result<Vec<TrialRecord>> {
    let mut origin = renewed(schedule, programs, block)?;
    let mut trials = Vec::with_capacity(block.order.len());
    for (position, name) in block.order.iter().enumerate() {
        watch(Event::Begin(block, position))?;
        let model = schedule.model(name).context("failed to find a model of the schedule")?;
        let program = programs.models.get(&model.name).context("failed to find its program")?;
        let plan = planned(schedule, (block, name), origin.ready.origins.clone());
        let plan = plan.context("failed to find a cell of the schedule")?;

        let started = (Instant::now(), SystemTime::now());
        let before = HostReading::before(&schedule.placement);
        let outcome = run_trial(model, program, (&plan, schedule, &mut origin));
        // A signal has ended the trial too: it says nothing.
        ensure!(interrupt::exit_code().is_none(), "interrupted");
        let memory_peak_kib = outcome.told.as_ref().map_or(0, |told| told.memory_peak_kib);
        let host = before.and_then(|before| before.since(&schedule.placement, memory_peak_kib));
        let origin_failed = outcome.origin_failed;
        let trial = outcome.record((block, host), (position, name), started);
        watch(Event::Trial(&trial))?;
        trials.push(trial);
        if origin_failed {
            origin = renewed(schedule, programs, block)?;
        }
    }
    Ok(trials)
}

/// Returns a new origin; one that dies at once, as an origin may that somebody kills, is no reason
/// to end a run of hours.
fn renewed(schedule: &Schedule, programs: &Programs, block: &Block) -> Result<OriginProcess> {
    let mut last = None;
    for _ in 0..ORIGINS_MAX {
        ensure!(interrupt::exit_code().is_none(), "interrupted");
        match warmed(schedule, programs, block) {
            Ok(origin) => return Ok(origin),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("it was tried"))
}

/// Starts an origin and lets the floor fetch from it a little, undelayed: its first replies come
/// late, and whoever is first in a block would pay for them.
fn warmed(schedule: &Schedule, programs: &Programs, block: &Block) -> Result<OriginProcess> {
    let mut origin = OriginProcess::start(&programs.origin, &schedule.placement)?;
    let floor = schedule.model(FLOOR).zip(programs.models.get(FLOOR));
    let (Some((floor, program)), Some(cell)) = (floor, schedule.cell(&block.cell)) else {
        return Ok(origin);
    };
    let cell = Cell {
        workload: Workload::Steady,
        warmup: 1,
        fetches: WARMING_FETCHES,
        delay_ms: DelayRange { lo: 0, hi: 0 },
        ..cell.clone()
    };
    // What it says is of no matter: the trials that follow are judged by themselves.
    let _ = origin.serve((floor, program), (cell, block.seed), &schedule.placement)?;
    Ok(origin)
}

/// Returns what a model, or a control, is told in a block: a model that holds fewer in flight gets
/// so many slots, and a control pays its share of what the baseline costs on top.
pub(crate) fn planned(
    schedule: &Schedule,
    (block, name): (&Block, &str),
    origins: Vec<SocketAddr>,
) -> Option<Plan> {
    let (model, cell) = (schedule.model(name)?, schedule.cell(&block.cell)?);
    let percent = schedule.control(name).map_or(0, |control| u64::from(control.percent));
    let cost_ns = schedule.probe(&block.cell).map_or(0, |probe| probe.baseline_ns);
    Some(Plan {
        cell: held(cell, model),
        origins,
        workers: schedule.placement.workers,
        seed: block.seed,
        deadline_ms: None,
        surcharge_ns: cost_ns.saturating_mul(percent) / 100,
    })
}

/// Returns a cell as a model carries it out: one that holds fewer in flight gets so many slots, and
/// of a steady cell, of which it has one in a sweep alone, as many fetches as take as long.
pub(crate) fn held(cell: &Cell, model: &Model) -> Cell {
    match model.max_in_flight {
        Some(most) if most < cell.in_flight && cell.workload.needs_every_slot() => part(cell, most),
        most => Cell { in_flight: cell.in_flight.min(most.unwrap_or(u32::MAX)), ..cell.clone() },
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
        let state = State::Void(vec![format!("{ORIGIN_FAILED}: {error:#}")]);
        Self { state, told, receipt: None, origin_failed: true }
    }

    /// Returns what is written down of it.
    fn record(
        self,
        (block, host): (&Block, Option<Host>),
        (position, model): (usize, &str),
        (began, started): (Instant, SystemTime),
    ) -> TrialRecord {
        let (hello, trial) = self.told.map(|told| (told.hello, told.trial)).unzip();
        let clock_jump_ms = clock_jump_ms((began, started));
        let host = host.map(|host| Host { clock_jump_ms, ..host });
        TrialRecord {
            block: block.number,
            position: u32::try_from(position).expect("a block has few trials"),
            cell: block.cell.clone(),
            model: model.to_owned(),
            started_utc: humantime::format_rfc3339_millis(started).to_string(),
            spent_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            state: with_reason(self.state, jumped(host.as_ref())),
            versions: hello.map(|hello| hello.versions).unwrap_or_default(),
            trial,
            receipt: self.receipt,
            host,
        }
    }
}

/// Returns how much further the time of day has gone than the monotonic clock since both were read.
fn clock_jump_ms((began, started): (Instant, SystemTime)) -> i64 {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let by_day = started.elapsed().map_or_else(|back| -ms(back.duration()), ms);
    by_day.saturating_sub(ms(began.elapsed()))
}

/// Adds a reason, if there is one, to those for which a trial is void; one that failed says more.
fn with_reason(state: State, reason: Option<String>) -> State {
    match (state, reason) {
        (State::Valid, Some(reason)) => State::Void(vec![reason]),
        (State::Void(mut reasons), Some(reason)) => {
            reasons.push(reason);
            State::Void(reasons)
        }
        (state, _) => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_during_which_the_clock_jumped_is_void_and_says_so() {
        let an_hour = Duration::from_hours(1);
        let (now, today) = (Instant::now(), SystemTime::now());
        for (started, sign) in [(today - an_hour, 1), (today + an_hour, -1)] {
            let jump = clock_jump_ms((now, started));
            assert!((sign * jump - 3_600_000).abs() < 60_000, "{jump}");
            let host = Host { clock_jump_ms: jump, ..Host::default() };
            let State::Void(reasons) = with_reason(State::Valid, jumped(Some(&host))) else {
                panic!("it is valid")
            };
            assert!(crate::is_of_the_machine(&reasons[0]), "{reasons:?}");
            let late = State::Void(vec!["late".to_owned()]);
            let State::Void(both) = with_reason(late, jumped(Some(&host))) else { panic!("valid") };
            assert_eq!(both, ["late", reasons[0].as_str()]);
            let failed = State::Failed("it hung".to_owned());
            assert_eq!(with_reason(failed.clone(), jumped(Some(&host))), failed);
        }
        let still = Host { clock_jump_ms: -1_000, ..Host::default() };
        assert_eq!(with_reason(State::Valid, jumped(Some(&still))), State::Valid);
        assert_eq!(jumped(None), None);
    }
}
