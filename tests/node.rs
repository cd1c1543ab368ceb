//! Models for Node.js: where it is missing their rows say so and nothing else changes, and what it
//! runs is in their program.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use harness::Interpreter;
use record::{Model, Run};

use crate::support::shell::without;
use crate::support::skip::skipped;
use crate::support::{MODELS, WORKSPACE, alone, built};

/// Returns the models for Node that can run on this machine; says so if there are none.
fn models() -> Vec<&'static Model> {
    let is_own = |model: &&Model| model.language.as_deref() == Some("Node.js");
    let models: Vec<&Model> = MODELS.iter().filter(is_own).collect();
    if models.is_empty() {
        skipped("no node that models are written for");
    }
    models
}

/// Returns what runs a model.
fn interpreter(model: &Model) -> Interpreter {
    built(&model.package).interpreter.expect("it was found")
}

#[test]
fn without_node_its_rows_say_so_and_the_rest_is_measured() {
    let _alone = alone();
    let (path, results) = (without("node"), tempfile::tempdir().expect("it is made"));
    let mut command = Command::new(built("inflight").path);
    let measured = ["run", "--preset", "smoke", "--cell", "batch", "--verbose", "--out"];
    command.args(measured).arg(results.path());
    command.args(["node", "node-undici"]).env("PATH", path.path()).current_dir(&WORKSPACE.root);
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("node is missing: no node was found"), "{said}");
    assert!(table.contains("node and node-undici: missing: no node was found"), "{table}{said}");
    assert!(table.contains("`sudo apt-get install nodejs` fixes it"), "{table}");

    let run = fs::read_dir(results.path()).expect("it is there").flatten();
    let run = run.map(|entry| entry.path()).find(|path| path.join("schedule.json").exists());
    let run = Run::read(&run.expect("a run is there")).expect("it reads");
    let took: BTreeSet<&str> = run.turns.iter().map(|turn| turn.model.as_str()).collect();
    assert_eq!(took, BTreeSet::from(["event-loop", "tokio"]));
    let code = if run.is_sound() { 0 } else { 4 };
    assert_eq!(output.status.code(), Some(code), "{said}");
}

#[test]
fn the_versions_of_node_and_of_its_own_client_are_known_beside_the_hash_of_the_program() {
    for model in models() {
        let found = interpreter(model);
        assert!(found.path.is_absolute() && found.path.exists(), "{}", found.path.display());
        let names: Vec<&str> = found.versions.keys().map(String::as_str).collect();
        assert_eq!(names, ["node", "undici"]);
        assert!(found.lists_sha256.is_empty());
    }
}

#[test]
fn every_module_is_one_that_node_can_read() {
    let Some(model) = models().into_iter().next() else { return };
    let listed = ["crates/node-kit/src", "crates/model-node/src", "crates/model-node-undici/src"];
    let files = listed.into_iter().flat_map(|folder| {
        fs::read_dir(WORKSPACE.root.join(folder)).expect("it is there").flatten()
    });
    let modules: Vec<_> = files
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "mjs"))
        .collect();
    assert!(modules.len() > 10, "{modules:?}");
    for module in modules {
        let mut check = Command::new(interpreter(model).path);
        let output = check.arg("--check").arg(&module).output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Asks the kit for the code of each error of the system that has one while connecting, and for
/// what the protocol works out as an example.
const ASKS: &str = r#"
import { strict as assert } from "node:assert";
import { crc32 } from "node:zlib";
const kit = `file://${process.argv[1]}`;
const { whileConnecting } = await import(`${kit}/codes.mjs`);
const { body } = await import(`${kit}/inflight.mjs`);
const { threeDigits } = await import(`${kit}/ledger.mjs`);
for (const [name, code] of [["ECONNREFUSED", 1201], ["ETIMEDOUT", 1202], ["ECONNRESET", 1203],
    ["ECONNABORTED", 1203], ["EHOSTUNREACH", 1204], ["ENETUNREACH", 1204],
    ["EADDRNOTAVAIL", 1002], ["EMFILE", 1001], ["ENFILE", 1001], ["ENOMEM", 1004],
    ["ENOBUFS", 1004], ["EPERM", 1999]]) {
  assert.equal(whileConnecting(name), code, name);
}
assert.equal(body(42n, 3n, 16).toString("hex"), "2853db4cc6d44a81ef5c8b4658ec0379");
assert.equal(crc32(body(42n, 3n, 16)), 0x92591a6c);
for (const [value, rounded] of [[0, 0], [999, 999], [1234, 1230], [1235, 1240], [99960, 100000]]) {
  assert.equal(threeDigits(value), rounded);
}
"#;

#[test]
fn codes_bodies_and_digits_are_those_of_the_protocol() {
    let Some(model) = models().into_iter().next() else { return };
    let mut asks = Command::new(interpreter(model).path);
    asks.args(["--input-type=module", "--eval", ASKS]);
    let output = asks.arg(WORKSPACE.root.join("crates/node-kit/src")).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
