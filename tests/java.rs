//! Models in Java: where it is missing their rows say so and nothing else changes, and what they
//! run is in their program.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use record::{Model, Run};

use crate::support;
use crate::support::skip::skipped;
use crate::support::{MODELS, WORKSPACE, alone, built};

/// Returns the models in Java that can run on this machine; says so if there are none.
fn models() -> Vec<&'static Model> {
    let is_own = |model: &&Model| model.language.as_deref() == Some("Java");
    let models: Vec<&Model> = MODELS.iter().filter(is_own).collect();
    if models.is_empty() {
        skipped("no javac that models are built by");
    }
    models
}

#[test]
fn without_java_its_rows_say_so_and_the_rest_is_measured() {
    let found = harness::missing(
        &WORKSPACE,
        &support::models_below("crates")
            .into_iter()
            .find(|model| model.name == "java-virtual-threads")
            .expect("it is a model"),
    );
    let Some(missing) = found else {
        return skipped("Java is here, also where PATH does not lead");
    };
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    let mut command = Command::new(built("inflight").path);
    let measured = ["run", "--preset", "smoke", "--cell", "batch", "--verbose", "--out"];
    command.args(measured).arg(results.path()).arg("java-virtual-threads");
    let output = command.current_dir(&WORKSPACE.root).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("java-virtual-threads is {missing}")), "{said}");
    let run = fs::read_dir(results.path()).expect("it is there").flatten();
    let run = run.map(|entry| entry.path()).find(|path| path.join("schedule.json").exists());
    let run = Run::read(&run.expect("a run is there")).expect("it reads");
    let took: BTreeSet<&str> = run.turns.iter().map(|turn| turn.model.as_str()).collect();
    assert_eq!(took, BTreeSet::from(["event-loop", "tokio"]));
}

#[test]
fn the_version_of_java_is_known_beside_the_hash_of_the_program() {
    for model in models() {
        let program = built(&model.package);
        let found = program.interpreter.expect("it was found");
        assert!(found.path.is_absolute() && found.path.exists(), "{}", found.path.display());
        assert_eq!(found.versions.keys().collect::<Vec<_>>(), ["java"]);
        // The same sources make the same bytes.
        let note = WORKSPACE.target.join("inflight/java").join(&model.package);
        fs::remove_file(&note).expect("it was built");
        let again = harness::compile(&WORKSPACE, &model.package).expect("it builds");
        assert_eq!(again.sha256, program.sha256);
    }
}

/// Asks the kit for the code of each error of the system that has one while connecting, and for
/// what the protocol works out as an example.
const ASKS: &str = r#"
package kit;

import java.io.IOException;
import java.util.HexFormat;
import java.util.Map;

public class Asks {
    public static void main(String[] arguments) {
        Map.of("Connection refused", 1201, "Connection timed out", 1202, "Connection reset", 1203,
            "No route to host", 1204, "Network is unreachable", 1204,
            "Cannot assign requested address", 1002, "Too many open files", 1001,
            "Cannot allocate memory", 1004, "No buffer space available", 1004,
            "Operation not permitted", 1999)
            .forEach((says, code) -> expect(Codes.whileConnecting(new IOException(says)), code));
        byte[] body = Work.body(42, 3, 16);
        expect(HexFormat.of().formatHex(body), "2853db4cc6d44a81ef5c8b4658ec0379");
        expect(Long.toHexString(Work.crc(body)), "92591a6c");
        Map.of(0L, 0L, 999L, 999L, 1234L, 1230L, 1235L, 1240L, 99960L, 100000L)
            .forEach((value, rounded) -> expect(Ledger.threeDigits(value), rounded));
        // What the kernel does not count is unknown, and what it counts may be none.
        expect(Reading.counted(0, 0, 0), "null");
        expect(Reading.counted(9, 3, 3), "0");
        expect(Reading.counted(9, 3, 5), "2");
    }

    private static void expect(Object found, Object expected) {
        if (!found.equals(expected)) {
            throw new AssertionError(found + " is not " + expected);
        }
    }
}
"#;

#[test]
fn codes_bodies_and_digits_are_those_of_the_protocol() {
    let Some(model) = models().into_iter().next() else { return };
    let program = built(&model.package);
    let java = program.interpreter.expect("it was found").path;
    let folder = tempfile::tempdir().expect("it is made");
    let asks = folder.path().join("Asks.java");
    fs::write(&asks, ASKS).expect("it is writable");
    let mut compile = Command::new(java.with_file_name("javac"));
    compile.arg("-classpath").arg(&program.path).arg("-d").arg(folder.path()).arg(asks);
    assert!(compile.status().expect("it starts").success());
    let classes = format!("{}:{}", folder.path().display(), program.path.display());
    let output = Command::new(java).args(["-classpath", &classes, "kit.Asks"]).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
