//! `check` and `report`: whether a run is what was measured, and what is computed from it.

use anyhow::{Context, Result};
use record::{INFLIGHT, Integrity, Unreadable};
use serde_json::{Value, json};

use crate::output::{Output, Tone};
use crate::{answer, pictures, place};

/// What a run that is not what was measured exits with.
const CORRUPT: u8 = 7;
/// The version that computes.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Checks a run and says what is wrong with it.
pub(crate) fn check(name: &str, output: &mut Output) -> Result<u8> {
    let (path, run) = place::read(name)?;
    let mut problems = Vec::new();
    match &run.integrity {
        Integrity::Whole => output.say("manifest  every file is what was measured"),
        Integrity::Unfinished => problems.push(format!(
            "the run has no MANIFEST, so it is not complete: `{INFLIGHT} run --resume` goes on"
        )),
        Integrity::Altered(files) => {
            problems.push(format!("altered after it was measured: {}", files.join(", ")));
        }
    }
    let broken = harness::revalidate(&run);
    if broken.is_empty() {
        output.say(&format!("laws      hold in {} turns", run.turns.len() + run.cut.len()));
    }
    problems.extend(broken);
    let derived = report::derive(&place::summary(&run));
    match record::differing_derived(&path, VERSION, &derived) {
        // What was measured is whole without what anybody can compute of it.
        _ if path.join("derived").symlink_metadata().is_err() => {
            output.say(&format!(
                "derived   nothing is there: `{INFLIGHT} report {name}` computes it"
            ));
        }
        Ok(differing) if differing.is_empty() => {
            output.say(&format!("derived   {} files are rebuilt byte for byte", derived.len()));
        }
        Ok(differing) => problems.extend(differing.iter().map(|file| {
            format!("{} is not what is computed from the run: `{INFLIGHT} report`", file.display())
        })),
        Err(error) => problems.push(format!("{error:#}: `{INFLIGHT} report {name}` computes it")),
    }
    for problem in &problems {
        output.mark(Tone::Bad, &format!("WRONG     {problem}"));
    }
    let ok = problems.is_empty();
    let (tone, mark) = if ok { (Tone::Good, "ok       ") } else { (Tone::Bad, "NOT OK   ") };
    output.mark(tone, &format!("{mark}  {}", run.id));
    output.document(&json!({ "run": run.id, "ok": ok, "problems": problems }));
    Ok(if ok { 0 } else { CORRUPT })
}

/// Rebuilds every derived file of runs, makes pictures of their figures if they are asked for, and
/// prints the answers.
pub(crate) fn rebuild(
    names: &[String],
    (format, verbose): (Option<&str>, bool),
    output: &mut Output,
) -> Result<u8> {
    let latest = ["latest".to_owned()];
    let names = if names.is_empty() { &latest[..] } else { names };
    let rebuilt = names.iter().map(|name| rebuilt(name, (format, verbose), output));
    let rebuilt: Vec<Value> = rebuilt.collect::<Result<_>>()?;
    output.document(&rebuilt);
    Ok(0)
}

/// Rebuilds every derived file of a run, and returns what is reported of it.
fn rebuilt(
    name: &str,
    (format, verbose): (Option<&str>, bool),
    output: &mut Output,
) -> Result<Value> {
    let (path, run) = place::read(name)?;
    if let Integrity::Altered(files) = &run.integrity {
        let altered = format!("{}: altered after it was measured: {}", run.id, files.join(", "));
        return Err(anyhow::anyhow!("nothing was computed from it")).context(Unreadable(altered));
    }
    let summary = place::summary(&run);
    let files = report::derive(&summary);
    record::write_derived(&path, VERSION, &files)?;
    let names: Vec<String> = files.into_keys().collect();
    if verbose {
        answer::tables(&summary, output);
        for name in &names {
            output.say(&path.join("derived").join(name).to_string_lossy());
        }
    }
    let drawn = names.iter().filter(|name| name.contains(".svg"));
    let drawn: Vec<_> = drawn.map(|name| path.join("derived").join(name)).collect();
    let pictures = format.map_or(Ok(Vec::new()), |f| pictures::draw(&drawn, f))?;
    for picture in &pictures {
        output.say(&picture.to_string_lossy());
    }
    answer::answer(&summary, (&path, name), output);
    Ok(json!({ "run": run.id, "derived": names, "pictures": pictures }))
}
