//! Primitives and the cost model as JSON.

use serde::Serialize;
use workload::primitive::Primitive;

use crate::cost_model::{CostModelCell, CostModelRow, Explained};
use crate::figure::{Figure, rounded};
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
    primitive: Primitive,
    title: &'a str,
    each: &'a str,
    is_timed_alone: bool,
    reference: &'a str,
    blocks: usize,
    absent: Option<&'a str>,
    rows: Vec<PrimitiveRowSummary<'a>>,
    anchors: Vec<AnchorSummary>,
}

/// A program.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PrimitiveRowSummary<'a> {
    program: &'a str,
    label: &'a str,
    unit: &'a str,
    trials: usize,
    trials_valid: usize,
    trials_unsteady: usize,
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    costs: Option<CostsSummary>,
}

/// What one costs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct CostsSummary {
    wall_ns: Figure,
    cpu_ns: Figure,
    overhead_ns: Option<f64>,
    switches: Figure,
    p90_ns: Option<u64>,
    p99_ns: Option<u64>,
    ratio: Figure,
    verdict: Option<&'static str>,
}

/// What others have published.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct AnchorSummary {
    says: &'static str,
    source: &'static str,
}

/// Something that is known.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CheckSummary {
    claim: &'static str,
    primitive: Primitive,
    thread_over_task: Figure,
    shown: &'static str,
}

/// What the primitives predict in a cell.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CostModelSummary<'a> {
    cell: &'a str,
    rows: Vec<CostModelRowSummary<'a>>,
}

/// What the primitives predict of a model.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct CostModelRowSummary<'a> {
    model: &'a str,
    program: &'a str,
    wakes_us: Option<f64>,
    switches_us: Option<f64>,
    spawns_us: Option<f64>,
    predicted_us: Option<f64>,
    measured_us: Figure,
    remainder_us: Option<f64>,
    unexplained: Option<f64>,
    explained: &'static str,
}

impl<'a> PrimitiveSummary<'a> {
    /// Writes a primitive.
    pub(crate) fn of(figures: &'a PrimitiveFigures) -> Self {
        let anchors = figures.anchors.iter();
        Self {
            primitive: figures.primitive,
            title: figures.title,
            each: figures.each,
            is_timed_alone: figures.alone,
            reference: &figures.reference,
            blocks: figures.blocks,
            absent: figures.absent.as_deref(),
            rows: figures.rows.iter().map(PrimitiveRowSummary::of).collect(),
            anchors: anchors.map(|a| AnchorSummary { says: a.says, source: a.source }).collect(),
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
            trials: row.trials,
            trials_valid: row.valid,
            trials_unsteady: row.unsteady,
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
            switches: Figure::of(&costs.switches),
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
