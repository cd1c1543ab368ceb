//! Where models cross: from which level of a sweep on does one cost less than another?
//!
//! Every model that takes part in all cells of a sweep is held against one other: the bare model
//! whose units are threads, as one asks from when on something else is worth it, or the baseline
//! where there are none. The levels of a pair are a family of their own: what is said of one pair
//! along one sweep holds together.

use record::{Along, Model, Run, Sweep};
use stats::crossover::{Crossover, Sure};
use stats::verdict::{Criteria, Evidence};

use crate::cell::Source;
use crate::family::{ALPHA, MARGIN, Pair, compare_all};
use crate::number::range;

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
    /// The other models, in the order of the schedule.
    pub pairs: Vec<SweepPair>,
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
}

/// Returns the sweeps of a run, with the pairs that have figures.
pub(crate) fn sweeps(run: &Run, names: (&str, &str)) -> Vec<SweepFigures> {
    run.schedule.sweeps.iter().filter_map(|sweep| figures(run, sweep, names)).collect()
}

/// Returns where models cross along a sweep, if it has cells.
fn figures(run: &Run, sweep: &Sweep, (baseline, floor): (&str, &str)) -> Option<SweepFigures> {
    let cells = sweep.cells.iter().filter_map(|name| run.schedule.cell(name));
    let mut cells: Vec<_> = cells.map(|cell| (sweep.along.level(cell), cell)).collect();
    cells.sort_by_key(|(level, _)| *level);
    cells.dedup_by_key(|(level, _)| *level);
    let (_, first) = cells.first()?;

    let sources = cells.iter().map(|(_, cell)| Source::of(run, cell, (baseline, floor)));
    let sources: Vec<Source<'_>> = sources.collect();
    let models = taking_part(run, sweep);
    let threads = models.iter().find(|model| model.unit == "thread" && model.is_bare());
    let other = threads.map_or(baseline, |model| model.name.as_str());
    let others = models.iter().map(|model| model.name.as_str()).filter(|model| *model != other);
    Some(SweepFigures {
        along: sweep.along,
        fixed: match sweep.along {
            Along::InFlight => format!("delay {}", range(first.delay_ms)),
            Along::DelayMs => format!("{} in flight", first.in_flight),
        },
        other: other.to_owned(),
        levels: cells.iter().map(|(level, _)| *level).collect(),
        pairs: others.filter_map(|model| SweepPair::of((model, other), &sources)).collect(),
    })
}

/// Returns the models in Rust that no cell of a sweep leaves out.
fn taking_part<'a>(run: &'a Run, sweep: &Sweep) -> Vec<&'a Model> {
    let schedule = &run.schedule;
    let is_absent = |model: &Model| {
        let mut absent = schedule.absent.iter();
        absent.any(|absent| absent.model == model.name && sweep.cells.contains(&absent.cell))
    };
    let models = schedule.models.iter().filter(|model| model.language.is_none());
    models.filter(|model| !is_absent(model)).collect()
}

impl SweepPair {
    /// Judges a pair at all levels as one family; nothing if it has figures at none.
    fn of((model, other): (&str, &str), sources: &[Source<'_>]) -> Option<Self> {
        let found: Vec<_> = sources.iter().map(|source| source.paired((model, other))).collect();
        let blocks: Vec<usize> = found
            .iter()
            .map(|pairs| pairs.as_ref().map_or(0, |pairs| pairs.paired.pairs().len()))
            .collect();
        let family = found.into_iter().flatten().map(|pairs| ((model, other), pairs)).collect();
        let mut family = compare_all(family).into_iter();
        let level = |(source, blocks): (&Source<'_>, usize)| {
            let pair = if blocks > 0 { family.next() } else { None };
            let sure = pair.as_ref().map_or(Sure::Neither, sure);
            SweepLevel { cell: source.name().to_owned(), blocks, pair, sure }
        };
        let levels: Vec<SweepLevel> = sources.iter().zip(blocks).map(level).collect();
        let sure: Vec<Sure> = levels.iter().map(|level| level.sure).collect();
        levels.iter().any(|level| level.pair.is_some()).then(|| Self {
            model: model.to_owned(),
            crossover: Crossover::of(&sure),
            levels,
        })
    }
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
