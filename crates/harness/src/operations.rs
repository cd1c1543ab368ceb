//! Primitives: which are measured and how much, drawn into blocks like those of cells. No origin
//! takes part, and a turn is a number of operations.

use record::{Absent, Block, Placement, PrimitiveProgram};
use stats::random::SplitMix64;
use workload::content::split_mix_64;
use workload::{Cell, Datum, Workload};

use crate::draw::Orders;

/// Changes the seed of a run into that of its primitives, so that adding them changes no cell.
const APART: u64 = 0x7072_696d_6974_6976;
/// The lengths of turns of operations that are done many at a time, in units of the shortest.
const LENGTHS: [u64; 4] = [1, 2, 4, 8];
/// How often all of them come in a block: its two halves can be compared with each other.
const HALVES: u64 = 2;
/// A length is changed by up to this share, in thousandths, so that no turn keeps step with a tick
/// of the system.
const JITTER_PERMILLE: u64 = 200;
/// Rounds of a block whose operations are timed one by one.
const ROUNDS: u64 = 4;
/// Those of a turn that come first and are not reported.
const WARM_UP: u64 = 2;

/// How much of primitives a preset measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrimitiveBlocks {
    /// Blocks a primitive, and a session; none means that none is measured.
    pub blocks: u32,
    /// The least length of a turn, in nanoseconds, where operations are done many at a time.
    pub batch_ns: u64,
    /// The most that are timed one by one in a turn.
    pub samples_max: u64,
}

impl PrimitiveBlocks {
    /// No primitives.
    pub const NONE: Self = Self { blocks: 0, batch_ns: 0, samples_max: 0 };
    /// Each primitive once and as little as can be validated: that it works, not what it costs.
    pub const ONCE: Self = Self { blocks: 1, batch_ns: 2 * rules::SHORTEST_NS, samples_max: 2 };
    /// Enough for intervals. The shortest turn has ten times the length that is demanded of one,
    /// and is read about a thousand times faster than it lasts.
    pub const MEASURED: Self = Self { blocks: 12, batch_ns: 2_000_000, samples_max: 1_000 };
}

/// Returns the primitives that some programs have, and as rows without figures those that the
/// machine has not enough CPUs for.
pub(crate) fn operations(
    programs: &[PrimitiveProgram],
    amount: PrimitiveBlocks,
    placement: &Placement,
) -> (Vec<Cell>, Vec<Absent>) {
    let had = |primitive: &Workload| programs.iter().any(|p| p.primitives.contains(primitive));
    let is_measured = |primitive: &Workload| amount.blocks > 0 && had(primitive);
    let all: Vec<Cell> =
        Workload::primitives().filter(is_measured).map(|one| cell(one, amount)).collect();
    let absent = |cell: &Cell| {
        let cpus = cell.workload.cpus();
        let is_short = placement.of_operations(cpus).len() < cpus;
        let reason = format!("it needs {cpus} CPUs of their own, there is one");
        let own = programs.iter().filter(|own| is_short && own.primitives.contains(&cell.workload));
        let row = |program: &PrimitiveProgram| Absent {
            cell: cell.name.clone(),
            model: program.package.clone(),
            reason: reason.clone(),
        };
        own.map(row).collect::<Vec<_>>()
    };
    let absent = all.iter().flat_map(absent).collect();
    (all, absent)
}

/// Returns the cell of a primitive. What is done many at a time has no number of its own; of what
/// is timed one by one a block takes about a fifth of a second.
fn cell(primitive: Workload, amount: PrimitiveBlocks) -> Cell {
    let samples = |after_us: u128| match after_us {
        0 => 1_000,
        1..1_000 => 400,
        1_000..10_000 => 100,
        _ => 20,
    };
    match primitive.datum() {
        Datum::Timed(after) => {
            let samples = (samples(after.as_micros()) / ROUNDS).min(amount.samples_max);
            Cell::of_operations(primitive, (WARM_UP, samples))
        }
        Datum::Turn | Datum::Slope => Cell::of_operations(primitive, (0, 1)),
    }
}

/// Draws the blocks of primitives of a session: in each pass every primitive once in random order,
/// in each round of a block every program that has it, in balanced order.
pub(crate) fn blocks<'a>(
    (operations, absent): (&'a [Cell], &[Absent]),
    programs: &[PrimitiveProgram],
    amount: PrimitiveBlocks,
    (seed, session): (u64, u32),
) -> Vec<Block> {
    let mut draws = SplitMix64::new((seed ^ APART).wrapping_add(u64::from(session)));
    let orders = |cell: &'a Cell| {
        let has = |program: &&PrimitiveProgram| program.primitives.contains(&cell.workload);
        let names = programs.iter().filter(has).map(|program| program.package.clone());
        (cell, Orders::of(names.collect()))
    };
    let is_able = |cell: &&Cell| absent.iter().all(|absent| absent.cell != cell.name);
    let mut cells: Vec<(&Cell, Orders)> = operations.iter().filter(is_able).map(orders).collect();
    let mut blocks = Vec::new();
    for _ in 0..amount.blocks {
        draws.shuffle(&mut cells);
        for (cell, orders) in &mut cells {
            let rounds = match cell.workload.datum() {
                Datum::Slope => LENGTHS.len() as u64 * HALVES,
                Datum::Turn | Datum::Timed(_) => ROUNDS,
            };
            let rounds = orders.next(u32::try_from(rounds).unwrap_or(u32::MAX), &mut draws);
            let (cell, seed) = (cell.name.clone(), draws.word());
            blocks.push(Block { number: 0, cell, seed, rounds, session });
        }
    }
    blocks
}

/// Returns how long the turn of a round is where operations are done many at a time, in thousandths
/// of the shortest, the same for all participants. Lengths come in an order drawn from the seed of
/// the block, so that what drifts is not taken for a slope.
pub(crate) fn length_permille(seed: u64, round: u32) -> u64 {
    let lengths = lengths(seed);
    lengths[round as usize % lengths.len()]
}

/// Draws the lengths of the turns of a block.
fn lengths(seed: u64) -> Vec<u64> {
    let mut draws = (0..).map(|number: u64| split_mix_64(seed.wrapping_add(number)));
    let mut draw = move || draws.next().unwrap_or_default();
    let mut lengths = Vec::new();
    for _ in 0..HALVES {
        let mut half = LENGTHS;
        for last in (1..half.len()).rev() {
            let other = usize::try_from(draw() % (last as u64 + 1)).unwrap_or(last);
            half.swap(last, other);
        }
        let mut share = || 1_000 - JITTER_PERMILLE + draw() % (2 * JITTER_PERMILLE + 1);
        lengths.extend(half.map(|length| length * share()));
    }
    lengths
}

/// How many operations make a turn that is long enough: found out in the first turns of a stay,
/// which warm everything up too, and count for nothing.
#[derive(Debug)]
pub(crate) struct Calibration {
    batch_ns: u64,
    count: u64,
    /// What a turn took that was long enough, until a second one says the same: one that was
    /// interrupted looks long and is not.
    long_ns: Option<u64>,
}

impl Calibration {
    /// Turns grow by this factor until one is long enough.
    const GROWTH: u64 = 4;

    /// Begins with one operation.
    pub(crate) fn new(batch_ns: u64) -> Self {
        Self { batch_ns, count: 1, long_ns: None }
    }

    /// Returns how many operations the next turn has.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Takes what a turn took; returns how many operations the shortest turn should have, of which
    /// it is long enough even when it is changed, once that is known.
    pub(crate) fn took(&mut self, wall_ns: u64) -> Option<u64> {
        if wall_ns < self.batch_ns {
            self.long_ns = None;
            self.count = self.count.saturating_mul(Self::GROWTH);
            return None;
        }
        let Some(first_ns) = self.long_ns else {
            self.long_ns = Some(wall_ns);
            return None;
        };
        let wall_ns = u128::from(first_ns.min(wall_ns).max(1));
        let least = u128::from(self.count) * u128::from(self.batch_ns) / wall_ns;
        let least = least * 1_000 / u128::from(1_000 - JITTER_PERMILLE);
        Some(u64::try_from(least).unwrap_or(u64::MAX).max(2 * 1_000 / JITTER_PERMILLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_half_has_every_length_once_and_none_is_off_by_more_than_a_fifth() {
        for seed in 0..100 {
            let drawn = lengths(seed);
            assert_eq!(drawn.len(), 8);
            for half in drawn.chunks(4) {
                let mut half = half.to_vec();
                half.sort_unstable();
                for (drawn, length) in half.iter().zip(LENGTHS) {
                    assert!((800 * length..=1_200 * length).contains(drawn), "{seed}: {half:?}");
                }
            }
        }
        assert_eq!(length_permille(7, 9), length_permille(7, 1));
        assert!((0..20).any(|seed| lengths(seed)[0] > lengths(seed)[1]));
        assert!((0..20).any(|seed| lengths(seed)[0] < lengths(seed)[1]));
    }

    #[test]
    fn a_turn_is_long_enough_once_two_say_so() {
        let mut calibration = Calibration::new(1_000);
        // 100 ns each; the turn of 4 was interrupted.
        let took = [(1, 100), (4, 9_000), (4, 400), (16, 1_600), (16, 1_800)];
        let last = took.map(|(count, wall_ns)| {
            assert_eq!(calibration.count(), count);
            calibration.took(wall_ns)
        });
        // Ten take 1 us; with a fifth less they have to do so too.
        assert_eq!(last, [None, None, None, None, Some(12)]);
    }
}
