//! A sweep: cells that differ in one number alone, which are its levels.

use serde::{Deserialize, Serialize};
use workload::Cell;

/// Cells that differ in one number, and in how many fetches a window of about the same length
/// then takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sweep {
    /// The number.
    pub along: Along,
    /// The names of the cells, the lowest level first.
    pub cells: Vec<String>,
}

/// The number in which the cells of a sweep differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// The number of slots.
    InFlight,
    /// The mean of the origin's delays, in milliseconds.
    DelayMs,
}

impl Along {
    /// Returns the level of a cell: a number of slots, or a mean delay in milliseconds.
    pub fn level(self, cell: &Cell) -> u64 {
        match self {
            Self::InFlight => cell.in_flight.into(),
            Self::DelayMs => cell.delay_ms.lo.midpoint(cell.delay_ms.hi),
        }
    }
}
