//! May a run be believed? Its badges, its checks, and for each cell the proof that the origin was
//! not what was measured.

use record::Run;
use serde::Serialize;

use crate::checks::question::ValidityCheck;
use crate::checks::{badges, checks};
use crate::proof::{Proof, proof};

/// The schema of the checks as JSON; its minors only add.
const SCHEMA: &str = "inflight.checks/2.0";

/// Whether a run may be believed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trust {
    /// `inflight.checks/2.0`.
    pub schema: &'static str,
    /// The run.
    pub run: String,
    /// What stands below every figure of the run.
    pub badges: Vec<String>,
    /// Every check.
    pub checks: Vec<ValidityCheck>,
    /// The proof of each cell.
    pub proofs: Vec<Proof>,
}

impl Trust {
    /// Computes it; `baseline` and `floor` name models.
    pub fn of(run: &Run, (baseline, floor): (&str, &str)) -> Self {
        let checks = checks(run, baseline, floor);
        let proofs = run.schedule.cells.iter().map(|cell| proof(run, cell, baseline));
        Self {
            schema: SCHEMA,
            run: run.id.clone(),
            badges: badges(&checks),
            proofs: proofs.collect(),
            checks,
        }
    }
}
