//! `rank` and `diff`: the figures of a run again, and the same models across two runs.

use analysis::Refusal;
use anyhow::Result;
use harness::{FLOOR, Failure};
use record::Unreadable;
use report::Form;
use rules::{CPU, Metric};
use serde_json::json;

use crate::asked::{Comparison, Ranking};
use crate::output::Output;
use crate::place;

/// What a regression exits with.
const SLOWER: u8 = 5;

/// Prints the table of a run again, by one metric.
pub(crate) fn rank(asked: &Ranking, output: &mut Output) -> Result<u8> {
    let (_, run) = place::read(&asked.run)?;
    let metric = Metric::find(&asked.metric).unwrap_or(CPU);
    let figures = analysis::figures(&run, harness::baseline_of(&run.schedule), FLOOR);
    let ranking = analysis::rank(&run, &figures, metric, asked.cell.as_deref());
    let ranking = ranking.map_err(|error| Failure::Usage(format!("{error:#}")))?;
    output.say(&report::ranking_text(&ranking));
    output.document(&analysis::ranking_document(&ranking, &run.id));
    Ok(0)
}

/// Returns the error that a refusal is: an altered run is a corrupt file, the rest is wrong use.
fn refused(why: &Refusal) -> anyhow::Error {
    match why {
        Refusal::Altered(..) => {
            anyhow::anyhow!("they cannot be compared").context(Unreadable(why.to_string()))
        }
        _ => Failure::Usage(why.to_string()).into(),
    }
}

/// Prints the same models across two runs.
pub(crate) fn diff(asked: &Comparison, output: &mut Output) -> Result<u8> {
    let (_, old) = place::read(&asked.old)?;
    let (_, new) = place::read(&asked.new)?;
    let metric = Metric::find(&asked.metric).unwrap_or(CPU);
    let diff = analysis::diff_by(metric, &old, &new).map_err(|why| refused(&why))?;
    output.say(&match asked.form.as_str() {
        "html" => report::diff_page(&diff),
        "markdown" => report::diff_table(&diff, Form::Markdown),
        _ => report::diff_table(&diff, Form::Terminal),
    });
    let slower = asked.fail_if_slower.map(|percent| analysis::slower_than(&diff, percent));
    let slower = slower.unwrap_or_default();
    // A page ends with its end.
    let has_room = asked.form != "html" && !slower.is_empty();
    if let (true, Some(percent)) = (has_room, asked.fail_if_slower) {
        output.say(&format!("slower by more than {percent} %, for sure: {}", slower.join(", ")));
    }
    output.document(&json!({ "diff": diff, "slower": slower }));
    Ok(if slower.is_empty() { 0 } else { SLOWER })
}
