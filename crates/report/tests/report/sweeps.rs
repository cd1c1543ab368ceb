//! Where models cross: found where it was put, reported in every form, and nowhere else.

use analysis::SweepFigures;
use record::{Absent, Along, Probe, Run, Sweep};
use report::Form;
use serde_json::{Value, json};
use stats::crossover::{Crossover, Sure};
use workload::{Cell, OriginKind};

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
    let cells = LEVELS.map(name).to_vec();
    schedule.sweeps = vec![Sweep { along: Along::InFlight, cells, scales: false }];
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

/// Returns a run of a sweep at one rate at the fast origin, each level of which has a cell with a
/// probe task, and of a cell at both kinds of origin.
fn at_rate() -> Run {
    let level = |in_flight: u32| {
        let name = format!("at-rate-{in_flight}");
        Cell { name, in_flight, origin: OriginKind::Fast, ..steady() }
    };
    let probed = |cell: &Cell| Cell {
        name: format!("{}-probe", cell.name),
        probe_period_us: 5_000,
        ..cell.clone()
    };
    let mut cells: Vec<Cell> = LEVELS.map(level).to_vec();
    cells.extend(LEVELS.map(|slots| probed(&level(slots))));
    let names = cells.iter().map(|cell| cell.name.clone()).collect();
    // No level is this cell.
    let usual = Cell { body_bytes: 1_024, ..steady() };
    let name = "steady-fast".to_owned();
    cells.extend([usual.clone(), Cell { name, origin: OriginKind::Fast, ..usual }]);
    let cells: Vec<(Cell, u32)> = cells.into_iter().map(|cell| (cell, 6)).collect();
    let mut schedule = schedule("scaling", &cells);
    schedule.sweeps = vec![Sweep { along: Along::InFlightAtRate, cells: names, scales: true }];

    let mut run = RunFixture::by(schedule).run();
    for block in &mut run.blocks {
        for stay in block.stays.values_mut() {
            stay.memory_peak_kib = 8 * 1_024;
            // The second thirty blocks have a probe task.
            if (30..60).contains(&block.block) {
                stay.wake_up_delays_ns = vec![(2_000_000, 3), (9_000_000, 1)];
            }
        }
    }
    run
}

/// Leaves a model out of a cell.
fn leave_out(run: &mut Run, (model, cell): (&str, &str)) {
    run.turns.retain(|turn| turn.model != model || turn.cell != cell);
    let [model, cell, reason] = [model, cell, "too few threads"].map(str::to_owned);
    run.schedule.absent.push(Absent { cell, model, reason });
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
fn every_model_in_rust_is_held_against_threads_and_no_other_is() {
    let mut run = fixture([130, 110, 90, 80, 70]).run();
    for model in run.schedule.models.iter_mut().filter(|model| model.name == "smol") {
        model.language = Some("Python".to_owned());
    }
    let sweep = swept(&run);
    let models: Vec<&str> = sweep.pairs.iter().map(|pair| pair.model.as_str()).collect();
    let expected = ["event-loop", "iterator", "rayon", "smol-hyper", "tokio", "tokio-reqwest"];
    assert_eq!(models, expected);
    assert_eq!((sweep.other.as_str(), sweep.levels), ("threads", vec![1, 4, 16, 64, 256]));
}

#[test]
fn threads_that_the_highest_level_cannot_hold_are_what_others_are_held_against_below_it() {
    let mut run = fixture([130, 110, 90, 80, 70]).run();
    leave_out(&mut run, ("threads", "in-flight-256"));
    let sweep = swept(&run);
    let tokio = sweep.pairs.iter().find(|pair| pair.model == BASELINE).unwrap();
    assert_eq!((sweep.other.as_str(), tokio.crossover), ("threads", Crossover { low: 2, high: 2 }));
    let text = report::summary(&analysis::summarize(&run, BASELINE, FLOOR), Form::Terminal);
    let always = "iterator costs less than threads at every level that both hold, from 1 in flight";
    for reported in ["in times threads; absent: threads at 256", always] {
        assert!(text.contains(reported), "{reported}: {text}");
    }
    let summary: Value = serde_json::from_str(&derived(&run, "summary.json")).unwrap();
    let why = &summary["sweeps"][0]["pairs"][0]["levels"][4]["cpu_ratio"]["reason"];
    assert_eq!(why, "one of the models is absent at this level");

    // Nobody is held against a model that no level can hold.
    for slots in &LEVELS[..4] {
        leave_out(&mut run, ("threads", &format!("in-flight-{slots}")));
    }
    let sweep = swept(&run);
    assert_eq!((sweep.other.as_str(), sweep.absent.len()), (BASELINE, 1));
    assert_eq!(
        (sweep.absent[0].model.as_str(), &sweep.absent[0].levels[..]),
        ("threads", [1, 4, 16, 64, 256].as_slice())
    );
}

#[test]
fn a_model_that_a_level_leaves_out_takes_part_in_the_others() {
    let mut run = fixture([100; 5]).run();
    leave_out(&mut run, ("rayon", "in-flight-4"));
    let sweep = swept(&run);
    let rayon = sweep.pairs.iter().find(|pair| pair.model == "rayon").unwrap();
    let has: Vec<bool> = rayon.levels.iter().map(|level| level.pair.is_some()).collect();
    assert_eq!(has, [true, false, true, true, true]);
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
fn a_sweep_that_scales_shows_each_cost_and_marks_what_lies_beyond_the_ceiling() {
    let mut run = fixture([130, 110, 90, 80, 120]).run();
    run.schedule.sweeps[0].scales = true;
    let probe = |cell: &str, ceiling_per_s| Probe {
        cell: cell.to_owned(),
        ceiling_per_s,
        floor_ns: 10_000,
        baseline_ns: 10_000,
        origin_ns: 10_000,
    };
    // 256 in flight with delays of 32 ms ask for 8,000 a second; 16, for 500, which is all that so
    // few can have of an origin that serves 10,000.
    run.schedule.probes = vec![probe("in-flight-16", 600), probe("in-flight-256", 10_000)];
    let sweep = swept(&run);
    let costs = sweep.costs.iter().find(|costs| costs.model == BASELINE).unwrap();
    let beyond: Vec<(u64, bool)> =
        costs.levels.iter().map(|cost| (cost.level, cost.is_beyond_ceiling)).collect();
    assert_eq!(beyond, [(1, false), (4, false), (16, false), (64, false), (256, true)]);
    // What is sure beyond it is of no crossover.
    let tokio = sweep.pairs.iter().find(|pair| pair.model == BASELINE).unwrap();
    assert_eq!(tokio.crossover, Crossover { low: 2, high: 2 });

    let text = report::summary(&analysis::summarize(&run, BASELINE, FLOOR), Form::Terminal);
    let heading = "CPU time per fetch in us along the number in flight, delay 16 to 48 ms; o: more \
                   than half of what the origin can serve";
    assert!(text.contains(heading), "{text}");
    let csv = derived(&run, "figures/costs-the-number-in-flight.csv");
    let lines = csv.lines().filter(|line| line.starts_with("tokio,"));
    let lines: Vec<bool> = lines.map(|line| line.ends_with(",true")).collect();
    assert_eq!(lines, [false, false, false, false, true], "{csv}");
    assert!(derived(&run, "report.html").contains("<figure id=\"costs-the-number-in-flight\""));

    // Of levels that are all beyond it nothing follows.
    run.schedule.probes = vec![probe("in-flight-256", 10)];
    let sweep = swept(&run);
    let tokio = sweep.pairs.iter().find(|pair| pair.model == BASELINE).unwrap();
    assert_eq!(sweep.crossover(tokio), (None, Some(1)));
}

#[test]
fn a_sweep_at_one_rate_tells_what_else_being_in_flight_takes_level_by_level() {
    let mut run = at_rate();
    assert_eq!(swept(&run).levels, LEVELS.map(u64::from));
    let text = report::summary(&analysis::summarize(&run, BASELINE, FLOOR), Form::Terminal);
    let along = "along the number in flight at one rate, 31 fetches a second";
    for (quantity, reported) in [
        ("Mean time in flight in ms", "32.7 (32.7 to 32.7)"),
        ("Peak resident memory in MiB", "8.00 (8.00 to 8.00)"),
        ("Median wake-up delay of a probe task in ms", "2.00 (2.00 to 2.00)"),
    ] {
        let (_, table) = text.split_once(&format!("{quantity} {along}")).expect(quantity);
        let row = table.lines().find(|line| line.trim_start().starts_with("64 ")).unwrap();
        assert!(row.contains(reported), "{quantity}: {row}");
    }
    let page = derived(&run, "report.html");
    for (figure, field, value) in
        [("memory", "memory_peak_mib", "8"), ("wake_ups", "late_typical_ms", "2")]
    {
        let id = format!("{figure}-the-number-in-flight-at-one-rate");
        assert!(page.contains(&format!("<figure id=\"{id}\"")), "{id}");
        let csv = derived(&run, &format!("figures/{id}.csv"));
        let header = format!("model,in_flight,{field},low,high,beyond_ceiling");
        assert_eq!(csv.lines().next(), Some(header.as_str()));
        assert!(csv.contains(&format!("\ntokio,64,{value},{value},{value},false\n")), "{csv}");
    }
    let summary: Value = serde_json::from_str(&derived(&run, "summary.json")).unwrap();
    let level = &summary["sweeps"][0]["costs"][0]["levels"][3];
    let value = |field: &str| level[field]["value"].as_f64();
    assert_eq!(level["level"].as_u64(), Some(64));
    assert_eq!((value("memory_peak_mib"), value("late_typical_ms")), (Some(8.0), Some(2.0)));

    // Where the rate grows too, no figure shows what the number alone takes.
    run.schedule.sweeps[0].along = Along::InFlight;
    let page = derived(&run, "report.html");
    assert!(page.contains("<figure id=\"costs-the-number-in-flight\""));
    assert!(!page.contains("<figure id=\"memory-the-number-in-flight"));
}

#[test]
fn a_sweep_says_what_a_fetch_costs_where_its_origin_and_that_of_the_headline_meet() {
    let mut run = at_rate();
    let text = report::summary(&analysis::summarize(&run, BASELINE, FLOOR), Form::Terminal);
    for reported in [
        "these levels are served by the origin fast; the point that both kinds of origin have in \
         common, 64 in flight, delay 16 to 48 ms: a fetch costs tokio ",
        " us in steady (wiremock) and ",
        " us in steady-fast (fast); check G24 ",
    ] {
        assert!(text.contains(reported), "{reported}: {text}");
    }
    assert!(derived(&run, "report.html").contains("These levels are served by the origin fast"));
    run.schedule.placement.origin = OriginKind::Fast;
    let text = report::summary(&analysis::summarize(&run, BASELINE, FLOOR), Form::Terminal);
    assert!(!text.contains("these levels are served by"), "{text}");
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
