//! Models in Go: where it is missing their rows say so and nothing else changes, and what builds
//! them takes nothing from whoever measures.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use harness::Interpreter;
use record::{Model, Run};

use crate::support::go::go;
use crate::support::shell::without;
use crate::support::skip::skipped;
use crate::support::{MODELS, WORKSPACE, alone, beside, built};

/// Returns the models in Go that can run on this machine; says so if there are none.
fn models() -> Vec<&'static Model> {
    let is_own = |model: &&Model| model.language.as_deref() == Some("Go");
    let models: Vec<&Model> = MODELS.iter().filter(is_own).collect();
    if models.is_empty() {
        skipped("no Go that models are built by");
    }
    models
}

/// Returns what builds the models, if they can be built.
fn toolchain() -> Option<Interpreter> {
    models().first().map(|model| built(&model.package).interpreter.expect("it was found"))
}

#[test]
fn without_go_its_rows_say_so_and_the_rest_is_measured() {
    let _alone = alone();
    // What sets it up where it is not there is pip.
    let (path, results) = (without("python"), tempfile::tempdir().expect("it is made"));
    let _ = fs::remove_file(path.path().join("go"));
    let mut command = Command::new(built("inflight").path);
    let measured = ["run", "--preset", "smoke", "--cell", "batch", "--verbose", "--out"];
    command.args(measured).arg(results.path());
    command.args(["go", "go-net-http"]).env("PATH", path.path()).current_dir(&WORKSPACE.root);
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = "no go was found, and no python3 was found";
    assert!(said.contains(&format!("go is missing: {why}")), "{said}");
    assert!(table.contains(&format!("go and go-net-http: missing: {why}")), "{table}{said}");
    assert!(table.contains("`sudo apt-get install python3` fixes it"), "{table}");

    let run = fs::read_dir(results.path()).expect("it is there").flatten();
    let run = run.map(|entry| entry.path()).find(|path| path.join("schedule.json").exists());
    let run = Run::read(&run.expect("a run is there")).expect("it reads");
    let took: BTreeSet<&str> = run.turns.iter().map(|turn| turn.model.as_str()).collect();
    assert_eq!(took, BTreeSet::from(["event-loop", "tokio"]));
    let code = if run.is_sound() { 0 } else { 4 };
    assert_eq!(output.status.code(), Some(code), "{said}");
}

#[test]
fn the_version_of_go_is_known_and_the_list_by_which_it_was_set_up() {
    for model in models() {
        let program = built(&model.package);
        let found = program.interpreter.expect("it was found");
        assert!(found.path.is_absolute() && found.path.exists(), "{}", found.path.display());
        assert!(found.is_compiler && program.path != found.path);
        assert_eq!(found.versions.keys().collect::<Vec<_>>(), ["go"]);
        let is_ours = found.path.starts_with(&WORKSPACE.target);
        assert_eq!(found.lists_sha256.len(), usize::from(is_ours), "{:?}", found.lists_sha256);
    }
}

#[test]
fn nothing_that_is_set_in_the_environment_changes_what_is_built() {
    let Some(model) = models().into_iter().next() else { return };
    let _beside = beside();
    let program = built(&model.package);
    let mut verify = Command::new(built("inflight").path);
    verify.args(["verify", &model.name, "--cell", "batch"]).current_dir(&WORKSPACE.root);
    for (name, value) in [
        ("GOARCH", "wasm"),
        ("GOFLAGS", "-nonsense"),
        ("GOROOT", "/nonexistent"),
        ("GOTOOLCHAIN", "go1.0"),
        ("GOWORK", "/nonexistent"),
        ("GOCACHE", "off"),
    ] {
        verify.env(name, value);
    }
    let output = verify.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("failed to") && !said.contains("missing"), "{said}");
    let again = harness::compile(&WORKSPACE, &model.package).expect("it builds");
    assert_eq!(again.sha256, program.sha256);
}

#[test]
fn every_file_is_formatted_and_vetted() {
    let Some(toolchain) = toolchain() else { return };
    let mut format = Command::new(toolchain.path.with_file_name("gofmt"));
    let output = format.arg("-l").arg(WORKSPACE.root.join("crates")).output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let output = go(&toolchain).args(["vet", "./..."]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Asks the kit for the code of each error of the system that has one while connecting, and for
/// what the protocol works out as an example.
const ASKS: &str = r#"
package main

import (
	"fmt"
	"hash/crc32"
	"os"
	"syscall"

	kit "inflight/go-kit"
)

func main() {
	for errno, code := range map[syscall.Errno]kit.Code{
		syscall.ECONNREFUSED: 1201, syscall.ETIMEDOUT: 1202, syscall.ECONNRESET: 1203,
		syscall.ECONNABORTED: 1203, syscall.EHOSTUNREACH: 1204, syscall.ENETUNREACH: 1204,
		syscall.EADDRNOTAVAIL: 1002, syscall.EMFILE: 1001, syscall.ENFILE: 1001,
		syscall.ENOMEM: 1004, syscall.ENOBUFS: 1004, syscall.EPERM: 1999,
	} {
		expect(fmt.Sprint(kit.WhileConnecting(os.NewSyscallError("connect", errno))), fmt.Sprint(code))
	}
	expect(fmt.Sprintf("%x", kit.Body(42, 3, 16)), "2853db4cc6d44a81ef5c8b4658ec0379")
	expect(fmt.Sprintf("%x", crc32.ChecksumIEEE(kit.Body(42, 3, 16))), "92591a6c")
	for value, rounded := range map[uint64]uint64{
		0: 0, 999: 999, 1234: 1230, 1235: 1240, 99960: 100000,
	} {
		expect(fmt.Sprint(kit.ThreeDigits(value)), fmt.Sprint(rounded))
	}
}

func expect(found, expected string) {
	if found != expected {
		panic(found + " is not " + expected)
	}
}
"#;

/// Asks it for a counter that grew from 3 to 5, and where the kernel does not count.
const COUNTS: &str = r#"
package main

import kit "inflight/go-kit"

func main() {
	if kit.Counted(0, 0, 0) != nil || *kit.Counted(9, 3, 5) != 2 || *kit.Counted(9, 3, 3) != 0 {
		panic("what is not counted is unknown, and what is counted may be none")
	}
}
"#;

/// Runs a program that asks the kit, and fails if it does.
fn asks(program: &str) {
    let Some(toolchain) = toolchain() else { return };
    let folder = tempfile::tempdir().expect("it is made");
    let asks = folder.path().join("asks.go");
    fs::write(&asks, program).expect("it is writable");
    let output = go(&toolchain).arg("run").arg(asks).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn codes_bodies_and_digits_are_those_of_the_protocol() {
    asks(ASKS);
}

#[test]
fn what_the_kernel_does_not_count_is_unknown_and_not_none_of_it() {
    asks(COUNTS);
}
