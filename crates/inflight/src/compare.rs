//! `rank` and `diff`: the figures of a run again, and the same models across two runs.

use anyhow::Result;
use harness::{BASELINE, FLOOR, Failure};
use report::{Form, Metric};
use serde_json::json;

use crate::arguments::{Comparison, Ranking};
use crate::output::Output;
use crate::place;

/// What a regression exits with.
const SLOWER: u8 = 5;

/// Prints the table of a run again, by one metric.
pub(crate) fn rank(asked: &Ranking, output: &mut Output) -> Result<u8> {
    let (_, run) = place::read(&asked.run)?;
    let metric = Metric::ALL.into_iter().find(|metric| metric.name() == asked.metric);
    let metric = metric.unwrap_or(Metric::Cpu);
    let figures = report::figures(&run, BASELINE, FLOOR);
    let ranking = report::rank(&run, &figures, metric, asked.cell.as_deref());
    let ranking = ranking.map_err(|error| Failure::Usage(format!("{error:#}")))?;
    output.say(&ranking.to_string());
    output.tell(&json!({
        "run": run.id, "metric": metric.name(), "summary": report::document(&run, &figures),
    }));
    Ok(0)
}

/// Prints the same models across two runs.
pub(crate) fn diff(asked: &Comparison, output: &mut Output) -> Result<u8> {
    let (_, old) = place::read(&asked.old)?;
    let (_, new) = place::read(&asked.new)?;
    let diff = report::diff(&old, &new).map_err(|why| Failure::Usage(why.to_string()))?;
    output.say(&report::diff_table(&diff, Form::Terminal));
    let slower = asked.fail_if_slower.map(|percent| report::slower_than(&diff, percent));
    let slower = slower.unwrap_or_default();
    if let (false, Some(percent)) = (slower.is_empty(), asked.fail_if_slower) {
        output.say(&format!("slower by more than {percent} %, for sure: {}", slower.join(", ")));
    }
    output.tell(&json!({ "diff": diff, "slower": slower }));
    Ok(if slower.is_empty() { 0 } else { SLOWER })
}
