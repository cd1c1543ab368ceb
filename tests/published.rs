//! The table in README.md and the pages of `results/` are what the published runs say, rebuilt from
//! their folders; and runs of every minor schema that this major ever had are among them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;
use std::{fs, thread};

use analysis::Summary;
use analysis::number::{with_interval, word};
use harness::{FLOOR, baseline_of};
use model_kit::Cell;
use record::{Integrity, OriginKind, Run, Schedule};
use regex::Regex;
use report::Form;

use crate::support;
use crate::support::WORKSPACE;
use crate::support::shell::published;

/// Letters in a line of the README.
const COLUMNS: usize = 100;

/// What is generated in a page, and the name of the marks around it.
type Part = (&'static str, String);

/// The most lines that an answer has on a terminal.
const LINES_MAX: usize = 34;

/// What people ask about models, and the two that answer it, by name: their costs are paired in a
/// cell of that name.
const QUESTIONS: [(&str, &str, &str); 11] = [
    ("One task that polls all fetches, or a task for each in flight?", "tokio-one-task", "tokio"),
    ("A new task for each fetch, or a task for each in flight?", "tokio-task-a-fetch", "tokio"),
    ("A current-thread runtime, or one worker thread?", "tokio-current-thread", "tokio"),
    ("`spawn_local`, or `spawn`?", "tokio-local", "tokio"),
    ("Readiness (epoll), or completion (io_uring), written by hand?", "event-loop", "io-uring"),
    ("A completion runtime (compio), or tokio?", "compio", "tokio"),
    ("A completion runtime (monoio), or tokio?", "monoio", "tokio"),
    ("Stackful coroutines (may), or tasks?", "may", "tokio"),
    ("A pool of threads, or a thread for each in flight?", "thread-pool", "threads"),
    ("`block_on` in each thread, or blocking calls?", "pollster-threads", "threads"),
    ("An async HTTP client, or a blocking one by `spawn_blocking`?", "tokio-reqwest", "tokio-ureq"),
];
/// The cell in which they are answered.
const ASKED_OF: &str = "steady";

/// The published runs by their folders, the newest last: to read one takes a while.
static RUNS: LazyLock<Vec<(PathBuf, Run)>> = LazyLock::new(|| {
    let read = |path: PathBuf| {
        let run = Run::read(&path).expect("it reads");
        (path, run)
    };
    published().into_iter().map(read).collect()
});

/// Everything that is said of each.
static SUMMARIES: LazyLock<Vec<Summary>> = LazyLock::new(|| {
    thread::scope(|scope| {
        let summarize = |(_, run): &'static (PathBuf, Run)| {
            let baseline = baseline_of(&run.schedule);
            scope.spawn(move || analysis::summarize(run, baseline, FLOOR))
        };
        let all: Vec<_> = RUNS.iter().map(summarize).collect();
        all.into_iter().map(|one| one.join().expect("it only computes")).collect()
    })
});

/// Returns what is said of the newest run that compares the models that are measured where none is
/// named; others answer questions of their own.
fn newest_comparison() -> &'static Summary {
    let compares = |(_, run): &(PathBuf, Run)| {
        let Schedule { preset, models, cells, placement, .. } = &run.schedule;
        analysis::is_comparison(preset, models, (cells.iter(), placement.origin))
    };
    let place = RUNS.iter().rposition(compares).expect("such a run is published");
    &SUMMARIES[place]
}

/// Writes each question with the ratio of the two, from the newest run that has both.
fn questions(runs: &[Summary]) -> String {
    let head =
        ["| question | CPU time per fetch | verdict | run |\n|---|---|---|---|\n".to_owned()];
    let row = |(question, model, other): (&str, &str, &str)| {
        let found = runs.iter().rev().find_map(|run| {
            // A run may have asked for another origin, at which models cost something else.
            let is_asked = |cell: &Cell| {
                let origin = cell.served_by(run.placement.origin);
                cell.name == ASKED_OF && origin == OriginKind::default()
            };
            let cells = run.figures.cells.iter().filter(|own| is_asked(&own.cell));
            let mut pairs = cells.flat_map(|cell| &cell.pairs);
            Some((run, pairs.find(|pair| (&*pair.model, &*pair.other) == (model, other))?))
        });
        let Some((run, pair)) = found else {
            return format!("| {question} | no published run compares the two | - | - |\n");
        };
        let (ratio, verdict, id) = (with_interval(&pair.ratio), word(pair.verdict), &run.id);
        format!(
            "| {question} | {model} costs {ratio} times {other} | {verdict} | \
             [{id}]({id}/derived/report.html) |\n"
        )
    };
    head.into_iter().chain(QUESTIONS.map(row)).collect()
}

/// Returns the picture of the newest run, and its findings.
fn newest_findings() -> String {
    let run = newest_comparison();
    let cell = &run.figures.cells[run.figures.main_cell()].cell.name;
    format!(
        "![CPU time per fetch against tokio, by model]\
         (results/{}/derived/figures/ratio-{cell}.svg)\n\n{}",
        run.id,
        report::findings(run)
    )
}

/// Returns what the newest run printed at its end.
fn newest_answer() -> String {
    let run = newest_comparison();
    let place = report::Place {
        page: "results/latest/derived/report.html",
        run: run.id.split('-').next().expect("it begins with its time"),
        columns: COLUMNS,
    };
    let answer = report::answer(run, &place);
    assert!(answer.lines().count() <= LINES_MAX, "{answer}");
    format!(
        "```text\n{answer}```\n\n[All cells, Python and primitives](results/README.md), \
         [the page of this run](results/{}/derived/report.html)\n",
        run.id
    )
}

#[test]
fn every_published_run_is_complete_and_reads() {
    assert!(!RUNS.is_empty(), "a run is published");
    for (path, run) in RUNS.iter() {
        assert_eq!(run.integrity, Integrity::Whole, "{}", path.display());
        // Nothing that was planned is missing, but for what the rule of the schedule has stopped.
        assert_eq!(run.next_block(), None, "{}", path.display());
        assert_eq!(harness::revalidate(run), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn the_first_block_of_every_cell_ended_within_two_minutes_in_every_published_quick_run() {
    let at = |utc: &str| humantime::parse_rfc3339(utc).expect("it is a time");
    for (path, run) in RUNS.iter().filter(|(_, run)| run.schedule.preset == "quick") {
        let began = at(&run.turns.first().expect("it has trials").started_utc);
        let cells = run.schedule.cells.len();
        let first = run.schedule.blocks.iter().take(cells).map(|block| block.number);
        let first: BTreeSet<u32> = first.collect();
        let last = run.turns.iter().rfind(|trial| first.contains(&trial.block));
        let last = last.expect("they were measured");
        let ended = at(&last.started_utc) + Duration::from_micros(last.spent_us);
        let took = ended.duration_since(began).expect("time goes on");
        assert!(took < Duration::from_mins(2), "{}: {took:?}", path.display());
    }
}

#[test]
fn the_page_of_every_published_default_run_is_at_most_300_kib() {
    for (path, run) in RUNS.iter() {
        let size = fs::metadata(path.join("derived/report.html")).expect("it is there").len();
        let is_default = run.schedule.preset == "quick";
        assert!(!is_default || size <= 300 * 1024, "{}: {size} bytes", path.display());
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for ((path, _), summary) in RUNS.iter().zip(SUMMARIES.iter()) {
        // What is kept was computed by another process.
        for (name, bytes) in report::derive(summary) {
            let kept = fs::read(path.join("derived").join(&name)).expect("it is there");
            assert!(bytes == kept, "{} of {}", name, path.display());
        }
    }
}

#[test]
fn the_picture_the_findings_and_the_answer_in_the_readme_are_the_newest_run_s() {
    let parts = [("newest findings", newest_findings()), ("newest answer", newest_answer())];
    check("README.md", &parts);
}

#[test]
fn the_index_of_the_results_names_every_published_run_and_has_the_newest_table() {
    let parts = [
        ("index", report::index(&SUMMARIES)),
        ("questions", questions(&SUMMARIES)),
        ("newest table", newest()),
    ];
    check("results/README.md", &parts);
}

#[test]
fn every_idea_of_the_teaching_page_is_answered_by_the_newest_run_that_can() {
    let runs = &*SUMMARIES;
    check("results/IDEAS.md", &[("ideas", report::ideas_page(runs))]);

    // Each answer is a figure with its interval, or says from where to where a crossover lies; of a
    // kind of run that is not published it says so.
    let page = fs::read_to_string(WORKSPACE.root.join("results/IDEAS.md")).expect("it is there");
    let figure = Regex::new(r"[0-9.]+ \(-?[0-9.]+ to [0-9.]+\)|lies between [0-9]+ and [0-9]+")
        .expect("it is an expression");
    let rows: Vec<&str> = page.lines().filter(|line| line.contains("| `cargo ")).collect();
    assert_eq!(rows.len(), runs[0].ideas.len());
    for row in rows {
        let kinds = ["sweep", "ideas", "primitives", "load"];
        let kind = kinds.into_iter().find(|kind| row.contains(&format!("{kind}`")));
        let answers = |run: &Summary, kind: &str| match kind {
            "primitives" => !run.figures.primitives.is_empty(),
            preset => run.preset == preset,
        };
        let is_published = kind.is_none_or(|kind| runs.iter().any(|run| answers(run, kind)));
        assert!(
            figure.is_match(row) || !is_published && row.contains("no published run says"),
            "{row}"
        );
    }
}

#[test]
fn every_link_of_the_index_and_of_the_ideas_leads_somewhere() {
    let folder = WORKSPACE.root.join("results");
    let link = Regex::new(r"\]\(([^)]+)\)").expect("it is an expression");
    for (page, least) in [("README.md", 4 * published().len()), ("IDEAS.md", 3)] {
        let page = fs::read_to_string(folder.join(page)).expect("it is there");
        let targets: Vec<&str> = link.captures_iter(&page).map(|c| c.extract::<1>().1[0]).collect();
        assert!(targets.len() >= least, "{targets:?}");
        for target in targets {
            assert!(folder.join(target).exists(), "{target}");
        }
    }
}

#[test]
fn a_run_of_each_older_minor_schema_still_reads() {
    let golden = WORKSPACE.root.join("crates/report/tests/golden/run");
    let mut seen = BTreeSet::new();
    Run::read(&golden).expect("it reads");
    for path in RUNS.iter().map(|(path, _)| path).chain([&golden]) {
        seen.extend(schemas(path));
    }
    for file in ["schedule", "environment", "journal"] {
        // A run of the newest is stored when one is published.
        for minor in 0..newest_minor(file) {
            let schema = format!("inflight.{file}/2.{minor}");
            assert!(seen.contains(&schema), "no stored run has {schema}: {seen:?}");
        }
    }
}

#[test]
fn what_leaving_out_unsteady_stays_would_change_is_reported_of_the_newest_run() {
    let mut runs = SUMMARIES.iter().rev();
    let steadiness = runs.find_map(|run| run.figures.primitives.steadiness.as_ref());
    let steadiness = steadiness.expect("primitives are measured in a published run");
    let reported = steadiness.to_string();
    let page = fs::read_to_string(WORKSPACE.root.join("benches/README.md")).expect("it is there");
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(&reported), "benches/README.md, \"A cost is a slope\": {reported}");
}

/// Returns the schemas of the files of a run.
fn schemas(run: &Path) -> BTreeSet<String> {
    let schema = Regex::new(r#""schema": ?"(inflight\.[a-z]+/[0-9.]+)""#).expect("an expression");
    let mut schemas = BTreeSet::new();
    for file in ["schedule.json", "environment.json", "journal.jsonl"] {
        let text = fs::read_to_string(run.join(file)).expect("it is there");
        schemas.extend(schema.captures(&text).map(|found| found[1].to_owned()));
    }
    schemas
}

/// Returns the newest minor of a schema that the code writes or speaks of.
fn newest_minor(file: &str) -> u32 {
    let schema = Regex::new(&format!(r"inflight\.{file}/2\.([0-9]+)")).expect("an expression");
    let folder = WORKSPACE.root.join("crates/record/src");
    let texts = support::shell::files_below(&folder).into_iter().map(fs::read_to_string);
    let minors = texts.flat_map(|text| {
        let text = text.expect("sources are UTF-8");
        let minors = schema.captures_iter(&text).map(|found| found[1].parse().expect("a number"));
        minors.collect::<Vec<u32>>()
    });
    minors.max().expect("the code names its schema")
}

/// Returns the table of the newest run that compares all models, without its primitives: they stand
/// in its page.
fn newest() -> String {
    let mut summary = newest_comparison().clone();
    summary.figures.primitives = analysis::Primitives::default();
    report::summary(&summary, Form::Markdown)
}

/// Checks that a page has the generated parts between their marks, or renews them.
fn check(page: &str, parts: &[Part]) {
    let path = WORKSPACE.root.join(page);
    let old = fs::read_to_string(&path).expect("it is there");
    let mut fresh = old.clone();
    for (name, text) in parts {
        let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->\n"));
        let (before, rest) = fresh.split_once(&begin).expect("the mark is there");
        let (_, after) = rest.split_once(&end).expect("the mark is there");
        fresh = format!("{before}{begin}\n{text}\n{end}{after}");
    }
    if std::env::var_os("INFLIGHT_BLESS").is_some() {
        fs::write(&path, &fresh).expect("it is writable");
        return;
    }
    assert!(old == fresh, "{page}: `INFLIGHT_BLESS=1 cargo test --test files published` renews it");
}
