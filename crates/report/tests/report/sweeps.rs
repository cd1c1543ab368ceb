//! Where models cross: found where it was put, reported in every form, and nowhere else.

use analysis::SweepFigures;
use record::{Along, Run, Sweep};
use report::Form;
use serde_json::{Value, json};
use stats::crossover::{Crossover, Sure};
use workload::Cell;

use crate::fixture::{BASELINE, FLOOR, LATE, RunFixture, batch, invalid, schedule, steady};

/// The levels of the sweeps.
const LEVELS: [u32; 5] = [1, 4, 16, 64, 256];

/// Returns a fixture of a sweep in which tokio costs so many percent of what threads cost, level by
/// level.
fn fixture(percent: [u64; 5]) -> RunFixture {
    let name = |slots: u32| format!("in-flight-{slots}");
    let cell = |in_flight| Cell { name: name(in_flight), in_flight, ..steady() };
    let cells = LEVELS.map(|slots| (cell(slots), 12));
    let mut schedule = schedule("sweep", &cells);
    schedule.sweeps = vec![Sweep { along: Along::InFlight, cells: LEVELS.map(name).to_vec() }];
    for model in &mut schedule.models {
        match model.name.as_str() {
            "threads" => "thread".clone_into(&mut model.unit),
            "iterator" => model.max_in_flight = Some(1),
            _ => {}
        }
    }
    let mut fixture = RunFixture::by(schedule);
    for (slots, percent) in LEVELS.into_iter().zip(percent) {
        for turn in fixture.turns(BASELINE, &name(slots)) {
            // Tokio's 15.0 us, times what makes them the share of the 24.9 us of threads.
            let window = &mut turn.turned.as_mut().unwrap().window;
            window.cpu_ns = window.cpu_ns * 249 * percent / 15_000;
        }
    }
    fixture
}

/// Returns the one sweep of a run.
fn swept(run: &Run) -> SweepFigures {
    let mut sweeps = analysis::figures(run, BASELINE, FLOOR).sweeps;
    assert_eq!(sweeps.len(), 1);
    sweeps.remove(0)
}

/// Checks between which places of the levels tokio's crossover lies.
fn check(percent: [u64; 5], (low, high): (usize, usize)) {
    let sweep = swept(&fixture(percent).run());
    let tokio = sweep.pairs.iter().find(|pair| pair.model == BASELINE).unwrap();
    assert_eq!(tokio.crossover, Crossover { low, high }, "{percent:?}");
}

/// Returns a file that is computed from a run.
fn derived(run: &Run, name: &str) -> String {
    String::from_utf8(
        report::derive(&analysis::summarize(run, BASELINE, FLOOR)).remove(name).unwrap(),
    )
    .unwrap()
}

#[test]
fn a_crossover_is_found_where_it_was_put() {
    check([130, 110, 90, 80, 70], (2, 2));
    check([130, 100, 100, 80, 70], (1, 3));
    check([70, 120, 90, 80, 70], (2, 2));
}

#[test]
fn what_always_or_never_costs_less_crosses_at_the_first_level_or_beyond_the_last() {
    check([90, 80, 70, 60, 50], (0, 0));
    check([130, 120, 110, 120, 130], (5, 5));
}

#[test]
fn noise_alone_crosses_nowhere_and_leaves_it_open() {
    check([100; 5], (0, 5));
}

#[test]
fn a_level_without_figures_leaves_the_crossover_open_up_to_the_next() {
    let mut fixture = fixture([130, 90, 90, 80, 70]);
    for turn in fixture.turns("threads", "in-flight-16") {
        invalid(turn, LATE);
    }
    let sweep = swept(&fixture.run());
    let tokio = sweep.pairs.iter().find(|pair| pair.model == BASELINE).unwrap();
    assert_eq!(tokio.crossover, Crossover { low: 1, high: 3 });
    assert_eq!((tokio.levels[2].blocks, tokio.levels[2].sure), (0, Sure::Neither));
}

#[test]
fn every_model_of_all_levels_is_held_against_threads_and_no_other_is() {
    let mut run = fixture([130, 110, 90, 80, 70]).run();
    let reason = "by design".to_owned();
    let cell = "in-flight-4".to_owned();
    run.schedule.absent = vec![record::Absent { cell, model: "rayon".to_owned(), reason }];
    for model in run.schedule.models.iter_mut().filter(|model| model.name == "smol") {
        model.language = Some("Python".to_owned());
    }
    let sweep = swept(&run);
    let models: Vec<&str> = sweep.pairs.iter().map(|pair| pair.model.as_str()).collect();
    assert_eq!(models, ["event-loop", "iterator", "smol-hyper", "tokio", "tokio-reqwest"]);
    assert_eq!((sweep.other.as_str(), sweep.levels), ("threads", vec![1, 4, 16, 64, 256]));
}

#[test]
fn without_threads_models_are_held_against_the_baseline() {
    let mut run = fixture([100; 5]).run();
    run.schedule.models.retain(|model| model.name != "threads");
    let sweep = swept(&run);
    assert_eq!(sweep.other, BASELINE);
    assert!(sweep.pairs.iter().all(|pair| pair.model != BASELINE));
}

#[test]
fn a_model_with_one_slot_is_marked_for_its_rate_and_not_for_the_length_of_its_window() {
    let mut run = fixture([100; 5]).run();
    for turn in run.turns.iter_mut().filter(|turn| turn.model == "iterator") {
        let window = &mut turn.turned.as_mut().unwrap().window;
        (window.ended, window.ok, window.cpu_ns) = (10, 10, window.cpu_ns / 100);
    }
    let figures = analysis::figures(&run, BASELINE, FLOOR);
    for row in &figures.cells[4].rows {
        let is_slow = row.figures.as_ref().unwrap().unequal_rate;
        assert_eq!(is_slow, row.model == "iterator", "{}", row.model);
    }
}

#[test]
fn the_table_has_a_row_a_level_and_a_sentence_says_where_models_cross() {
    let run = fixture([130, 100, 100, 80, 70]).run();
    let summary = analysis::summarize(&run, BASELINE, FLOOR);
    for form in [Form::Terminal, Form::Markdown] {
        let text = report::summary(&summary, form);
        let heading = "crossover along the number in flight: 1 to 256 in flight, delay 16 to 48 \
                       ms; CPU time per fetch in times threads";
        assert!(text.contains(heading), "{text}");
        let crossing = "tokio costs less than threads from 64 in flight on; the crossover lies \
                        between 4 and 64 (95 %)\n";
        assert!(text.contains(crossing), "{text}");
        let always = "iterator costs less than threads at every level, from 1 in flight on\n";
        assert!(text.contains(always), "{text}");
        let (_, table) = text.split_once(heading).unwrap();
        for (level, sign) in [("1", "more"), ("4", "="), ("16", "="), ("64", "less")] {
            let row = table
                .lines()
                .find(|line| line.trim_start_matches('|').split_whitespace().next() == Some(level));
            let tokio = row.unwrap().split(')').nth(6).unwrap_or_default();
            assert!(tokio.starts_with(&format!(" {sign}")), "{level}: {row:?}");
        }
    }
}

#[test]
fn the_summary_for_programs_has_the_crossover_with_its_ends_or_why_there_is_none() {
    let tokio = |percent| -> Value {
        let text = derived(&fixture(percent).run(), "summary.json");
        let summary: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(summary["sweeps"][0]["along"], "in_flight");
        let pairs = summary["sweeps"][0]["pairs"].as_array().unwrap();
        pairs.iter().find(|pair| pair["model"] == BASELINE).unwrap().clone()
    };
    let crossed = tokio([130, 100, 90, 80, 70]);
    assert_eq!(crossed["crossover"], json!({ "value": 16, "low": 4, "high": 16 }));
    assert_eq!(crossed["levels"][4]["verdict"], "different");
    assert_eq!(crossed["levels"][4]["cell"], "in-flight-256");
    let none = json!({ "value": null, "low": 256, "high": null, "reason": "none in range" });
    assert_eq!(tokio([130, 130, 130, 130, 100])["crossover"], none);
    let beyond = json!({ "value": null, "low": null, "high": null, "reason": "none in range" });
    assert_eq!(tokio([130; 5])["crossover"], beyond);
}

#[test]
fn the_page_draws_each_pair_and_the_ideas_say_what_came_of_it() {
    let run = fixture([130, 110, 90, 80, 70]).run();
    let page = derived(&run, "report.html");
    assert!(page.contains("<figure id=\"crossover-in-flight-tokio\""));
    let reported =
        "tokio costs less than threads from 16 in flight on, and the crossover is no lower";
    assert!(page.contains(reported));
    let csv = derived(&run, "figures/crossover-in-flight-tokio.csv");
    assert_eq!(csv.lines().count(), 6, "{csv}");
    let ideas = analysis::ideas(&run, &analysis::figures(&run, BASELINE, FLOOR));
    let idea = ideas.iter().find(|idea| idea.says == "It is an alternative to threads").unwrap();
    assert!(idea.measured.as_ref().unwrap().starts_with(reported), "{idea:?}");
}

#[test]
fn a_run_without_a_sweep_names_the_command_and_nothing_more() {
    let run = RunFixture::by(schedule("quick", &[(batch(), 12), (steady(), 12)])).run();
    assert!(!derived(&run, "summary.json").contains("sweeps"));
    assert!(!derived(&run, "summary.md").contains("crossover"));
    let page = derived(&run, "report.html");
    assert!(!page.contains("crossover"));
    assert!(page.contains("not measured in this run: cargo bench --bench sweep"));
}
