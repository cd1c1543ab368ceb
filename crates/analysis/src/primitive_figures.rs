//! The figures of a primitive: what one takes in each program, and how that compares.

use stats::Estimate;
use stats::verdict::Verdict;
use workload::Workload;

/// A primitive.
#[derive(Clone, Debug, PartialEq)]
pub struct PrimitiveFigures {
    /// Which.
    pub primitive: Workload,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What one is: `step`, `round trip`.
    pub each: &'static str,
    /// Whether each is timed alone; else costs are slopes over turns.
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
    pub published: &'static [&'static str],
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
    /// Its stays: one a block.
    pub stays: usize,
    /// Those that count.
    pub valid: usize,
    /// Those of them whose halves do not agree on the slope.
    pub unsteady: usize,
    /// Why turns do not count.
    pub reason: Option<String>,
    /// The figures, if a turn was valid.
    pub costs: Option<PrimitiveCosts>,
}

/// What one costs.
#[derive(Clone, Debug, PartialEq)]
pub struct PrimitiveCosts {
    /// Wall time of one, in nanoseconds: median over blocks. Where each is timed alone, of the
    /// medians of stays.
    pub wall_ns: Estimate,
    /// CPU time of one, in nanoseconds, where it is a slope: median over blocks.
    pub cpu_ns: Option<Estimate>,
    /// What a turn costs beside, in nanoseconds of wall time: median over blocks.
    pub overhead_ns: Option<f64>,
    /// Context switches for one: median over blocks, where the machine reports them.
    pub switches: Option<Estimate>,
    /// The time that nine of ten do not exceed, in nanoseconds, over all stays.
    pub p90_ns: Option<u64>,
    /// The time that 99 of 100 do not exceed, in nanoseconds, over all stays.
    pub p99_ns: Option<u64>,
    /// The ratio to the reference, with the simultaneous interval of the family.
    pub ratio: Option<Estimate>,
    /// What may be said of that ratio.
    pub verdict: Option<Verdict>,
}

/// A primitive in a program, with what one takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The primitive.
    pub primitive: Workload,
    /// The program.
    pub program: String,
    /// CPU time of one in nanoseconds, or wall time where each is timed alone.
    pub ns: f64,
}

/// Something that is known of tasks and threads, held against this run.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeCheck {
    /// What is known.
    pub claim: &'static str,
    /// The primitive that shows it.
    pub primitive: Workload,
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

impl PrimitiveFigures {
    /// Returns what decides of a program: CPU time, or wall time where each is timed alone.
    pub fn decisive(&self, costs: &PrimitiveCosts) -> Estimate {
        costs.cpu_ns.filter(|_| !self.alone).unwrap_or(costs.wall_ns)
    }

    /// Returns what the primitive takes in each program, as far as that is known.
    fn pieces(&self) -> impl Iterator<Item = Piece> {
        let measured = self.rows.iter().filter_map(|row| Some((row, row.costs.as_ref()?)));
        measured.map(|(row, costs)| Piece {
            primitive: self.primitive,
            program: row.program.clone(),
            ns: self.decisive(costs).value,
        })
    }
}

impl Piece {
    /// Returns the cheapest and the most expensive of some primitives, those that are timed alone
    /// or the others.
    pub(crate) fn ends(figures: &[PrimitiveFigures], alone: bool) -> Option<[Self; 2]> {
        let pieces =
            || figures.iter().filter(|own| own.alone == alone).flat_map(PrimitiveFigures::pieces);
        let order = |a: &Self, b: &Self| a.ns.total_cmp(&b.ns);
        Some([pieces().min_by(order)?, pieces().max_by(order)?])
    }
}

impl PrimitiveRow {
    /// Returns what rows are ordered by: those without figures come last.
    pub(crate) fn order(&self) -> f64 {
        let costs = self.costs.as_ref();
        costs.map_or(f64::INFINITY, |costs| costs.cpu_ns.unwrap_or(costs.wall_ns).value)
    }
}
