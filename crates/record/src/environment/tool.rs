//! The tool: which source measured, and by which command.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::{private, program};

/// Which source measured, and by which command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tool {
    /// `inflight`.
    pub name: Fact,
    /// Its version.
    pub version: Fact,
    /// The commit of the source.
    pub git_commit: Fact,
    /// Whether the tree differed from the commit, results aside.
    pub modified: Fact,
    /// SHA-256 of `Cargo.lock`.
    pub cargo_lock_sha256: Fact,
    /// The program with its arguments; `PATH` stands where a path stood.
    pub command_line: Fact,
}

impl Tool {
    /// Reads which source measures; `root` is the folder of the workspace.
    pub(super) fn read(root: &Path) -> Self {
        let lock = fs::read(root.join("Cargo.lock")).ok();
        let arguments = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        Self {
            name: "inflight".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            git_commit: program::answer("git", &["rev-parse", "HEAD"], root).into(),
            modified: modified(root),
            cargo_lock_sha256: lock.map(|bytes| crate::folder::sha256(&bytes)).into(),
            command_line: private::command(arguments).into(),
        }
    }
}

/// Returns whether the tree differs from its commit; what lies in `results/` does not count.
fn modified(root: &Path) -> Fact {
    let status = ["status", "--porcelain", "--", ".", ":!results"];
    match program::answer("git", &status, root).as_deref() {
        Some("") => "no".into(),
        Some(_) => "yes".into(),
        None => Fact::default(),
    }
}
