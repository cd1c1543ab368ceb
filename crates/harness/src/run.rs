//! Carries a schedule out, block by block.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use record::{
    Block, BlockRecord, Described, Missing, Model, RoundRecord, Schedule, Stop, TurnRecord,
};
use rules::Reason;
use workload::content::first_id;
use workload::{Cell, DelayRange, Plan, Turn, Workload};

use crate::block::{How, Measuring};
use crate::origin_process::OriginProcess;
use crate::service::Service;
use crate::sweep::part;
use crate::{FLOOR, Program, group, interrupt, stop};

/// Origins that are started before a block is given up.
const ORIGINS_MAX: usize = 3;
/// How often a block begins anew whose origin failed.
const BLOCKS_MAX: usize = 3;
/// Fetches that warm an origin.
const WARMING_FETCHES: u64 = 400;
/// The most of them at once.
const WARMING_SLOTS_MAX: u32 = 256;
/// Connections that a model surely makes in a millisecond.
const CONNECTS_A_MS: u64 = 10;
/// How long a reply takes while the slots of a cell with arrivals connect, in milliseconds.
pub(crate) const CONNECT_OPEN_MS: u64 = 100;
/// One round of so many may be measured again.
const ROUNDS_A_REPEAT: usize = 5;

/// The programs of a run.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The origin.
    pub origin: Program,
    /// The models, by name.
    pub models: BTreeMap<String, Program>,
    /// Those that measure primitives, by package.
    pub primitives: BTreeMap<String, Program>,
    /// Models that cannot run on this machine.
    pub missing: Vec<Missing>,
}

impl Programs {
    /// Returns the program of a participant, if it was built.
    pub(crate) fn of(&self, described: Described<'_>) -> Option<&Program> {
        match described {
            Described::Model(_) => self.models.get(described.key()),
            Described::Program(_) => self.primitives.get(described.key()),
        }
    }
}

/// What happens during a run, reported between turns.
#[derive(Debug)]
pub enum Event<'a> {
    /// A turn is about to begin: its block, its round, and its place in it.
    Begin(&'a Block, (u32, u32)),
    /// A turn has ended.
    Turn(&'a TurnRecord),
    /// A round has ended, and counts or is measured again.
    Round(&'a RoundRecord),
    /// A block has ended.
    Block(&'a Block, &'a BlockRecord),
    /// A block begins anew, for this reason.
    Again(&'a Block, &'a Reason),
    /// Blocks that were planned will not be measured.
    Stop(&'a Stop),
}

/// Who learns what happens; an error from here ends the run.
pub type Watch<'a> = dyn FnMut(Event<'_>) -> Result<()> + 'a;

/// Carries out the blocks of a schedule that are due; `done` are the turns of whole blocks that an
/// earlier process has measured. A signal ends it after the last whole turn, with an error.
///
/// # Errors
///
/// Says why no origin could be had, what `watch` said, or that a signal came.
pub fn run(
    (schedule, due): (&Schedule, &[Block]),
    programs: &Programs,
    done: Vec<TurnRecord>,
    watch: &mut Watch<'_>,
) -> Result<()> {
    let mut done = stop::Done::new(done);
    let mut stopped: Vec<&str> = Vec::new();
    let mut repeats: BTreeMap<&str, u32> = BTreeMap::new();
    let mut is_over = false;
    for block in due {
        // Rules of when to stop are about fetches.
        let fetches = schedule.fetches(&block.cell);
        if stopped.contains(&block.cell.as_str()) || (fetches && is_over) {
            continue;
        }
        let rule = schedule.stop.as_ref().filter(|_| fetches);
        if let Some(over) = rule.and_then(|rule| done.time_is_over(rule)) {
            watch(Event::Stop(&over))?;
            is_over = true;
            continue;
        }

        let left = repeats.entry(&block.cell).or_insert_with(|| repeats_of(schedule, &block.cell));
        run_block((schedule, programs), block, left, &mut |event| {
            match &event {
                Event::Turn(turn) if fetches => done.take(turn),
                Event::Round(round) => done.take_round(round),
                Event::Again(block, _) => done.cut(block.number),
                Event::Turn(_) | Event::Begin(..) | Event::Block(..) | Event::Stop(_) => {}
            }
            watch(event)
        })?;
        if let Some(stop) = done.narrow_enough(schedule, block).filter(|_| fetches) {
            watch(Event::Stop(&stop))?;
            stopped.push(&block.cell);
        }
    }
    Ok(())
}

/// Returns how many rounds of a cell may be measured again: none where memory alone is read, which
/// nobody else's work changes.
pub(crate) fn repeats_of(schedule: &Schedule, cell: &str) -> u32 {
    if schedule.cell(cell).is_some_and(|cell| cell.workload.is_held()) {
        return 0;
    }
    let blocks = schedule.blocks.iter().filter(|block| block.cell == cell);
    let rounds: usize = blocks.map(|block| block.rounds.len()).sum();
    u32::try_from(rounds.div_ceil(ROUNDS_A_REPEAT)).unwrap_or(u32::MAX)
}

/// Carries a block out; it begins anew where its origin fails.
fn run_block(
    (schedule, programs): (&Schedule, &Programs),
    block: &Block,
    repeats: &mut u32,
    watch: &mut Watch<'_>,
) -> Result<()> {
    for _ in 0..BLOCKS_MAX {
        let measuring = Measuring::begin((schedule, programs), block)?;
        match measuring.carry_out(repeats, watch)? {
            How::Whole => return Ok(()),
            How::OriginFailed(reason) => watch(Event::Again(block, &reason))?,
        }
    }
    bail!("the origin failed {BLOCKS_MAX} times in block {}", block.number)
}

/// Returns new origins; one that dies at once, as an origin may that somebody kills, is no reason
/// to end a run of hours.
pub(crate) fn renewed(schedule: &Schedule, programs: &Programs, block: &Block) -> Result<Service> {
    let mut last = None;
    for _ in 0..ORIGINS_MAX {
        ensure!(interrupt::exit_code().is_none(), "interrupted");
        match warmed(schedule, programs, block) {
            Ok(service) => return Ok(service),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("it was tried"))
}

/// Starts an origin and lets the floor fetch from it a little, undelayed: its first replies come
/// late, and whoever is first in a block would pay for them. Where replies are held, no time is
/// measured, and each process of a group has an origin.
fn warmed(schedule: &Schedule, programs: &Programs, block: &Block) -> Result<Service> {
    let cell = schedule.cell(&block.cell).context("failed to find a cell of the schedule")?;
    let start = |cell: &Cell| OriginProcess::start_for(&programs.origin, &schedule.placement, cell);
    if cell.workload.is_held() {
        let shares = group::shares(cell, schedule.processes(&cell.name));
        return Ok(Service(shares.iter().map(start).collect::<Result<_>>()?));
    }
    let mut origin = start(cell)?;
    let floor = schedule.model(FLOOR).zip(programs.models.get(FLOOR));
    let Some((floor, program)) = floor else { return Ok(Service(vec![origin])) };
    let cell = Cell {
        workload: Workload::Steady,
        // Connections beyond those take long, and make it no warmer.
        in_flight: cell.in_flight.min(WARMING_SLOTS_MAX),
        warmup: 1,
        fetches: WARMING_FETCHES,
        delay_ms: DelayRange { lo: 0, hi: 0 },
        rate_per_s: 0,
        burst: 0,
        handed_in: false,
        ..cell.clone()
    };
    // What it says is of no matter: the trials that follow are validated by themselves.
    let _ = origin.serve((floor, program), (cell, block.seed), &schedule.placement)?;
    Ok(Service(vec![origin]))
}

/// Returns what a model, or a control, is sent in a block: a model that holds fewer in flight gets
/// so many slots, and a control pays its share of what the baseline costs on top.
pub(crate) fn planned(
    schedule: &Schedule,
    (block, name): (&Block, &str),
    origins: Vec<SocketAddr>,
) -> Option<Plan> {
    let cell = schedule.cell(&block.cell)?;
    let (workers, _) = places(schedule, cell);
    let plan = Plan {
        cell: cell.clone(),
        origins,
        workers,
        seed: block.seed,
        deadline_ms: (cell.deadline_ms > 0).then_some(cell.deadline_ms),
        surcharge_ns: 0,
    };
    let model = match schedule.described(name)? {
        Described::Model(model) => model,
        Described::Program(_) => return Some(plan),
    };
    let percent = schedule.control(name).map_or(0, |control| u64::from(control.percent));
    let cost_ns = schedule.probe(&block.cell).map_or(0, |probe| probe.baseline_ns);
    let surcharge_ns = cost_ns.saturating_mul(percent) / 100;
    Some(Plan { cell: held(cell, model), surcharge_ns, ..plan })
}

/// Returns the turn of that number that a participant takes in a block.
pub(crate) fn turn_of((block, cell): (&Block, &Cell), name: &str, number: u32) -> Turn {
    let place = block.participants().iter().position(|other| *other == name);
    Turn::of(cell, number, first_id(place.unwrap_or_default() as u64, number))
}

/// Returns on how many threads a runtime runs its units in a cell, and the CPUs of its process.
pub(crate) fn places(schedule: &Schedule, cell: &Cell) -> (u32, Vec<usize>) {
    let placement = &schedule.placement;
    if cell.workload.fetches() {
        let (workers, cpus) = placement.of_models(cell);
        return (workers, cpus.to_vec());
    }
    let cpus = placement.of_operations(cell.workload.cpus());
    (u32::try_from(cpus.len()).unwrap_or(1), cpus)
}

/// Returns a turn that connects, and the plan that it belongs to: where arrivals make turns long,
/// or many slots do, no reply comes before all have connected, since one that has not finds no
/// fetch left, and then all soon.
pub(crate) fn connecting(turn: Turn, mut plan: Plan) -> (Turn, Plan) {
    let slots = u64::from(plan.cell.slots());
    let delay = match (plan.cell.is_large(), plan.cell.is_open()) {
        (true, _) => 1 + slots / CONNECTS_A_MS,
        (false, true) => CONNECT_OPEN_MS,
        (false, false) => return (turn, plan),
    };
    plan.cell.delay_ms = DelayRange { lo: delay, hi: delay };
    plan.cell.slow_percent = 0;
    (Turn { warmup: slots, fetches: 1, ..turn }, plan)
}

/// Returns a cell as a model carries it out: one that holds fewer in flight gets so many slots, and
/// of a steady cell, of which it has one in a sweep alone, as many fetches as take as long.
pub(crate) fn held(cell: &Cell, model: &Model) -> Cell {
    match model.max_in_flight {
        Some(most) if most < cell.in_flight && cell.workload.needs_every_slot() => part(cell, most),
        _ => model.within(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{model, placement};
    use crate::{Basis, draw, preset};

    #[test]
    fn a_deadline_is_set_where_the_cell_has_one_and_ends_no_reply() {
        let schedule = draw(Basis {
            preset: preset("load").expect("it is a preset"),
            models: vec![model("tokio")],
            missing: Vec::new(),
            programs: Vec::new(),
            seed: 1,
            placement: placement(1),
            probes: Vec::new(),
        });
        for block in &schedule.blocks {
            let plan = planned(&schedule, (block, "tokio"), Vec::new()).expect("it takes part");
            assert_eq!(plan.deadline_ms.is_some(), block.cell == "paced-timeout", "{}", block.cell);
            let longest_ms = plan.cell.delay_ms_max();
            assert!(plan.deadline_ms.is_none_or(|limit| limit > 10 * longest_ms), "{plan:?}");
        }
    }
}
