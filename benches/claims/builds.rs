//! How long a build of each model from nothing takes: a part of a model's price.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use harness::Workspace;

/// Builds each model from nothing, one after the other, and prints how long it took. Runs that
/// follow write the times down.
pub(crate) fn tell() -> Result<()> {
    let workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR")))?;
    let models = harness::find(&workspace, "crates")?;
    harness::time_builds(&workspace, &models, &mut |model, took| {
        Ok(writeln!(io::stdout(), "{}: built from nothing in {took:.1?}", model.name)?)
    })
}
