//! What fetches in flight take, as text: a table of lines, what the kernel's part is made of, and
//! why a model did not hold as many as others.

use std::collections::BTreeMap;

use analysis::hold::{HoldFigures, HoldRow};
use analysis::number::{count, digits, with_interval};
use analysis::{BlockLine, Estimate};

use crate::form::Form;
use crate::table::{NOTHING, drawn};
use crate::words::{in_line, listed};

/// Bytes of a KiB, and KiB of a MiB.
const KIB: f64 = 1024.0;
/// How many kinds of objects are written, and how many models may have one that is written with
/// their names.
const KINDS_MAX: usize = 10;
const NAMED_MAX: usize = 3;

/// The columns of the table.
pub(crate) const COLUMNS: [&str; 7] = [
    "model",
    "KiB/fetch",
    "base MiB",
    "kernel KiB/fetch",
    "kernel base MiB",
    "held at most",
    "CPU held %",
];

/// How to read it.
pub(crate) const HOW_TO_READ: &str = "\
    KiB/fetch is the slope of a line through the memory of the process at each level (Theil and \
    Sen), base its height at none in flight; intervals of 95 % by drawing blocks again; kernel: \
    page tables, stacks of threads, and objects such as sockets at both ends of each connection, \
    so that about half of those are the origin's; held at most: the most fetches in flight at \
    once, by the origin's count; CPU held: of one CPU, while all wait";

/// Writes what fetches in flight take; nothing if none were held.
pub(crate) fn hold_parts(holds: Option<&HoldFigures>, form: Form) -> Vec<String> {
    let Some(holds) = holds else { return Vec::new() };
    let heading = in_line(&heading(holds), form);
    let mut parts = vec![match form {
        Form::Terminal => heading,
        Form::Markdown => format!("### {heading}\n"),
    }];
    let rows: Vec<Vec<String>> = holds.rows.iter().map(columns).collect();
    parts.push(drawn(&COLUMNS, &rows, form));
    let notes = without_intervals(holds).into_iter().chain(reasons(holds));
    let notes = notes.chain(groups(holds)).chain(objects(holds));
    parts.extend(notes.map(|line| in_line(&line, form)));
    parts.push(HOW_TO_READ.to_owned());
    parts
}

/// Writes what was held.
pub(crate) fn heading(holds: &HoldFigures) -> String {
    let levels: Vec<String> = holds.levels.iter().map(ToString::to_string).collect();
    format!(
        "memory of fetches in flight: {} held for {} ms, {}",
        levels.join(", "),
        holds.held_ms,
        count(holds.blocks, "block")
    )
}

/// Returns the columns of a model.
pub(crate) fn columns(row: &HoldRow) -> Vec<String> {
    let highest = row.levels.iter().rev().find(|level| level.turns > 0);
    let share = highest.and_then(|level| level.cpu_share);
    let [user, user_base] = line(row.user.as_ref());
    let [kernel, kernel_base] = line(row.kernel.as_ref());
    vec![
        row.model.clone(),
        user,
        user_base,
        kernel,
        kernel_base,
        highest.map_or(NOTHING.to_owned(), |level| level.in_flight.to_string()),
        share.map_or(NOTHING.to_owned(), |share| digits(100.0 * share)),
    ]
}

/// Writes slope and height of a line.
fn line(line: Option<&BlockLine>) -> [String; 2] {
    let written = |estimate: Option<Estimate>| {
        // That there are too few blocks for an interval is said once, and not in each column.
        estimate.map_or(NOTHING.to_owned(), |estimate| match estimate.interval {
            Some(_) => with_interval(&estimate),
            None => digits(estimate.value),
        })
    };
    [written(line.map(|line| line.slope)), written(line.map(|line| line.height.times(1.0 / KIB)))]
}

/// Says of which models no column has an interval, if there are any.
pub(crate) fn without_intervals(holds: &HoldFigures) -> Option<String> {
    let has_none = |line: &BlockLine| line.slope.interval.is_none();
    let rows = holds.rows.iter().filter(|row| row.user.iter().chain(&row.kernel).any(has_none));
    let models: Vec<&str> = rows.map(|row| row.model.as_str()).collect();
    (!models.is_empty()).then(|| format!("too few blocks for intervals of {}", listed(&models)))
}

/// Writes why levels have no figures: a sentence for all models and levels of which the same is to
/// be said.
pub(crate) fn reasons(holds: &HoldFigures) -> Vec<String> {
    let mut found: Vec<(&str, Vec<&str>, Vec<u32>)> = Vec::new();
    for row in &holds.rows {
        for level in &row.levels {
            let Some(reason) = level.reason.as_deref() else { continue };
            let (models, levels) = match found.iter_mut().find(|(known, ..)| *known == reason) {
                Some((_, models, levels)) => (models, levels),
                None => {
                    found.push((reason, Vec::new(), Vec::new()));
                    let (_, models, levels) = found.last_mut().expect("it was pushed");
                    (models, levels)
                }
            };
            if !models.contains(&row.model.as_str()) {
                models.push(&row.model);
            }
            if !levels.contains(&level.in_flight) {
                levels.push(level.in_flight);
            }
        }
    }
    let line = |(reason, models, levels): (&str, Vec<&str>, Vec<u32>)| {
        let levels: Vec<String> = levels.iter().map(ToString::to_string).collect();
        format!("{} at {}: {reason}", listed(&models), levels.join(", "))
    };
    found.into_iter().map(line).collect()
}

/// Writes which levels are held by several processes of a model, and what is shown of them; nothing
/// if none is.
pub(crate) fn groups(holds: &HoldFigures) -> Option<String> {
    let mut groups: Vec<(u32, u32)> = Vec::new();
    for level in holds.rows.iter().flat_map(|row| &row.levels) {
        let group = (level.in_flight, level.processes);
        if level.processes > 1 && !groups.contains(&group) {
            groups.push(group);
        }
    }
    let groups: Vec<String> = groups
        .into_iter()
        .map(|(in_flight, processes)| format!("{in_flight} are held by {processes} processes"))
        .collect();
    (!groups.is_empty()).then(|| {
        let groups = groups.join(", ");
        format!(
            "{groups} of a model, since one may not open so many files: their memory is added up, \
             pages that they share once, and slope and base are those of one process"
        )
    })
}

/// Writes what the kernel has for each fetch, of the largest kinds of objects.
fn objects(holds: &HoldFigures) -> Option<String> {
    let mut models = 0;
    let mut kinds: BTreeMap<&str, Vec<(&str, f64)>> = BTreeMap::new();
    for row in holds.rows.iter().filter(|row| !row.objects.is_empty()) {
        models += 1;
        for (kind, bytes) in &row.objects {
            kinds.entry(kind.as_str()).or_default().push((row.model.as_str(), *bytes));
        }
    }
    let written = kinds.iter().map(|(kind, all)| object((*kind, all.as_slice()), models));
    let mut written: Vec<(f64, String)> = written.collect();
    written.sort_by(|left, right| right.0.total_cmp(&left.0));
    let written: Vec<String> = written.into_iter().take(KINDS_MAX).map(|(_, text)| text).collect();
    (!written.is_empty()).then(|| {
        format!(
            "bytes of the kernel's objects a fetch, each model at its most: {}",
            written.join(", ")
        )
    })
}

/// Returns the most that a model has of a kind, and writes the least and the most of those that
/// have any, which are named where few do.
fn object((kind, of_models): (&str, &[(&str, f64)]), models: usize) -> (f64, String) {
    let least = of_models.iter().map(|(_, bytes)| *bytes).fold(f64::INFINITY, f64::min);
    let most = of_models.iter().map(|(_, bytes)| *bytes).fold(0.0, f64::max);
    let bytes = match [least, most].map(|bytes| format!("{bytes:.0}")) {
        [least, most] if least == most => most,
        [least, most] => format!("{least} to {most}"),
    };
    let is_rare = of_models.len() < models && of_models.len() <= NAMED_MAX;
    let names: Vec<&str> = of_models.iter().map(|(model, _)| *model).collect();
    let who = if is_rare { format!(" ({})", listed(&names)) } else { String::new() };
    (most, format!("{kind} {bytes}{who}"))
}

#[cfg(test)]
mod tests {
    use analysis::Interval;

    use super::*;

    #[test]
    fn a_line_without_an_interval_is_its_value_and_one_sentence_says_why() {
        let line = |interval: Option<Interval>| {
            let [slope, height] = [8.0, 2_048.0].map(|value| Estimate { value, interval });
            Some(BlockLine { slope, height })
        };
        let row = |model: &str, user: Option<BlockLine>| HoldRow {
            model: model.to_owned(),
            user,
            kernel: None,
            objects: BTreeMap::new(),
            levels: Vec::new(),
        };
        let known = Some(Interval { low: 7.0, high: 9.0 });
        let rows = vec![row("one", line(None)), row("two", line(known)), row("none", None)];
        let (levels, user_kib_per_fetch) = (vec![64], None);
        let holds = HoldFigures { levels, blocks: 1, held_ms: 1, user_kib_per_fetch, rows };
        assert_eq!(columns(&holds.rows[0])[1..3], ["8.00", "2.00"]);
        assert!(columns(&holds.rows[1])[1].starts_with("8.00 ("));
        let expected = "too few blocks for intervals of one";
        assert_eq!(without_intervals(&holds).as_deref(), Some(expected));
    }

    #[test]
    fn objects_of_the_kernel_are_those_of_all_models_and_who_alone_has_some_is_named() {
        let row = |model: &str, objects: &[(&str, f64)]| HoldRow {
            model: model.to_owned(),
            user: None,
            kernel: None,
            objects: objects.iter().map(|(kind, bytes)| ((*kind).to_owned(), *bytes)).collect(),
            levels: Vec::new(),
        };
        let rows = vec![
            row("compio", &[("TCP", 4_732.4), ("filp", 381.6), ("io_kiocb", 255.0)]),
            row("unknown", &[]),
            row("threads", &[("TCP", 4_730.0), ("filp", 382.0), ("task_struct", 5_821.0)]),
        ];
        let (levels, user_kib_per_fetch) = (vec![64], None);
        let holds = HoldFigures { levels, blocks: 1, held_ms: 1, user_kib_per_fetch, rows };
        let expected = "bytes of the kernel's objects a fetch, each model at its most: \
                        task_struct 5821 (threads), TCP 4730 to 4732, filp 382, io_kiocb 255 \
                        (compio)";
        assert_eq!(objects(&holds).as_deref(), Some(expected));
        assert_eq!(objects(&HoldFigures { rows: Vec::new(), ..holds }), None);
    }
}
