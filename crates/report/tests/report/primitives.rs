//! Promises about primitives: costs are slopes, what did not happen is not counted, what is known
//! is held against the run, and the cost model adds up.

use std::collections::BTreeMap;

use analysis::{Explained, PrimitiveFigures, PrimitiveRow, Primitives, Shown};
use record::{Block, BlockRecord, Entry, RoundRecord, Run, State, StayRecord, TurnRecord};
use report::Form;
use rules::Reason;
use serde_json::{from_value, json};
use workload::pipe::Window;
use workload::{Cell, Workload};

use crate::fixture::{BASELINE, FLOOR, RunFixture, batch, schedule, steady};

/// Blocks of each primitive.
const BLOCKS: u32 = 12;
/// What one costs in nanoseconds, and the switches in it: primitive, program.
const COSTS: [(&str, &str, u64, u64); 13] = [
    ("ping-pong", "smol", 120, 0),
    ("ping-pong", "threads", 5_000, 2),
    ("ping-pong", "tokio", 100, 0),
    ("spawn", "smol", 190, 0),
    ("spawn", "threads", 30_000, 1),
    ("spawn", "tokio", 200, 0),
    ("spawn-many", "smol", 190, 0),
    ("spawn-many", "threads", 32_000, 1),
    ("spawn-many", "tokio", 200, 0),
    ("readiness", "event-loop", 6_000, 0),
    ("readiness", "smol", 7_600, 0),
    ("readiness", "threads", 9_000, 2),
    ("readiness", "tokio", 7_600, 0),
];
/// What a batch costs beside, in nanoseconds.
const OVERHEAD_NS: u64 = 30_000;
/// The lengths of the turns of a block.
const LENGTHS: [u64; 8] = [1, 8, 2, 4, 4, 1, 8, 2];
/// When an event wakes its waiter, in nanoseconds.
const EVENT_NS: u64 = 3_000;

/// Returns a run with primitives.
fn fixture() -> RunFixture {
    let mut fixture = RunFixture::by(schedule("quick", &[(steady(), 12), (batch(), 12)]));
    let program = |name: &str, unit: &str, primitives: &[&str]| {
        json!({ "name": name, "package": format!("primitives-{name}"), "label": name, "unit": unit,
                "primitives": primitives, "models": [name] })
    };
    let all = ["ping-pong", "ping-pong-apart", "spawn", "spawn-many", "readiness", "event-1ms"];
    let programs = [
        program("event-loop", "nothing", &["readiness"]),
        program("smol", "task", &all),
        program("threads", "thread", &all),
        program("tokio", "task", &all),
    ];
    fixture.schedule.programs = from_value(json!(programs)).unwrap();
    fixture.schedule.batch_ns = 2_000_000;
    let is_one = |workload: &Workload| all.contains(&workload.name());
    let cell = |workload| Cell::of_operations(workload, (0, 1));
    fixture.schedule.operations = Workload::primitives().filter(is_one).map(cell).collect();
    let reason = "it needs 2 CPUs of their own";
    let absent =
        json!({ "cell": "ping-pong-apart", "model": "primitives-tokio", "reason": reason });
    fixture.schedule.absent.push(from_value(absent).unwrap());
    for number in 0..BLOCKS {
        for (place, primitive) in (0..).zip(all.iter().filter(|name| !name.ends_with("apart"))) {
            add_block(&mut fixture, 24 + 5 * number + place, primitive);
        }
    }
    fixture
}

/// Adds a block of a primitive.
fn add_block(fixture: &mut RunFixture, number: u32, primitive: &str) {
    let loop_too: &[&str] = if primitive == "readiness" { &["event-loop"] } else { &[] };
    let order = [loop_too, &["smol", "threads", "tokio"]].concat();
    let package = |name: &str| format!("primitives-{name}");
    let packages: Vec<String> = order.iter().map(|name| package(name)).collect();
    let rounds = if primitive == "event-1ms" { 1 } else { LENGTHS.len() };
    let block = Block {
        number,
        cell: primitive.to_owned(),
        seed: 1,
        rounds: vec![packages; rounds],
        session: 0,
    };
    let mut stays = BTreeMap::new();
    for round in 0..u32::try_from(rounds).unwrap() {
        for (position, name) in (0..).zip(&order) {
            let turned = turned((primitive, name), round, u64::from(number + position));
            let stay: &mut StayRecord = stays.entry(package(name)).or_default();
            stay.latencies_ns.extend(latencies(primitive, u64::from(number + position)));
            let record = json!({
                "block": number, "round": round, "position": position, "cell": primitive,
                "model": package(name), "started_utc": "2026-11-22T10:15:02Z", "spent_us": 100,
                "state": "valid", "turned": turned,
            });
            fixture.entries.push(Entry::Turn(Box::new(from_value(record).unwrap())));
        }
        let (disturbed, host) = (Vec::new(), None);
        fixture.entries.push(Entry::Round(RoundRecord { block: number, round, disturbed, host }));
    }
    fixture.entries.push(Entry::Block(Box::new(BlockRecord { block: number, stays })));
    fixture.schedule.blocks.push(block);
}

/// Returns how late a waiter was, where that is timed.
fn latencies(primitive: &str, number: u64) -> Vec<(u64, u64)> {
    match primitive {
        "event-1ms" => vec![(EVENT_NS + number, 95), (10_000, 4), (90_000, 1)],
        _ => Vec::new(),
    }
}

/// Returns what a program reports of a turn, with noise of at most 0.8 % and one wild turn.
fn turned((primitive, program): (&str, &str), round: u32, number: u64) -> serde_json::Value {
    let cost = COSTS.iter().find(|(p, name, ..)| (*p, *name) == (primitive, program));
    let (_, _, cost, switches) = cost.copied().unwrap_or(("", "", 1, 2));
    let noise = workload::content::split_mix_64(number) % 17;
    let count = match primitive {
        "event-1ms" => 100,
        _ => 1_000 * LENGTHS[round as usize] + 13,
    };
    let ns = OVERHEAD_NS + cost * count * (992 + noise) / 1_000;
    let wall_ns = if u64::from(round) == number % 8 { 20 * ns } else { ns };
    json!({
        "turn": round + 9,
        "window": { "ended": count, "ok": count, "wall_ns": wall_ns, "cpu_ns": ns, "user_ns": 0,
                    "system_ns": 0, "switches_voluntary": switches * count,
                    "switches_involuntary": 0, "faults_minor": 0 },
        "total": { "issued": count, "ok": count, "errors": {} },
        "threads": 2,
        "in_flight_peak": 1,
    })
}

/// Returns what a run shows of primitives.
fn primitives(run: &Run) -> Primitives {
    analysis::figures(run, BASELINE, FLOOR).primitives
}

/// Returns the figures of a primitive.
fn of<'a>(primitives: &'a Primitives, name: &str) -> &'a PrimitiveFigures {
    primitives.figures.iter().find(|figures| figures.primitive.name() == name).unwrap()
}

/// Returns the row of a program.
fn row<'a>(primitives: &'a Primitives, name: &str, program: &str) -> &'a PrimitiveRow {
    of(primitives, name).rows.iter().find(|row| row.program == program).unwrap()
}

/// Returns what a program reported of a turn.
fn window(turn: &mut TurnRecord) -> &mut Window {
    &mut turn.turned.as_mut().unwrap().window
}

/// Checks that a value is near another.
fn assert_near(value: f64, expected: f64, share: f64) {
    assert!((value / expected - 1.0).abs() < share, "{value} is not {expected}");
}

#[test]
fn a_cost_is_the_slope_of_its_turns_and_one_wild_turn_does_not_bend_it() {
    let primitives = primitives(&fixture().run());
    for (name, program, cost, switches) in COSTS {
        let costs = row(&primitives, name, program).costs.as_ref().unwrap();
        let (wall, cpu) = (costs.wall_ns.value, costs.cpu_ns.unwrap().value);
        let cost = f64::from(u32::try_from(cost).unwrap());
        assert_near(wall, cost, 0.05);
        assert_near(cpu, cost, 0.01);
        assert_near(
            costs.switches.unwrap().value + 1.0,
            f64::from(u32::try_from(switches + 1).unwrap()),
            0.001,
        );
        assert_eq!((costs.p90_ns, costs.p99_ns), (None, None));
    }
}

#[test]
fn a_program_is_held_against_the_baseline_s_with_the_interval_of_the_family() {
    let primitives = primitives(&fixture().run());
    let figures = of(&primitives, "ping-pong");
    assert_eq!((figures.reference.as_str(), figures.blocks), ("tokio", 12));
    let names: Vec<&str> = figures.rows.iter().map(|row| row.program.as_str()).collect();
    assert_eq!(names, ["tokio", "smol", "threads"]);
    let costs = row(&primitives, "ping-pong", "smol").costs.clone().unwrap();
    let ratio = costs.ratio.unwrap();
    assert!(ratio.interval.unwrap().contains(1.2), "{ratio:?}");
    assert_eq!(costs.verdict, Some(stats::verdict::Verdict::Different));
    assert_eq!(row(&primitives, "ping-pong", "tokio").costs.clone().unwrap().ratio, None);
}

#[test]
fn what_is_timed_alone_has_percentiles_where_enough_lies_beyond() {
    let primitives = primitives(&fixture().run());
    let costs = row(&primitives, "event-1ms", "tokio").costs.clone().unwrap();
    assert_near(costs.wall_ns.value, 3_056.0, 0.02);
    assert_eq!((costs.cpu_ns, costs.p99_ns), (None, Some(10_000)));
    let p90 = costs.p90_ns.unwrap();
    assert!((EVENT_NS..EVENT_NS + 100).contains(&p90), "{p90}");
}

#[test]
fn what_is_known_of_tasks_and_threads_is_held_against_the_run() {
    let run = fixture().run();
    let checks = primitives(&run).checks;
    let shown: Vec<Shown> = checks.iter().map(|check| check.shown).collect();
    assert_eq!(shown, [Shown::Yes, Shown::Yes, Shown::Yes]);

    // A machine on which a thread is started as fast as a task.
    let mut other = run;
    for turn in other.turns.iter_mut().filter(|turn| turn.model == "primitives-threads") {
        window(turn).cpu_ns /= 100;
    }
    let checks = primitives(&other).checks;
    assert_eq!(checks.iter().map(|check| check.shown).collect::<Vec<_>>(), [Shown::No; 3]);
    let text = report::summary(&analysis::summarize(&other, BASELINE, FLOOR), Form::Terminal);
    assert!(text.contains("NOT shown: starting a task is at least ten times cheaper"), "{text}");
}

#[test]
fn what_others_have_published_stands_beside_as_words_and_never_as_a_row() {
    let primitives = primitives(&fixture().run());
    let text = report::primitives_text(&primitives, Form::Terminal);
    for (name, says) in [
        ("ping-pong", "about 0.2 us between tasks, 1.7 us between threads"),
        ("readiness", "about 1.7 us for both"),
        ("readiness", "no advantage of tasks where all is pinned to one CPU"),
        ("spawn", "about 0.3 us for a task, 17 us for a thread"),
        ("spawn-many", "about 0.4 KiB for a task, 9.5 KiB and 10 KiB of the kernel's"),
    ] {
        let begin = format!("published, {name}: ");
        let mut lines = text.lines().filter(|line| line.starts_with(&begin));
        assert!(lines.any(|line| line.contains(says)), "{name}: {says}\n{text}");
        let rows = &of(&primitives, name).rows;
        assert!(rows.iter().all(|row| row.stays > 0), "{name}");
    }
    let lines = text.lines().filter(|line| line.starts_with("published, "));
    assert!(lines.clone().all(|line| line.ends_with(" (jimblandy/context-switch)")), "{text}");
    assert_eq!(lines.count(), 5);
}

#[test]
fn the_cost_model_adds_up_and_says_what_it_does_not_explain() {
    let run = fixture().run();
    let cost_model = primitives(&run).cost_model;
    let row = |cell: &str, model: &str| {
        let cell = cost_model.iter().find(|cost_model| cost_model.cell == cell).unwrap();
        cell.rows.iter().find(|row| row.model == model).unwrap().clone()
    };
    let tokio = row("steady", "tokio");
    // Half of 7.6 us less 6 us; a task adds no switch.
    assert_near(tokio.wakes_us, 0.8, 0.05);
    assert!(tokio.switches_us.abs() < 0.05 && tokio.spawns_us == 0.0, "{tokio:?}");
    assert_eq!(tokio.explained, Explained::Yes);
    assert_near(tokio.predicted_us + tokio.remainder_us, tokio.measured_us.value, 1e-9);

    let threads = row("steady", "threads");
    // Half of 9 us less 6 us, and the switch that lies in it is not counted again.
    assert_near(threads.wakes_us, 1.5, 0.05);
    assert_near(threads.switches_us, -2.5, 0.05);
    assert_eq!(threads.explained, Explained::No);

    // 64 tasks for 1000 fetches; the units of this fixture are tasks, its program's threads.
    assert_near(row("batch", "tokio").spawns_us, 0.0128, 0.02);
    assert!(row("batch", "threads").spawns_us == 0.0);
    assert!(cost_model[0].rows.iter().all(|row| row.model != FLOOR && row.model != "rayon"));
}

#[test]
fn a_turn_that_does_not_count_is_named_with_its_reason() {
    let mut fixture = fixture();
    for entry in &mut fixture.entries {
        if let Entry::Turn(turn) = entry
            && (turn.cell.as_str(), turn.model.as_str()) == ("spawn", "primitives-smol")
        {
            let reason = Reason::OptimisedAway { cost_ps: 10 };
            turn.state = State::Invalid(vec![reason]);
        }
    }
    let run = fixture.run();
    let primitives = primitives(&run);
    let row = row(&primitives, "spawn", "smol");
    assert_eq!((row.stays, row.valid, row.costs.is_some()), (12, 0, false));
    let text = report::primitives_text(&primitives, Form::Markdown);
    for said in [
        "spawn of smol: invalid: one costs 10 ps, so it was optimised away (96 of 96",
        "ping-pong-apart: n/a: it needs 2 CPUs of their own",
        "published, spawn: about 0.3 us for a task, 17 us for a thread (jimblandy/context-switch)",
        "primitive costs do not explain this",
    ] {
        assert!(text.contains(said), "{said} is missing:\n{text}");
    }
}

#[test]
fn programs_read_primitives_and_cost_model_from_the_summary() {
    let run = fixture().run();
    let document = serde_json::to_value(analysis::summarize(&run, BASELINE, FLOOR)).unwrap();
    let ping_pong = document["primitives"].as_array().unwrap();
    let ping_pong = ping_pong.iter().find(|p| p["primitive"] == "ping-pong").unwrap();
    assert_eq!(ping_pong["reference"], "tokio");
    assert_eq!(ping_pong["rows"][0]["program"], "tokio");
    assert_eq!(document["primitive_checks"][0]["shown"], "yes");
    assert_eq!(document["cost_model"][0]["rows"][0]["measured_us"]["reason"], json!(null));
}

#[test]
fn a_run_without_primitives_says_nothing_of_them() {
    let run = RunFixture::of("quick", 12).run();
    let summary = analysis::summarize(&run, BASELINE, FLOOR);
    assert!(summary.figures.primitives.is_empty());
    assert_eq!(serde_json::to_value(&summary).unwrap().get("primitives"), None);
    assert!(!report::summary(&summary, Form::Markdown).contains("primitives"));
}

#[test]
fn stays_whose_halves_disagree_are_counted_kept_and_weighed() {
    let mut run = fixture().run();
    assert_eq!(primitives(&run).steadiness, None);
    // In four of twelve stays each of threads one cost is a tenth more in the second half, and in
    // all of smol's another one is.
    for turn in run.turns.iter_mut().filter(|turn| turn.block >= 24 && turn.round >= 4) {
        let costlier = match (turn.cell.as_str(), turn.model.as_str()) {
            ("spawn", "primitives-threads") => turn.block < 24 + 4 * 5,
            ("readiness", "primitives-smol") => true,
            _ => false,
        };
        if costlier {
            let window = window(turn);
            window.cpu_ns += window.cpu_ns / 10;
        }
    }
    let found = primitives(&run);
    assert_eq!(
        (row(&found, "spawn", "threads").unsteady, row(&found, "spawn", "tokio").unsteady),
        (4, 0)
    );
    assert_eq!(row(&found, "spawn", "threads").valid, 12);
    let steadiness = found.steadiness.clone().unwrap();
    // Thirteen rows of twelve stays have a slope; what is timed alone has none.
    assert_eq!((steadiness.unsteady, steadiness.stays), (16, 156));
    assert_eq!((steadiness.decided, steadiness.opened, steadiness.contrary), (9, 1, 0));
    assert!(steadiness.moved_typical < 1e-9, "{steadiness:?}");
    for form in [Form::Terminal, Form::Markdown] {
        let text = report::primitives_text(&found, form);
        assert!(text.contains("16 of 156 stays are unsteady: "), "{text}");
        assert!(text.contains("4 of 12") && text.contains("1 of 9 decided verdicts"), "{text}");
    }
}

#[test]
fn the_ideas_are_answered_in_units_that_people_say() {
    let run = fixture().run();
    let ideas = analysis::ideas(&run, &analysis::figures(&run, BASELINE, FLOOR));
    let said = |says: &str| {
        let idea = ideas.iter().find(|idea| idea.says == says).unwrap();
        idea.measured.clone().unwrap()
    };
    assert!(said("Tasks manage coroutines").contains(") ns of CPU time; a thread costs "));
    assert!(said("Events stand for the completion of something").contains(") us after one is set"));
    let threads = said("Threads are the other approach");
    assert!(threads.starts_with("one is started and joined in 30."), "{threads}");
    assert!(threads.contains(") us of CPU time, "), "{threads}");
}
