//! What fetches in flight take, as text: a table of lines, what the kernel's part is made of, and
//! why a model did not hold as many as others.

use analysis::hold::{HoldFigures, HoldRow};
use analysis::number::{count, digits, with_interval};
use analysis::{BlockLine, Estimate};

use crate::form::Form;
use crate::table::{NOTHING, drawn};
use crate::words::{in_line, listed};

/// Bytes of a KiB, and KiB of a MiB.
const KIB: f64 = 1024.0;

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
    let notes = reasons(holds).into_iter().chain(objects(holds));
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
        estimate.map_or(NOTHING.to_owned(), |estimate| with_interval(&estimate))
    };
    [written(line.map(|line| line.slope)), written(line.map(|line| line.height.times(1.0 / KIB)))]
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

/// Writes what the kernel has for each fetch, of the first model of which that is known.
fn objects(holds: &HoldFigures) -> Option<String> {
    let row = holds.rows.iter().find(|row| !row.objects.is_empty())?;
    let mut kinds: Vec<(&String, &f64)> = row.objects.iter().collect();
    kinds.sort_by(|left, right| right.1.total_cmp(left.1));
    let kinds: Vec<String> =
        kinds.iter().take(8).map(|(kind, bytes)| format!("{kind} {bytes:.0}")).collect();
    Some(format!(
        "bytes of the kernel's objects a fetch, {} at its most: {}",
        row.model,
        kinds.join(", ")
    ))
}
