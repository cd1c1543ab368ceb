//! A program of primitives, as its manifest describes it, and whoever else takes turns.

use std::collections::BTreeMap;

use rules::Claims;
use serde::{Deserialize, Serialize};
use workload::Workload;

use crate::{Model, Schedule};

/// A program that measures primitives, as its manifest describes it. As a participant it is called
/// by its package: a model may have its name.
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
    pub primitives: Vec<Workload>,
    /// The models whose units are these.
    #[serde(default)]
    pub models: Vec<String>,
    /// What only the environment can set.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// What is behind a participant.
#[derive(Clone, Copy, Debug)]
pub enum Described<'a> {
    /// A model, which a control may run too.
    Model(&'a Model),
    /// A program of primitives.
    Program(&'a PrimitiveProgram),
}

impl<'a> Described<'a> {
    /// Returns the name under which its program was built.
    pub fn key(self) -> &'a str {
        match self {
            Self::Model(model) => &model.name,
            Self::Program(program) => &program.package,
        }
    }

    /// Returns what its process calls itself.
    pub fn says(self) -> &'a str {
        match self {
            Self::Model(model) => model.program(),
            Self::Program(program) => &program.name,
        }
    }

    /// Returns what only the environment can set.
    pub fn env(self) -> &'a BTreeMap<String, String> {
        match self {
            Self::Model(model) => &model.env,
            Self::Program(program) => &program.env,
        }
    }

    /// Returns what its manifest says, as far as laws ask: of a program nothing.
    pub fn claims(self) -> Claims<'a> {
        match self {
            Self::Model(model) => model.claims(),
            Self::Program(_) => Claims {
                is_bare: false,
                may_be_slow: true,
                connections: None,
                threads: "",
                is_apart: false,
            },
        }
    }
}

impl Schedule {
    /// Returns the program of primitives that is called so as a participant.
    pub fn program(&self, package: &str) -> Option<&PrimitiveProgram> {
        self.programs.iter().find(|program| program.package == package)
    }

    /// Returns what is behind a participant.
    pub fn described(&self, participant: &str) -> Option<Described<'_>> {
        let model = self.model(participant).map(Described::Model);
        model.or_else(|| self.program(participant).map(Described::Program))
    }
}
