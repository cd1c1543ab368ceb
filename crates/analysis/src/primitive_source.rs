//! What primitives cost: for each of them and each program what one takes, and how that compares.
//!
//! What is done many at a time costs the slope of the time on the count, by Theil and Sen over the
//! turns of a stay; what is timed alone has a distribution. Stays are compared inside blocks, as
//! those of models are: by CPU time where there is a slope, else by the median of a stay.

use std::collections::{BTreeMap, BTreeSet};

use record::{PrimitiveProgram, Run, TurnRecord};
use rules::operation;
use stats::{histogram, median, theil_sen};
use workload::pipe::Window;
use workload::{Cell, Datum, Workload};

use crate::counts::{ratio, real};
use crate::family::{self, ALPHA, Pair};
use crate::lost::why_lost;
use crate::primitive_figures::{PrimitiveCosts, PrimitiveFigures, PrimitiveRow};
use crate::turns::{Pairs, Quantity, Turns};

/// What generators are held against, which the baseline has none of.
const STANDARD: &str = "std";
/// The halves of a stay should agree on the slope to this share.
const STEADY: f64 = 0.03;
/// A percentile is read off no fewer times than this, divided by the share beyond it.
const BEYOND_MIN: f64 = 10.0;

/// What the figures of a primitive are computed from.
pub(crate) struct Source<'a> {
    run: &'a Run,
    pub(crate) primitive: Workload,
    pub(crate) programs: Vec<&'a PrimitiveProgram>,
    /// The turns of all of them.
    all: Vec<&'a TurnRecord>,
    turns: Turns<'a>,
}

impl<'a> Source<'a> {
    /// Gathers the turns of a primitive.
    pub(crate) fn of(run: &'a Run, cell: &Cell) -> Self {
        let primitive = cell.workload;
        let programs = run.schedule.programs.iter();
        let programs = programs.filter(|p| p.primitives.contains(&primitive)).collect();
        let all: Vec<_> = run.turns.iter().filter(|turn| turn.cell == cell.name).collect();
        Self { run, primitive, programs, turns: Turns::valid(run, &all), all }
    }

    /// Returns the same without the stays whose halves do not agree on the slope.
    pub(crate) fn steady(&self) -> Self {
        let programs = self.programs.clone();
        let unsteady: Vec<(&str, Vec<u32>)> =
            programs.iter().map(|own| (own.package.as_str(), self.unsteady(own))).collect();
        let is_steady = |turn: &&&TurnRecord| {
            let is_it = |(name, blocks): &(&str, Vec<u32>)| {
                *name == turn.model && blocks.contains(&turn.block)
            };
            turn.valid().is_some() && !unsteady.iter().any(is_it)
        };
        let all: Vec<&TurnRecord> = self.all.iter().filter(is_steady).copied().collect();
        let turns = Turns::valid(self.run, &all);
        Self { run: self.run, primitive: self.primitive, programs, all, turns }
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
        let name = self.primitive.name();
        let absent = self.run.schedule.absent.iter().find(|absent| absent.cell == name);
        let words = operation(self.primitive);
        PrimitiveFigures {
            primitive: self.primitive,
            title: words.map_or("", |words| words.title),
            each: words.map_or("", |words| words.each),
            alone: self.alone(),
            reference: reference.to_owned(),
            blocks: blocks(self.all.iter().copied()),
            absent: absent.map(|absent| absent.reason.clone()),
            rows,
            published: words.map_or(&[], |words| words.published),
        }
    }

    /// Returns whether each is timed alone.
    fn alone(&self) -> bool {
        matches!(self.primitive.datum(), Datum::Timed(_))
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
        if self.alone() { P50_NS } else { Quantity::Turns(cpu_ns) }
    }

    /// Collects what happened to a program.
    fn row(&self, program: &PrimitiveProgram) -> PrimitiveRow {
        let own = || self.all.iter().copied().filter(|turn| turn.model == program.package);
        PrimitiveRow {
            program: program.name.clone(),
            label: program.label.clone(),
            unit: program.unit.clone(),
            stays: blocks(own()),
            valid: blocks(own().filter(|turn| turn.valid().is_some())),
            unsteady: self.unsteady(program).len(),
            reason: why_lost(&own().collect::<Vec<_>>()),
            costs: self.costs(&program.package),
        }
    }

    /// Returns the blocks in which the halves of a program's stay do not agree on what one costs.
    fn unsteady(&self, program: &PrimitiveProgram) -> Vec<u32> {
        let stays = self.turns.in_blocks(&program.package);
        let unsteady = stays.filter(|(_, turns)| !self.alone() && is_unsteady(turns));
        unsteady.map(|(block, _)| block).collect()
    }

    /// Returns what one costs, if a turn was valid.
    fn costs(&self, package: &str) -> Option<PrimitiveCosts> {
        let level = |quantity: Quantity| {
            Some(median::estimate(&self.turns.sample(package, quantity)?, ALPHA))
        };
        let slope = |read| (!self.alone()).then(|| level(Quantity::Turns(read))).flatten();
        Some(PrimitiveCosts {
            wall_ns: if self.alone() { level(P50_NS)? } else { slope(wall_ns)? },
            cpu_ns: slope(cpu_ns),
            overhead_ns: slope(overhead_ns).map(|overhead| overhead.value),
            switches: level(Quantity::Turns(switches)),
            p90_ns: self.percentile(package, 0.90),
            p99_ns: self.percentile(package, 0.99),
            ratio: None,
            verdict: None,
        })
    }

    /// Returns a percentile of what was timed alone in all stays, in nanoseconds, where enough lies
    /// beyond it.
    fn percentile(&self, package: &str, share: f64) -> Option<u64> {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for (value, count) in self.turns.stays(package).iter().flat_map(|stay| &stay.latencies_ns) {
            *counts.entry(*value).or_insert(0) += count;
        }
        let enough = real(counts.values().sum()) * (1.0 - share) >= BEYOND_MIN - 1e-6;
        let counts: Vec<(u64, u64)> = counts.into_iter().collect();
        enough.then(|| histogram::quantile(&counts, share)).flatten()
    }

    /// Returns the costs of two programs in the blocks that both have.
    pub(crate) fn paired(&self, program: &str, reference: &str) -> Option<Pairs> {
        let package = |name: &str| {
            let found = self.programs.iter().find(|program| program.name == name)?;
            Some(found.package.as_str())
        };
        self.turns.paired((package(program)?, package(reference)?), self.compared())
    }

    /// Judges every program against the reference.
    fn pairs(&self, reference: &str) -> Vec<Pair> {
        let others = self.programs.iter().map(|program| program.name.as_str());
        let others = others.filter(|name| *name != reference);
        let pairs =
            others.filter_map(|name| Some(((name, reference), self.paired(name, reference)?)));
        family::compare_all(pairs.collect())
    }
}

/// The median of what was timed alone in a stay, in nanoseconds.
const P50_NS: Quantity =
    Quantity::Stay(|stay| histogram::quantile(&stay.latencies_ns, 0.5).map(real));

/// Returns how many blocks turns belong to.
fn blocks<'a>(turns: impl Iterator<Item = &'a TurnRecord>) -> usize {
    turns.map(|turn| turn.block).collect::<BTreeSet<u32>>().len()
}

/// Returns the line through the turns of a stay.
fn line(turns: &[&TurnRecord], time: fn(&Window) -> u64) -> Option<theil_sen::Line> {
    let windows = turns.iter().filter_map(|turn| Some(&turn.valid()?.window));
    let points = windows.map(|own| theil_sen::Point { x: real(own.ended), y: real(time(own)) });
    theil_sen::fit(&points.collect::<Vec<_>>(), ALPHA)
}

/// Returns the wall time of one, in nanoseconds.
fn wall_ns(turns: &[&TurnRecord]) -> Option<f64> {
    positive(line(turns, |window| window.wall_ns)?.slope.value)
}

/// Returns the CPU time of one, in nanoseconds.
fn cpu_ns(turns: &[&TurnRecord]) -> Option<f64> {
    positive(line(turns, |window| window.cpu_ns)?.slope.value)
}

/// Returns a cost that can be one.
fn positive(ns: f64) -> Option<f64> {
    (ns > 0.0).then_some(ns)
}

/// Returns what a turn costs beside, in nanoseconds of wall time.
fn overhead_ns(turns: &[&TurnRecord]) -> Option<f64> {
    line(turns, |window| window.wall_ns).map(|line| line.intercept)
}

/// Returns context switches for one, where the machine reported them.
fn switches(turns: &[&TurnRecord]) -> Option<f64> {
    let windows = || turns.iter().filter_map(|turn| Some(&turn.valid()?.window));
    let of_one = |own: &Window| Some(own.switches_voluntary? + own.switches_involuntary?);
    ratio(windows().map(of_one).sum::<Option<u64>>()?, windows().map(|own| own.ended).sum())
}

/// Returns whether the halves of a stay do not agree on what one costs.
fn is_unsteady(turns: &[&TurnRecord]) -> bool {
    let (first, second) = turns.split_at(turns.len() / 2);
    match (cpu_ns(first), cpu_ns(second)) {
        (Some(first), Some(second)) => (second / first - 1.0).abs() > STEADY,
        _ => true,
    }
}
