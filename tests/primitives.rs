//! Promises of the programs that measure primitives: each does what it counts, and one that does
//! not is found.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;

use harness::{Basis, Preset, PrimitiveBlocks, Program, Programs};
use model_kit::Workload;
use record::{
    BlockRecord, Entry, Environment, Integrity, PrimitiveProgram, Resume, RoundRecord, Run,
    RunFolder, Schedule, State, StayRecord, TurnRecord,
};

use crate::support;
use crate::support::{Ran, WORKSPACE, beside, built, executable, placement, wait_until};

/// Returns the programs below a folder.
fn found(folder: &str) -> Vec<PrimitiveProgram> {
    harness::find_primitives(&WORKSPACE, folder).expect("every manifest describes its program")
}

/// Returns the faulty program, with its way to misbehave.
fn faulty(fault: &str) -> PrimitiveProgram {
    let env = BTreeMap::from([("FAULT".to_owned(), fault.to_owned())]);
    PrimitiveProgram { env, ..found("tests/models").remove(0) }
}

/// Returns a schedule of primitives alone.
fn scheduled(programs: Vec<PrimitiveProgram>, primitives: PrimitiveBlocks) -> Schedule {
    let preset = Preset { name: "test", cells: Vec::new(), primitives, ..harness::smoke() };
    harness::draw(Basis {
        preset,
        models: Vec::new(),
        missing: Vec::new(),
        programs,
        seed: 1,
        placement: placement(),
        probes: Vec::new(),
    })
}

/// Runs a schedule with these programs, by package, and returns all that happened.
fn ran(schedule: &Schedule, primitives: BTreeMap<String, Program>) -> Ran {
    let _beside = beside();
    // No origin takes part, so that any program may stand for it.
    let origin = Program { path: "/bin/false".into(), sha256: String::new(), interpreter: None };
    let programs = Programs { origin, models: BTreeMap::new(), primitives, missing: Vec::new() };
    support::carried_out(schedule, &programs, |_| {})
}

/// Returns the programs of a schedule, built.
fn programs(schedule: &Schedule) -> BTreeMap<String, Program> {
    let programs = schedule.programs.iter();
    programs.map(|program| (program.package.clone(), built(&program.package))).collect()
}

/// Returns the turns that the faulty program comes to.
fn turns_of(fault: &str) -> Vec<TurnRecord> {
    let schedule = scheduled(vec![faulty(fault)], PrimitiveBlocks::ONCE);
    ran(&schedule, programs(&schedule)).turns
}

/// Returns why turns are invalid.
fn reasons(turns: &[TurnRecord]) -> Vec<String> {
    let reasons = turns.iter().flat_map(support::reasons_of);
    reasons.collect()
}

#[test]
fn every_program_does_each_of_its_primitives_and_counts_right() {
    let schedule = scheduled(found("crates"), PrimitiveBlocks::ONCE);
    let ran = ran(&schedule, programs(&schedule));
    let had = |primitive: &Workload| {
        let has = |program: &&PrimitiveProgram| program.primitives.contains(primitive);
        let is_able = schedule.absent.iter().all(|absent| absent.cell != primitive.name());
        if is_able { schedule.programs.iter().filter(has).count() } else { 0 }
    };
    let pairs: usize = Workload::primitives().map(|primitive| had(&primitive)).sum();
    let stays: usize = ran.blocks.iter().map(|block| block.stays.len()).sum();
    assert_eq!(stays, pairs);
    for turn in &ran.turns {
        let name = format!("{} of {}", turn.cell, turn.model);
        let State::Valid = turn.state else {
            // A machine that is busy may do this, and nothing else.
            assert!(!turn.state.blames_the_model(), "{name}: {:?}", turn.state);
            continue;
        };
        let turned = turn.turned.as_ref().expect("it reported the turn");
        assert_eq!(turned.window.ok, turned.window.ended, "{name}");
        assert_eq!(turned.total.ok, turned.total.issued, "{name}");
        assert!(turn.asked.is_none_or(|asked| asked == turned.window.ended), "{name}");
        assert_eq!(turn.receipt, None, "{name}");
    }
}

#[test]
fn every_primitive_has_a_program() {
    let found = found("crates");
    for primitive in Workload::primitives() {
        let has = found.iter().any(|program| program.primitives.contains(&primitive));
        assert!(has, "{}", primitive.name());
    }
}

#[test]
fn the_turns_of_a_block_have_different_lengths_and_each_is_long_enough_to_be_timed() {
    let turns = turns_of("");
    let asked: Vec<u64> = turns.iter().filter_map(|turn| turn.asked).collect();
    assert_eq!(asked.len(), 8);
    let [least, most] = [asked.iter().min(), asked.iter().max()].map(|count| count.unwrap());
    assert!((5..=13).contains(&(most / least)), "{asked:?}");
    assert_eq!(reasons(&turns), [""; 0]);
}

#[test]
fn a_program_that_counts_wrong_is_invalid() {
    let why = reasons(&turns_of("miscounts"));
    assert!(why.iter().any(|why| why.contains("that were asked for")), "{why:?}");
}

#[test]
fn a_program_that_does_nothing_for_each_is_invalid() {
    let turns = turns_of("nothing");
    assert!(turns.iter().all(|turn| turn.state != State::Valid), "{turns:?}");
    let why = reasons(&turns);
    assert!(why.iter().any(|why| why.contains("optimised away")), "{why:?}");
}

#[test]
fn a_program_whose_cpu_time_is_not_the_kernel_s_or_another_process_s_is_invalid() {
    for (fault, words) in [
        ("hides", "ns of CPU time for what the kernel charged"),
        ("starts", "it started other processes (1), whose CPU time nobody counts"),
    ] {
        let turns = turns_of(fault);
        assert!(turns.iter().all(|turn| turn.state != State::Valid), "{fault}: {turns:?}");
        let why = reasons(&turns);
        assert!(why.iter().any(|why| why.contains(words)), "{fault}: {why:?}");
    }
}

#[test]
fn a_process_that_is_left_behind_by_one_who_ignores_its_children_is_found_and_ended() {
    let program = faulty("leaves");
    let folder = tempfile::tempdir().expect("it is made");
    let path = folder.path().join("ignores");
    let real = built(&program.package).path;
    // The kernel counts nothing of children whose end is ignored.
    let script = format!("#!/bin/bash\ntrap '' CHLD\nexec {}\n", real.display());
    executable(&path, &script);
    let ignores = Program { path, sha256: String::new(), interpreter: None };
    let package = program.package.clone();
    let schedule = scheduled(vec![program], PrimitiveBlocks::ONCE);
    let why = reasons(&ran(&schedule, [(package, ignores)].into()).turns);
    assert!(why.iter().any(|why| why.starts_with("it started other processes")), "{why:?}");
    let sleeps = |id: &str| {
        let line = fs::read(format!("/proc/{id}/cmdline"));
        line.is_ok_and(|line| line == b"/bin/sleep\x0062\0")
    };
    // The kernel takes a moment to carry the signal out, and the sleeper a minute to end by itself.
    wait_until("it is ended", || {
        let processes = fs::read_dir("/proc").expect("Linux has it").flatten();
        let mut ids = processes.map(|entry| entry.file_name().to_string_lossy().into_owned());
        !ids.any(|id| sleeps(&id))
    });
}

#[test]
fn a_program_that_dies_fails_with_its_last_words_and_is_out() {
    let turns = turns_of("dies");
    let State::Failed(why) = &turns[0].state else { panic!("it did not fail") };
    assert!(why.contains("there is no third turn"), "{why}");
    assert!(turns[1..].iter().all(|turn| turn.state == State::Out), "{turns:?}");
}

/// Returns what a journal says of some blocks of which no turn was taken.
fn untaken(schedule: &Schedule, numbers: Range<u32>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for number in numbers {
        let block = schedule.block(number).expect("it is scheduled");
        for (round, order) in (0..).zip(&block.rounds) {
            for (position, model) in (0..).zip(order) {
                entries.push(Entry::Turn(Box::new(TurnRecord {
                    block: number,
                    round,
                    position,
                    cell: block.cell.clone(),
                    model: model.clone(),
                    started_utc: "2026-11-22T10:15:02Z".to_owned(),
                    spent_us: 1,
                    state: State::Failed("it was never run".to_owned()),
                    asked: None,
                    turned: None,
                    receipt: None,
                    charged_ns: None,
                    held: None,
                })));
            }
            let (disturbed, host) = (Vec::new(), None);
            entries.push(Entry::Round(RoundRecord { block: number, round, disturbed, host }));
        }
        let stays = block.participants().into_iter();
        let stays = stays.map(|name| (name.to_owned(), StayRecord::default())).collect();
        entries.push(Entry::Block(Box::new(BlockRecord { block: number, stays })));
    }
    entries
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

#[test]
fn a_run_that_was_cut_inside_a_block_of_primitives_goes_on_with_that_block() {
    let schedule = scheduled(found("crates"), PrimitiveBlocks::MEASURED);
    let blocks = u32::try_from(schedule.blocks.len()).expect("they are few");
    let mut entries = untaken(&schedule, 0..5);
    entries.extend(untaken(&schedule, 5..6).into_iter().take(1));
    let (_results, mut folder, run) = written(&schedule, &entries);
    let run = run.expect("it reads");
    assert_eq!(run.next_block(), Some(5));
    assert_eq!((run.cut.len(), run.integrity), (1, Integrity::Unfinished));

    let (at_utc, programs_sha256) = ("2026-11-22T11:00:00Z".to_owned(), BTreeMap::new());
    let resume = Resume { at_utc, block: 5, session: 0, programs_sha256 };
    for entry in [vec![Entry::Resume(resume)], untaken(&schedule, 5..blocks)].concat() {
        folder.append(&entry).expect("it writes");
    }
    let path = folder.path().to_owned();
    folder.finish().expect("it writes");
    let run = Run::read(&path).expect("it reads");
    assert_eq!((run.next_block(), &run.integrity), (None, &Integrity::Whole));
    assert_eq!((run.blocks.len(), run.cut.len()), (schedule.blocks.len(), 1));
}

#[test]
fn check_holds_the_state_of_a_turn_against_its_counts() {
    let schedule = scheduled(vec![faulty("")], PrimitiveBlocks::ONCE);
    let entries = ran(&schedule, programs(&schedule)).entries;
    let problems =
        |entries: &[Entry]| harness::revalidate(&written(&schedule, entries).2.expect("it reads"));
    assert_eq!(problems(&entries), [""; 0]);
    let mut forged = entries;
    let turn = forged.iter_mut().find_map(|entry| match entry {
        Entry::Turn(turn) => Some(turn),
        _ => None,
    });
    let turn = turn.expect("there is a turn");
    turn.state = State::Valid;
    turn.turned.as_mut().expect("it reported the turn").window.ended -= 1;
    let problems = problems(&forged);
    assert!(problems.len() == 1 && problems[0].contains("that were asked for"), "{problems:?}");
}

#[test]
fn rounds_of_primitives_hold_every_program_once_and_are_drawn_from_the_seed() {
    let drawn = || scheduled(found("crates"), PrimitiveBlocks::MEASURED);
    let schedule = drawn();
    assert_eq!(schedule, drawn());
    for block in &schedule.blocks {
        let cell = schedule.cell(&block.cell).expect("it is scheduled");
        let has = |program: &&PrimitiveProgram| program.primitives.contains(&cell.workload);
        let all = schedule.programs.iter().filter(has).map(|program| program.package.clone());
        let all: Vec<String> = all.collect();
        for round in &block.rounds {
            let mut order = round.clone();
            order.sort();
            assert_eq!(order, all);
        }
    }
    let numbers: Vec<u32> = schedule.blocks.iter().map(|block| block.number).collect();
    assert!(numbers.iter().copied().eq(0..u32::try_from(numbers.len()).unwrap_or(0)));
}
