//! How long a build of each model from nothing takes: a part of a model's footprint.

use anyhow::Result;

use crate::runner::{self, say};

/// Builds each model from nothing, one after the other, and prints how long it took. Runs that
/// follow write the times down.
pub(crate) fn print() -> Result<()> {
    let workspace = runner::workspace()?;
    let models = harness::find(&workspace, "crates")?;
    harness::time_builds(&workspace, &models, &mut |model, took| {
        say(&format!("{}: built from nothing in {took:.1?}", model.name))
    })
}
