//! `cite` and `export`: a run for papers, and for programs that follow benchmarks.

use anyhow::Result;
use harness::Failure;
use record::Unreadable;
use report::{CiteForm, ExportForm, NotCitable};
use serde_json::{Value, json};

use crate::output::Output;
use crate::place;

/// What is printed if no form is asked for: the entry, and the sentence beside the figures.
const USUAL: [CiteForm; 2] = [CiteForm::Bibtex, CiteForm::Methods];

/// Prints a citation of a run.
pub(crate) fn cite(name: &str, form: Option<&str>, output: &mut Output) -> Result<u8> {
    let (_, run) = place::read(name)?;
    let summary = place::summary(&run);
    let forms = match form {
        Some(form) => vec![form.parse::<CiteForm>()?],
        None => USUAL.to_vec(),
    };
    let mut texts = serde_json::Map::new();
    for (number, form) in forms.iter().enumerate() {
        let text = report::cite(&summary, *form).map_err(|why| refused(&why))?;
        if number > 0 {
            output.say("");
        }
        output.say(&text);
        texts.insert(form.name().to_owned(), Value::String(text));
    }
    output.document(&json!({ "run": run.id, "content_sha256": run.content_sha256, "cite": texts }));
    Ok(0)
}

/// Prints a run in the format of another program.
pub(crate) fn export(name: &str, to: &str, output: &mut Output) -> Result<u8> {
    let (_, run) = place::read(name)?;
    if let record::Integrity::Altered(files) = &run.integrity {
        return Err(refused(&NotCitable::Altered(run.id.clone(), files.clone())));
    }
    let form = to.parse::<ExportForm>()?;
    let text = report::export(&place::summary(&run), &analysis::turn_table(&run), form);
    output.say(&text);
    // What is JSON anyway is the document itself.
    let document = serde_json::from_str(&text);
    let document = document.unwrap_or_else(|_| json!({ "run": run.id, "to": to, "text": text }));
    output.document(&document);
    Ok(0)
}

/// Returns the error that a refusal is: an altered run is a corrupt file, the rest is wrong use.
fn refused(why: &NotCitable) -> anyhow::Error {
    match why {
        NotCitable::Altered(..) => {
            anyhow::anyhow!("nothing is computed from it").context(Unreadable(why.to_string()))
        }
        NotCitable::Unfinished(_) => Failure::Usage(why.to_string()).into(),
    }
}
