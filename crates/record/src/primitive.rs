//! What is written down of primitives: the programs that have them, their part of the schedule,
//! and a line of the journal for each of their trials.
//!
//! Blocks of primitives are numbered together with those of cells, so that one number says how far
//! a run is. They have a list of their own: a block of a cell is nothing to compare them with.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use workload::primitive::{Primitive, PrimitiveTrial};

use crate::{Schedule, State};

/// A program that measures primitives, as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrimitiveProgram {
    /// The name of the package without `primitives-`.
    pub name: String,
    /// The package.
    pub package: String,
    /// What reports call it.
    pub label: String,
    /// What waits, yields or is started in it: a task, a thread.
    pub unit: String,
    /// The primitives that it has.
    pub primitives: Vec<Primitive>,
    /// The models whose units are these.
    #[serde(default)]
    pub models: Vec<String>,
    /// What only the environment can set.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// The part of a schedule that is about primitives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrimitiveSchedule {
    /// The programs, as their manifests describe them.
    pub programs: Vec<PrimitiveProgram>,
    /// The CPUs that they may use; primitives of one CPU use the first.
    pub cpus: Vec<usize>,
    /// The least length of a batch, in nanoseconds.
    pub batch_ns: u64,
    /// Primitives that this machine has not enough CPUs for, and why they are left out.
    pub absent: Vec<PrimitiveAbsent>,
    /// The blocks, in the order in which they run.
    pub blocks: Vec<PrimitiveBlock>,
}

/// A primitive that is not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrimitiveAbsent {
    /// Which.
    pub primitive: Primitive,
    /// Why.
    pub reason: String,
}

/// Every program that has a primitive once, adjacent in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrimitiveBlock {
    /// Its number, among all blocks of the run.
    pub number: u32,
    /// The primitive.
    pub primitive: Primitive,
    /// Decides counts and their order, the same for all programs of the block.
    pub seed: u64,
    /// How many are timed one by one, where the primitive is not done in batches.
    pub samples: u64,
    /// The names of the programs in the order drawn.
    pub order: Vec<String>,
    /// The number of its session.
    #[serde(default)]
    #[serde(rename = "sitting")]
    pub session: u32,
}

/// What became of one trial of a primitive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrimitiveRecord {
    /// The number of its block.
    pub block: u32,
    /// Its place in the order of the block, from 0.
    pub position: u32,
    /// The primitive.
    pub primitive: Primitive,
    /// The name of the program.
    pub program: String,
    /// When it began, in UTC.
    pub started_utc: String,
    /// How long it took with everything around it, in milliseconds.
    pub spent_ms: u64,
    /// Whether its figures may be used.
    pub state: State,
    /// The versions that the program reported.
    pub versions: BTreeMap<String, String>,
    /// What the program reported, if it reported anything.
    pub trial: Option<PrimitiveTrial>,
}

/// The trials of primitives of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrimitiveTrials {
    /// Those of whole blocks.
    pub whole: Vec<PrimitiveRecord>,
    /// Those of blocks that were cut short: they are left out of every figure.
    pub cut: Vec<PrimitiveRecord>,
}

impl PrimitiveRecord {
    /// Returns the program's own figures, if they may be used.
    pub fn valid(&self) -> Option<&PrimitiveTrial> {
        self.trial.as_ref().filter(|_| self.state == State::Valid)
    }
}

impl PrimitiveSchedule {
    /// Returns whether nothing is to be measured.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Returns the program of that name.
    pub fn program(&self, name: &str) -> Option<&PrimitiveProgram> {
        self.programs.iter().find(|program| program.name == name)
    }

    /// Returns the block of that number.
    pub fn block(&self, number: u32) -> Option<&PrimitiveBlock> {
        self.blocks.iter().find(|block| block.number == number)
    }
}

impl PrimitiveTrials {
    /// Takes a trial that the schedule has next.
    pub(crate) fn take(&mut self, schedule: &Schedule, trial: PrimitiveRecord) -> Result<()> {
        let schedule = &schedule.primitives;
        let number = trial.block;
        let block = schedule.block(number);
        let block = block.with_context(|| format!("the schedule has no block {number}"))?;
        let position = usize::try_from(trial.position).context("the position is too large")?;
        ensure!(
            block.order.get(position) == Some(&trial.program) && block.primitive == trial.primitive,
            "the schedule has no {} of {} at place {position} of block {number}",
            trial.program,
            trial.primitive.name(),
        );
        ensure!(
            self.follows(schedule, &trial),
            "place {position} of block {number} does not follow what stands before it"
        );
        self.whole.push(trial);
        Ok(())
    }

    /// Returns whether a trial comes next: in its block, or as the first of the next block.
    fn follows(&self, schedule: &PrimitiveSchedule, trial: &PrimitiveRecord) -> bool {
        let Some(last) = self.whole.last() else {
            let first = schedule.blocks.first().map(|block| block.number);
            return trial.position == 0 && first == Some(trial.block);
        };
        if last.block == trial.block {
            return last.position + 1 == trial.position;
        }
        let place = schedule.blocks.iter().position(|block| block.number == last.block);
        let Some(place) = place else { return false };
        let length = u32::try_from(schedule.blocks[place].order.len()).unwrap_or(u32::MAX);
        let next = schedule.blocks.get(place + 1).map(|block| block.number);
        trial.position == 0 && last.position + 1 == length && next == Some(trial.block)
    }

    /// Sets the trials of a block and of all later ones aside: the run goes on with that block.
    pub(crate) fn cut_from(&mut self, number: u32) {
        let (cut, whole) = self.whole.drain(..).partition(|trial| trial.block >= number);
        self.whole = whole;
        self.cut.extend::<Vec<_>>(cut);
    }

    /// Sets the trials of the block aside in which the run was cut short, if it was.
    pub(crate) fn set_cut_blocks_aside(&mut self, schedule: &PrimitiveSchedule) {
        let Some(last) = self.whole.last() else { return };
        let (number, length) = (last.block, last.position + 1);
        let block = schedule.block(number);
        if block.is_some_and(|block| block.order.len() > length as usize) {
            self.cut_from(number);
        }
    }

    /// Returns the number of the first block that has not been measured whole, if there is one.
    pub(crate) fn next_block(&self, schedule: &PrimitiveSchedule) -> Option<u32> {
        let measured: BTreeSet<u32> = self.whole.iter().map(|trial| trial.block).collect();
        let mut numbers = schedule.blocks.iter().map(|block| block.number);
        numbers.find(|number| !measured.contains(number))
    }
}
