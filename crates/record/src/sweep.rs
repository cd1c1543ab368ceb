//! A sweep: cells that differ in one number alone, which are its levels.

use rules::{Reason, is_beyond_ceiling};
use serde::{Deserialize, Serialize};
use workload::Cell;

use crate::Schedule;

/// Cells that differ in one number, and in how many fetches a window of about the same length
/// then takes; a level may have one more, which adds a probe task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sweep {
    /// The number.
    pub along: Along,
    /// The names of the cells, the lowest level first.
    pub cells: Vec<String>,
    /// Whether it shows what each model costs up to more than the origin can serve: levels beyond
    /// that are held to fewer laws, and are marked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub scales: bool,
}

/// The number in which the cells of a sweep differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// The number of slots.
    InFlight,
    /// The number of slots, with delays that grow with it, so that the rate stays.
    InFlightAtRate,
    /// The mean of the origin's delays, in milliseconds.
    DelayMs,
}

impl Along {
    /// Returns the level of a cell: a number of slots, or a mean delay in milliseconds.
    pub fn level(self, cell: &Cell) -> u64 {
        match self {
            Self::InFlight | Self::InFlightAtRate => cell.in_flight.into(),
            Self::DelayMs => cell.delay_ms.lo.midpoint(cell.delay_ms.hi),
        }
    }
}

impl Schedule {
    /// Returns whether a cell is a level of a sweep that asks the origin for more than it can
    /// serve: with few in flight it is not asked for as much, so that the level counts at which it
    /// served most.
    pub fn is_beyond_ceiling(&self, cell: &Cell) -> bool {
        let is_level = |sweep: &&Sweep| sweep.scales && sweep.cells.contains(&cell.name);
        let Some(sweep) = self.sweeps.iter().find(is_level) else { return false };
        let probes = sweep.cells.iter().filter_map(|name| self.probe(name));
        let ceiling = probes.map(|probe| probe.ceiling_per_s).max();
        ceiling.is_some_and(|ceiling| is_beyond_ceiling(cell.asked_per_s(), ceiling))
    }

    /// Returns the reasons against a turn, or against a stay, of a cell: at a level beyond what the
    /// origin can serve, those that do not follow from that.
    pub fn held_against(&self, cell: &Cell, mut reasons: Vec<Reason>) -> Vec<Reason> {
        if self.is_beyond_ceiling(cell) {
            reasons.retain(|reason| !reason.is_of_ceiling());
        }
        reasons
    }
}

/// Returns whether there is nothing to write.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
