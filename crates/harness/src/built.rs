//! All programs of a run: the origin, the models, and those that measure primitives.

use std::collections::BTreeMap;

use anyhow::Result;
use record::{Model, PrimitiveProgram};

use crate::compile::may_shuffle;
use crate::programs::hashes;
use crate::{Program, Programs, Workspace, build, build_primitives};

/// All programs of a run.
pub(crate) struct Built {
    /// The origin and the models.
    pub(crate) programs: Programs,
    /// Those that measure primitives, by name.
    pub(crate) primitives: BTreeMap<String, Program>,
}

impl Built {
    /// Builds them, in the given layout if there is one.
    pub(crate) fn of(
        workspace: &Workspace,
        (models, primitives): (&[Model], &[PrimitiveProgram]),
        layout: Option<u64>,
    ) -> Result<Self> {
        if layout.is_some() {
            may_shuffle(workspace)?;
        }
        let programs = build(workspace, models, layout)?;
        let primitives = build_primitives(workspace, primitives, layout)?;
        Ok(Self { programs, primitives })
    }

    /// Returns the hash of each program by its package, and of each list of packages that one
    /// needs.
    pub(crate) fn hashes(&self) -> BTreeMap<String, String> {
        let hash = |(name, program): (&String, &Program)| {
            (format!("primitives-{name}"), program.sha256.clone())
        };
        let mut hashes = hashes(&self.programs);
        hashes.extend(self.primitives.iter().map(hash));
        hashes
    }
}
