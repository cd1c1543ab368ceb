//! `report --site`: a folder that any web server can show, with a page for each run and each figure
//! as a picture too.

use std::fs;
use std::path::{Path, PathBuf};

use analysis::Summary;
use anyhow::{Context, Result};
use harness::{Failure, put};
use record::{INFLIGHT, Integrity, Run, Unreadable};
use serde_json::json;

use crate::output::Output;
use crate::{pictures, place};

/// The page in the folder of results that links the published runs.
const INDEX: &str = "README.md";

/// Writes a site of the runs that are named, or of the published ones.
pub(crate) fn write(names: &[String], folder: &Path, output: &mut Output) -> Result<u8> {
    let runs = match names {
        [] => published()?,
        names => named(names)?,
    };
    if runs.is_empty() {
        return Err(Failure::Usage(format!(
            "{} links no run that is there, and what it links is published: name runs, as in \
             `{INFLIGHT} report latest --site DIR`",
            place::results().join(INDEX).display()
        ))
        .into());
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
        let mut figures: Vec<PathBuf> = Vec::new();
        for (name, bytes) in report::derive(run) {
            let path = folder.join(&run.id).join(&name);
            put(&path, &bytes)?;
            figures.extend(name.contains(".svg").then_some(path));
        }
        pictures::draw(&figures, "png")?;
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

/// Reads every whole run that the index of the results links.
fn published() -> Result<Vec<Run>> {
    let results = place::results();
    let index = fs::read_to_string(results.join(INDEX)).unwrap_or_default();
    let is_linked = |name: &String| index.contains(&format!("]({name}/"));
    let names = record::runs(&results).into_keys().filter(is_linked);
    let runs = names.map(|name| Ok(place::read(&name)?.1)).collect::<Result<Vec<Run>>>()?;
    Ok(runs.into_iter().filter(|run| run.integrity != Integrity::Unfinished).collect())
}
