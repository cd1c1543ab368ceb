//! What a run shows at a glance: its schedule and whether it came to its end, without its
//! journal, which is nearly all of it.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::fault::{self, unreadable};
use crate::name::own_name;
use crate::run::known;

/// What a run shows at a glance. Nothing is checked but the schema: `Run::read` does that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// Its own name, whatever its folder is called.
    pub id: String,
    /// The version of Inflight.
    pub version: String,
    /// The preset.
    pub preset: String,
    /// The names of its cells.
    pub cells: Vec<String>,
    /// How many models it has.
    pub models: usize,
    /// How many blocks it was to have.
    pub blocks: usize,
    /// How many turns it was to have.
    pub turns: usize,
    /// Whether there is a manifest: it came to its end.
    pub is_complete: bool,
}

/// The parts of a schedule that are looked at; the rest is skipped, not read.
#[derive(Deserialize)]
struct Glance {
    schema: String,
    version: String,
    preset: String,
    cells: Vec<Named>,
    models: Vec<IgnoredAny>,
    blocks: Vec<Ordered>,
}

/// A cell, by its name.
#[derive(Deserialize)]
struct Named {
    name: String,
}

/// A block, by the lengths of its rounds.
#[derive(Deserialize)]
struct Ordered {
    rounds: Vec<Vec<IgnoredAny>>,
}

impl Brief {
    /// Looks at a run.
    ///
    /// # Errors
    ///
    /// Says what of its schedule cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let schedule = path.join("schedule.json");
        let bytes = fault::read(&schedule)?;
        let glance: Glance =
            serde_json::from_slice(&bytes).with_context(|| unreadable(&schedule))?;
        known(&glance.schema).with_context(|| unreadable(&schedule))?;
        Ok(Self {
            id: own_name(path),
            version: glance.version,
            preset: glance.preset,
            cells: glance.cells.into_iter().map(|cell| cell.name).collect(),
            models: glance.models.len(),
            blocks: glance.blocks.len(),
            turns: glance.blocks.iter().flat_map(|block| &block.rounds).map(Vec::len).sum(),
            is_complete: path.join("MANIFEST").exists(),
        })
    }
}
