//! May a run be believed? Its badges, its checks, and for each cell the proof that the origin was
//! not what was measured.

use record::Run;
use serde::Serialize;

use crate::checks::question::{CheckState, RUN, ValidityCheck};
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
    /// What came of the checks.
    pub counts: CheckCounts,
    /// Every check.
    pub checks: Vec<ValidityCheck>,
    /// The proof of each cell.
    pub proofs: Vec<Proof>,
}

/// How many checks came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckCounts {
    /// Those that ask something of the run.
    pub asked: usize,
    /// Those of them that nothing speaks against.
    pub passed: usize,
    /// Those that put a warning on figures.
    pub marked: usize,
    /// Those that failed.
    pub failed: usize,
    /// Those that the run cannot answer.
    pub unknown: usize,
}

impl Trust {
    /// Returns the checks that warn of the whole run or of a cell, one of each name.
    pub fn warnings(&self, cell: Option<&str>) -> Vec<&ValidityCheck> {
        let mut warnings: Vec<&ValidityCheck> = Vec::new();
        for check in &self.checks {
            let is_here = check.scope == RUN || cell == Some(&*check.scope);
            let warns = matches!(check.state, CheckState::Failed(_) | CheckState::Badge(_));
            if is_here && warns && !warnings.iter().any(|known| known.name == check.name) {
                warnings.push(check);
            }
        }
        warnings
    }
}

impl CheckCounts {
    /// Counts checks.
    fn of(checks: &[ValidityCheck]) -> Self {
        let mut counts = Self::default();
        for check in checks {
            let count = match check.state {
                CheckState::Passed => &mut counts.passed,
                CheckState::Badge(_) => &mut counts.marked,
                CheckState::Failed(_) => &mut counts.failed,
                CheckState::Unknown(_) => &mut counts.unknown,
                CheckState::NotApplicable(_) => continue,
            };
            *count += 1;
            counts.asked += 1;
        }
        counts
    }
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
            counts: CheckCounts::of(&checks),
            proofs: proofs.collect(),
            checks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BASELINE, FLOOR, Fixture};

    #[test]
    fn a_check_that_asks_nothing_of_the_run_is_in_no_count() {
        let mut run = Fixture::good().run();
        run.environment.modified = "yes".to_owned();
        let trust = Trust::of(&run, (BASELINE, FLOOR));
        let CheckCounts { asked, passed, marked, failed, unknown } = trust.counts;
        assert_eq!((passed + marked + failed + unknown, marked), (asked, 1));
        assert!(asked < trust.checks.len(), "{asked}");
    }
}
