//! The list of the workloads, and what each has to say of itself.

use serde::{Deserialize, Serialize};

use crate::{Cell, Turn, batch, steady};

/// The kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// So many fetches, at most `in_flight` at once, timed from the first slot to the last
    /// outcome, connecting included.
    Batch,
    /// Always `in_flight` at once, timed after a warm-up, ended while every slot is still busy.
    Steady,
}

/// What a workload says of itself. A slot starts its next fetch as soon as it is free, as long as
/// the turn has one left; how many there are, and which of them are measured, differs.
pub(crate) struct Definition {
    /// What the pipe and reports call it.
    pub(crate) name: &'static str,
    /// Whether a participant takes many turns in one process.
    pub(crate) is_resident: bool,
    /// Whether fewer slots than the cell names would be other work, not less of the same.
    pub(crate) needs_every_slot: bool,
    /// How many fetches follow the window, so that every slot is busy until it closes.
    pub(crate) surplus: fn(&Cell) -> u64,
    /// How many fetches of a turn have ended when its window opens; nothing if it opens as the
    /// slots are handed out.
    pub(crate) opens_at: fn(&Turn) -> Option<u64>,
    /// What is wrong with so many fetches of warm-up, if anything is.
    pub(crate) fault: fn(u64) -> Option<&'static str>,
}

impl Workload {
    /// Every workload.
    pub const ALL: [Self; 2] = [Self::Batch, Self::Steady];

    /// Returns what it says of itself.
    pub(crate) fn definition(self) -> &'static Definition {
        match self {
            Self::Batch => &batch::DEFINITION,
            Self::Steady => &steady::DEFINITION,
        }
    }

    /// Returns what the pipe and reports call it.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Returns whether a participant takes many turns in one process.
    pub fn is_resident(self) -> bool {
        self.definition().is_resident
    }

    /// Returns whether fewer slots than the cell names would be other work, not less of the same.
    pub fn needs_every_slot(self) -> bool {
        self.definition().needs_every_slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_has_one_name_on_the_pipe_and_in_reports() {
        for workload in Workload::ALL {
            assert_eq!(serde_json::to_value(workload).unwrap(), workload.name());
        }
    }
}
