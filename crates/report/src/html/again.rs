//! What a person types to measure a run again.
//!
//! The run reports the program and its arguments as the system saw them: a bench is a file with a
//! hash in its name and cargo's `--bench` behind it, and `PATH` stands where a path stood.

use analysis::{INFLIGHT, Summary};
use workload::Cell;

use crate::table::numbers;

/// What each bench is called, by the beginning of its program's name.
const BENCHES: [(&str, &str); 3] = [
    ("fetch-", "cargo bench"),
    ("primitives-", "cargo bench --bench primitives"),
    ("sweep-", "cargo bench --bench sweep"),
];
/// What stands where a path stood.
const PATH: &str = "PATH";

/// Returns the command that measures a run again.
pub(crate) fn command(run: &Summary) -> String {
    let mut reported = run.environment.tool.command_line.as_str().split_whitespace();
    let program = reported.next().unwrap_or_default();
    let arguments = arguments(reported);
    let verb = arguments.first().map(String::as_str).filter(|_| program == "inflight");
    if arguments.iter().any(|argument| argument.contains(PATH)) {
        return if verb == Some("compare") { of_rows(run) } else { by_schedule(run) };
    }
    let bench = BENCHES.into_iter().find(|(name, _)| program.starts_with(name));
    match (verb, bench) {
        (Some("run" | "compare"), _) => {
            seeded(run, [&[INFLIGHT.to_owned()], &arguments[..]].concat())
        }
        (_, Some((_, typed))) if arguments.is_empty() => typed.to_owned(),
        (_, Some((_, typed))) => format!("{typed} -- {}", arguments.join(" ")),
        _ => by_schedule(run),
    }
}

/// Returns the seed that drew the run's order, as an argument of `inflight run`.
pub(crate) fn seed(run: &Summary) -> String {
    format!("--seed {}", run.seed)
}

/// Returns the arguments that decide what is measured, each as a shell takes it for one word:
/// those of cargo and where the run was written are left out.
fn arguments<'a>(mut reported: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut kept = Vec::new();
    while let Some(word) = reported.next() {
        match word {
            "--bench" => {}
            "--out" => drop(reported.next()),
            _ if word.starts_with("--out=") => {}
            _ => kept.push(quoted(word)),
        }
    }
    kept
}

/// Returns a word as a shell takes it literally.
fn quoted(word: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_=.,:+%@/".contains(sign);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Joins a command of `inflight run`, with the seed that drew the run's order.
fn seeded(run: &Summary, mut words: Vec<String>) -> String {
    if !words.iter().any(|word| word == "--seed" || word.starts_with("--seed=")) {
        words.push(seed(run));
    }
    words.join(" ")
}

/// Returns the command that compares the rows of a run, where the one that was given named a path:
/// of a folder, its own name is left. Where a runtime has several workers, they were asked for.
fn of_rows(run: &Summary) -> String {
    let rows = run.models.iter().map(|model| &model.name);
    let rows = rows.filter(|name| **name != run.figures.floor).map(|name| quoted(name));
    let words = [INFLIGHT.to_owned(), "compare".to_owned()].into_iter().chain(rows);
    let workers = Some(run.placement.workers).filter(|workers| *workers > 1);
    let workers = workers.map(|workers| format!("--workers {workers}"));
    seeded(run, words.chain(cells(run)).chain(workers).collect())
}

/// Returns the arguments that name the cells of a run.
fn cells(run: &Summary) -> impl Iterator<Item = String> {
    let named = |cell: &Cell| format!("--cell {}", quoted(&cell.name));
    let cells = run.figures.cells.iter().map(|cell| &cell.cell);
    cells.map(move |cell| numbers(cell).unwrap_or_else(|| named(cell)))
}

/// Returns the command that measures what the schedule holds, where the one that was given is not
/// known or named a path.
fn by_schedule(run: &Summary) -> String {
    let models = run.models.iter().map(|model| quoted(&model.name));
    let preset = format!("run --preset {}", quoted(&run.preset));
    let words = [INFLIGHT.to_owned(), preset].into_iter().chain(cells(run)).chain(models);
    seeded(run, words.collect())
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};
    use analysis::summarize;

    use super::*;

    #[test]
    fn what_a_person_types_is_shown_and_not_what_the_system_saw() {
        let cases = [
            ("fetch-eb9b0a132dc39ca4 --bench", "cargo bench"),
            ("fetch-eb9b --bench --save-baseline before", "cargo bench -- --save-baseline before"),
            ("fetch-eb9b --bench smol|rayon", "cargo bench -- 'smol|rayon'"),
            ("primitives-0a13 --bench", "cargo bench --bench primitives"),
            ("sweep-0a13 --bench", "cargo bench --bench sweep"),
            (
                "inflight run --preset ideas --out PATH",
                "cargo run --release -- run --preset ideas --seed 7",
            ),
            ("inflight run --out=PATH smol --seed 9", "cargo run --release -- run smol --seed 9"),
            (
                "inflight compare smol smol+mimalloc",
                "cargo run --release -- compare smol smol+mimalloc --seed 7",
            ),
            (
                "inflight compare tokio tokio@PATH",
                "cargo run --release -- compare tokio smol threads tokio-reqwest --cell batch \
                 --cell steady --seed 7",
            ),
        ];
        let mut run = summarize(&Fixture::good().run(), BASELINE, FLOOR);
        for (reported, typed) in cases {
            run.environment.tool.command_line = reported.into();
            assert_eq!(command(&run), typed, "{reported}");
        }
    }

    #[test]
    fn rows_with_a_path_are_compared_again_in_a_cell_of_numbers_and_with_their_workers() {
        let mut run = summarize(&Fixture::good().run(), BASELINE, FLOOR);
        run.environment.tool.command_line = "inflight compare tokio tokio@PATH".into();
        run.placement.workers = 2;
        run.figures.cells.truncate(1);
        let cell = &mut run.figures.cells[0].cell;
        (cell.in_flight, cell.body_bytes) = (8, 128);
        cell.delay_ms = [1, 3].into();
        cell.name = cell.name_of_numbers();
        assert_eq!(
            command(&run),
            "cargo run --release -- compare tokio smol threads tokio-reqwest --in-flight 8 \
             --delay 1..3 --body 128 --workers 2 --seed 7"
        );
    }

    #[test]
    fn a_command_that_cannot_be_typed_again_is_rebuilt_from_what_was_measured() {
        let mut run = summarize(&Fixture::good().run(), BASELINE, FLOOR);
        for reported in ["unknown", "fetch-eb9b --bench PATH", "claims-0a13 --bench", ""] {
            run.environment.tool.command_line = reported.into();
            assert_eq!(
                command(&run),
                "cargo run --release -- run --preset standard --cell batch --cell steady \
                 event-loop tokio smol threads tokio-reqwest --seed 7",
                "{reported}"
            );
        }
    }
}
