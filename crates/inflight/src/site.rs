//! `report --site`: a folder that any web server can show, with a page for each run.

use std::path::Path;

use analysis::Summary;
use anyhow::{Context, Result};
use harness::{Failure, put};
use record::{INFLIGHT, Integrity, Run, Unreadable};
use serde_json::json;

use crate::output::Output;
use crate::place;

/// Writes a site of the runs that are named, or of every whole run in the folder of results.
pub(crate) fn write(names: &[String], folder: &Path, output: &mut Output) -> Result<u8> {
    let runs = match names {
        [] => whole()?,
        names => named(names)?,
    };
    if runs.is_empty() {
        let results = place::results();
        let nothing =
            format!("no whole run is in {}: `{INFLIGHT} run` measures one", results.display());
        return Err(Failure::Usage(nothing).into());
    }
    for run in &runs {
        if let Integrity::Altered(files) = &run.integrity {
            let altered =
                format!("{}: altered after it was measured: {}", run.id, files.join(", "));
            return Err(anyhow::anyhow!("no site was written")).context(Unreadable(altered));
        }
    }

    let runs: Vec<Summary> = runs.iter().map(place::summary).collect();
    for run in &runs {
        for (name, bytes) in report::derive(run) {
            put(&folder.join(&run.id).join(name), &bytes)?;
        }
    }
    let index = folder.join("index.html");
    put(&index, report::site_page(&runs))?;
    output.say(&index.to_string_lossy());
    let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
    output.document(&json!({ "site": index, "runs": ids }));
    Ok(0)
}

/// Reads the runs that are named; one that is named twice, or by a copy of it, is shown once.
fn named(names: &[String]) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    for name in names {
        let (_, run) = place::read(name)?;
        if !runs.iter().any(|other| other.id == run.id) {
            runs.push(run);
        }
    }
    Ok(runs)
}

/// Reads every whole run in the folder of results.
fn whole() -> Result<Vec<Run>> {
    let names = record::runs(&place::results()).into_keys();
    let runs = names.map(|name| Ok(place::read(&name)?.1)).collect::<Result<Vec<Run>>>()?;
    Ok(runs.into_iter().filter(|run| run.integrity != Integrity::Unfinished).collect())
}
