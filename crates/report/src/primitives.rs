//! What primitives cost: for each of them and each program what one takes, and how that compares.
//!
//! What is done in batches costs the slope of the time on the count, by Theil and Sen over the
//! batches of a trial; what is timed alone has a distribution. Trials are compared inside blocks,
//! as those of models are: by CPU time where there are batches, else by the median of a trial.

use std::collections::BTreeMap;

use model_kit::primitive::{Point, Primitive, PrimitiveTrial};
use record::{PrimitiveProgram, PrimitiveRecord, Run, State};
use stats::verdict::Verdict;
use stats::{Estimate, Sample, histogram, median, theil_sen};

use crate::cost_model::{self, CostModelCell};
use crate::family::{self, ALPHA, Pair};
use crate::figures::CellFigures;
use crate::primitives_known::{anchors, checks, words};
use crate::primitives_steady::Steadiness;
use crate::turns::Pairs;

/// What generators are held against, which the baseline has none of.
const STANDARD: &str = "std";
/// The halves of a trial should agree on the slope to this share.
const STEADY: f64 = 0.03;
/// A percentile is read off no fewer times than this, divided by the share beyond it.
const BEYOND_MIN: f64 = 10.0;
/// What the smallest things cost that models are made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Primitives {
    /// Each primitive that was measured or could not be, in the order of reports.
    pub figures: Vec<PrimitiveFigures>,
    /// What leaving out unsteady trials would change, if there are any.
    pub steadiness: Option<Steadiness>,
    /// Whether the run shows what is known of tasks and threads.
    pub checks: Vec<ShapeCheck>,
    /// What the primitives predict of models, cell by cell.
    pub cost_model: Vec<CostModelCell>,
}

/// A primitive.
#[derive(Clone, Debug, PartialEq)]
pub struct PrimitiveFigures {
    /// Which.
    pub primitive: Primitive,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What one is: `step`, `round trip`.
    pub each: &'static str,
    /// Whether each is timed alone; else costs are slopes over batches.
    pub alone: bool,
    /// The program that ratios are taken against.
    pub reference: String,
    /// Blocks that were measured.
    pub blocks: usize,
    /// Why it was not measured, if it was not.
    pub absent: Option<String>,
    /// The cheapest first, then those without figures.
    pub rows: Vec<PrimitiveRow>,
    /// What others have published of it: context, not a comparison.
    pub anchors: Vec<Anchor>,
}

/// A program.
#[derive(Clone, Debug, PartialEq)]
pub struct PrimitiveRow {
    /// Its name.
    pub program: String,
    /// What reports call it.
    pub label: String,
    /// What waits or is started in it.
    pub unit: String,
    /// All trials.
    pub trials: usize,
    /// Those that count.
    pub valid: usize,
    /// Those of them whose halves do not agree on the slope.
    pub unsteady: usize,
    /// Why trials do not count.
    pub reason: Option<String>,
    /// The figures, if a trial was valid.
    pub costs: Option<PrimitiveCosts>,
}

/// What one costs.
#[derive(Clone, Debug, PartialEq)]
pub struct PrimitiveCosts {
    /// Wall time of one, in nanoseconds: median over blocks. Where each is timed alone, of the
    /// medians of trials.
    pub wall_ns: Estimate,
    /// CPU time of one, in nanoseconds, where there are batches: median over blocks.
    pub cpu_ns: Option<Estimate>,
    /// What a batch costs beside, in nanoseconds of wall time: median over blocks.
    pub overhead_ns: Option<f64>,
    /// Context switches for one: median over blocks.
    pub switches: Estimate,
    /// The time that nine of ten do not exceed, in nanoseconds, over all trials.
    pub p90_ns: Option<u64>,
    /// The time that 99 of 100 do not exceed, in nanoseconds, over all trials.
    pub p99_ns: Option<u64>,
    /// The ratio to the reference, with the simultaneous interval of the family.
    pub ratio: Option<Estimate>,
    /// What may be said of that ratio.
    pub verdict: Option<Verdict>,
}

/// What others have published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anchor {
    /// The figure, in words.
    pub says: &'static str,
    /// Where it stands.
    pub source: &'static str,
}

/// Something that is known of tasks and threads, held against this run.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeCheck {
    /// What is known.
    pub claim: &'static str,
    /// The primitive that shows it.
    pub primitive: Primitive,
    /// What a thread costs, in times the task of the baseline, with its 95 % interval.
    pub ratio: Option<Estimate>,
    /// Whether this run shows it.
    pub shown: Shown,
}

/// Whether a run shows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The whole interval says so.
    Yes,
    /// The whole interval says otherwise.
    No,
    /// The interval leaves it open, or there is none.
    Open,
}

/// A quantity of a trial.
type Quantity = fn(&PrimitiveTrial) -> Option<f64>;

impl Primitives {
    /// Computes the figures of a run.
    pub(crate) fn of(run: &Run, cells: &[CellFigures], (baseline, floor): (&str, &str)) -> Self {
        let schedule = &run.schedule.primitives;
        if schedule.is_empty() {
            return Self::default();
        }
        let sources = Primitive::ALL.into_iter().map(|primitive| Source::of(run, primitive));
        let sources: Vec<Source<'_>> = sources.collect();
        let known = |source: &&Source<'_>| !source.programs.is_empty();
        let figures: Vec<PrimitiveFigures> =
            sources.iter().filter(known).map(|source| source.figures(baseline)).collect();
        let steady = sources.iter().filter(known).map(|source| source.steady().figures(baseline));
        let steadiness = Steadiness::of(&figures, &steady.collect::<Vec<_>>());
        let checks = checks(&sources, baseline);
        let cost_model = cost_model::of(run, (cells, &figures), floor);
        Self { figures, steadiness, checks, cost_model }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty()
    }
}

/// What the figures of a primitive are computed from.
#[derive(Clone)]
pub(crate) struct Source<'a> {
    run: &'a Run,
    pub(crate) primitive: Primitive,
    pub(crate) programs: Vec<&'a PrimitiveProgram>,
    trials: Vec<&'a PrimitiveRecord>,
    sessions: BTreeMap<u32, u32>,
}

impl<'a> Source<'a> {
    /// Gathers the trials of a primitive.
    fn of(run: &'a Run, primitive: Primitive) -> Self {
        let schedule = &run.schedule.primitives;
        let programs = schedule.programs.iter();
        let blocks = schedule.blocks.iter();
        let trials = run.primitives.whole.iter();
        Self {
            run,
            primitive,
            programs: programs.filter(|p| p.primitives.contains(&primitive)).collect(),
            trials: trials.filter(|trial| trial.primitive == primitive).collect(),
            sessions: blocks.map(|block| (block.number, block.session)).collect(),
        }
    }

    /// Returns the same without the trials whose halves do not agree on the slope.
    fn steady(&self) -> Self {
        let mut steady = self.clone();
        let is_steady = |trial: &PrimitiveTrial| steady.alone() || !is_unsteady(trial);
        let keeps = |trial: &&PrimitiveRecord| trial.valid().is_some_and(is_steady);
        steady.trials = steady.trials.iter().copied().filter(keeps).collect();
        steady
    }

    /// Computes the figures.
    fn figures(&self, baseline: &str) -> PrimitiveFigures {
        let reference = self.reference(baseline);
        let mut rows: Vec<PrimitiveRow> = self.programs.iter().map(|p| self.row(p)).collect();
        for pair in self.pairs(reference) {
            let row = rows.iter_mut().find(|row| row.program == pair.model);
            if let Some(costs) = row.and_then(|row| row.costs.as_mut()) {
                (costs.ratio, costs.verdict) = (Some(pair.ratio), Some(pair.verdict));
            }
        }
        rows.sort_by(|a, b| a.order().total_cmp(&b.order()).then(a.program.cmp(&b.program)));
        let mut blocks: Vec<u32> = self.trials.iter().map(|trial| trial.block).collect();
        blocks.dedup();
        let absent = &self.run.schedule.primitives.absent;
        let absent = absent.iter().find(|absent| absent.primitive == self.primitive);
        let (title, each) = words(self.primitive);
        PrimitiveFigures {
            primitive: self.primitive,
            title,
            each,
            alone: self.alone(),
            reference: reference.to_owned(),
            blocks: blocks.len(),
            absent: absent.map(|absent| absent.reason.clone()),
            rows,
            anchors: anchors(self.primitive),
        }
    }

    /// Returns whether each is timed alone.
    fn alone(&self) -> bool {
        self.primitive.alone().is_some()
    }

    /// Returns the program that ratios are taken against: the baseline's, else the standard
    /// library's, else the first.
    fn reference(&self, baseline: &str) -> &str {
        let names = || self.programs.iter().map(|program| program.name.as_str());
        let of = |wanted: &str| names().find(|name| *name == wanted);
        of(baseline).or(of(STANDARD)).or(names().next()).unwrap_or_default()
    }

    /// Returns the quantity by which programs are compared.
    fn compared(&self) -> Quantity {
        if self.alone() { p50_ns } else { cpu_ns }
    }

    /// Collects what happened to a program.
    fn row(&self, program: &PrimitiveProgram) -> PrimitiveRow {
        let own: Vec<&PrimitiveRecord> =
            self.trials.iter().copied().filter(|trial| trial.program == program.name).collect();
        let valid: Vec<&PrimitiveTrial> = own.iter().filter_map(|trial| trial.valid()).collect();
        PrimitiveRow {
            program: program.name.clone(),
            label: program.label.clone(),
            unit: program.unit.clone(),
            trials: own.len(),
            valid: valid.len(),
            unsteady: valid.iter().filter(|trial| !self.alone() && is_unsteady(trial)).count(),
            reason: first_reason(&own),
            costs: self.costs(&valid),
        }
    }

    /// Returns what one costs, if a trial was valid.
    fn costs(&self, valid: &[&PrimitiveTrial]) -> Option<PrimitiveCosts> {
        let level = |quantity: Quantity| {
            let sample = Sample::new(valid.iter().filter_map(|trial| quantity(trial)).collect())?;
            Some(median::estimate(&sample, ALPHA))
        };
        let batches = |quantity: Quantity| (!self.alone()).then(|| level(quantity)).flatten();
        Some(PrimitiveCosts {
            wall_ns: if self.alone() { level(p50_ns)? } else { level(wall_ns)? },
            cpu_ns: batches(cpu_ns),
            overhead_ns: batches(overhead_ns).map(|overhead| overhead.value),
            switches: level(switches)?,
            p90_ns: percentile(valid, 0.90),
            p99_ns: percentile(valid, 0.99),
            ratio: None,
            verdict: None,
        })
    }

    /// Returns the quantity of a program by which it is compared, block by block.
    fn by_block(&self, program: &str) -> BTreeMap<u32, f64> {
        let own = self.trials.iter().filter(|trial| trial.program == program);
        let quantity = self.compared();
        own.filter_map(|trial| Some((trial.block, quantity(trial.valid()?)?)))
            .filter(|(_, cost)| *cost > 0.0)
            .collect()
    }

    /// Returns the costs of two programs in the blocks that both have.
    pub(crate) fn paired(&self, program: &str, reference: &str) -> Option<Pairs> {
        let others = self.by_block(reference);
        let own = self.by_block(program).into_iter();
        let both = own.filter_map(|(block, own)| Some((block, (own, *others.get(&block)?))));
        Pairs::of(both, &self.sessions)
    }

    /// Judges every program against the reference.
    fn pairs(&self, reference: &str) -> Vec<Pair> {
        let others = self.programs.iter().map(|program| program.name.as_str());
        let others = others.filter(|name| *name != reference);
        let pairs =
            others.filter_map(|name| Some(((name, reference), self.paired(name, reference)?)));
        family::judged(pairs.collect())
    }
}

impl PrimitiveRow {
    /// Returns what rows are ordered by: those without figures come last.
    fn order(&self) -> f64 {
        let costs = self.costs.as_ref();
        costs.map_or(f64::INFINITY, |costs| costs.cpu_ns.unwrap_or(costs.wall_ns).value)
    }
}

/// Returns the line through the batches of a trial.
fn line(points: &[Point], time: fn(&Point) -> u64) -> Option<theil_sen::Line> {
    let point = |point: &Point| theil_sen::Point { x: real(point.count), y: real(time(point)) };
    theil_sen::fit(&points.iter().map(point).collect::<Vec<_>>(), ALPHA)
}

/// Returns the wall time of one, in nanoseconds.
fn wall_ns(trial: &PrimitiveTrial) -> Option<f64> {
    line(&trial.points, |point| point.wall_ns).map(|line| line.slope.value)
}

/// Returns the CPU time of one, in nanoseconds.
fn cpu_ns(trial: &PrimitiveTrial) -> Option<f64> {
    line(&trial.points, |point| point.cpu_ns).map(|line| line.slope.value)
}

/// Returns what a batch costs beside, in nanoseconds of wall time.
fn overhead_ns(trial: &PrimitiveTrial) -> Option<f64> {
    line(&trial.points, |point| point.wall_ns).map(|line| line.intercept)
}

/// Returns context switches for one.
fn switches(trial: &PrimitiveTrial) -> Option<f64> {
    let of = |point: &Point| point.switches_voluntary + point.switches_involuntary;
    let (switches, count) = trial
        .points
        .iter()
        .fold((0, 0), |(switches, count), point| (switches + of(point), count + point.count));
    (count > 0).then(|| real(switches) / real(count))
}

/// Returns the median of what was timed alone, in nanoseconds.
fn p50_ns(trial: &PrimitiveTrial) -> Option<f64> {
    histogram::quantile(&trial.latencies_ns, 0.5).map(real)
}

/// Returns a percentile over all trials, where enough lies beyond it.
fn percentile(trials: &[&PrimitiveTrial], share: f64) -> Option<u64> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for (value, count) in trials.iter().flat_map(|trial| &trial.latencies_ns) {
        *counts.entry(*value).or_insert(0) += count;
    }
    let enough = real(counts.values().sum()) * (1.0 - share) >= BEYOND_MIN - 1e-6;
    let counts: Vec<(u64, u64)> = counts.into_iter().collect();
    enough.then(|| histogram::quantile(&counts, share)).flatten()
}

/// Returns whether the halves of a trial do not agree on the slope.
fn is_unsteady(trial: &PrimitiveTrial) -> bool {
    let (first, second) = trial.points.split_at(trial.points.len() / 2);
    let slope = |points| line(points, |point| point.cpu_ns).map(|line| line.slope.value);
    match (slope(first), slope(second)) {
        (Some(first), Some(second)) => (second / first - 1.0).abs() > STEADY,
        _ => true,
    }
}

/// Returns why trials do not count: the first reason, and how many trials do not.
fn first_reason(own: &[&PrimitiveRecord]) -> Option<String> {
    let reason = |trial: &&PrimitiveRecord| match &trial.state {
        State::Valid => None,
        state @ (State::Invalid(_) | State::Out) => Some(format!("invalid: {}", state.why())),
        State::Failed(reason) => Some(format!("failed: {reason}")),
    };
    let reasons: Vec<String> = own.iter().filter_map(reason).collect();
    let first = reasons.first()?;
    Some(format!("{first} ({} of {} trials)", reasons.len(), own.len()))
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts and times of a trial are far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}
