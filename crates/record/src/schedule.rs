//! The schedule: everything that is decided before the first turn.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use workload::Cell;
use workload::content::split_mix_64;

use crate::{Model, Placement, PrimitiveProgram, Quirk, Sweep};

/// The most cells or models: each is a table, or a row in all of them.
const NAMES_MAX: usize = 1_000;
/// The most fetches of a cell, before its window, in it, or at once.
const FETCHES_MAX: u64 = 100_000_000;
/// The longest delay of a fetch: a day.
const DELAY_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// The largest number of a block.
const BLOCK_MAX: u32 = 1_000_000;
/// The most workers or shards.
const THREADS_MAX: u32 = 65_536;
/// How a number is refused.
const AT_MOST: &str = "more than any run has";

/// Everything that is decided before the first turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Schedule {
    /// `inflight.schedule/2.0`.
    pub schema: String,
    /// The version of Inflight.
    pub version: String,
    /// The preset that decided cells and number of blocks.
    pub preset: String,
    /// Which pairs of a cell are judged together.
    pub family: Family,
    /// Whether a whole run may be called more than an estimate.
    #[serde(default)]
    pub is_citable: bool,
    /// Decides the orders, and through the blocks' seeds all bodies and delays.
    pub seed: u64,
    /// Who runs on which CPU.
    pub placement: Placement,
    /// The cells, in the order of the report.
    pub cells: Vec<Cell>,
    /// The models, as their manifests describe them.
    pub models: Vec<Model>,
    /// The model that ratios are taken against, where that is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Rows without figures, and why.
    pub absent: Vec<Absent>,
    /// Models that cannot run on this machine.
    #[serde(default)]
    pub missing: Vec<Missing>,
    /// The blocks, in the order in which they run.
    pub blocks: Vec<Block>,
    /// Models that run once more with busy work added, to prove that the run would find it.
    #[serde(default)]
    pub controls: Vec<Control>,
    /// What was found out of each cell before the schedule was drawn.
    #[serde(default)]
    pub probes: Vec<Probe>,
    /// When a cell has enough blocks, if not after all.
    #[serde(default)]
    pub stop: Option<StopRule>,
    /// The sessions that the blocks are divided into; none stands for one.
    #[serde(default)]
    pub sessions: Vec<Session>,
    /// The run that this one corrects.
    #[serde(default)]
    pub supersedes: Option<String>,
    /// The primitives that are measured: cells without an origin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Cell>,
    /// The programs that measure them, as their manifests describe them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<PrimitiveProgram>,
    /// The least length of a turn of operations that are done many at a time, in nanoseconds.
    #[serde(default, skip_serializing_if = "is_0")]
    pub batch_ns: u64,
    /// What the models' clients are known to count otherwise than bare models; not there in a
    /// schedule that was drawn before this was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "deviations")]
    pub quirks: Option<Vec<Quirk>>,
    /// Cells that are the levels of one number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweeps: Vec<Sweep>,
    /// Cells whose fetches are all held in flight at once, to read what that takes: the levels of
    /// their number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Cell>,
    /// In how many processes each participant is started that share its fetches, by the name of the
    /// cell: of those cells that one process cannot hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, u32>,
}

/// Which pairs of models of a cell are judged together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Each model with the baseline.
    #[default]
    AgainstBaseline,
    /// Every pair.
    AllPairs,
}

/// A model that runs once more in each block, with busy work added to each fetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Control {
    /// What orders and trials call it.
    pub name: String,
    /// The model whose program it is.
    pub model: String,
    /// The share of the model's own cost that is added.
    pub percent: u32,
}

/// What was found out of a cell before the schedule was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Probe {
    /// The name of the cell.
    pub cell: String,
    /// Fetches per second that the floor gets from the origin when it answers without delay: what
    /// the origin can do.
    pub ceiling_per_s: u64,
    /// CPU time per fetch of the floor, in the cell itself.
    pub floor_ns: u64,
    /// CPU time per fetch of the baseline, in the cell itself.
    pub baseline_ns: u64,
    /// CPU time per fetch of the origin's process meanwhile.
    pub origin_ns: u64,
}

/// When a cell has enough blocks: by the width of its intervals alone, never by what they show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StopRule {
    /// No cell ends with fewer.
    pub blocks_min: u32,
    /// A cell ends when the interval of each ratio to the baseline is at most this wide to either
    /// side, in thousandths.
    pub half_width_permille: u32,
    /// Everything ends after so many minutes of measuring.
    pub minutes_max: u32,
}

/// Blocks measured at one time of day, with one layout of the programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Session {
    /// Its number, from 0.
    pub number: u32,
    /// Decides the order of the sections in the programs, if it is not the linker's own.
    #[serde(default)]
    pub layout_seed: Option<u64>,
    /// The time that must lie between its beginning and the end of the one before.
    pub hours_after_last: u32,
}

/// A row without figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Absent {
    /// The name of the cell.
    pub cell: String,
    /// The name of the model.
    pub model: String,
    /// Why the model cannot hold the cell by design.
    pub reason: String,
}

/// A model that cannot run on this machine: a row without figures in every cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Missing {
    /// The name of the model.
    pub model: String,
    /// What it needs and is not there.
    pub reason: String,
    /// The command that fixes it.
    pub fix: String,
}

/// Fresh processes of every participant of a cell, and the rounds in which they take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Block {
    /// Its number, from 0.
    pub number: u32,
    /// The name of the cell.
    pub cell: String,
    /// Decides bodies and delays, the same for all models of the block.
    pub seed: u64,
    /// The rounds: in each, the names of the participants in the order drawn. The baseline may have
    /// several turns in one.
    pub rounds: Vec<Vec<String>>,
    /// The number of its session.
    #[serde(default)]
    pub session: u32,
}

impl Block {
    /// Returns the participants, each once, in the order of their names: the place of one is a part
    /// of its ids.
    pub fn participants(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self.rounds.iter().flatten().map(String::as_str).collect();
        names.into_iter().collect()
    }

    /// Returns what decides the delays in a round: all who take part meet the same. The first has
    /// the number 1, for 0 is the turn that connects.
    pub fn delay_seed(&self, round: u64) -> u64 {
        split_mix_64(self.seed ^ round)
    }

    /// Returns what decides when fetches arrive in a round of a cell, if they do so at a rate.
    pub fn arrivals_seed(&self, cell: &Cell, round: u32) -> u64 {
        // Another seed than that of the delays, so that the two have nothing to do with each other.
        if cell.is_open() { split_mix_64(!self.seed ^ u64::from(round)) } else { 0 }
    }

    /// Returns how many turns its rounds have.
    pub fn turns(&self) -> usize {
        self.rounds.iter().map(Vec::len).sum()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "missing: {}; `{}` fixes it", self.reason, self.fix)
    }
}

impl Schedule {
    /// Checks that every name stands for one thing, and that no number is larger than any schedule
    /// needs: whoever counts with it need not fear that a sum overflows or that a loop does not
    /// end.
    pub(crate) fn check(&self) -> Result<()> {
        let cells = || self.all_cells();
        names("cell", cells().map(|cell| &cell.name))?;
        let models = self.models.iter().map(|model| &model.name);
        names("model", models.chain(self.programs.iter().map(|program| &program.package)))?;
        for cell in cells() {
            let name = &cell.name;
            let counts = [cell.fetches, cell.warmup, cell.in_flight.into()];
            let fetches = counts.into_iter().max().unwrap_or(0);
            ensure!(fetches <= FETCHES_MAX, "cell {name:?} has {fetches} fetches, {AT_MOST}");
            let delay = cell.delay_ms.hi;
            ensure!(delay <= DELAY_MS_MAX, "cell {name:?} has delays of {delay} ms, {AT_MOST}");
        }
        for block in &self.blocks {
            let number = block.number;
            ensure!(number <= BLOCK_MAX, "a block has the number {number}, {AT_MOST}");
        }
        let groups = self.groups.values().copied().max().unwrap_or(0);
        ensure!(groups <= THREADS_MAX, "there are groups of {groups} processes, {AT_MOST}");
        let Placement { workers, shards, .. } = self.placement;
        let asked = cells().map(|cell| cell.workers).max().unwrap_or(0);
        let threads = workers.max(shards).max(asked);
        ensure!(threads <= THREADS_MAX, "there are {threads} workers or shards, {AT_MOST}");
        Ok(())
    }

    /// Returns a block by its number.
    pub fn block(&self, number: u32) -> Option<&Block> {
        self.blocks.iter().find(|block| block.number == number)
    }

    /// Returns every cell: of fetches that are timed, of operations, and of fetches that are held.
    pub fn all_cells(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().chain(&self.operations).chain(&self.holds)
    }

    /// Returns the cell of that name, of fetches or of operations.
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        self.all_cells().find(|cell| cell.name == name)
    }

    /// Returns in how many processes each participant of a cell is started.
    pub fn processes(&self, cell: &str) -> u32 {
        self.groups.get(cell).copied().unwrap_or(1)
    }

    /// Returns whether the cell of that name is one of fetches that are timed.
    pub fn fetches(&self, cell: &str) -> bool {
        self.cells.iter().any(|own| own.name == cell)
    }

    /// Returns the model of that name, or the one that the control of that name runs.
    pub fn model(&self, name: &str) -> Option<&Model> {
        let name = self.control(name).map_or(name, |control| &control.model);
        self.models.iter().find(|model| model.name == name)
    }

    /// Returns why a model cannot run on this machine, if it cannot.
    pub fn missing(&self, model: &str) -> Option<&Missing> {
        self.missing.iter().find(|missing| missing.model == model)
    }

    /// Returns the control of that name.
    pub fn control(&self, name: &str) -> Option<&Control> {
        self.controls.iter().find(|control| control.name == name)
    }

    /// Returns what was found out of a cell.
    pub fn probe(&self, cell: &str) -> Option<&Probe> {
        self.probes.iter().find(|probe| probe.cell == cell)
    }
}

/// Returns whether there is nothing to write.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_0(number: &u64) -> bool {
    *number == 0
}

/// Checks that names are few, and each there once.
fn names<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut known = BTreeSet::new();
    for name in names {
        ensure!(known.insert(name), "the {what} {name:?} is there twice");
    }
    let count = known.len();
    ensure!(count <= NAMES_MAX, "there are {count} {what}s, {AT_MOST}");
    Ok(())
}
