//! The summary of a run as JSON, for programs: the figures under names that carry their units.
//!
//! Keys stand in the order of the structs. Figures have six significant digits: what lies below is
//! noise, and logarithms of two machines may differ in the sixteenth. Where there is no figure
//! there is null, and a reason beside it.

use std::collections::BTreeMap;

use record::{Environment, Family, Integrity, Model, Placement};
use serde::{Serialize, Serializer};

use crate::cell_summary::CellSummary;
use crate::family::{ALPHA, MARGIN};
use crate::footprint::ModelFootprints;
use crate::ideas::Idea;
use crate::primitives_summary::{CheckSummary, CostModelSummary, PrimitiveSummary};
use crate::quirks::Quirks;
use crate::summary::{BlockCounts, Summary, TurnCounts};
use crate::sweep_summary::SweepSummary;

/// The schema; its minors only add.
const SCHEMA: &str = "inflight.summary/2.0";

/// The summary of a run, as it is written.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Document<'a> {
    schema: &'static str,
    run: &'a str,
    inflight_version: &'a str,
    preset: &'a str,
    is_estimate: bool,
    integrity: &'static str,
    altered_files: &'a [String],
    supersedes: Option<&'a str>,
    resumes: usize,
    turns_cut: usize,
    content_sha256: Option<&'a str>,
    began_utc: Option<&'a str>,
    seed: u64,
    turns: TurnCounts,
    blocks: BlockCounts,
    badges: &'a [String],
    baseline: &'a str,
    floor: &'a str,
    family: &'static str,
    alpha: f64,
    margin: f64,
    cells: Vec<CellSummary<'a>>,
    model_footprints: &'a ModelFootprints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    primitives: Vec<PrimitiveSummary<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    primitive_checks: Vec<CheckSummary>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cost_model: Vec<CostModelSummary<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sweeps: Vec<SweepSummary<'a>>,
    quirks: Option<&'a Quirks>,
    ideas: &'a [Idea],
    placement: &'a Placement,
    models: &'a [Model],
    versions: &'a BTreeMap<String, BTreeMap<String, String>>,
    environment: &'a Environment,
}

impl<'a> Document<'a> {
    /// Gathers what the summary says.
    pub(crate) fn of(summary: &'a Summary) -> Self {
        let figures = &summary.figures;
        let (integrity, altered_files): (_, &[String]) = match &summary.integrity {
            Integrity::Whole => ("whole", &[]),
            Integrity::Unfinished => ("unfinished", &[]),
            Integrity::Altered(files) => ("altered", files),
        };
        Self {
            schema: SCHEMA,
            run: &summary.id,
            inflight_version: &summary.version,
            preset: &summary.preset,
            is_estimate: summary.is_estimate,
            integrity,
            altered_files,
            supersedes: summary.supersedes.as_deref(),
            resumes: summary.resumes,
            turns_cut: summary.turns_cut,
            content_sha256: summary.content_sha256.as_deref(),
            began_utc: summary.began_utc.as_deref(),
            seed: summary.seed,
            turns: summary.turns,
            blocks: summary.blocks,
            badges: &summary.trust.badges,
            baseline: &figures.baseline,
            floor: &figures.floor,
            family: match figures.family {
                Family::AgainstBaseline => "against_baseline",
                Family::AllPairs => "all_pairs",
            },
            alpha: ALPHA,
            margin: MARGIN,
            cells: figures.cells.iter().map(|cell| CellSummary::of(cell, figures)).collect(),
            model_footprints: &summary.footprints,
            primitives: figures.primitives.figures.iter().map(PrimitiveSummary::of).collect(),
            primitive_checks: figures.primitives.checks.iter().map(CheckSummary::of).collect(),
            cost_model: figures.primitives.cost_model.iter().map(CostModelSummary::of).collect(),
            sweeps: figures.sweeps.iter().map(SweepSummary::of).collect(),
            quirks: summary.quirks.as_ref(),
            ideas: &summary.ideas,
            placement: &summary.placement,
            models: &summary.models,
            versions: &summary.versions,
            environment: &summary.environment,
        }
    }
}

impl Serialize for Summary {
    /// Writes it with six significant digits, since what lies below is noise, and without the
    /// stays one by one, which `journal.jsonl` has.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Document::of(self).serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Summary {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Summary".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Document::json_schema(generator)
    }
}
