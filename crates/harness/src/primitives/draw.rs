//! Draws the blocks of primitives into a schedule: which program runs when, at random from the
//! seed, before the first trial.

use record::{
    Placement, PrimitiveAbsent, PrimitiveBlock, PrimitiveProgram, PrimitiveSchedule, Schedule,
};
use stats::random::SplitMix64;
use stats::williams;
use workload::primitive::Primitive;

use super::PrimitiveBlocks;

/// Changes the seed of a run into that of its primitives, so that adding them changes no cell.
const APART: u64 = 0x7072_696d_6974_6976;

/// The orders of one primitive: rows of a Williams design, drawn without replacement.
struct Orders {
    primitive: Primitive,
    names: Vec<String>,
    rows: Vec<Vec<usize>>,
}

impl Orders {
    /// Draws the order of the next block.
    fn next(&mut self, draws: &mut SplitMix64) -> Vec<String> {
        if self.rows.is_empty() {
            draws.shuffle(&mut self.names);
            self.rows = williams::rows(self.names.len());
            draws.shuffle(&mut self.rows);
        }
        let row = self.rows.pop().unwrap_or_default();
        row.into_iter().map(|place| self.names[place].clone()).collect()
    }
}

/// Adds the blocks of primitives to a schedule: after the cells of each session, in each pass every
/// primitive once in random order, in each block every program that has it.
pub fn add_primitives(
    schedule: &mut Schedule,
    programs: Vec<PrimitiveProgram>,
    amount: PrimitiveBlocks,
) {
    if programs.is_empty() || amount.blocks == 0 {
        return;
    }
    let cpus = cpus(&schedule.placement);
    let of_enough = |primitive: &Primitive| primitive.cpus() <= cpus.len();
    let had = |primitive: &Primitive| programs.iter().any(|p| p.primitives.contains(primitive));
    let (present, absent): (Vec<Primitive>, Vec<Primitive>) =
        Primitive::ALL.into_iter().filter(had).partition(of_enough);
    let absent = absent.into_iter().map(|primitive| PrimitiveAbsent {
        primitive,
        reason: format!("it needs {} CPUs of their own, there is one", primitive.cpus()),
    });

    let sessions = u32::try_from(schedule.sessions.len().max(1)).expect("a run has few sessions");
    let of_session = |session: u32| {
        let seed = (schedule.seed ^ APART).wrapping_add(u64::from(session));
        let drawn = blocks(&present, &programs, (seed, amount)).into_iter();
        drawn.map(move |block| PrimitiveBlock { session, ..block })
    };
    let blocks = (0..sessions).flat_map(of_session).collect();
    schedule.primitives = PrimitiveSchedule {
        cpus,
        batch_ns: amount.batch_ns,
        absent: absent.collect(),
        blocks,
        programs,
    };
    number(schedule);
}

/// Returns the CPUs for primitives: the first of the model's, and one of the origin's, which is on
/// another core, since no origin runs meanwhile.
fn cpus(placement: &Placement) -> Vec<usize> {
    let own = placement.model_cpus.first().copied();
    let others = placement.origin_cpus.iter().copied();
    let other = others.into_iter().find(|cpu| !placement.model_cpus.contains(cpu));
    own.into_iter().chain(other).collect()
}

/// Draws the blocks of one session, without their numbers.
fn blocks(
    primitives: &[Primitive],
    programs: &[PrimitiveProgram],
    (seed, amount): (u64, PrimitiveBlocks),
) -> Vec<PrimitiveBlock> {
    let mut draws = SplitMix64::new(seed);
    let orders = |&primitive: &Primitive| {
        let has = programs.iter().filter(|program| program.primitives.contains(&primitive));
        let mut names: Vec<String> = has.map(|program| program.name.clone()).collect();
        names.sort_unstable();
        Orders { primitive, names, rows: Vec::new() }
    };
    let mut orders: Vec<Orders> = primitives.iter().map(orders).collect();
    let mut blocks = Vec::new();
    for _ in 0..amount.blocks {
        draws.shuffle(&mut orders);
        for own in &mut orders {
            let order = own.next(&mut draws);
            let samples = samples(own.primitive).min(amount.samples_max);
            let (primitive, seed) = (own.primitive, draws.word());
            blocks.push(PrimitiveBlock { number: 0, primitive, seed, samples, order, session: 0 });
        }
    }
    blocks
}

/// Returns how many are timed one by one in a trial: as many as take about a fifth of a second.
fn samples(primitive: Primitive) -> u64 {
    match primitive {
        Primitive::Event0 => 1_000,
        Primitive::Event50us => 400,
        Primitive::Event1ms | Primitive::Timer1ms | Primitive::TimerOfMany => 100,
        Primitive::Event10ms | Primitive::Timer10ms => 20,
        _ => 0,
    }
}

/// Numbers all blocks in the order in which they run: session by session, cells before primitives.
fn number(schedule: &mut Schedule) {
    let mut next = 0;
    let mut take = || {
        next += 1;
        next - 1
    };
    for session in 0..u32::try_from(schedule.sessions.len().max(1)).unwrap_or(u32::MAX) {
        for block in schedule.blocks.iter_mut().filter(|block| block.session == session) {
            block.number = take();
        }
        let own = schedule.primitives.blocks.iter_mut();
        for block in own.filter(|block| block.session == session) {
            block.number = take();
        }
    }
}
