//! Primitives and the cost model as JSON.

use rules::PUBLISHED_IN;
use serde::Serialize;
use workload::Workload;

use crate::cost_model::{CostModelCell, CostModelRow, Explained};
use crate::figure::{Figure, UNREPORTED, rounded};
use crate::number::word;
use crate::primitive_figures::{PrimitiveCosts, PrimitiveFigures, PrimitiveRow, ShapeCheck, Shown};

/// Why there is no CPU time of what is timed alone.
const ALONE: &str = "each is timed alone";
/// Why a reference has no ratio.
const REFERENCE: &str = "it is the reference, or no block has both";

/// A primitive.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PrimitiveSummary<'a> {
    /// Which.
    primitive: Workload,
    /// What it is, in a few words.
    title: &'a str,
    /// What one is: `step`, `round trip`.
    each: &'a str,
    /// Whether each is timed alone; else costs are slopes over turns.
    is_timed_alone: bool,
    /// The program that ratios are taken against.
    reference: &'a str,
    /// Blocks that were measured.
    blocks: usize,
    /// Why it was not measured, if it was not.
    absent: Option<&'a str>,
    /// The programs, the cheapest first, then those without figures.
    rows: Vec<PrimitiveRowSummary<'a>>,
    /// What others have published of it: context, not a comparison.
    anchors: Vec<AnchorSummary>,
}

/// A program.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PrimitiveRowSummary<'a> {
    /// Its name.
    program: &'a str,
    /// What reports call it.
    label: &'a str,
    /// What waits or is started in it.
    unit: &'a str,
    /// Its stays: one a block.
    stays: usize,
    /// Those that count.
    stays_valid: usize,
    /// Those of them whose halves do not agree on the slope.
    stays_unsteady: usize,
    /// Why turns do not count.
    reason: Option<&'a str>,
    /// The figures, if a turn was valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    costs: Option<CostsSummary>,
}

/// What one costs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct CostsSummary {
    /// Wall time of one, in nanoseconds.
    wall_ns: Figure,
    /// CPU time of one, in nanoseconds.
    cpu_ns: Figure,
    /// What a turn costs beside, in nanoseconds of wall time.
    overhead_ns: Option<f64>,
    /// Context switches for one.
    switches: Figure,
    /// The time that nine of ten do not exceed, in nanoseconds.
    p90_ns: Option<u64>,
    /// The time that 99 of 100 do not exceed, in nanoseconds.
    p99_ns: Option<u64>,
    /// The cost in times the reference's.
    ratio: Figure,
    /// What may be said of that ratio: `different`, `equivalent` or `inconclusive`.
    verdict: Option<&'static str>,
}

/// What others have published.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct AnchorSummary {
    /// The figure, in words.
    says: &'static str,
    /// Where it stands.
    source: &'static str,
}

/// Something that is known.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CheckSummary {
    /// What is known.
    claim: &'static str,
    /// The primitive that shows it.
    primitive: Workload,
    /// What a thread costs in times the task of the baseline.
    thread_over_task: Figure,
    /// Whether this run shows it: `yes`, `no` or `open`.
    shown: &'static str,
}

/// What the primitives predict in a cell.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CostModelSummary<'a> {
    /// The name of the cell.
    cell: &'a str,
    /// The models.
    rows: Vec<CostModelRowSummary<'a>>,
}

/// What the primitives predict of a model.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct CostModelRowSummary<'a> {
    /// The model.
    model: &'a str,
    /// The program of primitives that stands for it.
    program: &'a str,
    /// What its wake-ups should cost, in microseconds per fetch.
    wakes_us: Option<f64>,
    /// What its context switches should cost, likewise.
    switches_us: Option<f64>,
    /// What its spawns should cost, likewise.
    spawns_us: Option<f64>,
    /// The sum of these.
    predicted_us: Option<f64>,
    /// CPU time above the floor, in microseconds per fetch.
    measured_us: Figure,
    /// What is measured and not predicted, in microseconds per fetch.
    remainder_us: Option<f64>,
    /// That as a share of what is measured.
    unexplained: Option<f64>,
    /// Whether the primitives explain it: `yes`, `no` or `nothing_to_explain`.
    explained: &'static str,
}

impl<'a> PrimitiveSummary<'a> {
    /// Writes a primitive.
    pub(crate) fn of(figures: &'a PrimitiveFigures) -> Self {
        let anchors = figures.published.iter();
        Self {
            primitive: figures.primitive,
            title: figures.title,
            each: figures.each,
            is_timed_alone: figures.alone,
            reference: &figures.reference,
            blocks: figures.blocks,
            absent: figures.absent.as_deref(),
            rows: figures.rows.iter().map(PrimitiveRowSummary::of).collect(),
            anchors: anchors.map(|says| AnchorSummary { says, source: PUBLISHED_IN }).collect(),
        }
    }
}

impl<'a> PrimitiveRowSummary<'a> {
    /// Writes a program.
    fn of(row: &'a PrimitiveRow) -> Self {
        Self {
            program: &row.program,
            label: &row.label,
            unit: &row.unit,
            stays: row.stays,
            stays_valid: row.valid,
            stays_unsteady: row.unsteady,
            reason: row.reason.as_deref(),
            costs: row.costs.as_ref().map(CostsSummary::of),
        }
    }
}

impl CostsSummary {
    /// Writes what one costs.
    fn of(costs: &PrimitiveCosts) -> Self {
        Self {
            wall_ns: Figure::of(&costs.wall_ns),
            cpu_ns: Figure::or(costs.cpu_ns.as_ref(), ALONE),
            overhead_ns: costs.overhead_ns.and_then(rounded),
            switches: Figure::or(costs.switches.as_ref(), UNREPORTED),
            p90_ns: costs.p90_ns,
            p99_ns: costs.p99_ns,
            ratio: Figure::or(costs.ratio.as_ref(), REFERENCE),
            verdict: costs.verdict.map(word),
        }
    }
}

impl CheckSummary {
    /// Writes something that is known.
    pub(crate) fn of(check: &ShapeCheck) -> Self {
        Self {
            claim: check.claim,
            primitive: check.primitive,
            thread_over_task: Figure::or(check.ratio.as_ref(), "no block has both"),
            shown: match check.shown {
                Shown::Yes => "yes",
                Shown::No => "no",
                Shown::Open => "open",
            },
        }
    }
}

impl<'a> CostModelSummary<'a> {
    /// Writes what the primitives predict in a cell.
    pub(crate) fn of(cell: &'a CostModelCell) -> Self {
        Self { cell: &cell.cell, rows: cell.rows.iter().map(CostModelRowSummary::of).collect() }
    }
}

impl<'a> CostModelRowSummary<'a> {
    /// Writes what the primitives predict of a model.
    fn of(row: &'a CostModelRow) -> Self {
        Self {
            model: &row.model,
            program: &row.program,
            wakes_us: rounded(row.wakes_us),
            switches_us: rounded(row.switches_us),
            spawns_us: rounded(row.spawns_us),
            predicted_us: rounded(row.predicted_us),
            measured_us: Figure::of(&row.measured_us),
            remainder_us: rounded(row.remainder_us),
            unexplained: rounded(row.unexplained),
            explained: match row.explained {
                Explained::Yes => "yes",
                Explained::No => "no",
                Explained::Nothing => "nothing_to_explain",
            },
        }
    }
}
