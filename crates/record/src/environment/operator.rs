//! The operator: who ran it, as far as they say so themselves.

use serde::{Deserialize, Serialize};

use super::fact::Fact;

/// Who ran it. Nothing here is ever read from the machine, and no option asks for it yet, so that
/// every field is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Operator {
    /// A name that they chose.
    pub name: Fact,
    /// For whom they work.
    pub affiliation: Fact,
    /// Where they can be asked.
    pub contact: Fact,
    /// What they stand to gain: who maintains a runtime that is measured should say so.
    pub conflict_of_interest: Fact,
}
