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

#[test]
fn a_law_that_single_blocks_have_too_few_turns_for_is_held_over_all_of_them() {
    let turned = json!({
        "turn": 0,
        "window": {
            "ended": 20, "ok": 20, "wall_ns": 110_000_000, "cpu_ns": 20_000_000, "user_ns": 0,
            "system_ns": 0, "switches_voluntary": 0, "switches_involuntary": 0, "faults_minor": 0
        },
        "total": { "issued": 28, "ok": 28, "errors": {}, "extra_bytes": 0 },
        "threads": 1, "in_flight_peak": 4, "latencies_ns": [], "wake_up_delays_ns": []
    });
    let turned: Turned = serde_json::from_value(turned).unwrap();
    // One turn a block, each charged so many times what it reported.
    let states = |times: u64| -> Vec<State> {
        let mut run = read(&lines(0)).unwrap();
        let cell = json!({
            "name": "steady", "workload": "steady", "in_flight": 4, "warmup": 8, "fetches": 20,
            "delay_ms": [20, 20], "body_bytes": 128
        });
        run.schedule.cells = vec![serde_json::from_value(cell).unwrap()];
        let charged_ns = Some(28_000_000 * times);
        for turn in &mut run.turns {
            (turn.turned, turn.charged_ns) = (Some(turned.clone()), charged_ns);
        }
        run.hold_over_blocks();
        run.turns.into_iter().map(|turn| turn.state).collect()
    };
    assert_eq!(states(1), [State::Valid, State::Valid]);
    let hidden = Reason::CpuHidden { reported_ns: 1_000_000, charged_ns: 2_000_000 };
    assert_eq!(states(2), vec![State::Invalid(vec![hidden]); 2]);
}
