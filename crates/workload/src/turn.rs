//! A turn: the bounded piece of work that a participant is sent again and again.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::cell::is_0;
use crate::{Cell, Error};

/// A bounded piece of work of one participant, while all others are idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Turn {
    /// Its number among the turns of the participant; turn 0 connects and is never counted.
    pub number: u32,
    /// The first id; the others follow it without a gap.
    pub first_id: u64,
    /// Fetches, or operations, that end before the window opens.
    pub warmup: u64,
    /// Those that end inside the window.
    pub fetches: u64,
    /// Decides when its fetches arrive, where they do so at a rate.
    #[serde(default, skip_serializing_if = "is_0")]
    pub arrivals_seed: u64,
}

impl Turn {
    /// Returns the turn of that number that does what a cell asks for.
    pub fn of(cell: &Cell, number: u32, first_id: u64) -> Self {
        let Cell { warmup, fetches, .. } = *cell;
        Self { number, first_id, warmup, fetches, arrivals_seed: 0 }
    }

    /// Returns the ids that are dealt in a cell: warm-up, window, and the surplus that keeps every
    /// slot busy until the window closes.
    pub fn ids(&self, cell: &Cell) -> Range<u64> {
        let surplus = (cell.workload.definition().surplus)(cell);
        let dealt = self.warmup.saturating_add(self.fetches).saturating_add(surplus);
        self.first_id..self.first_id.saturating_add(dealt)
    }

    /// Returns the turn if a cell can be carried out so.
    ///
    /// # Errors
    ///
    /// Names the first number that makes no sense.
    pub fn checked(self, cell: &Cell) -> Result<Self, Error> {
        let of_workload = (cell.workload.definition().fault)(self.warmup);
        let fault = match of_workload {
            _ if self.fetches == 0 => "the turn has 0 fetches, expected at least 1",
            Some(fault) => fault,
            None if self.ids(cell).end == u64::MAX => "the ids of the turn do not fit into 64 bits",
            None => return Ok(self),
        };
        Err(Error::Plan(fault.to_owned()))
    }

    /// Returns how many fetches have ended when the window opens; nothing if it opens as the slots
    /// are handed out.
    pub fn opens_at(&self, cell: &Cell) -> Option<u64> {
        (cell.workload.definition().opens_at)(self)
    }

    /// Returns how many fetches have ended when the window closes.
    pub fn closes_at(&self) -> u64 {
        self.warmup.saturating_add(self.fetches)
    }
}
