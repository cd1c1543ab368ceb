//! The table again, by one metric.

use report::Metric;

use crate::story::{BASELINE, FLOOR, Story, batch, schedule, steady, void};

/// Returns the models of a story ordered by a metric.
fn ranked(story: &Story, metric: Metric, cell: Option<&str>) -> anyhow::Result<report::Ranking> {
    let run = story.run();
    report::rank(&run, &report::figures(&run, BASELINE, FLOOR), metric, cell)
}

#[test]
fn by_the_primary_metric_places_and_verdicts_are_shown() {
    let text = ranked(&Story::of("standard", 14), Metric::Cpu, None).unwrap().to_string();
    for word in ["rank", "2=", "against tokio", "equivalent", "baseline", "n/a"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn by_another_metric_rows_stand_by_their_medians_and_nothing_is_judged() {
    let mut story = Story::of("standard", 14);
    for trial in story.trials("threads", "steady") {
        void(trial, "the origin saw 65 connections for 64 slots");
    }
    for trial in story.trials("smol-hyper", "steady") {
        trial.trial.as_mut().unwrap().window.wall_ns = 500_000_000;
    }
    let ranking = ranked(&story, Metric::Wall, None).unwrap();
    let rows = &ranking.cells[0].rows;
    assert_eq!(rows[0].row.model, "smol-hyper");
    assert_eq!(rows.iter().rev().take(2).filter(|row| row.value.is_none()).count(), 2);
    let text = ranking.to_string();
    for word in ["wall ms", "500 [500, 500]", "n/a", "void", "no verdict and no rank is computed"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("verdict  "), "{text}");
}

#[test]
fn a_value_that_no_trial_told_is_said_to_be_missing() {
    let text = ranked(&Story::of("quick", 6), Metric::Memory, None).unwrap().to_string();
    assert!(text.contains("not told"), "{text}");
}

#[test]
fn one_cell_can_be_asked_for_and_must_exist() {
    let story = Story::told(schedule("quick", &[(batch(), 6), (steady(), 6)]));
    let names = |cell| {
        let ranking = ranked(&story, Metric::Switches, cell).unwrap();
        ranking.cells.into_iter().map(|cell| cell.figures.cell.name).collect::<Vec<_>>()
    };
    assert_eq!(names(Some("batch")), ["batch"]);
    assert_eq!(names(None), ["batch", "steady"]);
    let error = ranked(&story, Metric::Switches, Some("bath")).unwrap_err().to_string();
    assert_eq!(error, "the run has no cell bath, expected one of: batch, steady");
}

#[test]
fn every_metric_is_found_by_its_name() {
    for metric in Metric::ALL {
        assert_eq!(metric.name().parse::<Metric>().unwrap(), metric);
    }
    assert!("speed".parse::<Metric>().unwrap_err().to_string().contains("cpu, wall"));
}
