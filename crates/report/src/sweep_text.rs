//! Sweeps as text: a table a sweep, and a sentence a pair.

use analysis::Along;
use analysis::Sure;
use analysis::Verdict;
use analysis::crossing::{crossing, names};
use analysis::number::with_interval;
use analysis::sweep::{SweepFigures, SweepLevel};

use crate::form::Form;
use crate::table::{NOTHING, drawn};
use crate::words::in_line;

/// Writes where models cross; nothing if the run has no sweep.
pub(crate) fn sweeps_parts(sweeps: &[SweepFigures], form: Form) -> Vec<String> {
    let mut parts = Vec::new();
    for sweep in sweeps.iter().filter(|sweep| !sweep.pairs.is_empty()) {
        let heading = in_line(&heading(sweep), form);
        parts.push(match form {
            Form::Terminal => heading,
            Form::Markdown => format!("### {heading}\n"),
        });
        parts.push(table(sweep, form));
        parts.extend(sweep.pairs.iter().map(|pair| in_line(&crossing(sweep, pair), form)));
    }
    if !parts.is_empty() {
        parts.push(HOW_TO_READ.to_owned());
    }
    parts
}

/// What the columns are, and what a crossover is.
pub(crate) const HOW_TO_READ: &str = "\
    less, more: different at that level, with intervals and p-values that hold for all levels of \
    the column at once (Bonferroni); = equivalent, ? inconclusive; the crossover is the smallest \
    level of the table from which the ratio truly is below 1 to the end of it";

/// Writes what a sweep is.
pub(crate) fn heading(sweep: &SweepFigures) -> String {
    let (along, unit) = names(sweep.along);
    let ends = match sweep.levels.as_slice() {
        [first, .., last] => format!("{first} to {last}{unit}"),
        [only] => format!("{only}{unit}"),
        [] => NOTHING.to_owned(),
    };
    format!(
        "crossover along {along}: {ends}, {}; CPU time per fetch in times {}",
        sweep.fixed, sweep.other
    )
}

/// Writes what was found at a level.
pub(crate) fn reported(level: &SweepLevel) -> String {
    let Some(pair) = &level.pair else { return NOTHING.to_owned() };
    format!("{} {}", with_interval(&pair.ratio), sign(level))
}

/// Writes what may be said at a level in a word or a sign.
pub(crate) fn sign(level: &SweepLevel) -> &'static str {
    let is_equivalent = level.pair.as_ref().is_some_and(|pair| pair.verdict == Verdict::Equivalent);
    match level.sure {
        Sure::Less => "less",
        Sure::More => "more",
        Sure::Neither if is_equivalent => "=",
        Sure::Neither => "?",
    }
}

/// Writes the table of a sweep: a row a level, a column a model.
fn table(sweep: &SweepFigures, form: Form) -> String {
    let first = match sweep.along {
        Along::InFlight => "in flight",
        Along::DelayMs => "delay ms",
    };
    let models: Vec<String> = sweep.pairs.iter().map(|pair| pair.model.clone()).collect();
    let header: Vec<&str> = [first].into_iter().chain(models.iter().map(String::as_str)).collect();
    let row = |(place, level): (usize, &u64)| {
        let reported = sweep.pairs.iter().map(|pair| reported(&pair.levels[place]));
        [level.to_string()].into_iter().chain(reported).collect()
    };
    let rows: Vec<Vec<String>> = sweep.levels.iter().enumerate().map(row).collect();
    drawn(&header, &rows, form)
}
