//! Quirks: where a library hides a fault, forgives it, or calls it something else.

use serde::{Deserialize, Serialize};

/// A fault that a client of the schedule's models is known to count otherwise than bare models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quirk {
    /// The client, or the model that is its own.
    pub client: String,
    /// The name of the fault.
    pub fault: String,
    /// What the client does, as a verb and what follows it.
    pub does: String,
    /// The code that it counts instead, or none where it counts no failure.
    #[serde(default)]
    pub counts: Option<String>,
}
