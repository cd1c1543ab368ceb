//! What primitives cost: for each of them and each program what one takes, and how that compares.
//!
//! What is done in batches costs the slope of the time on the count, by Theil and Sen over the
//! batches of a trial; what is timed alone has a distribution. Trials are compared inside blocks,
//! as those of models are: by CPU time where there are batches, else by the median of a trial.

use std::collections::BTreeMap;

use record::{PrimitiveProgram, PrimitiveRecord, Run, State};
use stats::Sample;
use stats::histogram;
use stats::median;
use stats::theil_sen;
use workload::primitive::{Point, Primitive, PrimitiveTrial};

use crate::counts::real;
use crate::family::{self, ALPHA, Pair};
use crate::primitive_figures::{PrimitiveCosts, PrimitiveFigures, PrimitiveRow};
use crate::primitives_words::{anchors, words};
use crate::turns::Pairs;

/// What generators are held against, which the baseline has none of.
const STANDARD: &str = "std";
/// The halves of a trial should agree on the slope to this share.
const STEADY: f64 = 0.03;
/// A percentile is read off no fewer times than this, divided by the share beyond it.
const BEYOND_MIN: f64 = 10.0;
/// A quantity of a trial.
type Quantity = fn(&PrimitiveTrial) -> Option<f64>;

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
    pub(crate) fn of(run: &'a Run, primitive: Primitive) -> Self {
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
    pub(crate) fn steady(&self) -> Self {
        let mut steady = self.clone();
        let is_steady = |trial: &PrimitiveTrial| steady.alone() || !is_unsteady(trial);
        let keeps = |trial: &&PrimitiveRecord| trial.valid().is_some_and(is_steady);
        steady.trials = steady.trials.iter().copied().filter(keeps).collect();
        steady
    }

    /// Computes the figures.
    pub(crate) fn figures(&self, baseline: &str) -> PrimitiveFigures {
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
