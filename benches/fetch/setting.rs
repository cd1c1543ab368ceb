//! What is benched: the models that were found, the cells, and the benchmarks they make.

use anyhow::{Context, Result};
use harness::{BASELINE, FLOOR, Failure, Preset, Workspace};
use model_kit::Cell;
use record::{Model, PrimitiveProgram};
use regex::Regex;

use crate::arguments::Arguments;
use crate::runner::{self, Runner};

/// A benchmark, as criterion names it: `cpu/steady/tokio`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `cpu` or `wall`.
    pub(crate) group: &'static str,
    /// The name of the cell.
    pub(crate) cell: String,
    /// The name of the model.
    pub(crate) model: String,
}

/// What is benched.
pub(crate) struct Setting {
    /// The workspace.
    pub(crate) workspace: Workspace,
    /// Cells and blocks.
    pub(crate) preset: Preset,
    /// All models that were found.
    found: Vec<Model>,
    /// What is reported.
    selection: Option<Regex>,
    runner: Runner,
}

impl Entry {
    /// Returns the whole name.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}/{}", self.group, self.cell, self.model)
    }
}

impl Setting {
    /// Finds the models and checks the filter.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self> {
        let workspace = runner::workspace()?;
        let found = harness::find(&workspace, "crates")?;
        let runner = arguments.runner.clone();
        let selection = arguments.filter.as_ref();
        let selection = selection.map(|filter| runner.expression(filter)).transpose()?;
        let setting = Self { workspace, preset: harness::quick(), found, selection, runner };
        let any = !setting.entries().is_empty();
        setting.runner.finds(any, arguments.filter.as_deref())?;
        Ok(setting)
    }

    /// Checks that this machine has what a model needs that is reported: who asks whether models
    /// work gets no yes without a try.
    pub(crate) fn can_run(&self) -> Result<()> {
        let entries = self.entries();
        let is_reported = |model: &&Model| entries.iter().any(|entry| entry.model == model.name);
        let mut last = None;
        for model in self.found.iter().filter(is_reported) {
            match harness::missing(&self.workspace, model) {
                None => return Ok(()),
                missing => last = missing,
            }
        }
        let missing = last.context("failed to find a benchmark")?;
        Err(Failure::Preflight(format!("{} cannot run here: {missing}", missing.model)).into())
    }

    /// Returns the benchmarks that are reported.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        // Whoever names models by a filter may name any.
        let may_have = |model: &&Model| self.selection.is_some() || model.is_core();
        let mut entries = Vec::new();
        for group in ["cpu", "wall"] {
            for cell in &self.preset.cells {
                for model in self.found.iter().filter(|model| may_have(model) && holds(model, cell))
                {
                    let (cell, model) = (cell.name.clone(), model.name.clone());
                    entries.push(Entry { group, cell, model });
                }
            }
        }
        entries.retain(|entry| self.selects(&entry.name()));
        entries
    }

    /// Returns the models that are measured: those reported, the baseline and the floor.
    pub(crate) fn models(&self) -> Vec<Model> {
        let entries = self.entries();
        let wanted = |model: &&Model| {
            let reported = entries.iter().any(|entry| entry.model == model.name);
            // Without a filter a model that is n/a everywhere is still a row.
            reported
                || self.selects_all() && model.is_core()
                || [BASELINE, FLOOR].contains(&model.name.as_str())
        };
        self.found.iter().filter(wanted).cloned().collect()
    }

    /// Returns the programs that measure primitives: all of them, or none if a filter asks for
    /// something else.
    pub(crate) fn primitives(&self) -> Result<Vec<PrimitiveProgram>> {
        match self.selects_all() {
            true => harness::find_primitives(&self.workspace, "crates"),
            false => Ok(Vec::new()),
        }
    }

    /// Returns the cells that are measured.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let entries = self.entries();
        let wanted = |cell: &&Cell| entries.iter().any(|entry| entry.cell == cell.name);
        self.preset.cells.iter().filter(wanted).cloned().collect()
    }

    /// Returns whether a benchmark is reported.
    fn selects(&self, name: &str) -> bool {
        let is_selected = self.selection.as_ref().is_none_or(|filter| filter.is_match(name));
        is_selected && self.runner.keeps(name)
    }

    /// Returns whether there is no filter.
    fn selects_all(&self) -> bool {
        self.selection.is_none() && self.runner.skip.is_empty()
    }
}

/// Returns whether a model can hold a cell.
fn holds(model: &Model, cell: &Cell) -> bool {
    let has_slots = model.max_in_flight.is_none_or(|max| max >= cell.in_flight);
    (has_slots || !cell.workload.needs_every_slot()) && (!cell.handed_in || model.has_pacer())
}
