//! Promises of the preset `sweep`: one of each kind of model carries out its levels, one that holds
//! a single fetch in flight as well, and the report shows where they cross.

use std::collections::BTreeMap;
use std::{slice, thread};

use harness::{BASELINE, Basis, FLOOR, Preset, Programs};
use model_kit::Workload;
use nix::unistd::gettid;
use record::{Block, Entry, Environment, Model, Run, RunFolder, Schedule, State, TurnRecord};
use report::Form;
use rules::Reason;

use crate::support::{
    self, MODELS, Ran, against_the_model, alone, beside, built, carried_out_in_part, cell, child,
    house, is_valid, placement, ran,
};

/// The cells that are tried: with few slots and many, and along the delay. Their delays are so
/// long, in milliseconds, that no other load on the machine empties the slots.
const CELLS: [(&str, u64); 4] =
    [("in-flight-1", 300), ("in-flight-64", 300), ("delay-1", 300), ("delay-10", 400)];

/// Returns what a small sweep is drawn from: one block of each cell.
fn basis() -> Basis {
    let mut preset = Preset { blocks: 1, rounds: 2, ..harness::sweep() };
    preset.cells.retain(|cell| CELLS.iter().any(|(name, _)| cell.name == *name));
    for (cell, (_, delay)) in preset.cells.iter_mut().zip(CELLS) {
        cell.delay_ms = [delay, delay].into();
        (cell.warmup, cell.fetches) = (cell.in_flight.into(), 2 * u64::from(cell.in_flight));
    }
    let models = preset.takes(&MODELS);
    let (missing, probes) = (Vec::new(), Vec::new());
    Basis { preset, models, missing, programs: Vec::new(), seed: 1, placement: placement(), probes }
}

/// Returns whether a turn is valid, or invalid for no more than a busy machine, which also lets a
/// slot wait, and charges a stay of few and short turns with what a hypervisor took.
fn is_valid_but_for_load(turn: &TurnRecord) -> bool {
    let State::Invalid(reasons) = &turn.state else { return is_valid(turn) };
    against_the_model(reasons)
        .all(|reason| matches!(reason, Reason::Mean { .. } | Reason::CpuHidden { .. }))
}

/// Carries each block of a schedule out while the others are under way, since all of them wait, and
/// returns what happened in each.
fn all_blocks(schedule: &Schedule) -> Vec<Ran> {
    let program = |model: &Model| (model.name.clone(), built(&model.package));
    let models = schedule.models.iter().map(program).collect();
    let (primitives, missing) = (BTreeMap::new(), Vec::new());
    let programs = Programs { origin: built("origin"), models, primitives, missing };
    thread::scope(|scope| {
        let carried_out = schedule.blocks.iter().map(|block| {
            let (block, programs) = (slice::from_ref(block), &programs);
            scope.spawn(move || carried_out_in_part((schedule, block), programs, |_| {}))
        });
        let carried_out: Vec<_> = carried_out.collect();
        carried_out.into_iter().map(|ran| ran.join().expect("it ends")).collect()
    })
}

/// Writes what happened down as a run, and reads it back.
fn written(schedule: &Schedule, entries: &[Entry]) -> Run {
    let results = tempfile::tempdir().expect("a folder can be made");
    let environment = Environment::read(results.path(), "none", BTreeMap::new());
    let mut folder = RunFolder::create(results.path(), schedule, &environment).expect("it writes");
    for entry in entries {
        folder.append(entry).expect("it writes");
    }
    let path = folder.path().to_owned();
    folder.finish().expect("it writes");
    Run::read(&path).expect("it reads")
}

#[test]
fn a_small_sweep_runs_from_its_plan_to_its_table() {
    let _beside = beside();
    let schedule = harness::draw(basis());
    let ran = all_blocks(&schedule);
    let turns = || ran.iter().flat_map(|ran| &ran.turns);
    // Nobody is left out.
    let models = schedule.models.len();
    assert!(models >= 4 && schedule.absent.is_empty(), "{models} models");
    assert_eq!(turns().count(), schedule.blocks.iter().map(Block::turns).sum::<usize>());
    assert!(schedule.blocks.iter().all(|block| block.participants().len() == models));
    for trial in turns() {
        let name = format!("{} of {}: {:?}", trial.model, trial.cell, trial.state);
        assert!(is_valid_but_for_load(trial), "{name}");
        let reported = trial.turned.as_ref().expect("it reported a trial");
        let cell = schedule.cell(&trial.cell).expect("it is scheduled");
        let bound = schedule.model(&trial.model).and_then(|model| model.max_in_flight);
        let slots = u64::from(bound.map_or(cell.in_flight, |most| most.min(cell.in_flight)));
        let share = (cell.fetches * slots).div_ceil(cell.in_flight.into());
        assert_eq!(reported.window.ended, share, "{name}");
        assert!(reported.in_flight_peak <= slots, "{name}");
    }

    let entries: Vec<Entry> = ran.into_iter().flat_map(|ran| ran.entries).collect();
    let mut run = written(&schedule, &entries);
    assert_eq!(harness::revalidate(&run), Vec::<String>::new());
    // Nothing is timed here, so what a busy machine has made invalid may be reported as well.
    run.turns.iter_mut().for_each(|trial| trial.state = State::Valid);
    let summary = analysis::summarize(&run, BASELINE, FLOOR);
    let levels = summary.figures.sweeps.iter().map(|sweep| sweep.levels.clone());
    assert_eq!(levels.collect::<Vec<_>>(), [vec![1, 64], vec![300, 400]]);
    let text = report::summary(&summary, Form::Terminal);
    // One block makes nothing sure.
    for reported in [
        "crossover along the number in flight: 1 to 64 in flight, delay 300 ms",
        "crossover along the delay: 300 to 400 ms of delay, 8 in flight",
        "iterator against threads: no crossover in range; it lies at 1 in flight or higher",
        "tokio against threads: no crossover in range; it lies at 300 ms of delay or higher",
    ] {
        assert!(text.contains(reported), "{reported}: {text}");
    }
}

#[test]
fn with_many_in_flight_each_participant_is_alone_and_has_connected_before_its_turn() {
    let _beside = beside();
    let (slots, models) = (300, [house("tokio"), house("threads")]);
    let large = cell(Workload::Steady, slots, 600);
    let mut alive = 0;
    let ran = ran(support::basis(&models, large, 1), built("origin"), |event| {
        if let harness::Event::Begin(..) = event {
            alive += usize::from(child(gettid(), "model-").is_some());
        }
    });
    assert_eq!(alive, 0, "nobody is there when a turn is about to begin");
    assert_eq!(ran.turns.len(), 2, "{:?}", ran.turns);
    for turn in &ran.turns {
        assert!(is_valid_but_for_load(turn), "{}: {:?}", turn.model, turn.state);
        let receipt = turn.receipt.as_ref().expect("the origin counts");
        assert_eq!(receipt.connections, Some(0), "{}: {receipt:?}", turn.model);
        let reported = turn.turned.as_ref().expect("it reported a turn");
        // The turn before it connects, and so on where a round is measured again.
        assert_eq!((reported.turn % 2, reported.total.issued), (1, 1_200), "{}", turn.model);
    }
}

#[test]
fn ten_thousand_threads_that_all_want_a_cpu_have_a_window() {
    let _alone = alone();
    let mut preset = Preset { blocks: 1, ..harness::preset("scaling").expect("it is a preset") };
    preset.cells.retain(|cell| cell.name == "at-delay-10000");
    (preset.fewer_blocks, preset.sweeps) = (Vec::new(), Vec::new());
    let basis = Basis { preset, models: vec![house("threads")], ..basis() };
    let ran = ran(basis, built("origin"), |_| {});
    let turned: Vec<_> = ran.turns.iter().filter_map(|turn| turn.turned.as_ref()).collect();
    assert!(!turned.is_empty(), "{:?}", ran.turns);
    for turned in turned {
        // Each fetch costs a thread some microseconds of the one CPU there is.
        let each_ns = turned.window.wall_ns / turned.window.ended;
        assert!(each_ns >= 1_000, "{:?}", turned.window);
    }
}
