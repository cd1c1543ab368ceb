//! Promises of the programs that measure primitives: each does what it counts, and one that does
//! not is found.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use harness::{Basis, Preset, PrimitiveBlocks, Program};
use model_kit::primitive::Primitive;
use record::{
    Entry, Environment, Integrity, PrimitiveProgram, PrimitiveRecord, Resume, Run, RunFolder,
    Schedule, State,
};
use support::{WORKSPACE, built, placement};

/// Returns the programs below a folder.
fn found(folder: &str) -> Vec<PrimitiveProgram> {
    harness::find_primitives(&WORKSPACE, folder).expect("every manifest describes its program")
}

/// Returns the programs, built.
fn programs(found: &[PrimitiveProgram]) -> BTreeMap<String, Program> {
    found.iter().map(|program| (program.name.clone(), built(&program.package))).collect()
}

/// Returns a schedule of primitives alone.
fn scheduled(found: Vec<PrimitiveProgram>, amount: PrimitiveBlocks) -> Schedule {
    let preset = Preset { name: "test", cells: Vec::new(), ..harness::smoke() };
    let basis = Basis {
        preset,
        models: Vec::new(),
        missing: Vec::new(),
        seed: 1,
        placement: placement(),
        probes: Vec::new(),
    };
    let mut schedule = harness::draw(basis);
    harness::add_primitives(&mut schedule, found, amount);
    schedule
}

/// Returns what the faulty program comes to.
fn state_of(fault: &str) -> State {
    let mut found = found("tests/models");
    found[0].env = BTreeMap::from([("FAULT".to_owned(), fault.to_owned())]);
    let schedule = scheduled(found.clone(), PrimitiveBlocks::ONCE);
    let mut states = Vec::new();
    harness::run_primitives(
        (&schedule, &schedule.primitives.blocks),
        &programs(&found),
        &mut |_, trial| {
            states.extend(trial.map(|trial| trial.state.clone()));
            Ok(())
        },
    )
    .expect("nothing stops it");
    assert_eq!(states.len(), 1);
    states.remove(0)
}

#[test]
fn every_program_does_each_of_its_primitives_and_counts_right() {
    let found = found("crates");
    let pairs: usize = found.iter().map(|program| program.primitives.len()).sum();
    let mut reported: Vec<PrimitiveRecord> = Vec::new();
    harness::verify_primitives(found.clone(), &programs(&found), &mut |trial| {
        reported.push(trial.clone());
        Ok(())
    })
    .expect("nothing stops it");
    let two_cpus = placement().model_cpus != placement().origin_cpus;
    let apart = found.iter().filter(|p| p.primitives.contains(&Primitive::PingPongApart)).count();
    assert_eq!(reported.len(), if two_cpus { pairs } else { pairs - apart });
    for trial in reported {
        let name = format!("{} of {}", trial.primitive.name(), trial.program);
        assert!(!matches!(trial.state, State::Failed(_)), "{name}: {:?}", trial.state);
        let trial = trial.trial.expect("it reported a trial");
        assert!(trial.points.iter().all(|point| point.counted == point.count), "{name}");
    }
}

#[test]
fn every_primitive_has_a_program() {
    let found = found("crates");
    for primitive in Primitive::ALL {
        let has = found.iter().any(|program| program.primitives.contains(&primitive));
        assert!(has, "{}", primitive.name());
    }
}

#[test]
fn a_program_that_counts_wrong_fails() {
    let State::Failed(why) = state_of("miscounts") else { panic!("it did not fail") };
    assert!(why.contains("that were asked for (generator)"), "{why}");
}

#[test]
fn a_program_that_does_nothing_for_each_is_invalid() {
    let State::Invalid(why) = state_of("nothing") else { panic!("it is not invalid") };
    assert!(why.iter().any(|reason| reason.to_string().contains("optimised away")), "{why:?}");
}

#[test]
fn a_program_whose_cpu_time_is_not_the_kernel_s_or_another_process_s_is_invalid() {
    for (fault, words) in [
        ("hides", "ns of CPU time for what the kernel charged"),
        ("starts", "it started other processes (1), whose CPU time nobody counts"),
    ] {
        let State::Invalid(why) = state_of(fault) else { panic!("{fault}: it is not invalid") };
        assert!(why.iter().any(|reason| reason.to_string().contains(words)), "{fault}: {why:?}");
    }
}

#[test]
fn a_process_that_is_left_behind_by_one_who_ignores_its_children_is_found_and_ended() {
    let mut found = found("tests/models");
    found[0].env = BTreeMap::from([("FAULT".to_owned(), "leaves".to_owned())]);
    let folder = tempfile::tempdir().expect("it is made");
    let path = folder.path().join("ignores");
    let real = built(&found[0].package).path;
    // The kernel counts nothing of children whose end is ignored.
    let script = format!("#!/bin/bash\ntrap '' CHLD\nexec {}\n", real.display());
    fs::write(&path, script).expect("it is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let program = Program { path, sha256: String::new(), interpreter: None };
    let schedule = scheduled(found.clone(), PrimitiveBlocks::ONCE);
    let programs = [(found[0].name.clone(), program)].into();
    let mut states = Vec::new();
    let blocks = &schedule.primitives.blocks;
    harness::run_primitives((&schedule, blocks), &programs, &mut |_, trial| {
        states.extend(trial.map(|trial| trial.state.clone()));
        Ok(())
    })
    .expect("nothing stops it");
    let State::Invalid(why) = &states[0] else { panic!("{states:?}") };
    assert!(why.iter().any(|r| r.to_string().starts_with("it started other processes")), "{why:?}");
    let sleeps = |id: &str| {
        let line = fs::read(format!("/proc/{id}/cmdline"));
        line.is_ok_and(|line| line == b"/bin/sleep\x0062\0")
    };
    let processes = fs::read_dir("/proc").expect("Linux has it").flatten();
    let mut ids = processes.map(|entry| entry.file_name().to_string_lossy().into_owned());
    assert!(!ids.any(|id| sleeps(&id)), "it is ended");
}

#[test]
fn a_program_that_dies_fails_with_its_last_words() {
    let State::Failed(why) = state_of("dies") else { panic!("it did not fail") };
    assert!(why.contains("there is no third batch"), "{why}");
}

/// Returns a trial of a block as it would be written.
fn record(schedule: &Schedule, (block, position): (u32, u32)) -> Entry {
    let block = schedule.primitives.block(block).expect("it is scheduled");
    Entry::Primitive(Box::new(PrimitiveRecord {
        block: block.number,
        position,
        primitive: block.primitive,
        program: block.order[position as usize].clone(),
        started_utc: "2026-11-22T10:15:02Z".to_owned(),
        spent_ms: 1,
        state: State::Failed("it was never run".to_owned()),
        versions: BTreeMap::new(),
        trial: None,
    }))
}

/// Writes a run of primitives, as far as some entries go, and reads it back.
fn written(
    schedule: &Schedule,
    entries: &[Entry],
) -> (tempfile::TempDir, RunFolder, anyhow::Result<Run>) {
    let results = tempfile::tempdir().expect("a folder can be made");
    let environment = Environment::read(results.path(), "none", BTreeMap::new());
    let mut folder = RunFolder::create(results.path(), schedule, &environment).expect("it writes");
    for entry in entries {
        folder.append(entry).expect("it writes");
    }
    let run = Run::read(folder.path());
    (results, folder, run)
}

/// Returns all trials of some blocks.
fn whole(schedule: &Schedule, blocks: std::ops::Range<u32>) -> Vec<Entry> {
    let order = |number: u32| schedule.primitives.block(number).map_or(0, |b| b.order.len());
    let positions =
        |number| (0..u32::try_from(order(number)).unwrap_or(0)).map(move |p| (number, p));
    blocks.flat_map(positions).map(|place| record(schedule, place)).collect()
}

#[test]
fn a_run_that_was_cut_inside_a_block_of_primitives_goes_on_with_that_block() {
    let schedule = scheduled(found("crates"), PrimitiveBlocks::MEASURED);
    let mut entries = whole(&schedule, 0..5);
    entries.push(record(&schedule, (5, 0)));
    let (_results, mut folder, run) = written(&schedule, &entries);
    let run = run.expect("it reads");
    assert_eq!(run.next_block(), Some(5));
    assert_eq!((run.primitives.cut.len(), run.integrity), (1, Integrity::Unfinished));

    let (at_utc, programs_sha256) = ("2026-11-22T11:00:00Z".to_owned(), BTreeMap::new());
    let resume = Resume { at_utc, block: 5, session: 0, programs_sha256 };
    let blocks = u32::try_from(schedule.primitives.blocks.len()).expect("they are few");
    let rest = [vec![Entry::Resume(resume)], whole(&schedule, 5..blocks)].concat();
    for entry in &rest {
        folder.append(entry).expect("it writes");
    }
    let path = folder.path().to_owned();
    folder.finish().expect("it writes");
    let run = Run::read(&path).expect("it reads");
    assert_eq!((run.next_block(), &run.integrity), (None, &Integrity::Whole));
    assert_eq!(run.primitives.whole.len(), whole(&schedule, 0..blocks).len());
    assert_eq!(run.primitives.cut.len(), 1);
}

#[test]
fn a_trial_of_a_primitive_that_is_lost_doubled_or_swapped_is_noticed() {
    let schedule = scheduled(found("crates"), PrimitiveBlocks::MEASURED);
    let good = whole(&schedule, 0..3);
    assert!(written(&schedule, &good).2.is_ok());
    let lost = [&good[..1], &good[2..]].concat();
    let doubled = [&good[..2], &good[1..]].concat();
    let later = whole(&schedule, 1..3);
    for entries in [lost, doubled, later] {
        assert!(written(&schedule, &entries).2.is_err());
    }
}

#[test]
fn any_changed_byte_of_a_trial_of_a_primitive_is_noticed() {
    let schedule = scheduled(found("crates"), PrimitiveBlocks::ONCE);
    let blocks = u32::try_from(schedule.primitives.blocks.len()).expect("they are few");
    let (_results, folder, _) = written(&schedule, &whole(&schedule, 0..blocks));
    let path = folder.path().to_owned();
    folder.finish().expect("it writes");
    let journal = path.join("journal.jsonl");
    let good = fs::read(&journal).expect("it is there");
    for place in (0..good.len()).step_by(37) {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        fs::write(&journal, &bytes).expect("it writes");
        let whole = Run::read(&path).is_ok_and(|run| run.integrity == Integrity::Whole);
        assert!(!whole, "byte {place}");
    }
}

#[test]
fn check_holds_the_state_of_a_trial_against_its_counts() {
    let found = found("tests/models");
    let schedule = scheduled(found.clone(), PrimitiveBlocks::ONCE);
    let mut entries = Vec::new();
    let blocks = schedule.primitives.blocks.clone();
    harness::run_primitives((&schedule, &blocks), &programs(&found), &mut |_, trial| {
        entries.extend(trial.cloned());
        Ok(())
    })
    .expect("nothing stops it");
    let run = |trial: &PrimitiveRecord| {
        let entry = Entry::Primitive(Box::new(trial.clone()));
        written(&schedule, &[entry]).2.expect("it reads")
    };
    assert_eq!(harness::revalidate(&run(&entries[0])), Vec::<String>::new());
    let mut forged = entries[0].clone();
    forged.state = State::Valid;
    forged.trial.as_mut().expect("it reported a trial").points[0].counted -= 1;
    let problems = harness::revalidate(&run(&forged));
    assert!(problems.len() == 1 && problems[0].contains("its counts say"), "{problems:?}");
}

#[test]
fn blocks_of_primitives_hold_every_program_once_and_are_drawn_from_the_seed() {
    let drawn = || scheduled(found("crates"), PrimitiveBlocks::MEASURED);
    let schedule = drawn();
    assert_eq!(schedule, drawn());
    for block in &schedule.primitives.blocks {
        let mut order = block.order.clone();
        order.sort();
        let has = |program: &&PrimitiveProgram| program.primitives.contains(&block.primitive);
        let all = schedule.primitives.programs.iter().filter(has);
        assert_eq!(order, all.map(|program| program.name.clone()).collect::<Vec<_>>());
    }
    let numbers: Vec<u32> = schedule.primitives.blocks.iter().map(|block| block.number).collect();
    assert!(numbers.iter().copied().eq(0..u32::try_from(numbers.len()).unwrap_or(0)));
}
