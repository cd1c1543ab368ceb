//! Laws that hold over more than one turn take all of its turns out.

use serde_json::json;
use workload::pipe::Turned;

use super::*;

#[test]
fn a_stay_that_broke_a_law_takes_its_turns_out() {
    let invalid = vec![Reason::Mean { tenths: 30, slots: 64 }];
    let mut lines = lines(0);
    let stay = StayRecord { invalid: invalid.clone(), ..StayRecord::default() };
    let stays = [("tokio".to_owned(), stay)].into();
    *lines.last_mut().unwrap() = Entry::Block(Box::new(BlockRecord { block: 0, stays }));
    let run = read(&lines).unwrap();
    let state = State::Invalid(invalid);
    assert!(run.turns.len() == 2 && run.turns.iter().all(|turn| turn.state == state));
}

/// Returns what is reported of a turn with so many threads.
fn turned(threads: u64) -> Turned {
    let turned = json!({
        "turn": 0,
        "window": {
            "ended": 20, "ok": 20, "wall_ns": 110_000_000, "cpu_ns": 20_000_000, "user_ns": 0,
            "system_ns": 0, "switches_voluntary": 0, "switches_involuntary": 0, "faults_minor": 0
        },
        "total": { "issued": 28, "ok": 28, "errors": {}, "extra_bytes": 0 },
        "threads": threads, "in_flight_peak": 4, "latencies_ns": [], "wake_up_delays_ns": []
    });
    serde_json::from_value(turned).unwrap()
}

/// Returns a run of two turns of a cell.
fn two_turns() -> Run {
    let mut run = read(&lines(0)).unwrap();
    let cell = json!({
        "name": "steady", "workload": "steady", "in_flight": 4, "warmup": 8, "fetches": 20,
        "delay_ms": [20, 20], "body_bytes": 128
    });
    run.schedule.cells = vec![serde_json::from_value(cell).unwrap()];
    run
}

#[test]
fn a_law_that_single_blocks_have_too_few_turns_for_is_held_over_all_of_them() {
    // One turn a block, each charged so many times what it reported.
    let states = |times: u64| -> Vec<State> {
        let mut run = two_turns();
        let charged_ns = Some(28_000_000 * times);
        for turn in &mut run.turns {
            (turn.turned, turn.charged_ns) = (Some(turned(1)), charged_ns);
        }
        run.hold_over_blocks();
        run.turns.into_iter().map(|turn| turn.state).collect()
    };
    assert_eq!(states(1), [State::Valid, State::Valid]);
    let hidden = Reason::CpuHidden { reported_ns: 1_000_000, charged_ns: 2_000_000 };
    assert_eq!(states(2), vec![State::Invalid(vec![hidden]); 2]);
}

#[test]
fn a_row_that_is_built_apart_has_as_many_threads_in_each_turn_of_a_cell() {
    let states = |threads: [u64; 2], levers: serde_json::Value| -> Vec<State> {
        let mut run = two_turns();
        let model = json!({
            "name": "tokio", "package": "model-tokio", "label": "tokio", "unit": "task",
            "client": "bare", "threads": "workers + 2", "levers": levers
        });
        run.schedule.models = vec![serde_json::from_value(model).unwrap()];
        for (turn, threads) in run.turns.iter_mut().zip(threads) {
            turn.turned = Some(turned(threads));
        }
        run.hold_over_blocks();
        run.turns.into_iter().map(|turn| turn.state).collect()
    };
    let valid = [State::Valid, State::Valid];
    assert_eq!(states([4, 4], json!([{ "cfg": "mine" }])), valid);
    let vary = Reason::ThreadsVary { least: 3, most: 4 };
    let varying = states([3, 4], json!([{ "cfg": "mine" }]));
    assert_eq!(varying, vec![State::Invalid(vec![vary]); 2]);
    // Each turn of the locked version is held to the manifest instead.
    assert_eq!(states([3, 4], json!([])), valid);
}
