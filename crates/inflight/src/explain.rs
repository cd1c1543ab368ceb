//! `explain`: where the time of a fetch goes, of one row beside another.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Result;
use harness::{BASELINE, Explained, FLOOR, Failure, RunLock};
use model_kit::Cell;
use record::{INFLIGHT, Model};
use serde_json::json;

use crate::asked::Explanation;
use crate::output::Output;
use crate::rows::{self, Row};
use crate::{measure, place};

/// The most system calls, and the most functions, that are shown.
const ROWS_MAX: usize = 12;

/// The least that is not shown as nothing.
const SHOWN_MIN: f64 = 0.005;

/// Explains a row beside another.
pub(crate) fn explain(asked: &Explanation, output: &mut Output) -> Result<u8> {
    let workspace = place::workspace()?.with_models(&asked.outside)?;
    let found = harness::find(&workspace, "crates")?;
    let typed = named(asked);
    let rows = rows::rows(&typed, &found)?;
    let mut models: Vec<Model> = rows.iter().map(Row::named).collect();
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let cells = [cell(asked)?];
    let placement = harness::place_for(asked.workers.workers())?;
    harness::preflight((&workspace.root, Some(&workspace.target)), None, (&cells, &models))?;
    // Alone, since it reads times and may build rows apart, in folders that any other would use.
    let _lock = RunLock::on_this_machine()?;
    measure::can_run(&workspace, &models, &names)?;
    rows::prepare(&rows, &mut models, &workspace)?;
    let programs = harness::build(&workspace, (&models, &[]))?;
    let explain = |model| harness::explain((model, &cells[0]), (&programs, &placement));
    let explained = [explain(&models[0])?, explain(&models[1])?];
    output.say(&text(&cells[0], &explained, &typed));
    output.document(&json!({ "cell": cells[0], "models": explained.each_ref().map(document) }));
    Ok(0)
}

/// Returns both rows as they may be typed: those that are named have the levers that are asked for;
/// beside one alone stands the baseline, and beside that the floor.
fn named(asked: &Explanation) -> Vec<String> {
    let mut named = asked.levers.on(&asked.rows);
    if let [only] = named.as_slice() {
        let beside = if only == BASELINE { FLOOR } else { BASELINE };
        named.push(beside.to_owned());
    }
    named
}

/// Returns the cell: one in which slots are kept busy, so that no start is in its window.
fn cell(asked: &Explanation) -> Result<Cell> {
    if let Some(cell) = asked.numbers.cell() {
        return Ok(cell);
    }
    let name = asked.cell.clone().unwrap_or_else(|| "steady".to_owned());
    let mut cells = measure::unheld(&harness::quick(), &[name])?;
    let cell = cells.remove(0);
    if cell.workers > 0 {
        let why = format!(
            "{} has a worker for each CPU that a run sets apart for models: type `--cell steady \
             --workers {}` instead",
            cell.name, cell.workers
        );
        return Err(Failure::Usage(why).into());
    }
    if cell.is_open() {
        let why = format!(
            "in {} slots wait for fetches to arrive, so what is seen is not that of fetches alone: \
             name a steady cell, as `{INFLIGHT} list cells` has them",
            cell.name
        );
        return Err(Failure::Usage(why).into());
    }
    if !cell.workload.is_resident() {
        let why = format!(
            "{} starts a process for every turn, which is no part of a fetch: name a steady cell, \
             as `{INFLIGHT} list cells` has them",
            cell.name
        );
        return Err(Failure::Usage(why).into());
    }
    Ok(cell)
}

/// Returns what one took for each fetch.
fn document(one: &Explained) -> serde_json::Value {
    let each = |pairs: &Result<Vec<(String, f64)>, String>| match pairs {
        Ok(pairs) => json!(
            pairs.iter().map(|(name, n)| json!({ "name": name, "value": n })).collect::<Vec<_>>()
        ),
        Err(why) => json!({ "missing": why }),
    };
    json!({
        "model": one.model, "window": one.window,
        "system_calls_per_fetch": each(&one.calls), "share_of_cpu": each(&one.functions),
    })
}

/// Returns the table of both, and how rows that were so named are compared.
fn text(cell: &Cell, both: &[Explained; 2], named: &[String]) -> String {
    let mut table = Table::new(both);
    table.numbers("CPU us", both.each_ref().map(|one| one.window.cpu_ns_each() / 1e3));
    table.numbers("  user", both.each_ref().map(|one| each(one, Some(one.window.user_ns)) / 1e3));
    table.numbers(
        "  kernel",
        both.each_ref().map(|one| each(one, Some(one.window.system_ns)) / 1e3),
    );
    table.numbers("switches", both.each_ref().map(|one| each(one, one.window.switches_voluntary)));
    table.numbers("page faults", both.each_ref().map(|one| each(one, one.window.faults_minor)));
    table.pairs("system calls", 1.0, both.each_ref().map(|one| &one.calls));
    table.pairs("% of CPU in", 100.0, both.each_ref().map(|one| &one.functions));
    format!(
        "For each fetch of {}\n{}\n\
         One process of each, alone: where to look, not which costs less.\n\
         `{INFLIGHT} compare {} {}` compares them.",
        report::heading(cell),
        table.text,
        named[1],
        named[0],
    )
}

/// Returns a number for each fetch; unknown is no number.
#[expect(clippy::cast_precision_loss, reason = "counts of a window are small")]
fn each(one: &Explained, number: Option<u64>) -> f64 {
    number.map_or(f64::NAN, |number| number as f64 / one.window.ended.max(1) as f64)
}

/// Lines of a name and two numbers.
struct Table {
    text: String,
    widths: [usize; 2],
}

impl Table {
    /// Begins with the names of both.
    fn new(both: &[Explained; 2]) -> Self {
        let names = both.each_ref().map(|one| one.model.as_str());
        let mut table = Self { text: String::new(), widths: names.map(|name| name.len().max(8)) };
        table.line("", names.map(str::to_owned));
        table
    }

    /// Adds a line.
    fn line(&mut self, name: &str, cells: [String; 2]) {
        let [first, second] = cells;
        let [one, other] = self.widths;
        let line = format!("{first:>one$}  {second:>other$}  {name}");
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    /// Adds a line of numbers.
    fn numbers(&mut self, name: &str, numbers: [f64; 2]) {
        self.line(
            name,
            numbers.map(|n| if n.is_nan() { "-".to_owned() } else { format!("{n:.2}") }),
        );
    }

    /// Adds numbers by name, the highest of either first, or why there are none.
    fn pairs(&mut self, title: &str, factor: f64, both: [&Result<Vec<(String, f64)>, String>; 2]) {
        if let Some(why) = both.iter().find_map(|pairs| pairs.as_ref().err()) {
            let _ = writeln!(self.text, "{title}: not known: {why}");
            return;
        }
        let both = both.map(|pairs| pairs.as_deref().unwrap_or_default());
        let of = |pairs: &[(String, f64)], name: &str| {
            pairs.iter().find(|(other, _)| other == name).map_or(0.0, |(_, number)| *number)
        };
        let names: BTreeSet<&str> =
            both.iter().flat_map(|pairs| pairs.iter().map(|(name, _)| name.as_str())).collect();
        let mut names = Vec::from_iter(names);
        names.sort_by(|one, other| {
            let most = |name: &str| of(both[0], name).max(of(both[1], name));
            most(other).total_cmp(&most(one))
        });
        names.retain(|name| of(both[0], name).max(of(both[1], name)) * factor >= SHOWN_MIN);
        names.truncate(ROWS_MAX);
        let sums = both.map(|pairs| pairs.iter().map(|(_, number)| number).sum::<f64>() * factor);
        self.numbers(title, sums);
        for name in names {
            self.numbers(&format!("  {name}"), both.map(|pairs| of(pairs, name) * factor));
        }
    }
}
