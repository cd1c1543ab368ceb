//! The footprint of a model beside its speed: what it takes to write, to trust, to build and to
//! carry. What the run does not report is said to be unknown, and how it could be known.

use record::Run;
use record::environment::Footprint;
use serde::Serialize;

/// What the columns are, for whoever reads them.
const WHAT: &str = "Lines: of the model's own sources, neither blank nor only a comment. \
                    Dependencies: packages from outside that the program is made of or built with. \
                    Program: as it ran, in KiB, and without the symbols that the profile keeps. \
                    Build: seconds from nothing, with everything downloaded.";
/// How the time of a build becomes known.
const BUILDS: &str = "No build was timed with these packages, this compiler and this machine: \
                      `cargo bench --bench claims -- builds` does it for the runs that follow.";
/// What is said of a run that reports nothing.
const UNKNOWN: &str = "Unknown: the run does not say what its models cost beside their speed.";

/// The footprints of all models of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelFootprints {
    /// The models, in the order of the schedule.
    pub rows: Vec<ModelFootprint>,
    /// What the columns are, and why some are unknown: a sentence each, or a few.
    pub notes: Vec<&'static str>,
}

/// The footprint of a model; what is unknown is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelFootprint {
    /// The model.
    pub model: String,
    /// What it costs.
    #[serde(flatten)]
    pub footprint: Footprint,
}

/// Returns the footprints of a run's models.
pub fn model_footprints(run: &Run) -> ModelFootprints {
    let reported = run.environment.model_footprints.as_ref();
    let footprint = |name: &String| {
        reported.and_then(|reported| reported.get(name)).cloned().unwrap_or_default()
    };
    let models = run.schedule.models.iter();
    let rows: Vec<ModelFootprint> = models
        .map(|model| ModelFootprint {
            model: model.name.clone(),
            footprint: footprint(&model.name),
        })
        .collect();
    let notes = match (reported, rows.iter().any(|row| row.footprint.build_ms.is_some())) {
        (None, _) => vec![UNKNOWN],
        (Some(_), true) => vec![WHAT],
        (Some(_), false) => vec![WHAT, BUILDS],
    };
    ModelFootprints { rows, notes }
}

impl ModelFootprints {
    /// Returns whether the run reports anything of them.
    pub fn is_known(&self) -> bool {
        !self.notes.contains(&UNKNOWN)
    }
}
