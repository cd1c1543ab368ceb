//! Everything that a reader of a run sees, as plain data: whoever draws it needs nothing else.

use std::collections::{BTreeMap, BTreeSet};

use record::{Environment, Integrity, Model, Placement, Run, State, TurnRecord};
use serde::Serialize;

use crate::answer::Answer;
use crate::claim::{is_estimate, origin_of, times_cut_short};
use crate::estimator::Estimator;
use crate::figures::{Figures, figures};
use crate::findings::Findings;
use crate::footprint::{ModelFootprints, model_footprints};
use crate::ideas::{Idea, ideas};
use crate::lost::{InvalidRepeated, invalid_repeated};
use crate::quirks::{Quirks, quirks};
use crate::trust::Trust;

/// What is said of a run.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Its name.
    pub id: String,
    /// The version of Inflight that measured it.
    pub version: String,
    /// Its preset.
    pub preset: String,
    /// What its order was drawn from.
    pub seed: u64,
    /// The run that it replaces, if it says so.
    pub supersedes: Option<String>,
    /// Which run it is, and what its figures may be called, in a line.
    pub origin: String,
    /// Whether its figures must be called an estimate.
    pub is_estimate: bool,
    /// Whether it is what was measured.
    pub integrity: Integrity,
    /// The SHA-256 of its manifest, if it came to its end.
    pub content_sha256: Option<String>,
    /// When its first turn began, in UTC.
    pub began_utc: Option<String>,
    /// How often it went on after it had been cut short.
    pub resumes: usize,
    /// Turns of blocks that were cut short, which enter no figure.
    pub turns_cut: usize,
    /// What became of its turns.
    pub turns: TurnCounts,
    /// Which of those that were measured again had broken a validity rule, and why.
    pub invalid_repeated: Vec<InvalidRepeated>,
    /// How many blocks it has.
    pub blocks: BlockCounts,
    /// How ratios and differences were estimated, in words.
    pub estimator: Estimator,
    /// Who ran on which CPU.
    pub placement: Placement,
    /// The machine, and what was built on it.
    pub environment: Environment,
    /// The models, in the order of the schedule.
    pub models: Vec<Model>,
    /// What each model said that it is built on.
    pub versions: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether it was to find where models cross.
    pub has_sweeps: bool,
    /// What a fetch cost, and how that compares.
    pub figures: Figures,
    /// What each cell answers, in the order of the cells.
    pub answers: Vec<Answer>,
    /// What the figures of each cell show, by the name of the cell.
    pub findings: BTreeMap<String, Findings>,
    /// What models cost beside their speed.
    pub footprints: ModelFootprints,
    /// How clients count faults in their own way, if the run reports it.
    pub quirks: Option<Quirks>,
    /// What the teaching page says, held against the run.
    pub ideas: Vec<Idea>,
    /// Whether it may be believed.
    pub trust: Trust,
}

/// What became of the turns of whole blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TurnCounts {
    /// All of them.
    pub all: usize,
    /// Those that broke a validity rule.
    pub invalid: usize,
    /// Those that failed, or were not taken after a failure.
    pub failed: usize,
    /// Beside them, the turns of disturbed rounds: they were measured again and enter no figure.
    pub repeated: usize,
    /// Those of these that broke a validity rule.
    pub repeated_invalid: usize,
}

/// How many blocks a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlockCounts {
    /// Blocks of fetches that were measured.
    pub fetches: usize,
    /// Blocks that were measured, those of primitives too.
    pub measured: usize,
    /// Blocks that the schedule has.
    pub planned: usize,
}

/// Computes everything that is said of a run; `baseline` and `floor` name models.
pub fn summarize(run: &Run, baseline: &str, floor: &str) -> Summary {
    let figures = figures(run, baseline, floor);
    let schedule = &run.schedule;
    let answers = figures.cells.iter().map(|cell| Answer::of(&schedule.models, &figures, cell));
    let answers: Vec<Answer> = answers.collect();
    let findings = figures
        .cells
        .iter()
        .zip(&answers)
        .map(|own| (own.0.cell.name.clone(), Findings::of(&schedule.models, floor, own)));
    let findings = findings.collect();
    let names = schedule.models.iter().map(|model| model.name.clone());
    Summary {
        id: run.id.clone(),
        version: schedule.version.clone(),
        preset: schedule.preset.clone(),
        seed: schedule.seed,
        supersedes: schedule.supersedes.clone(),
        origin: origin_of(run),
        is_estimate: is_estimate(run),
        integrity: run.integrity.clone(),
        content_sha256: run.content_sha256.clone(),
        began_utc: run.turns.first().map(|turn| turn.started_utc.clone()),
        resumes: times_cut_short(run),
        turns_cut: run.cut.len(),
        turns: TurnCounts::of(run),
        invalid_repeated: invalid_repeated(run),
        blocks: BlockCounts::of(run),
        estimator: Estimator::of(run),
        placement: schedule.placement.clone(),
        environment: run.environment.clone(),
        versions: names.map(|name| (name.clone(), run.versions(&name))).collect(),
        models: schedule.models.clone(),
        has_sweeps: !schedule.sweeps.is_empty(),
        answers,
        findings,
        footprints: model_footprints(run),
        quirks: quirks(run),
        ideas: ideas(run, &figures),
        trust: Trust::of(run, (baseline, floor)),
        figures,
    }
}

impl Summary {
    /// Returns a model.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    /// Returns the answer of the cell that the run is summed up by, unless it has no cell.
    pub fn answer(&self) -> Option<&Answer> {
        self.answers.get(self.figures.main_cell())
    }

    /// Returns the answer of a cell.
    pub fn answer_of(&self, cell: &str) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.cell == cell)
    }

    /// Returns what a model said that it is built on.
    pub fn versions_of(&self, model: &str) -> BTreeMap<String, String> {
        self.versions.get(model).cloned().unwrap_or_default()
    }
}

impl TurnCounts {
    /// Counts the turns of a run.
    fn of(run: &Run) -> Self {
        let count = |turns: &[TurnRecord], wanted: fn(&State) -> bool| {
            turns.iter().filter(|turn| wanted(&turn.state)).count()
        };
        let is_invalid = |state: &State| matches!(state, State::Invalid(_));
        Self {
            all: run.turns.len(),
            invalid: count(&run.turns, is_invalid),
            failed: count(&run.turns, |state| matches!(state, State::Failed(_) | State::Out)),
            repeated: run.repeated.len(),
            repeated_invalid: count(&run.repeated, is_invalid),
        }
    }

    /// Returns how many count.
    pub fn valid(&self) -> usize {
        self.all - self.invalid - self.failed
    }
}

impl BlockCounts {
    /// Counts the blocks of a run.
    fn of(run: &Run) -> Self {
        let schedule = &run.schedule;
        let fetches = run.turns.iter().filter(|turn| schedule.fetches(&turn.cell));
        Self {
            fetches: fetches.map(|turn| turn.block).collect::<BTreeSet<_>>().len(),
            measured: run.blocks.len(),
            planned: schedule.blocks.len(),
        }
    }
}
