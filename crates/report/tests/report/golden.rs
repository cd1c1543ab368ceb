//! A stored run whose derived files are stored too, and compared byte for byte. It holds every
//! kind of row, mark and note.

use std::fs;
use std::path::{Path, PathBuf};

use record::{Entry, Integrity, Resume, RoundRecord, Run, State, Stop};
use rules::Reason;

use crate::fixture::{
    BASELINE, CONNECTIONS, FLOOR, LATE, RunFixture, batch, block_of, invalid, resume, schedule,
    steady,
};

/// Asks for the stored files to be written anew.
pub(crate) const BLESS: &str = "INFLIGHT_BLESS";
/// What a run is made of.
const MEASURED: [&str; 4] = ["schedule.json", "environment.json", "journal.jsonl", "MANIFEST"];

/// Returns where the run is stored.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run")
}

/// Returns a run in which everything happens that a summary has a word for.
fn fixture() -> RunFixture {
    let mut schedule = schedule("standard", &[(batch(), 6), (steady(), 24)]);
    schedule.supersedes = Some("20261121T101502Z-2c-vm-7f3a91c4".to_owned());
    let mut fixture = RunFixture::by(schedule);

    fixture.end_before(26);
    for cell in ["batch", "steady"] {
        for turn in fixture.turns("threads", cell) {
            invalid(turn, CONNECTIONS);
        }
    }
    fixture.turns("smol-hyper", "steady")[3].state = State::Failed("it hung".to_owned());
    invalid(fixture.turns("smol", "steady")[5], LATE);
    repeat(&mut fixture, 11);
    for turn in fixture.turns("tokio-reqwest", "steady") {
        turn.turned.as_mut().unwrap().window.wall_ns = 700_000_000;
    }
    cut(&mut fixture, 9);
    let reason = "each interval is at most 3.0 % to either side".to_owned();
    fixture.entries.push(Entry::Stop(Stop { cell: Some("steady".to_owned()), blocks: 20, reason }));
    fixture
}

/// Lets the machine disturb the first round of a block, which is measured again.
fn repeat(fixture: &mut RunFixture, block: u32) {
    let of_round = |entry: &&Entry| match entry {
        Entry::Turn(turn) => (turn.block, turn.round) == (block, 0),
        Entry::Round(round) => (round.block, round.round) == (block, 0),
        _ => false,
    };
    let first = fixture.entries.iter().position(|entry| of_round(&entry)).unwrap();
    let mut before: Vec<Entry> = fixture.entries.iter().filter(of_round).cloned().collect();
    before.pop();
    let disturbed = vec![Reason::Stolen { percent: 12 }];
    before.push(Entry::Round(RoundRecord { block, round: 0, disturbed, host: None }));
    fixture.entries.splice(first..first, before);
}

/// Cuts a run short after three turns of a block, and lets it go on with that block.
fn cut(fixture: &mut RunFixture, block: u32) {
    let of_block = |entry: &&Entry| block_of(entry) == Some(block);
    let first = fixture.entries.iter().position(|entry| of_block(&entry)).unwrap();
    let mut before: Vec<Entry> = fixture.entries.iter().filter(of_block).take(3).cloned().collect();
    before.push(Entry::Resume(Resume { block, ..resume() }));
    fixture.entries.splice(first..first, before);
}

/// Writes the stored run and what is derived from it anew.
fn bless() {
    let results = tempfile::tempdir().unwrap();
    let written = fixture().write(results.path());
    let _ = fs::remove_dir_all(folder().join("derived"));
    fs::create_dir_all(folder().join("derived")).unwrap();
    for name in MEASURED {
        fs::copy(written.join(name), folder().join(name)).unwrap();
    }
    let run = Run::read(&folder()).unwrap();
    for (name, bytes) in report::derive(&analysis::summarize(&run, BASELINE, FLOOR)) {
        let path = folder().join("derived").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn the_same_run_gives_the_bytes_that_are_stored() {
    if std::env::var_os(BLESS).is_some() {
        bless();
    }
    let run = Run::read(&folder()).unwrap();
    assert_eq!(run.integrity, Integrity::Whole);
    let derived = report::derive(&analysis::summarize(&run, BASELINE, FLOOR));
    let names: Vec<&str> = derived.keys().map(String::as_str).collect();
    let whole: Vec<&str> =
        names.iter().copied().filter(|name| !name.starts_with("figures/")).collect();
    let expected = [
        "CITATION.cff",
        "checks.json",
        "citation.bib",
        "report.html",
        "summary.json",
        "summary.md",
        "tables.csv",
        "tables.tex",
    ];
    assert_eq!(whole, expected);
    assert!(
        names.contains(&"figures/cost-steady.svg") && names.contains(&"figures/cost-steady.csv")
    );
    for (name, bytes) in derived {
        let stored = fs::read(folder().join("derived").join(&name)).unwrap();
        let [computed, stored] = [&bytes, &stored].map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(computed, stored, "{name}: `{BLESS}=1 cargo test -p report` to renew it");
    }
}

#[test]
fn the_stored_run_is_the_one_that_is_made_here() {
    let (stored, reported) = (Run::read(&folder()).unwrap(), fixture().run());
    assert_eq!(stored.schedule, reported.schedule);
    assert_eq!((stored.turns, stored.cut), (reported.turns, reported.cut));
    assert_eq!((stored.rounds, stored.blocks), (reported.rounds, reported.blocks));
    assert_eq!((stored.repeated, stored.disturbed), (reported.repeated, reported.disturbed));
    assert_eq!((stored.stops, stored.resumes), (reported.stops, reported.resumes));
}

#[test]
fn the_summary_for_programs_has_its_schema_and_a_reason_beside_each_gap() {
    /// Checks that whatever has neither value nor interval says why.
    fn check(value: &serde_json::Value) {
        if let Some(object) = value.as_object() {
            let gap = ["value", "low", "high"]
                .iter()
                .any(|key| object.get(*key).is_some_and(serde_json::Value::is_null));
            assert!(!gap || object["reason"].is_string(), "{value}");
            object.values().for_each(check);
        }
        value.as_array().into_iter().flatten().for_each(check);
    }
    let derived = report::derive(&analysis::summarize(&fixture().run(), BASELINE, FLOOR));
    let summary: serde_json::Value = serde_json::from_slice(&derived["summary.json"]).unwrap();
    assert_eq!(summary["schema"], "inflight.summary/2.0");
    check(&summary);
}
