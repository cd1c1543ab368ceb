//! Promises of `inflight explain`: it says what a fetch is made of, by the tools that there are,
//! and which are missing, of every row that `compare` takes.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::shell::{check, inflight, text};
use crate::support::{WORKSPACE, alone, built, executable};
use crate::versions::locked;

/// Returns what is explained, as programs read it.
fn explained(arguments: &[&str]) -> Value {
    read(&inflight(&WORKSPACE.root, &[&["explain", "--json"], arguments].concat()))
}

/// Reads what a command explained.
fn read(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    for model in said["models"].as_array().expect("there are two") {
        assert!(model["window"]["cpu_ns"].as_u64() > Some(0), "{model}");
    }
    said
}

/// Returns how often a fetch of a model makes a system call of one of these names.
fn calls(model: &Value, names: &[&str]) -> f64 {
    let calls = model["system_calls_per_fetch"].as_array().expect("they were counted");
    let own = calls.iter().filter(|call| names.iter().any(|name| call["name"] == *name));
    own.map(|call| call["value"].as_f64().expect("it is a number")).sum()
}

#[test]
fn a_fetch_sends_once_and_a_thread_for_each_waits_in_its_read() {
    let _alone = alone();
    let said = explained(&["threads", "event-loop"]);
    assert_eq!(said["cell"]["name"], "steady");
    let [threads, floor] = [&said["models"][0], &said["models"][1]];
    assert_eq!((&threads["model"], &floor["model"]), (&"threads".into(), &"event-loop".into()));
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
fn a_version_is_explained_beside_the_locked_one_in_a_cell_of_somebodys_own_numbers() {
    let _alone = alone();
    let row = format!("rayon@{}", locked("rayon").0);
    let numbers = ["--in-flight", "8", "--delay", "1..3", "--workers", "1"];
    let said = explained(&[&["rayon", row.as_str()][..], &numbers].concat());
    assert_eq!(said["models"][0]["model"], "rayon");
    assert_eq!(said["models"][1]["model"], row.as_str());
    assert_eq!(said["cell"]["in_flight"], 8);
    assert_eq!(said["cell"]["delay_ms"], json!([1, 3]));
}

#[test]
fn a_model_outside_is_explained_beside_the_baseline_as_far_as_tools_may_watch_it() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("it is made");
    let tools = tempfile::tempdir().expect("it is made");
    for tool in ["strace", "perf"] {
        executable(&tools.path().join(tool), "#!/bin/sh\necho 'not permitted' >&2\nexit 1\n");
    }
    let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").expect("it is set"));
    let models = ["--models", folder.path().to_str().expect("our paths are UTF-8")];
    let made = [&["new-model", "guest", "--like", "blocking"][..], &models].concat();
    check(&inflight(&WORKSPACE.root, &made), 0, "");
    let mut explain = Command::new(built("inflight").path);
    explain.args(["explain", "--json", "guest", "--cell", "steady-low"]).args(models);
    explain.env("PATH", path).current_dir(&WORKSPACE.root);
    let said = read(&explain.output().expect("it starts"));
    assert_eq!(said["cell"]["name"], "steady-low");
    assert_eq!(said["models"][0]["model"], "guest");
    assert_eq!(said["models"][1]["model"], "tokio");
    for (tool, of) in [("strace", "system_calls_per_fetch"), ("perf", "share_of_cpu")] {
        let why = said["models"][0][of]["missing"].as_str().expect("it says why");
        assert!(why.starts_with(&format!("{tool} could not watch it: ")), "{why}");
        assert!(why.ends_with("it ended with exit code 1: not permitted"), "{why}");
    }
}

#[test]
fn what_cannot_be_explained_is_said_in_a_sentence() {
    for (arguments, words) in [
        (&["explain", "toky"][..], "did you mean \"tokio\"?"),
        (&["explain", "smol", "smol"], "is named twice"),
        (&["explain", "smol", "--cell", "batch"], "name a steady cell"),
        (&["explain", "smol", "--cell", "hold-64"], "run --cell hold-64` measures hold-64"),
        (&["explain", "smol", "--cell", "steady-workers"], "type `--cell steady --workers 2`"),
        (&["explain", "smol", "tokio@latest"], "is no version: expected three numbers"),
        (&["explain", "smol", "--allocator", "mimaloc"], "invalid value 'mimaloc'"),
        (&["explain", "smol", "--workers", "1024"], "1024 workers need as many CPUs"),
        (&["explain", "smol", "--in-flight", "8", "--cell", "steady"], "cannot be used with"),
    ] {
        let output = inflight(&WORKSPACE.root, arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = text(&output) + &String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(words), "{said}");
    }
}
