//! `merge`: runs of several machines side by side, on the terminal and in a folder.

use std::path::Path;

use analysis::NotMergeable;
use anyhow::{Context, Result};
use harness::{BASELINE, FLOOR, Failure};
use record::Unreadable;
use report::Form;
use serde_json::json;

use crate::output::Output;
use crate::place;

/// Puts runs side by side, and writes what came of it into a folder.
pub(crate) fn merge(names: &[String], out: &Path, output: &mut Output) -> Result<u8> {
    let runs = names.iter().map(|name| Ok(place::read(name)?.1)).collect::<Result<Vec<_>>>()?;
    let merged = analysis::merge(&runs, (BASELINE, FLOOR)).map_err(|why| refused(&why))?;
    output.say(&report::merge_table(&merged, Form::Terminal));

    let document = serde_json::to_string_pretty(&merged).context("failed to write the document")?;
    let files = [
        ("merge.json", document + "\n"),
        ("merge.md", report::merge_table(&merged, Form::Markdown)),
        ("merge.html", report::merge_page(&merged)),
    ];
    for (name, text) in files {
        let path = out.join(name);
        harness::put(&path, text)?;
        output.say(&path.to_string_lossy());
    }
    output.document(&json!({ "merge": merged }));
    Ok(0)
}

/// Returns the error that a refusal is: an altered run is a corrupt file, the rest is wrong use.
fn refused(why: &NotMergeable) -> anyhow::Error {
    match why {
        NotMergeable::Altered(..) => {
            anyhow::anyhow!("they cannot stand side by side").context(Unreadable(why.to_string()))
        }
        NotMergeable::Twice(_) | NotMergeable::Alone => Failure::Usage(why.to_string()).into(),
    }
}
