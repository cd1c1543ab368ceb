//! Busy work that is added on purpose must be found, and is never a model.

use report::Form;
use rules::Reason;

use crate::story::{BASELINE, CONTROL, FLOOR, Story, figures, invalid};

/// Returns the summary of a story for a terminal.
fn summary(story: &Story) -> String {
    let run = story.run();
    report::summary(&analysis::summarize(&run, BASELINE, FLOOR), Form::Terminal)
}

#[test]
fn a_control_is_found_and_on_target() {
    let story = Story::of("citable", 14);
    let cell = figures(&story.run());
    let [control] = cell.controls.as_slice() else { panic!("there is one control") };
    assert_eq!((control.name.as_str(), control.model.as_str()), (CONTROL.0, BASELINE));
    assert!(control.found && control.on_target, "{control:?}");
    assert!(cell.controls_lost.is_empty());
    assert!(summary(&story).contains("control tokio+5%: costs 1.05 times tokio by design"));
}

#[test]
fn a_control_is_no_row_and_in_no_family() {
    let cell = figures(&Story::of("standard", 14).run());
    assert!(cell.rows.iter().all(|row| row.model != CONTROL.0));
    assert!(cell.pairs.iter().all(|pair| pair.model != CONTROL.0 && pair.other != CONTROL.0));
}

#[test]
fn a_control_that_costs_nothing_is_not_found() {
    let mut story = Story::of("citable", 14);
    for turn in story.turns(CONTROL.0, "steady") {
        let window = &mut turn.turned.as_mut().unwrap().window;
        window.cpu_ns = window.cpu_ns * 100 / 105;
    }
    let cell = figures(&story.run());
    assert!(!cell.controls[0].found && !cell.controls[0].on_target);
    assert!(summary(&story).contains(": not found"));
}

#[test]
fn a_control_of_too_few_blocks_is_not_found() {
    let cell = figures(&Story::of("citable", 5).run());
    assert!(!cell.controls[0].found && !cell.controls[0].on_target);
}

#[test]
fn a_control_without_figures_is_told_with_its_reason() {
    let mut story = Story::of("citable", 14);
    for turn in story.turns(CONTROL.0, "steady") {
        invalid(turn, Reason::NoTime);
    }
    assert!(figures(&story.run()).controls.is_empty());
    let expected = "control tokio+5%: invalid: the window took no time (28 of 28 turns)";
    assert!(summary(&story).contains(expected));
}
