//! What the header and the lines around a table say of a run.

use analysis::RowState;
use record::{Entry, Run, Stop};
use report::Form;

use crate::fixture::{BASELINE, FLOOR, RunFixture, batch, figures, resume, row, schedule, steady};

/// Returns the summary of a run for a terminal.
fn summary(run: &Run) -> String {
    report::summary(&analysis::summarize(run, BASELINE, FLOOR), Form::Terminal)
}

/// Checks that the summary of a run has each of these texts.
fn check(run: &Run, expected: &[&str]) {
    let text = summary(run);
    for expected in expected {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn only_a_whole_run_of_citable_with_all_its_sessions_is_no_estimate() {
    check(
        &RunFixture::of("standard", 6).run(),
        &["   estimate (preset standard)   6 blocks   lower"],
    );
    check(
        &RunFixture::of("citable", 60).run(),
        &["   estimate (preset citable)   60 blocks   lower"],
    );
    let mut fixture = RunFixture::of("citable", 60);
    for block in &mut fixture.schedule.blocks {
        block.session = block.number / 20;
    }
    check(&fixture.run(), &["   citable   60 blocks   lower"]);
    assert!(!summary(&fixture.run()).contains("estimate"));
    fixture.entries.pop();
    check(&fixture.run(), &["   estimate (preset citable)   59 blocks   lower"]);
}

#[test]
fn turns_of_cut_blocks_never_enter_and_are_counted() {
    let mut fixture = RunFixture::of("standard", 14);
    let whole = figures(&fixture.run());
    let mut cut: Vec<Entry> = fixture.entries[..3].to_vec();
    for entry in &mut cut {
        let Entry::Turn(turn) = entry else { continue };
        turn.turned.as_mut().unwrap().window.cpu_ns *= 9;
    }
    cut.push(Entry::Resume(resume()));
    fixture.entries.splice(0..0, cut);
    let run = fixture.run();
    assert_eq!(figures(&run), whole);
    check(&run, &["resumed 1 time; 3 turns of cut blocks left out\n"]);
}

#[test]
fn a_run_without_interruption_says_nothing_of_one() {
    let text = summary(&RunFixture::of("standard", 6).run());
    for word in ["resumed", "left out", "supersedes", "ended after", "unfinished"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn blocks_are_those_measured_and_a_stop_is_reported_for_each_cell() {
    let mut fixture = RunFixture::by(schedule("standard", &[(batch(), 6), (steady(), 14)]));
    fixture.end_before(17);
    let reason = "40 minutes are over".to_owned();
    fixture.entries.push(Entry::Stop(Stop { cell: None, blocks: 17, reason }));
    let run = fixture.run();
    check(&run, &["   blocks: batch 6, steady 11   "]);
    check(&run, &["\nended after 11 blocks of 14: 40 minutes are over\n"]);
    assert_eq!(summary(&run).matches("ended after").count(), 1);
}

#[test]
fn a_cell_reports_its_own_stop_rather_than_the_run_s() {
    let mut fixture = RunFixture::of("standard", 14);
    fixture.end_before(12);
    for (cell, reason) in [(None, "time over"), (Some("steady".to_owned()), "wide enough")] {
        let stop = Stop { cell, blocks: 12, reason: reason.to_owned() };
        fixture.entries.push(Entry::Stop(stop));
    }
    check(&fixture.run(), &["ended after 12 blocks of 14: wide enough\n"]);
}

#[test]
fn a_corrected_run_is_named() {
    let mut fixture = RunFixture::of("quick", 6);
    fixture.schedule.supersedes = Some("20261121T101502Z-2c-vm-7f3a91c4".to_owned());
    check(&fixture.run(), &["\nsupersedes run 20261121T101502Z-2c-vm-7f3a91c4\n"]);
}

#[test]
fn a_model_that_never_had_its_turn_is_a_row() {
    let mut run = RunFixture::of("quick", 6).run();
    run.schedule.models[0].name = "late".to_owned();
    let cell = figures(&run);
    assert_eq!(row(&cell, "late").state, RowState::NotMeasured);
    check(&run, &["not measured"]);
}

#[test]
fn a_table_fits_a_wide_terminal() {
    let fixture = RunFixture::by(schedule("standard", &[(batch(), 6), (steady(), 22)]));
    let text = summary(&fixture.run());
    let table = text.lines().filter(|line| !line.contains(": ") && !line.contains("Linux"));
    assert!(table.clone().all(|line| line.chars().count() < 130), "{text}");
    assert!(table.count() > 10);
}
