//! Promises of `environment.json`: old files stay readable, the bytes do not drift, nothing is
//! absent, and nothing tells whose machine it is.

#[path = "environment/fixed.rs"]
mod fixed;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use record::Environment;
use record::environment::{Fact, Kernel};
use serde_json::Value;

use fixed::{fixed, kernel};

/// What 1.0 wrote for a run that is published.
const GOLDEN_1_0: &str = include_str!("golden/environment-1.0.json");

/// What 1.1 wrote for the fixed values of this file.
const GOLDEN_1_1: &str = include_str!("golden/environment-1.1.json");

/// What 1.2 wrote for them.
const GOLDEN_1_2: &str = include_str!("golden/environment-1.2.json");

/// What 1.3 writes for them.
const GOLDEN_1_3: &str = include_str!("golden/environment-1.3.json");

/// Returns the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("it is there")
}

/// Returns the environment of this machine, as JSON.
fn here() -> Value {
    let programs = BTreeMap::from([("origin".to_owned(), "0".repeat(64))]);
    serde_json::to_value(Environment::read(&root(), "wiremock 0.6.5", programs))
        .expect("it is JSON")
}

/// Collects the paths of all fields, and all texts, which the keys of maps are among.
fn collect(value: &Value, path: &str, found: &mut (BTreeSet<String>, Vec<(String, String)>)) {
    found.0.insert(path.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.1.push((path.to_owned(), name.clone()));
                collect(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, path, found)),
        Value::String(text) => found.1.push((path.to_owned(), text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns the paths of all fields and all texts of a value.
fn collected(value: &Value) -> (BTreeSet<String>, Vec<(String, String)>) {
    let mut found = (BTreeSet::new(), Vec::new());
    collect(value, "", &mut found);
    found
}

#[test]
fn a_file_of_1_0_is_read_with_what_it_does_not_tell_unknown() {
    let read: Environment = serde_json::from_str(GOLDEN_1_0).unwrap();
    assert_eq!(read.schema, "inflight.environment/1.0");
    assert_eq!((read.class().as_str(), read.memory_mib), ("2c-container", 24_105));
    let written = serde_json::to_value(&read).unwrap();
    let old: Value = serde_json::from_str(GOLDEN_1_0).unwrap();
    let old = old.as_object().unwrap();
    for (name, value) in written.as_object().unwrap() {
        match old.get(name) {
            Some(told) => assert_eq!(value, told, "{name}"),
            None => all_unknown(name, value),
        }
    }
}

/// Asserts that nothing in a section is told.
fn all_unknown(name: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            assert!(!fields.is_empty(), "{name}");
            fields.iter().for_each(|(field, value)| all_unknown(&format!("{name}.{field}"), value));
        }
        Value::Null => {}
        told => assert_eq!(told, "unknown", "{name}"),
    }
}

#[test]
fn a_file_of_1_1_is_read_with_prices_python_and_the_clocks_reading_unknown() {
    let schema = "inflight.environment/1.1".to_owned();
    let kernel_settings = Kernel { clock_reading_ns: None, ..kernel() };
    let (model_prices, python) = (None, None);
    let mut told = Environment { schema, kernel_settings, model_prices, python, ..fixed() };
    without_choices(&mut told);
    assert_eq!(serde_json::from_str::<Environment>(GOLDEN_1_1).unwrap(), told);
}

#[test]
fn a_file_of_1_2_is_read_with_who_chose_compiler_and_settings_unknown() {
    let mut told = Environment { schema: "inflight.environment/1.2".to_owned(), ..fixed() };
    without_choices(&mut told);
    assert_eq!(serde_json::from_str::<Environment>(GOLDEN_1_2).unwrap(), told);
}

/// Takes out what 1.3 adds.
fn without_choices(told: &mut Environment) {
    told.tool.built_before_source = Fact::default();
    let build = &mut told.build;
    for fact in [&mut build.rustc_chosen_by, &mut build.rustc_wrapper, &mut build.flags_in_force] {
        *fact = Fact::default();
    }
    build.profile_overrides = None;
}

#[test]
fn a_file_of_1_3_has_exactly_the_golden_bytes_and_is_read_back_the_same() {
    let written = serde_json::to_string_pretty(&fixed()).unwrap() + "\n";
    assert_eq!(written, GOLDEN_1_3);
    assert_eq!(serde_json::from_str::<Environment>(GOLDEN_1_3).unwrap(), fixed());
}

#[test]
fn every_field_is_present_on_every_machine() {
    let golden: Value = serde_json::from_str(GOLDEN_1_3).unwrap();
    let (fields, _) = collected(&here());
    // What lies in these depends on the machine; in all else no field may be missing.
    let of_the_machine = [
        ".programs_sha256.",
        ".host.caches.",
        ".host.mitigations.",
        ".build.rustc.",
        ".build.profile_environment.",
        ".build.profile_overrides.",
        ".build.profile_release.",
        ".build.toolchains.",
        ".model_prices.",
        ".python.",
    ];
    for field in collected(&golden).0 {
        let depends = of_the_machine.iter().any(|map| field.starts_with(map));
        assert!(depends || fields.contains(&field), "{field}");
    }
}

#[test]
fn what_reading_the_clock_takes_is_told_and_not_nothing() {
    let told = here()["kernel_settings"]["clock_reading_ns"].as_u64();
    assert!(told.is_some_and(|nanoseconds| nanoseconds > 0), "{told:?}");
}

#[test]
fn no_text_is_empty_in_the_sections() {
    for (path, text) in collected(&here()).1 {
        assert!(!text.is_empty() || path == ".rustflags", "{path}");
    }
}

#[test]
fn nothing_tells_whose_machine_it_is() {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let user = ["USER", "LOGNAME"].map(|name| env::var(name).unwrap_or_default());
    let home = env::home_dir().unwrap();
    let home_name = home.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let root = root();
    // Kinds are words of ours, which a host may happen to be called by.
    let ours = [".kind", ".host.kind"];

    for (path, text) in collected(&here()).1 {
        for place in [home.as_path(), root.as_path()] {
            let place = place.to_str().unwrap();
            assert!(place == "/" || !text.contains(place), "{path}: {text}");
        }
        let is_part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let words: Vec<&str> = text.split(|c| !is_part(c)).collect();
        for name in [host.trim(), &user[0], &user[1], &home_name] {
            let told = !name.is_empty() && words.contains(&name) && !ours.contains(&path.as_str());
            assert!(!told, "{path} tells {name}: {text}");
        }
    }
}

#[test]
fn nothing_looks_like_a_path_or_an_address() {
    for (path, text) in collected(&here()).1 {
        // The kernel's own words divide alternatives by a slash: "usercopy/swapgs barriers".
        let by_the_kernel = path.starts_with(".host.mitigations");
        let word = |word: &str| word.starts_with('/') || word.starts_with('~');
        assert!(!text.split([' ', '=']).any(word) || by_the_kernel, "{path}: {text}");
        let numbers = |word: &str| word.parse::<std::net::IpAddr>().is_ok();
        assert!(!text.split([' ', '=']).any(numbers), "{path}: {text}");
    }
}
