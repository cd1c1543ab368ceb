//! The table in README.md and the pages of `results/` are what the published runs say, rebuilt from
//! their folders; and runs of every minor schema that this major ever had are among them.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use analysis::Summary;
use harness::{BASELINE, FLOOR};
use record::{Integrity, Run};
use regex::Regex;
use report::Form;

use support::WORKSPACE;
use support::shell::{newest_comparison, published};

/// Letters in a line of the README.
const COLUMNS: usize = 100;

/// What is generated in a page, and the name of the marks around it.
type Part = (&'static str, String);

/// Returns the picture of the newest run, and what `cargo bench` printed at its end.
fn newest_answer() -> String {
    let run = newest_comparison();
    let summary = summarized(&run);
    let figures = &summary.figures;
    let folder = format!("results/{}/derived", run.id);
    let cell = &figures.cells[figures.main_cell()].cell.name;
    let place = report::Place {
        page: "results/latest/derived/report.html",
        run: run.id.split('-').next().expect("it begins with its time"),
        columns: COLUMNS,
    };
    let answer = report::answer(&summary, &place);
    format!(
        "![CPU time per fetch against tokio, by model]({folder}/figures/ratio-{cell}.svg)\n\n\
         ```text\n{answer}```\n\n\
         [All cells, Python and primitives](results/README.md), \
         [the page of this run]({folder}/report.html)\n"
    )
}

/// Returns everything that is said of a run.
fn summarized(run: &Run) -> Summary {
    analysis::summarize(run, BASELINE, FLOOR)
}

/// Reads a run, and returns everything that is said of it.
fn read(path: &Path) -> Summary {
    summarized(&Run::read(path).expect("it reads"))
}

/// Returns the summary of a run as Markdown, without its primitives: they stand in its page.
fn summary(run: &Run) -> String {
    let mut summary = summarized(run);
    summary.figures.primitives = analysis::Primitives::default();
    report::summary(&summary, Form::Markdown)
}

#[test]
fn every_published_run_is_complete_and_reads() {
    assert!(!published().is_empty(), "a run is published");
    for path in published() {
        let run = Run::read(&path).expect("it reads");
        assert_eq!(run.integrity, Integrity::Whole, "{}", path.display());
        // Nothing that was planned is missing, but for what the rule of the schedule has stopped.
        assert_eq!(run.next_block(), None, "{}", path.display());
    }
}

#[test]
fn the_first_block_of_every_cell_ended_within_two_minutes_in_every_published_quick_run() {
    let at = |utc: &str| humantime::parse_rfc3339(utc).expect("it is a time");
    for path in published() {
        let run = Run::read(&path).expect("it reads");
        if run.schedule.preset != "quick" {
            continue;
        }
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
    for path in published() {
        let run = Run::read(&path).expect("it reads");
        let size = fs::metadata(path.join("derived/report.html")).expect("it is there").len();
        let is_default = run.schedule.preset == "quick";
        assert!(!is_default || size <= 300 * 1024, "{}: {size} bytes", path.display());
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for path in published() {
        let derived = || report::derive(&summarized(&Run::read(&path).expect("it reads")));
        assert_eq!(derived(), derived());
        for (name, bytes) in derived() {
            let kept = fs::read(path.join("derived").join(&name)).expect("it is there");
            assert!(bytes == kept, "{} of {}", name, path.display());
        }
    }
}

#[test]
fn the_picture_and_the_answer_in_the_readme_are_the_newest_run_s() {
    check("README.md", &[("newest answer", newest_answer())]);
}

#[test]
fn the_index_of_the_results_names_every_published_run_and_has_the_newest_table() {
    let runs = published();
    let runs: Vec<Summary> = runs.iter().map(|path| read(path)).collect();
    check("results/README.md", &[("index", report::index(&runs)), ("newest table", newest())]);
}

#[test]
fn every_idea_of_the_teaching_page_is_answered_by_the_newest_run_that_can() {
    let runs = published();
    let runs: Vec<Summary> = runs.iter().map(|path| read(path)).collect();
    check("results/IDEAS.md", &[("ideas", report::ideas_page(&runs))]);

    // Each answer is a figure with its interval, or says from where to where a crossover lies; of a
    // kind of run that is not published it says so.
    let page = fs::read_to_string(WORKSPACE.root.join("results/IDEAS.md")).expect("it is there");
    let figure = Regex::new(r"[0-9.]+ \(-?[0-9.]+ to [0-9.]+\)|lies between [0-9]+ and [0-9]+")
        .expect("it is an expression");
    let rows: Vec<&str> = page.lines().filter(|line| line.contains("| `cargo ")).collect();
    assert_eq!(rows.len(), runs[0].ideas.len());
    for row in rows {
        let kinds = ["sweep", "ideas", "primitives"];
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
    for path in published().into_iter().chain([golden]) {
        Run::read(&path).expect("it reads");
        seen.extend(schemas(&path));
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
    let mut runs = published().into_iter().rev().map(|path| read(&path));
    let steadiness = runs.find_map(|run| run.figures.primitives.steadiness);
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

/// Returns the table of the newest run that compares all models.
fn newest() -> String {
    summary(&newest_comparison())
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
    assert!(old == fresh, "{page}: `INFLIGHT_BLESS=1 cargo test --test published` renews it");
}
