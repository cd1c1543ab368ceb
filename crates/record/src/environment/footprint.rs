//! The footprint of a model beside its speed: what it takes to write, to trust, to build, to carry.

use serde::{Deserialize, Serialize};

/// What a model costs beside its speed. What was not found out is null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Footprint {
    /// Lines of its package's own sources that are neither blank nor only a comment.
    pub lines: Option<u64>,
    /// Packages from outside the workspace that its program is made of or built with.
    pub dependencies: Option<u64>,
    /// Bytes of its program, as it ran.
    pub program_bytes: Option<u64>,
    /// The same without what only names code: symbols, their names, and debug information.
    pub program_bytes_without_symbols: Option<u64>,
    /// Milliseconds of a build from nothing on this machine, if that was measured with the same
    /// lock file, compiler and flags.
    pub build_ms: Option<u64>,
}
