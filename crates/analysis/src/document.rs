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
use crate::hold_summary::HoldSummary;
use crate::ideas::Idea;
use crate::primitives_summary::{CheckSummary, CostModelSummary, PrimitiveSummary};
use crate::quirks::Quirks;
use crate::summary::{BlockCounts, Summary, TurnCounts};
use crate::sweep_summary::SweepSummary;
use crate::timeline::Worst;

/// The schema; its minors only add.
const SCHEMA: &str = "inflight.summary/2.0";

/// The summary of a run, as it is written.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Document<'a> {
    /// `inflight.summary/2.0`.
    schema: &'static str,
    /// The name of the run.
    run: &'a str,
    /// The version of Inflight that measured it.
    inflight_version: &'a str,
    /// Its preset.
    preset: &'a str,
    /// Whether its figures must be called an estimate.
    is_estimate: bool,
    /// Whether it is what was measured: `whole`, `unfinished` or `altered`.
    integrity: &'static str,
    /// The files that are not as they were measured.
    altered_files: &'a [String],
    /// The run that it replaces, if it says so.
    supersedes: Option<&'a str>,
    /// How often it went on after it had been cut short.
    resumes: usize,
    /// Turns of blocks that were cut short, which enter no figure.
    turns_cut: usize,
    /// The SHA-256 of its manifest, if it came to its end.
    content_sha256: Option<&'a str>,
    /// When its first turn began, in UTC.
    began_utc: Option<&'a str>,
    /// What its order was drawn from.
    seed: u64,
    /// What became of its turns.
    turns: TurnCounts,
    /// How many blocks it has.
    blocks: BlockCounts,
    /// What stands below every figure of the run: warnings, by their words.
    badges: &'a [String],
    /// The model that ratios are taken against.
    baseline: &'a str,
    /// The model that excess is taken over.
    floor: &'a str,
    /// Which pairs of a cell are compared as one family: `against_baseline` or `all_pairs`.
    family: &'static str,
    /// The chance of any false difference that is accepted in a family.
    alpha: f64,
    /// The least relative difference that is called one.
    margin: f64,
    /// The name of the cell that the run is summed up by, if it has cells.
    main_cell: Option<&'a str>,
    /// What was measured, in the order of the schedule.
    cells: Vec<CellSummary<'a>>,
    /// What models cost beside their speed.
    model_footprints: &'a ModelFootprints,
    /// What the smallest things cost that models are made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    primitives: Vec<PrimitiveSummary<'a>>,
    /// Whether the run shows what is known of tasks and threads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    primitive_checks: Vec<CheckSummary>,
    /// What the primitives predict of models, cell by cell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cost_model: Vec<CostModelSummary<'a>>,
    /// Where models cross along a number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sweeps: Vec<SweepSummary<'a>>,
    /// What fetches in flight take, if any were held.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<HoldSummary<'a>>,
    /// How clients count faults in their own way, if the run reports it.
    quirks: Option<&'a Quirks>,
    /// What the teaching page says, held against the run.
    ideas: &'a [Idea],
    /// The worst that the machine did during the rounds of the stays' middle turns.
    machine_worst: Worst,
    /// Who ran on which CPU.
    placement: &'a Placement,
    /// The models, in the order of the schedule.
    models: &'a [Model],
    /// What each model said that it is built on.
    versions: &'a BTreeMap<String, BTreeMap<String, String>>,
    /// The machine, and what was built on it.
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
            main_cell: summary.answer().map(|answer| answer.cell.as_str()),
            cells: figures.cells.iter().map(|cell| CellSummary::of(cell, summary)).collect(),
            model_footprints: &summary.footprints,
            primitives: figures.primitives.figures.iter().map(PrimitiveSummary::of).collect(),
            primitive_checks: figures.primitives.checks.iter().map(CheckSummary::of).collect(),
            cost_model: figures.primitives.cost_model.iter().map(CostModelSummary::of).collect(),
            sweeps: figures.sweeps.iter().map(SweepSummary::of).collect(),
            holds: figures.holds.as_ref().map(HoldSummary::of),
            quirks: summary.quirks.as_ref(),
            ideas: &summary.ideas,
            machine_worst: figures.timeline.worst.rounded(),
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
