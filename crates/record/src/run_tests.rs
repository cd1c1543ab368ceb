//! Promises about runs that are read: whole ones come back, and what was altered, cut off or never
//! ours is reported in a sentence.

use rules::Reason;
use std::path::PathBuf;

use super::*;
use crate::folder::MEASURED;
use crate::{Again, Block, Placement, RunFolder, runs};

#[path = "held_tests.rs"]
mod held;

/// Writes a small run and returns its folder, kept as long as the first value is.
fn written() -> (tempfile::TempDir, PathBuf) {
    let results = tempfile::tempdir().unwrap();
    let placement = Placement {
        model_cpus: vec![1],
        origin_cpus: vec![0],
        workers: 1,
        shards: 1,
        awake: true,
        ..Placement::default()
    };
    let schedule = Schedule {
        schema: "inflight.schedule/2.0".to_owned(),
        version: "0.2.0".to_owned(),
        preset: "test".to_owned(),
        family: crate::Family::AgainstBaseline,
        is_citable: false,
        seed: 1,
        placement,
        cells: Vec::new(),
        models: Vec::new(),
        baseline: None,
        absent: Vec::new(),
        missing: Vec::new(),
        blocks: (0..3).map(block).collect(),
        controls: Vec::new(),
        probes: Vec::new(),
        stop: None,
        sessions: Vec::new(),
        supersedes: None,
        operations: Vec::new(),
        programs: Vec::new(),
        batch_ns: 0,
        quirks: None,
        sweeps: Vec::new(),
        holds: Vec::new(),
        groups: BTreeMap::new(),
    };
    let environment = Environment::read(results.path(), "none", BTreeMap::new());
    let mut folder = RunFolder::create(results.path(), &schedule, &environment).unwrap();
    (0..3).flat_map(lines).for_each(|line| folder.append(&line).unwrap());
    let path = folder.path().to_owned();
    folder.finish().unwrap();
    (results, path)
}

/// Returns a block of two rounds of one turn.
fn block(number: u32) -> Block {
    let rounds = vec![vec!["tokio".to_owned()]; 2];
    Block { number, cell: "steady".to_owned(), seed: 1, rounds, session: 0 }
}

/// Returns the lines of a whole block.
fn lines(block: u32) -> Vec<Entry> {
    let round =
        |round| [Entry::Turn(Box::new(turn(block, round))), ended(block, round, Vec::new())];
    let stays = [("tokio".to_owned(), StayRecord::default())].into();
    let end = Entry::Block(Box::new(BlockRecord { block, stays }));
    (0..2).flat_map(round).chain([end]).collect()
}

/// Returns the end of a round that was disturbed like this, or not.
fn ended(block: u32, round: u32, disturbed: Vec<Reason>) -> Entry {
    Entry::Round(RoundRecord { block, round, disturbed, host: None })
}

/// Returns the turn of a round of a block.
fn turn(block: u32, round: u32) -> TurnRecord {
    TurnRecord {
        block,
        round,
        position: 0,
        cell: "steady".to_owned(),
        model: "tokio".to_owned(),
        started_utc: "2026-11-22T10:15:02Z".to_owned(),
        spent_us: 95_000,
        state: State::Valid,
        turned: None,
        receipt: None,
        asked: None,
        charged_ns: None,
        held: None,
    }
}

/// Returns the turns of the first blocks.
fn turns(blocks: u32) -> Vec<TurnRecord> {
    (0..blocks).flat_map(|block| (0..2).map(move |round| turn(block, round))).collect()
}

/// Writes these lines into the journal of a run that did not come to its end, and reads it.
fn read(lines: &[Entry]) -> Result<Run> {
    let (_results, path) = written();
    fs::remove_file(path.join("MANIFEST")).unwrap();
    let journal = path.join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let begin = text.lines().next().unwrap().to_owned() + "\n";
    let lines: String = lines.iter().map(|line| line.to_line().unwrap()).collect();
    fs::write(&journal, begin + &lines).unwrap();
    Run::read(&path)
}

#[test]
fn a_run_is_read_back_as_it_was_written() {
    let (_results, path) = written();
    let run = Run::read(&path).unwrap();
    assert_eq!(run.integrity, Integrity::Whole);
    assert_eq!(run.turns, turns(3));
    assert_eq!((run.rounds.len(), run.blocks.len()), (6, 3));
}

#[test]
fn the_name_of_a_run_ends_in_the_hash_of_its_schedule() {
    let (_results, path) = written();
    let hash = sha256(&fs::read(path.join("schedule.json")).unwrap());
    assert!(path.to_string_lossy().ends_with(&hash[..8]));
}

/// Copies the measured files of a run into a folder beside it, of that name.
fn copied(run: &Path, name: &str) -> PathBuf {
    let copy = run.with_file_name(name);
    fs::create_dir(&copy).unwrap();
    for file in MEASURED {
        fs::copy(run.join(file), copy.join(file)).unwrap();
    }
    copy
}

#[test]
fn a_run_is_known_by_its_measured_files_whatever_its_folder_is_called() {
    let (results, path) = written();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let hash = &name[name.len() - 8..];
    // The last could be the name of a run of this schedule.
    for copy in ["backup", "zzz", &format!("20990101T000000Z-2c-vm-{hash}")] {
        let copy = copied(&path, copy);
        assert_eq!(Run::read(&copy).unwrap().id, name);
        assert_eq!(runs(results.path()), [(name.clone(), path.clone())].into());
    }
    fs::remove_dir_all(&path).unwrap();
    assert!(runs(results.path()).into_keys().eq([name]), "a copy is the run where it is alone");
}

#[test]
fn a_run_whose_journal_does_not_name_it_has_the_name_of_its_folder() {
    let (results, path) = written();
    let journal = fs::read_to_string(path.join("journal.jsonl")).unwrap();
    let (_, rest) = journal.split_once('\n').unwrap();
    let begin = crate::Begin { schema: "inflight.journal/2.0".to_owned(), run: None };
    let begin = Entry::Begin(begin).to_line().unwrap();
    fs::write(path.join("journal.jsonl"), begin + rest).unwrap();

    let run = Run::read(&path).unwrap();
    assert_eq!(run.id, path.file_name().unwrap().to_string_lossy());
    for copy in ["backup", "zzz"] {
        assert_eq!(Run::read(&copied(&path, copy)).unwrap().id, run.id);
    }
    assert_eq!(runs(results.path()), [(run.id, path.clone())].into());
    // Nothing says what it was called where no folder is left that was its own.
    fs::rename(&path, results.path().join("other")).unwrap();
    assert_eq!(Run::read(&results.path().join("other")).unwrap().id, "other");
}

#[test]
fn any_changed_byte_of_any_file_is_noticed() {
    let (_results, path) = written();
    for name in [&MEASURED[..], &["MANIFEST"]].concat() {
        let file = path.join(name);
        let good = fs::read(&file).unwrap();
        for place in (0..good.len()).step_by(7) {
            let mut bytes = good.clone();
            bytes[place] ^= 1;
            fs::write(&file, &bytes).unwrap();
            let whole = Run::read(&path).is_ok_and(|run| run.integrity == Integrity::Whole);
            assert!(!whole, "{name}, byte {place}");
        }
        fs::write(&file, &good).unwrap();
    }
}

#[test]
fn a_run_that_was_cut_keeps_every_line_that_was_whole() {
    let (_results, path) = written();
    fs::remove_file(path.join("MANIFEST")).unwrap();
    let journal = path.join("journal.jsonl");
    let text = fs::read(&journal).unwrap();
    fs::write(&journal, &text[..text.len() - 10]).unwrap();
    let run = Run::read(&path).unwrap();
    assert_eq!(run.integrity, Integrity::Unfinished);
    // The end of the last block was cut off: its turns stay, and count for nothing.
    assert_eq!((&run.turns, run.cut.len()), (&turns(2), 2));
}

#[test]
fn a_round_that_was_disturbed_is_kept_and_counts_for_nothing() {
    let mut lines = lines(0);
    let again =
        [Entry::Turn(Box::new(turn(0, 0))), ended(0, 0, vec![Reason::Stolen { percent: 30 }])];
    lines.splice(0..0, again);
    let run = read(&lines).unwrap();
    assert_eq!((run.turns, run.repeated), (turns(1), vec![turn(0, 0)]));
    assert_eq!((run.rounds.len(), run.disturbed.len()), (2, 1));
}

#[test]
fn a_block_whose_origin_failed_is_kept_and_begins_anew() {
    let mut all = lines(0);
    let why = Reason::OriginFailed { why: "it died".to_owned() };
    let begun = [
        Entry::Turn(Box::new(turn(0, 0))),
        ended(0, 0, Vec::new()),
        Entry::Turn(Box::new(turn(0, 1))),
        Entry::Again(Again { block: 0, reason: why.clone() }),
    ];
    all.splice(0..0, begun);
    let run = read(&all).unwrap();
    assert_eq!((run.turns, run.cut.len(), run.blocks.len()), (turns(1), 2, 1));
    assert_eq!(run.again, [Again { block: 0, reason: why }]);
}

#[test]
fn lines_that_do_not_follow_each_other_are_refused() {
    let good = lines(0);
    assert!(read(&good).is_ok());
    // A turn before the round ends that precedes it, an end before its turns, an end twice.
    for order in [&[0, 2][..], &[1], &[0, 1, 1], &[0, 1, 4], &[0, 0], &[2]] {
        let lines: Vec<Entry> = order.iter().map(|&line| good[line].clone()).collect();
        assert!(read(&lines).is_err(), "{order:?}");
    }
    let elsewhere = StayRecord::default();
    let stays = [("smol".to_owned(), elsewhere)].into();
    let other = Entry::Block(Box::new(BlockRecord { block: 0, stays }));
    assert!(read(&[&good[..4], &[other]].concat()).is_err(), "it has another participant");
}

#[test]
fn a_journal_line_that_is_lost_doubled_or_swapped_is_noticed() {
    let (_results, path) = written();
    let journal = path.join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for order in [&[0, 1][..], &[0, 1, 1, 2], &[1, 0, 2]] {
        let changed: Vec<&str> = order.iter().map(|&line| lines[line]).collect();
        fs::write(&journal, changed.join("\n") + "\n").unwrap();
        let altered = Integrity::Altered(vec!["journal.jsonl".to_owned()]);
        assert!(Run::read(&path).map_or(true, |run| run.integrity == altered));
    }
}

/// Returns why a run is refused.
fn refusal(path: &Path) -> String {
    format!("{:#}", Run::read(path).expect_err("it is refused"))
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_never_taken_for_whole() {
    let (_results, path) = written();
    for name in [&MEASURED[..], &["MANIFEST"]].concat() {
        let file = path.join(name);
        let good = fs::read(&file).unwrap();
        // Every byte of the files is in some step of some file; all of each would take a minute.
        for end in (0..good.len()).step_by(good.len() / 150 + 1) {
            fs::write(&file, &good[..end]).unwrap();
            let whole = Run::read(&path).is_ok_and(|run| run.integrity == Integrity::Whole);
            assert!(!whole, "{name}, cut at {end}");
        }
        fs::write(&file, &good).unwrap();
    }
}

#[test]
fn a_journal_that_is_cut_off_at_any_byte_keeps_every_line_that_was_whole() {
    let (_results, path) = written();
    fs::remove_file(path.join("MANIFEST")).unwrap();
    let journal = path.join("journal.jsonl");
    let good = fs::read(&journal).unwrap();
    for end in 0..good.len() {
        fs::write(&journal, &good[..end]).unwrap();
        let lines = String::from_utf8_lossy(&good[..end]).matches('\n').count();
        // After the first line each block has five, of which the first and the third are turns.
        let (blocks, rest) = (lines.saturating_sub(1) / 5, lines.saturating_sub(1) % 5);
        let run = Run::read(&path).unwrap();
        let cut = [0, 1, 1, 2, 2][rest];
        assert_eq!((run.turns.len(), run.cut.len()), (2 * blocks, cut), "{end}");
    }
}

#[test]
fn a_run_whose_line_ends_were_converted_is_altered() {
    for name in MEASURED {
        let (_results, path) = written();
        let file = path.join(name);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace('\n', "\r\n")).unwrap();
        let altered = Integrity::Altered(vec![name.to_owned()]);
        assert_eq!(Run::read(&path).unwrap().integrity, altered);
    }
}

#[test]
fn a_link_or_a_device_in_the_place_of_a_file_is_refused() {
    for name in [&MEASURED[..], &["MANIFEST"]].concat() {
        for target in ["/dev/zero", "/etc/hostname"] {
            let (_results, path) = written();
            fs::remove_file(path.join(name)).unwrap();
            std::os::unix::fs::symlink(target, path.join(name)).unwrap();
            let why = refusal(&path);
            assert!(why.contains(name) && why.contains("expected a file"), "{why}");
        }
    }
}

#[test]
fn nothing_is_computed_into_a_folder_that_is_a_link() {
    let (results, path) = written();
    let elsewhere = results.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, path.join("derived")).unwrap();
    let files = BTreeMap::from([("summary.md".to_owned(), Vec::new())]);
    assert!(crate::write_derived(&path, "0.1.0", &files).is_err());
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a_journal_of_a_gigabyte_is_refused_without_reading_it() {
    let (_results, path) = written();
    let journal = fs::OpenOptions::new().write(true).open(path.join("journal.jsonl")).unwrap();
    // It takes no room: what was never written is a hole.
    journal.set_len(1 << 30).unwrap();
    for manifest in [true, false] {
        if !manifest {
            fs::remove_file(path.join("MANIFEST")).unwrap();
        }
        let why = refusal(&path);
        assert!(why.contains("1073741824 bytes, expected at most"), "{why}");
    }
}

#[test]
fn a_schedule_with_a_number_that_no_run_has_is_refused() {
    let cell = r#"{"name":"a","workload":"batch","in_flight":1,"warmup":0,
                   "fetches":18446744073709551615,
                   "delay_ms":[0,0],"body_bytes":1}"#;
    let changes = [
        ("\"cells\": []", format!("\"cells\": [{cell}]"), "18446744073709551615 fetches"),
        ("\"number\": 2", "\"number\": 4294967295".to_owned(), "the number 4294967295"),
        ("\"shards\": 1", "\"shards\": 4294967295".to_owned(), "4294967295 workers or shards"),
        ("\"seed\": 1", "\"seed\": 1e400".to_owned(), "number out of range"),
        ("\"seed\": 1", "\"seed\": NaN".to_owned(), "expected value"),
        ("\"seed\": 1", "\"seed\": \"NaN\"".to_owned(), "invalid type: string"),
        ("\"seed\": 1", format!("\"seed\": {}1", "[".repeat(9_000)), "recursion limit"),
        ("inflight.schedule/2", "inflight.schedule/3".to_owned(), "expected major version 2"),
        ("inflight.schedule/2", "inflight.schedule/1".to_owned(), "only Inflight 0.1 reads it"),
        ("inflight.schedule/2.0", "schedule".to_owned(), "expected major version 2"),
    ];
    for (old, new, words) in changes {
        let (_results, path) = written();
        let file = path.join("schedule.json");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(old), "{text}");
        fs::write(&file, text.replacen(old, &new, 1)).unwrap();
        let why = refusal(&path);
        assert!(why.contains(words) && why.contains("schedule.json"), "{why}");
    }
}

#[test]
fn a_newer_minor_and_fields_of_no_meaning_are_read() {
    let (_results, path) = written();
    let file = path.join("schedule.json");
    let text = fs::read_to_string(&file).unwrap();
    let newer = text.replace("schedule/2.0", "schedule/2.99");
    fs::write(&file, newer.replacen('{', "{\"__proto__\": {\"seed\": 2},", 1)).unwrap();
    let run = Run::read(&path).unwrap();
    assert_eq!((run.schedule.seed, run.turns.len()), (1, 6));
    assert_eq!(run.integrity, Integrity::Altered(vec!["schedule.json".to_owned()]));
}

#[test]
fn a_turn_of_any_year_is_read() {
    for year in ["1970-01-01T00:00:00Z", "2106-02-07T06:28:16Z", "+292277026596-12-04T15:30:08Z"] {
        let mut lines = lines(0);
        lines[0] = Entry::Turn(Box::new(TurnRecord { started_utc: year.to_owned(), ..turn(0, 0) }));
        assert_eq!(read(&lines).unwrap().turns[0].started_utc, year);
    }
}
