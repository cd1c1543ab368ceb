//! Busy work that is added on purpose must be found, and is never a model.

use report::Form;
use rules::Reason;

use crate::fixture::{BASELINE, CONTROL, FLOOR, RunFixture, figures, invalid};

/// Returns the summary of a fixture for a terminal.
fn summary(fixture: &RunFixture) -> String {
    let run = fixture.run();
    report::summary(&analysis::summarize(&run, BASELINE, FLOOR), Form::Terminal)
}

#[test]
fn a_control_is_found_and_on_target() {
    let fixture = RunFixture::of("citable", 14);
    let cell = figures(&fixture.run());
    let [control] = cell.controls.as_slice() else { panic!("there is one control") };
    assert_eq!((control.name.as_str(), control.model.as_str()), (CONTROL.0, BASELINE));
    assert!(control.found && control.on_target, "{control:?}");
    assert!(cell.controls_lost.is_empty());
    assert!(summary(&fixture).contains("control tokio+5%: costs 1.05 times tokio by design"));
}

#[test]
fn a_control_is_no_row_and_in_no_family() {
    let cell = figures(&RunFixture::of("standard", 14).run());
    assert!(cell.rows.iter().all(|row| row.model != CONTROL.0));
    assert!(cell.pairs.iter().all(|pair| pair.model != CONTROL.0 && pair.other != CONTROL.0));
}

#[test]
fn a_control_that_costs_nothing_is_not_found() {
    let mut fixture = RunFixture::of("citable", 14);
    for turn in fixture.turns(CONTROL.0, "steady") {
        let window = &mut turn.turned.as_mut().unwrap().window;
        window.cpu_ns = window.cpu_ns * 100 / 105;
    }
    let cell = figures(&fixture.run());
    assert!(!cell.controls[0].found && !cell.controls[0].on_target);
    assert!(summary(&fixture).contains(": not found"));
}

#[test]
fn a_control_of_too_few_blocks_is_not_found() {
    let cell = figures(&RunFixture::of("citable", 5).run());
    assert!(!cell.controls[0].found && !cell.controls[0].on_target);
}

#[test]
fn a_control_without_figures_is_reported_with_its_reason() {
    let mut fixture = RunFixture::of("citable", 14);
    for turn in fixture.turns(CONTROL.0, "steady") {
        invalid(turn, Reason::NoTime);
    }
    assert!(figures(&fixture.run()).controls.is_empty());
    let expected = "control tokio+5%: invalid: the window took no time (28 of 28 turns)";
    assert!(summary(&fixture).contains(expected));
}
