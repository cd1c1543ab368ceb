//! The table again, by one metric.

use report::ExportForm;
use rules::{CPU, MEMORY, METRICS, Metric, SWITCHES, WALL};
use serde_json::Value;

use crate::fixture::{BASELINE, CONNECTIONS, FLOOR, RunFixture, batch, invalid, schedule, steady};

/// Returns the models of a fixture ordered by a metric.
fn ranked(
    fixture: &RunFixture,
    metric: Metric,
    cell: Option<&str>,
) -> anyhow::Result<analysis::Ranking> {
    let run = fixture.run();
    analysis::rank(&run, &analysis::figures(&run, BASELINE, FLOOR), metric, cell)
}

#[test]
fn by_the_primary_metric_places_and_verdicts_are_shown() {
    let text = report::ranking_text(&ranked(&RunFixture::of("standard", 14), CPU, None).unwrap());
    let words = ["rank", "2=", "flight ms", "against tokio", "equivalent", "baseline", "n/a"];
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn by_another_metric_rows_stand_by_their_medians_and_nothing_is_compared() {
    let mut fixture = RunFixture::of("standard", 14);
    for turn in fixture.turns("threads", "steady") {
        invalid(turn, CONNECTIONS);
    }
    for turn in fixture.turns("smol-hyper", "steady") {
        turn.turned.as_mut().unwrap().window.wall_ns = 500_000_000;
    }
    let ranking = ranked(&fixture, WALL, None).unwrap();
    let rows = &ranking.cells[0].rows;
    assert_eq!(rows[0].row.model, "smol-hyper");
    assert_eq!(rows.iter().rev().take(2).filter(|row| row.value.is_none()).count(), 2);
    let text = report::ranking_text(&ranking);
    for word in
        ["wall ms", "500 (500 to 500)", "n/a", "invalid", "no verdict and no rank is computed"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("verdict  "), "{text}");
}

#[test]
fn a_value_that_no_stay_reported_is_said_to_be_missing() {
    let text = report::ranking_text(&ranked(&RunFixture::of("quick", 6), MEMORY, None).unwrap());
    assert!(text.contains("not reported"), "{text}");
}

#[test]
fn one_cell_can_be_asked_for_and_must_exist() {
    let fixture = RunFixture::by(schedule("quick", &[(batch(), 6), (steady(), 6)]));
    let names = |cell| {
        let ranking = ranked(&fixture, SWITCHES, cell).unwrap();
        ranking.cells.into_iter().map(|cell| cell.figures.cell.name).collect::<Vec<_>>()
    };
    assert_eq!(names(Some("batch")), ["batch"]);
    assert_eq!(names(None), ["batch", "steady"]);
    let error = ranked(&fixture, SWITCHES, Some("bath")).unwrap_err().to_string();
    assert_eq!(error, "the run has no cell bath, expected one of: batch, steady");
}

/// Returns the row of a model in the document of a ranking.
fn reported(fixture: &RunFixture, metric: Metric, model: &str) -> Value {
    let document = analysis::ranking_document(&ranked(fixture, metric, None).unwrap(), "a-run");
    assert_eq!((&document["run"], &document["metric"]), (&"a-run".into(), &metric.key.into()));
    let rows = document["cells"][0]["rows"].as_array().unwrap();
    rows.iter().find(|row| row["model"] == model).unwrap().clone()
}

#[test]
fn for_programs_each_row_has_every_field_by_every_metric_and_a_reason_beside_each_gap() {
    let mut fixture = RunFixture::of("standard", 14);
    for model in [BASELINE, FLOOR, "smol"] {
        fixture.stays(model).into_iter().for_each(|stay| stay.memory_peak_kib = 6_000);
    }
    for metric in METRICS {
        let smol = reported(&fixture, metric, "smol");
        for pointer in ["", "/ratio", "/above_floor", "/in_flight_ms"] {
            let figure = smol.pointer(pointer).unwrap();
            for field in ["value", "low", "high"] {
                assert!(figure[field].is_number(), "{metric:?} {pointer} {field}: {smol}");
            }
        }
        assert!(smol["ratio"]["half_width"].is_number(), "{smol}");
        assert_eq!(smol["ratio"]["verdict"].is_string(), metric.is_judged, "{smol}");
        assert_eq!((&smol["rounds"], &smol["repeated"]), (&28.into(), &0.into()));

        let baseline = reported(&fixture, metric, BASELINE);
        assert_eq!(baseline["ratio"]["reason"], "it is the baseline");
        assert!(baseline["ratio"]["value"].is_null() && baseline["ratio"]["half_width"].is_null());
        assert_eq!(reported(&fixture, metric, FLOOR)["above_floor"]["reason"], "it is the floor");
    }
    let threads = reported(&fixture, MEMORY, "threads");
    assert!(threads["value"].is_null() && threads["ratio"]["value"].is_null());
    assert!(threads["reason"].is_string() && threads["ratio"]["reason"].is_string());
    let smol = reported(&fixture, CPU, "smol");
    assert_eq!(smol["ratio"]["verdict"], "equivalent");
    let few = reported(&RunFixture::of("quick", 3), CPU, "smol");
    assert_eq!(few["ratio"]["reason"], "too few blocks for an interval");
    assert!(few["ratio"]["value"].is_number() && few["ratio"]["low"].is_null(), "{few}");
}

#[test]
fn every_metric_of_a_run_is_in_the_tidy_table_and_is_followed_over_commits() {
    let mut fixture = RunFixture::of("standard", 14);
    fixture.stays("smol").into_iter().for_each(|stay| stay.memory_peak_kib = 6_000);
    let run = analysis::summarize(&fixture.run(), BASELINE, FLOOR);
    let tidy = String::from_utf8(report::derive(&run).remove("tables.csv").unwrap()).unwrap();
    let [bencher, github] = [ExportForm::Bencher, ExportForm::GithubActionBenchmark]
        .map(|form| report::export(&run, &[], form));
    let bencher: Value = serde_json::from_str(&bencher).unwrap();
    for metric in METRICS {
        let row = format!(",steady,smol,{},{},", metric.field, metric.unit);
        let value = tidy.split_once(&row).and_then(|(_, rest)| rest.split(',').next());
        assert!(value.is_some_and(|value| value.parse::<f64>().is_ok()), "{row}: {value:?}");
        let measure = metric.field.replace('_', "-");
        assert!(bencher["steady/smol"][&measure]["value"].is_number(), "{measure}: {bencher}");
        assert!(github.contains(&format!("\"steady/smol {measure}\"")), "{measure}: {github}");
    }
    // The stays of threads say nothing of memory.
    assert!(bencher["steady/threads"]["memory-peak-mib"].is_null(), "{bencher}");
    assert!(tidy.contains(",steady,threads,memory_peak_mib,MiB,,,,"), "{tidy}");
}
