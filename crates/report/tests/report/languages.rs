//! Models in another language: a family and a table of their own, and never ranked.

use analysis::RowState;
use analysis::cell_figures::Row;
use record::{Missing, Run};
use report::Form;
use rules::METRICS;

use crate::fixture::{BASELINE, FLOOR, RunFixture, figures, row};

/// Returns a run in which two models are in Python, and a third is missing.
fn run() -> Run {
    let mut fixture = RunFixture::of("standard", 14);
    let models = &mut fixture.schedule.models;
    for model in models.iter_mut().filter(|model| model.name.starts_with("smol")) {
        model.language = Some("Python".to_owned());
        model.baseline = Some("smol".to_owned());
    }
    let mut absent = models.iter().find(|model| model.name == "smol").unwrap().clone();
    "uvloop".clone_into(&mut absent.name);
    models.push(absent);
    fixture.schedule.missing.push(Missing {
        model: "uvloop".to_owned(),
        reason: "no python3 was found".to_owned(),
        fix: "sudo apt-get install python3".to_owned(),
    });
    fixture.run()
}

/// Returns the summary of that run.
fn summary(form: Form) -> String {
    let run = run();
    report::summary(&analysis::summarize(&run, BASELINE, FLOOR), form)
}

#[test]
fn a_language_is_compared_with_its_own_baseline_and_widens_no_interval_of_the_others() {
    let (with, without) = (figures(&run()), figures(&RunFixture::of("standard", 14).run()));
    let language = &with.languages[0];
    assert_eq!((with.pairs.len(), language.pairs.len()), (5 * 4 / 2, 1));
    let pair = &language.pairs[0];
    assert_eq!((pair.model.as_str(), pair.other.as_str()), ("smol-hyper", "smol"));
    assert!((pair.ratio.value - 24_000.0 / 15_020.0).abs() < 0.02);

    let ratio = |cell| row(cell, "threads").figures.as_ref().unwrap().ratio.unwrap();
    let half = |cell| ratio(cell).interval.unwrap().half_width();
    assert!(half(&with) <= half(&without));
    assert_eq!((language.language.as_str(), language.baseline.as_str()), ("Python", "smol"));
    assert!((language.context.unwrap().value - 15_020.0 / 15_000.0).abs() < 0.02);
}

#[test]
fn what_the_models_of_a_language_cost_agrees_with_the_ratio_that_is_said_of_them() {
    let cell = figures(&run());
    let python = &cell.languages[0];
    let cost = |row: &Row| row.figures.as_ref().unwrap().cpu_us.value;
    let [smol, smol_hyper] = [0, 1].map(|place| cost(&python.rows[place]));
    let said = python.context.unwrap().value * cost(row(&cell, BASELINE));
    assert!((smol / said - 1.0).abs() < 1e-9, "{smol} {said}");
    let ratio = python.rows[1].figures.as_ref().unwrap().ratio.unwrap().value;
    assert!((smol_hyper / smol / ratio - 1.0).abs() < 1e-9, "{smol_hyper} {smol} {ratio}");
}

#[test]
fn another_language_has_no_place_and_takes_none() {
    let cell = figures(&run());
    let other: Vec<&str> = cell.languages[0].rows.iter().map(|row| row.model.as_str()).collect();
    assert_eq!(other, ["smol", "smol-hyper", "uvloop"]);
    assert!(cell.languages[0].rows.iter().all(|row| row.rank.is_none()));
    let place = |model| row(&cell, model).rank.map(|rank| rank.best);
    let models = ["event-loop", "tokio", "rayon", "threads", "tokio-reqwest"];
    // Rare stalls keep rayon from being reported from threads.
    assert_eq!(models.map(place), [1, 2, 3, 3, 5].map(Some));
    assert!(cell.rows.iter().all(|row| !other.contains(&row.model.as_str())));
}

#[test]
fn its_table_stands_below_and_says_that_it_is_no_contest() {
    for form in [Form::Terminal, Form::Markdown] {
        let text = summary(form);
        let aside = "In Python, another language: context, not a contest of models; smol costs";
        let (above, below) = text.split_once(aside).unwrap();
        let is_row = |text: &str, model: &str| {
            let mut lines = text.lines().map(|line| line.trim_start_matches(['|', ' ']));
            lines.any(|line| line.starts_with(&format!("{model} ")))
        };
        assert!(!is_row(above, "smol") && is_row(below, "smol"), "{text}");
        assert!(below.contains("against smol"), "{text}");
    }
}

#[test]
fn a_missing_model_is_a_row_that_says_what_is_missing_and_what_fixes_it() {
    let cell = figures(&run());
    assert_eq!(cell.languages[0].rows[2].state, RowState::Missing);
    let says = "uvloop: missing: no python3 was found; `sudo apt-get install python3` fixes it";
    assert!(summary(Form::Terminal).contains(says));
}

#[test]
fn by_any_metric_the_languages_stay_apart() {
    let run = run();
    let figures = analysis::figures(&run, BASELINE, FLOOR);
    for metric in METRICS {
        let ranking = analysis::rank(&run, &figures, metric, None).unwrap();
        let cell = &ranking.cells[0];
        assert!(cell.rows.iter().all(|row| !row.row.model.starts_with("smol")), "{metric:?}");
        assert_eq!(cell.languages[0].len(), 3);
        assert_eq!(report::ranking_text(&ranking).matches("not a contest of models").count(), 1);
    }
}

#[test]
fn a_rate_is_held_against_the_baseline_of_the_language_and_the_comparison_of_both_is_called_rough()
{
    let mut run = run();
    for turn in run.turns.iter_mut().filter(|turn| turn.model.starts_with("smol")) {
        if let Some(turned) = &mut turn.turned {
            turned.window.wall_ns *= if turn.model == "smol" { 2 } else { 3 };
        }
    }
    let python = &figures(&run).languages[0];
    let is_slow = |row: usize| python.rows[row].figures.as_ref().unwrap().unequal_rate;
    assert_eq!((is_slow(0), is_slow(1), python.at_other_rate), (false, true, true));
    let text = report::summary(&analysis::summarize(&run, BASELINE, FLOOR), Form::Terminal);
    assert!(text.contains("\n* at another rate than smol: do not compare"), "{text}");
    assert!(text.contains(" times tokio (at another rate, so a rough number)\n"), "{text}");
}

#[test]
fn the_document_keeps_the_languages_apart() {
    let run = run();
    let document = serde_json::to_value(analysis::summarize(&run, BASELINE, FLOOR)).unwrap();
    let python = &document["cells"][0]["languages"][0];
    assert_eq!((&python["language"], &python["baseline"]), (&"Python".into(), &"smol".into()));
    let reason = |row: usize| &python["rows"][row]["figures"]["cpu_ratio"]["reason"];
    assert_eq!(reason(0), "it is the baseline");
    assert_eq!(python["rows"][2]["state"], "missing");
}
