//! Where models cross: from which level of a sweep on does one cost less than another?
//!
//! Every model that takes part in a sweep is held against one other: the bare model whose units are
//! threads, as one asks from when on something else is worth it, or the baseline where there are
//! none. The levels of a pair are a family of their own: what is said of one pair along one sweep
//! holds together. A level from which on the machine cannot hold a model is of no crossover of it.

use record::{Along, Model, Run, Sweep};
use stats::crossover::{Crossover, Sure};
use stats::verdict::{Criteria, Evidence};
use stats::{Estimate, median};
use workload::Cell;

use crate::cell::Source;
use crate::checks::swap::twins;
use crate::family::{ALPHA, MARGIN, Pair, compare_all};
use crate::number::range;
use crate::turns::{Quantity, cpu_us, in_flight_ms, memory_mib};
use crate::wake_ups::typical_ms;

/// A sweep, and where models cross along it.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepFigures {
    /// The number in which its cells differ.
    pub along: Along,
    /// The other numbers of its cells, in words.
    pub fixed: String,
    /// The model that every other is held against.
    pub other: String,
    /// The levels, ascending.
    pub levels: Vec<u64>,
    /// What a fetch costs each model, level by level, where the sweep shows that.
    pub costs: Vec<SweepCosts>,
    /// The other models, in the order of the schedule.
    pub pairs: Vec<SweepPair>,
    /// Models in Rust that some levels leave out.
    pub absent: Vec<SweepAbsent>,
    /// The cell that is measured at both kinds of origin, where the sweep shows what a fetch costs.
    pub common: Option<CommonPoint>,
}

/// A model that some levels of a sweep leave out, since the machine cannot hold it there.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepAbsent {
    /// The model.
    pub model: String,
    /// These levels, ascending.
    pub levels: Vec<u64>,
}

/// Where figures of one kind of origin, such as those of a sweep, meet those of the other.
#[derive(Clone, Debug, PartialEq)]
pub struct CommonPoint {
    /// The kind that serves the levels of the sweep.
    pub serves: &'static str,
    /// The numbers of the cell, in words.
    pub numbers: String,
    /// The baseline.
    pub model: String,
    /// What the kind of origin and the cell are called, and CPU time per fetch of the baseline in
    /// microseconds: the median over blocks, with its own 95 % interval.
    pub costs: [(&'static str, String, Estimate); 2],
}

/// What a fetch costs a model along a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepCosts {
    /// The model.
    pub model: String,
    /// The levels at which it has figures, ascending.
    pub levels: Vec<SweepCost>,
}

/// What a fetch costs a model at a level; each is the median over blocks, with its own 95 %
/// interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepCost {
    /// The level.
    pub level: u64,
    /// CPU time per fetch, in microseconds.
    pub cpu_us: Estimate,
    /// How long a fetch was in flight, in milliseconds: the mean of a stay.
    pub in_flight_ms: Option<Estimate>,
    /// The most memory that the process held at once, in MiB, where the machine reports it.
    pub memory_mib: Option<Estimate>,
    /// By how much half of a stay's wake-ups were late, in milliseconds, where the level has a cell
    /// with a probe task. The latest of them would grow with their number, which levels differ in.
    pub wake_up_ms: Option<Estimate>,
    /// Whether the level asks for more than the origin can serve.
    pub is_beyond_ceiling: bool,
}

/// A model and the one that it is held against, along a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepPair {
    /// The model.
    pub model: String,
    /// What was found at each level of the sweep.
    pub levels: Vec<SweepLevel>,
    /// From which level on the model costs less, by the places of the levels.
    pub crossover: Crossover,
}

/// A pair of models at a level.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepLevel {
    /// The name of the cell.
    pub cell: String,
    /// Blocks that have both models.
    pub blocks: usize,
    /// What may be said of the pair, with the interval that holds for all levels at once; nothing
    /// where no block has both models.
    pub pair: Option<Pair>,
    /// What is sure of the model.
    pub sure: Sure,
    /// Whether the level leaves one of them out.
    pub is_absent: bool,
    /// Whether the level asks for more than the origin can serve: what is sure there is of no
    /// crossover.
    pub is_beyond_ceiling: bool,
}

/// What a level is computed from.
struct Level<'a> {
    number: u64,
    cell: &'a Cell,
    source: Source<'a>,
    /// The same of its cell with a probe task.
    probed: Option<Source<'a>>,
    /// The models that it leaves out.
    absent: Vec<&'a str>,
    is_beyond_ceiling: bool,
}

/// Returns the sweeps of a run, with the pairs that have figures.
pub(crate) fn sweeps(run: &Run, names: (&str, &str)) -> Vec<SweepFigures> {
    run.schedule.sweeps.iter().filter_map(|sweep| figures(run, sweep, names)).collect()
}

/// Returns where models cross along a sweep, if it has cells.
fn figures(run: &Run, sweep: &Sweep, names: (&str, &str)) -> Option<SweepFigures> {
    let levels = levels(run, sweep, names);
    let first = levels.first()?.cell;
    let models = taking_part(run, &levels);
    let threads = models.iter().find(|model| model.unit == "thread" && model.is_bare());
    let other = threads.map_or(names.0, |model| model.name.as_str());
    let costs = run.schedule.models.iter().map(|model| SweepCosts::of(&model.name, &levels));
    let costs = costs.filter(|costs| sweep.scales && !costs.levels.is_empty()).collect();
    let others = models.iter().map(|model| model.name.as_str()).filter(|model| *model != other);
    Some(SweepFigures {
        along: sweep.along,
        fixed: match sweep.along {
            Along::InFlight => format!("delay {}", range(first.delay_ms)),
            Along::InFlightAtRate => format!("{} fetches a second", first.asked_per_s()),
            Along::DelayMs => format!("{} in flight", first.in_flight),
        },
        other: other.to_owned(),
        pairs: others.filter_map(|model| SweepPair::of((model, other), &levels)).collect(),
        levels: levels.iter().map(|level| level.number).collect(),
        costs,
        absent: absent(run, &levels),
        common: if sweep.scales { common_point(run, first, names) } else { None },
    })
}

/// Returns the levels of a sweep, ascending. What tells CPU time is of the cell without a probe
/// task, if a level has one.
fn levels<'a>(run: &'a Run, sweep: &Sweep, names: (&'a str, &'a str)) -> Vec<Level<'a>> {
    let of = |cell: &Cell| sweep.along.level(cell);
    let cells = sweep.cells.iter().filter_map(|name| run.schedule.cell(name));
    let mut cells: Vec<&'a Cell> = cells.collect();
    cells.sort_by_key(|cell| (of(cell), cell.probe_period_us));
    let level = |alike: &[&'a Cell]| {
        let (cell, last) = (*alike.first()?, *alike.last()?);
        let absent = run.schedule.absent.iter().filter(|absent| absent.cell == cell.name);
        Some(Level {
            number: of(cell),
            cell,
            source: Source::of(run, cell, names),
            probed: (last.probe_period_us > 0).then(|| Source::of(run, last, names)),
            absent: absent.map(|absent| absent.model.as_str()).collect(),
            is_beyond_ceiling: run.schedule.is_beyond_ceiling(cell),
        })
    };
    cells.chunk_by(|a, b| of(a) == of(b)).filter_map(level).collect()
}

/// Returns the models in Rust that some level of a sweep does not leave out.
fn taking_part<'a>(run: &'a Run, levels: &[Level<'_>]) -> Vec<&'a Model> {
    in_rust(run).filter(|model| levels.iter().any(|level| !level.leaves_out(&model.name))).collect()
}

/// Returns the models in Rust that some levels of a sweep leave out, with these.
fn absent(run: &Run, levels: &[Level<'_>]) -> Vec<SweepAbsent> {
    let of = |model: &Model| {
        let levels = levels.iter().filter(|level| level.leaves_out(&model.name));
        let levels: Vec<u64> = levels.map(|level| level.number).collect();
        (!levels.is_empty()).then(|| SweepAbsent { model: model.name.clone(), levels })
    };
    in_rust(run).filter_map(of).collect()
}

/// Returns the models of a run that are in Rust.
fn in_rust(run: &Run) -> impl Iterator<Item = &Model> {
    run.schedule.models.iter().filter(|model| model.language.is_none())
}

/// Returns what a fetch costs the baseline in the cell that is measured at both kinds of origin, if
/// there is one beside the levels, of which one is given.
fn common_point(run: &Run, level: &Cell, names: (&str, &str)) -> Option<CommonPoint> {
    let (baseline, _) = names;
    let kind = |cell: &Cell| cell.served_by(run.schedule.placement.origin).name();
    let cost = |cell: &Cell| {
        let sample = Source::of(run, cell, names).sample(baseline, Quantity::Turn(cpu_us))?;
        Some((kind(cell), cell.name.clone(), median::estimate(&sample, ALPHA)))
    };
    let [one, other] = twins(run)?;
    Some(CommonPoint {
        serves: kind(level),
        numbers: format!("{} in flight, delay {}", one.in_flight, range(one.delay_ms)),
        model: baseline.to_owned(),
        costs: [cost(one)?, cost(other)?],
    })
}

impl Level<'_> {
    /// Returns whether a model has no figures at the level by design.
    fn leaves_out(&self, model: &str) -> bool {
        self.absent.contains(&model)
    }
}

impl SweepCosts {
    /// Returns what a fetch costs a model at the levels at which it has valid turns.
    fn of(model: &str, levels: &[Level<'_>]) -> Self {
        let of = |source: &Source<'_>, quantity: Quantity| {
            Some(median::estimate(&source.sample(model, quantity)?, ALPHA))
        };
        let late = |probed: &Source<'_>| of(probed, Quantity::Stay(typical_ms));
        let cost = |level: &Level<'_>| {
            Some(SweepCost {
                level: level.number,
                cpu_us: of(&level.source, Quantity::Turn(cpu_us))?,
                in_flight_ms: of(&level.source, Quantity::Stay(in_flight_ms)),
                memory_mib: of(&level.source, Quantity::Stay(memory_mib)),
                wake_up_ms: level.probed.as_ref().and_then(late),
                is_beyond_ceiling: level.is_beyond_ceiling,
            })
        };
        Self { model: model.to_owned(), levels: levels.iter().filter_map(cost).collect() }
    }
}

impl SweepPair {
    /// Judges a pair at all levels as one family; nothing if it has figures at none.
    fn of((model, other): (&str, &str), levels: &[Level<'_>]) -> Option<Self> {
        let paired = |level: &Level<'_>| level.source.paired((model, other));
        let found: Vec<_> = levels.iter().map(paired).collect();
        let blocks: Vec<usize> = found
            .iter()
            .map(|pairs| pairs.as_ref().map_or(0, |pairs| pairs.paired.pairs().len()))
            .collect();
        let family = found.into_iter().flatten().map(|pairs| ((model, other), pairs)).collect();
        let mut family = compare_all(family).into_iter();
        let level = |(level, blocks): (&Level<'_>, usize)| {
            let pair = if blocks > 0 { family.next() } else { None };
            let sure = pair.as_ref().map_or(Sure::Neither, sure);
            SweepLevel {
                cell: level.source.name().to_owned(),
                blocks,
                pair,
                sure,
                is_absent: level.leaves_out(model) || level.leaves_out(other),
                is_beyond_ceiling: level.is_beyond_ceiling,
            }
        };
        let levels: Vec<SweepLevel> = levels.iter().zip(blocks).map(level).collect();
        let crossover = crossover(&levels);
        levels.iter().any(|level| level.pair.is_some()).then(|| Self {
            model: model.to_owned(),
            crossover,
            levels,
        })
    }
}

/// Returns from which level on a model costs less, by the levels that the origin can serve, up to
/// the last that leaves neither model out: where it lies beyond those, it lies beyond all.
fn crossover(levels: &[SweepLevel]) -> Crossover {
    let served = levels.iter().take_while(|level| !level.is_beyond_ceiling).count();
    let last = levels[..served].iter().rposition(|level| !level.is_absent);
    let held = &levels[..last.map_or(0, |last| last + 1)];
    let sure: Vec<Sure> = held.iter().map(|level| level.sure).collect();
    let of_all = |place: usize| if place < sure.len() { place } else { levels.len() };
    let found = Crossover::of(&sure);
    let low = if sure.is_empty() { 0 } else { of_all(found.low) };
    Crossover { low, high: of_all(found.high) }
}

/// Returns what is sure of a pair.
fn sure(pair: &Pair) -> Sure {
    let evidence = Evidence { adjusted_p: pair.adjusted_p, ratio: pair.ratio };
    Sure::of(&evidence, &Criteria { alpha: ALPHA, margin: MARGIN })
}

impl SweepFigures {
    /// Returns the crossover of a pair as levels: the one from which the model surely costs less,
    /// and the lowest at which it may lie; nothing stands for what lies beyond the range.
    pub fn crossover(&self, pair: &SweepPair) -> (Option<u64>, Option<u64>) {
        let level = |place: usize| self.levels.get(place).copied();
        (level(pair.crossover.high), level(pair.crossover.low))
    }
}
