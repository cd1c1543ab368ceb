//! Promises of the preset `sweep`: one of each kind of model carries out its levels, one that holds
//! a single fetch in flight as well, and the report shows where they cross.

mod support;

use std::collections::BTreeMap;

use harness::{BASELINE, Basis, FLOOR, Preset};
use record::{Block, Entry, Environment, Run, RunFolder, Schedule, State, TurnRecord};
use report::Form;
use rules::Reason;
use support::{MODELS, against_the_model, alone, built, is_valid, placement, ran};

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
    let _alone = alone();
    let schedule = harness::draw(basis());
    let ran = ran(basis(), built("origin"), |_| {});
    // Nobody is left out.
    let models = schedule.models.len();
    assert!(models >= 4 && schedule.absent.is_empty(), "{models} models");
    assert_eq!(ran.turns.len(), schedule.blocks.iter().map(Block::turns).sum::<usize>());
    assert!(schedule.blocks.iter().all(|block| block.participants().len() == models));
    for trial in &ran.turns {
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

    let mut run = written(&schedule, &ran.entries);
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
