//! What the teaching page says: each claim has the figure that answers it, or says what would.

use record::{Along, OriginKind, Run, Sweep, Variant};
use workload::Workload;

use crate::fixture::{BASELINE, FLOOR, RunFixture, batch, schedule, steady};

/// Returns a run with a model that fetches one after the other, threads, and the page's program.
fn run() -> Run {
    let mut run = RunFixture::by(schedule("quick", &[(batch(), 12), (steady(), 12)])).run();
    for model in &mut run.schedule.models {
        match model.name.as_str() {
            "iterator" => model.max_in_flight = Some(1),
            "threads" => "thread".clone_into(&mut model.unit),
            // Stands in for a session for every fetch, and smol-hyper for one that is shared.
            "tokio-reqwest" => {
                model.connections = Some("issued".to_owned());
                "hyper".clone_into(&mut model.client);
            }
            _ => {}
        }
    }
    run
}

/// Returns what the run says of a claim.
fn answer(run: &Run, says: &str) -> Option<String> {
    let ideas = analysis::ideas(run, &analysis::figures(run, BASELINE, FLOOR));
    ideas.into_iter().find(|idea| idea.says == says).unwrap().measured
}

#[test]
fn what_was_measured_is_answered_with_its_interval() {
    let run = run();
    let concurrent = answer(&run, "Tasks run concurrently").unwrap();
    assert!(concurrent.starts_with("yes: one after the other (iterator) takes 1.00 ("));
    let latency = answer(&run, "It lowers the latency of I/O").unwrap();
    let halves = "end within 31.0 (31.0 to 31.0) ms with tokio, within 31.0 (31.0 to 31.0) ms with";
    assert!(latency.contains(halves), "{latency}");
    let threads = answer(&run, "It uses the system's resources efficiently").unwrap();
    assert!(threads.starts_with("threads take 1.66 ("), "{threads}");
    assert!(threads.ends_with("(steady)"), "{threads}");
    let session = answer(&run, "A session is opened for every fetch").unwrap();
    assert!(session.starts_with("tokio-reqwest costs 1.2"), "{session}");
    assert!(session.ends_with("the CPU time of smol-hyper, which shares one"), "{session}");
}

#[test]
fn where_every_fetch_connects_anew_nothing_is_said_of_sessions_or_of_steady_costs() {
    let mut run = run();
    run.schedule.cells[1].workload = Workload::Churn;
    for says in
        ["A session is opened for every fetch", "It uses the system's resources efficiently"]
    {
        assert_eq!(answer(&run, says), None);
    }
    assert!(answer(&run, "Tasks run concurrently").is_some(), "a batch says what it said");
}

#[test]
fn what_requests_wait_for_that_keep_coming_is_answered_and_their_wall_time_is_no_figure() {
    let says = "It lowers the latency of I/O under open load";
    assert_eq!(answer(&run(), says), None);
    let paced = |rates: &[u32]| {
        let mut run = analysis::fixture::paced(rates, "threads");
        for model in run.schedule.models.iter_mut().filter(|model| model.name == "threads") {
            "thread".clone_into(&mut model.unit);
        }
        run
    };
    // Of all rates that in the middle, as in the tables.
    let expected = "where 1000 arrive a second (paced-1000), counted from their arrival: tokio \
                    answers half within 10.0 (10.0 to 10.0) ms and 99 % within 15.0 (15.0 to \
                    15.0) ms; threads answers half within 10.0 (10.0 to 10.0) ms and 99 % within \
                    15.0 (15.0 to 15.0) ms";
    assert_eq!(answer(&paced(&[500, 1_000, 2_000]), says).unwrap(), expected);

    let mut run = paced(&[1_000]);
    let waits = answer(&run, says).unwrap();
    assert!(waits.ends_with(" ms; threads cannot hold so many"), "{waits}");
    // Where each reply is computed on, it is the computing that they wait for.
    run.schedule.cells[0].work_kib = 1_024;
    assert_eq!(answer(&run, says), None);
    assert_eq!(answer(&run, "It is particularly useful for I/O"), None);
}

#[test]
fn what_was_not_measured_says_what_measures_it() {
    let run = run();
    for says in
        ["Coroutines can be suspended and resumed", "The main thread is not blocked meanwhile"]
    {
        assert_eq!(answer(&run, says), None);
    }
    let derived = report::derive(&analysis::summarize(&run, BASELINE, FLOOR));
    let summary = String::from_utf8_lossy(&derived["summary.md"]).into_owned();
    assert!(summary.contains("not measured in this run: cargo bench --bench primitives"));
    assert!(
        summary.contains("not measured in this run: cargo run --release -- run --preset ideas")
    );
}

#[test]
fn a_run_of_other_models_answers_nothing_and_says_so() {
    let mut run = run();
    run.schedule.models.retain(|model| model.name == BASELINE);
    run.turns.retain(|turn| turn.model == BASELINE);
    for says in ["Tasks run concurrently", "A session is opened for every fetch"] {
        assert_eq!(answer(&run, says), None);
    }
}

#[test]
fn how_late_probe_tasks_wake_up_beside_fetches_that_arrive_has_a_table_and_is_an_answer() {
    let mut run = analysis::fixture::paced(&[1_000], "");
    run.schedule.cells[0].probe_period_us = 5_000;
    for block in &mut run.blocks {
        let stay = block.stays.get_mut("tokio").unwrap();
        stay.wake_up_delays_ns = vec![(1_000, 99), (2_000_000, 1)];
    }
    let blocked = answer(&run, "The main thread is not blocked meanwhile").unwrap();
    assert!(blocked.ends_with("in ms: 2.00 (2.00 to 2.00) tokio"), "{blocked}");
    let open = answer(&run, "It lowers the latency of I/O under open load").unwrap();
    assert!(open.ends_with("(paced-1000) is late by, in ms: 2.00 (2.00 to 2.00) tokio"), "{open}");
    let derived = report::derive(&analysis::summarize(&run, BASELINE, FLOOR));
    let summary = String::from_utf8_lossy(&derived["summary.md"]).into_owned();
    assert!(summary.contains("How long whatever is due waits in paced-1000: "), "{summary}");
}

#[test]
fn how_late_probe_tasks_wake_up_is_answered_with_its_interval_the_least_first() {
    let mut run = run();
    run.schedule.cells[1].probe_period_us = 5_000;
    // The last twelve blocks are those of the steady cell.
    for block in run.blocks.iter_mut().filter(|block| block.block >= 12) {
        for (model, late_ns) in [("tokio", 2_000_000), ("threads", 400_000)] {
            let stay = block.stays.get_mut(model).unwrap();
            stay.wake_up_delays_ns = vec![(1_000, 99), (late_ns, 1)];
        }
    }
    let blocked = answer(&run, "The main thread is not blocked meanwhile").unwrap();
    let expected = "in ms: 0.40 (0.40 to 0.40) threads, 2.00 (2.00 to 2.00) tokio";
    assert!(blocked.ends_with(expected), "{blocked}");
    assert_eq!(answer(&run, "It is meant for waiting, not for computing"), None);
    run.schedule.cells[1].work_kib = 4_096;
    let computing = answer(&run, "It is meant for waiting, not for computing").unwrap();
    assert!(computing.ends_with(expected), "{computing}");
    // A batch that computes is no answer to how fetches run at once.
    let gained = answer(&run, "It is particularly useful for I/O").unwrap();
    assert!(gained.contains("(steady), threads take 1.66 ("), "{gained}");
    run.schedule.cells[0].work_kib = 4_096;
    assert_eq!(answer(&run, "Tasks run concurrently"), None);

    let said = analysis::summarize(&run, BASELINE, FLOOR);
    let figures = &said.figures;
    let summary = report::summary(&said, report::Form::Terminal);
    assert!(
        summary.contains("a probe task that wakes every 5.00 ms beside the fetches"),
        "{summary}"
    );
    let tokio =
        figures.cells[1].wake_ups.iter().find(|wake_ups| wake_ups.model == "tokio").unwrap();
    // 12 blocks, and 100 wake-ups a stay.
    assert_eq!(tokio.count, 1_200);
    assert!((tokio.typical_ms.value - 0.001).abs() < 1e-9, "{:?}", tokio.typical_ms);
    let page = &report::derive(&analysis::summarize(&run, BASELINE, FLOOR))["report.html"];
    assert!(String::from_utf8_lossy(page).contains("The latest wake-up comes "));
}

#[test]
fn the_newest_run_of_the_kind_that_an_idea_asks_for_answers_it() {
    let reported = |id: &str, preset: &str, change: fn(&mut Run)| {
        let mut run = run();
        id.clone_into(&mut run.id);
        preset.clone_into(&mut run.schedule.preset);
        change(&mut run);
        run
    };
    let fast = |run: &mut Run| {
        run.turns.retain(|turn| turn.model != "iterator");
    };
    #[expect(clippy::useless_vec, reason = "runs are too large for the stack")]
    let runs = vec![
        reported("1-old", "quick", |_| {}),
        reported("2-newer", "standard", |_| {}),
        // Of the right kind, but without the model that fetches one after the other.
        reported("3-newest", "quick", fast),
        // A run of another kind is not asked, whatever it could say; this one has no level from
        // which it could answer what a sweep is asked.
        reported("4-sweep", "sweep", |run| {
            let (along, cells) = (Along::InFlight, Vec::new());
            // Nor is it asked what its probe tasks say.
            run.schedule.cells[1].probe_period_us = 5_000;
            run.schedule.sweeps = vec![Sweep { along, cells, scales: false }];
        }),
        // What it says is true of another origin.
        reported("5-fast", "quick", |run| run.schedule.placement.origin = OriginKind::Fast),
        // Versions are compared.
        reported("6-versions", "compare", |run| {
            let (package, version) = ("tokio".to_owned(), "1.0.0".to_owned());
            let variant = Variant { package, version, is_checkout: false };
            run.schedule.models[0].variant = Some(variant);
        }),
    ];
    let runs = runs.iter().map(|run| analysis::summarize(run, BASELINE, FLOOR));
    let runs: Vec<analysis::Summary> = runs.collect();
    let page = report::ideas_page(&runs);
    let row = |says: &str| page.lines().find(|line| line.contains(says)).unwrap().to_owned();
    let concurrent = row("Tasks run concurrently");
    assert!(concurrent.contains("](2-newer/derived/report.html)"), "{concurrent}");
    assert!(concurrent.contains("; run 3-newest does not say |"), "{concurrent}");
    let threads = row("It uses the system's resources efficiently");
    assert!(threads.contains("](3-newest/derived/report.html)"), "{threads}");
    assert!(!threads.contains("does not say"), "{threads}");
    for says in ["Tasks manage coroutines", "The main thread is not blocked meanwhile"] {
        assert!(row(says).contains("| no published run says | - |"), "{page}");
    }
    // The runs that were asked, and what their figures are to be called.
    assert!(page.contains("run 2-newer   standard") || page.contains("run 2-newer   estimate"));
    assert!(!page.contains("run 4-sweep   ") && !page.contains("run 1-old   "));
    assert!(!page.contains("5-fast") && !page.contains("6-versions"), "{page}");
}
