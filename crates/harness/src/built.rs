//! All programs of a run: the origin, the models, and those that measure primitives.

use std::collections::BTreeMap;

use anyhow::Result;
use record::{Model, PrimitiveProgram};

use crate::language::may_shuffle;
use crate::programs::{self, hashes};
use crate::progress::Building;
use crate::{Program, Programs, Workspace, primitives};

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
        let how = (workspace, layout);
        let mut building = Building::of_run(1 + models.len() + primitives.len());
        let programs = programs::build_reported(how, models, &mut building)?;
        let primitives = primitives::build_reported(how, primitives, &mut building)?;
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
