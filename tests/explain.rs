//! Promises of `inflight explain`: it says what a fetch is made of, by the tools that there are,
//! and which are missing.

mod support;

use serde_json::Value;

use support::shell::{inflight, text};
use support::{WORKSPACE, alone};

/// Returns how often a fetch of a model makes a system call of one of these names.
fn calls(model: &Value, names: &[&str]) -> f64 {
    let calls = model["system_calls_per_fetch"].as_array().expect("they were counted");
    let own = calls.iter().filter(|call| names.iter().any(|name| call["name"] == *name));
    own.map(|call| call["value"].as_f64().expect("it is a number")).sum()
}

#[test]
fn a_fetch_sends_once_and_a_thread_for_each_waits_in_its_read() {
    let _alone = alone();
    let output = inflight(&WORKSPACE.root, &["explain", "threads", "event-loop", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(said["cell"]["name"], "steady");
    let [threads, floor] = [&said["models"][0], &said["models"][1]];
    assert_eq!((&threads["model"], &floor["model"]), (&"threads".into(), &"event-loop".into()));
    for model in [threads, floor] {
        assert!(model["window"]["cpu_ns"].as_u64() > Some(0), "{model}");
    }
    if let Some(why) = threads["system_calls_per_fetch"]["missing"].as_str() {
        assert!(why.contains("strace"), "{why}");
        return;
    }
    for model in [threads, floor] {
        let sends = calls(model, &["sendto", "write", "writev", "sendmsg"]);
        assert!((0.9..1.5).contains(&sends), "{sends}: {model}");
    }
    let waits = |model| calls(model, &["epoll_wait", "epoll_pwait", "poll"]);
    assert!(waits(threads) < 0.1 && waits(floor) > 0.0, "{threads} {floor}");
}

#[test]
fn what_cannot_be_explained_is_said_in_a_sentence() {
    for (arguments, words) in [
        (&["explain", "toky"][..], "did you mean \"tokio\"?"),
        (&["explain", "smol", "smol"], "is named twice"),
        (&["explain", "smol", "--cell", "batch"], "name a steady cell"),
    ] {
        let output = inflight(&WORKSPACE.root, arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = text(&output) + &String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(words), "{said}");
    }
}
