//! The JSON Schemas of a run's files, and of what is made of several runs, are what the types say
//! that write them, and every stored run keeps to them.
//!
//! The types derive them behind a feature that no model is built with. A change of a type fails
//! here until its schema is written anew by `INFLIGHT_BLESS=1 cargo test --test files schemas`.
//! What a released minor says is fixed by its file: a new field takes a new number, and a new file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use analysis::{Diff, Merge, Summary, Trust};
use harness::{BASELINE, FLOOR};
use record::{Entry, Environment, Run, Schedule};
use regex::Regex;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::support::WORKSPACE;
use crate::support::fixture::fixture;
use crate::support::shell::published;

/// The folder of the schemas.
const FOLDER: &str = "crates/record/schemas";
/// A file, and where the number of its minor stands.
const FILES: [(&str, &str); 5] = [
    ("schedule", "crates/record/src/schedule.rs"),
    ("environment", "crates/record/src/environment/mod.rs"),
    ("journal", "crates/record/src/folder.rs"),
    ("summary", "crates/analysis/src/document.rs"),
    ("checks", "crates/analysis/src/trust.rs"),
];
/// What is made of several runs, likewise.
const OF_SEVERAL: [(&str, &str); 2] =
    [("diff", "crates/analysis/src/diff.rs"), ("merge", "crates/analysis/src/merge.rs")];
/// Returns the number of the newest schema of a file, as the code that writes it has it.
fn newest(file: &str, code: &str) -> String {
    let text = fs::read_to_string(WORKSPACE.root.join(code)).expect("it is there");
    let begin = format!("inflight.{file}/");
    let (_, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{code} names no {begin}"));
    rest.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect()
}

/// Returns the path of the schema of a file.
fn path(file: &str, number: &str) -> PathBuf {
    WORKSPACE.root.join(FOLDER).join(format!("{file}-{number}.schema.json"))
}

/// Returns the schema of a file as the types have it: of what is read again, what a reader needs;
/// of what is derived, what is written.
fn written(file: &str, number: &str) -> Value {
    let dialect = SchemaSettings::draft2020_12;
    let (reads, writes) = (dialect().for_deserialize(), dialect().for_serialize());
    let (mut reads, mut writes) = (reads.into_generator(), writes.into_generator());
    let schema = match file {
        "schedule" => reads.root_schema_for::<Schedule>(),
        "environment" => reads.root_schema_for::<Environment>(),
        "journal" => reads.root_schema_for::<Entry>(),
        "summary" => writes.root_schema_for::<Summary>(),
        "checks" => writes.root_schema_for::<Trust>(),
        "diff" => writes.root_schema_for::<Diff>(),
        "merge" => writes.root_schema_for::<Merge>(),
        other => panic!("{other} has no type"),
    };
    let mut schema = schema.to_value();
    let own = schema.as_object_mut().expect("it is an object");
    own.insert("$id".to_owned(), format!("urn:inflight:{file}:{number}").into());
    own.insert("title".to_owned(), format!("inflight.{file}/{number}").into());
    if file == "journal" {
        sealed(own);
    }
    schema
}

/// Adds to each kind of line the checksum that stands before what the line is about.
fn sealed(journal: &mut Map<String, Value>) {
    let kinds = journal["oneOf"].as_array_mut().expect("there are kinds of lines");
    for kind in kinds {
        kind["properties"]["crc32"] = json!({ "type": "string", "pattern": "^[0-9a-f]{8}$" });
        kind["required"].as_array_mut().expect("it is a list").insert(0, "crc32".into());
    }
}

/// Says what in a document does not keep to a schema, with its place. It knows the words that our
/// schemas use, and fails on any other.
#[expect(clippy::too_many_lines, reason = "one arm a keyword reads best in one place")]
fn faults(schema: &Value, value: &Value, whole: &Value, place: &str) -> Vec<String> {
    let Some(schema) = schema.as_object() else {
        // What is true allows everything.
        return if schema == &json!(true) { Vec::new() } else { vec![format!("{place} is there")] };
    };
    let mut faults = Vec::new();
    for (word, rule) in schema {
        match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "required" | "default"
            | "format" => {}
            "$ref" => {
                let name = rule.as_str().and_then(|path| path.strip_prefix("#/$defs/"));
                let target = &whole["$defs"][name.expect("it names a definition")];
                faults.extend(self::faults(target, value, whole, place));
            }
            "type" => {
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !types.iter().any(|name| is_of(name.as_str().unwrap_or_default(), value)) {
                    faults.push(format!("{place} is no {rule}: {value}"));
                }
            }
            "pattern" => {
                let pattern = rule.as_str().expect("a text");
                if value.as_str().is_some_and(|text| !is_like(text, pattern)) {
                    faults.push(format!("{place} is not like {rule}: {value}"));
                }
            }
            "const" => faults.extend((rule != value).then(|| format!("{place} is not {rule}"))),
            "minimum" => {
                let is_less = value.as_f64().is_some_and(|value| Some(value) < rule.as_f64());
                faults.extend(is_less.then(|| format!("{place} < {rule}")));
            }
            "minItems" | "maxItems" => {
                let (count, limit) = (value.as_array().map_or(0, Vec::len), rule.as_u64());
                let is_less = u64::try_from(count).ok() < limit;
                let is_more = u64::try_from(count).ok() > limit;
                let is_wrong = if word == "minItems" { is_less } else { is_more };
                faults.extend(is_wrong.then(|| format!("{place} has {count} entries")));
            }
            "prefixItems" => {
                let pairs = rule
                    .as_array()
                    .into_iter()
                    .flatten()
                    .zip(value.as_array().into_iter().flatten());
                faults.extend(pairs.flat_map(|(own, item)| self::faults(own, item, whole, place)));
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults.extend(self::faults(rule, item, whole, &format!("{place}[{index}]")));
                }
            }
            "oneOf" | "anyOf" => {
                let fits = |own: &&Value| self::faults(own, value, whole, place).is_empty();
                let count = rule.as_array().expect("it is a list").iter().filter(fits).count();
                if count == 0 || word == "oneOf" && count > 1 {
                    faults.push(format!("{place} fits {count} of the kinds: {value}"));
                }
            }
            "properties" => faults.extend(in_object(schema, value, whole, place)),
            "additionalProperties" => {
                let known = |name: &str| {
                    schema.get("properties").is_some_and(|own| own[name] != Value::Null)
                };
                let fields = value.as_object().into_iter().flatten();
                for (name, own) in fields.filter(|(name, _)| !known(name)) {
                    faults.extend(self::faults(rule, own, whole, &format!("{place}.{name}")));
                }
            }
            other => faults.push(format!("{place}: no word of ours: {other}")),
        }
    }
    faults
}

/// Returns whether a text is like a pattern. Each is compiled once, for the lines of a journal are
/// many.
fn is_like(text: &str, pattern: &str) -> bool {
    static PATTERNS: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    let compiled = || Regex::new(pattern).expect("it is one");
    patterns.entry(pattern.to_owned()).or_insert_with(compiled).is_match(text)
}

/// Says what in an object does not keep to its schema: what is missing, wrong, or unknown to it.
fn in_object(
    schema: &Map<String, Value>,
    value: &Value,
    whole: &Value,
    place: &str,
) -> Vec<String> {
    let Some(object) = value.as_object() else { return Vec::new() };
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let names = names.filter_map(Value::as_str);
    let missing = names.filter(|name| !object.contains_key(*name));
    let mut faults: Vec<String> = missing.map(|name| format!("{place} has no {name}")).collect();
    for (name, own) in object {
        let place = format!("{place}.{name}");
        match schema["properties"].get(name) {
            Some(schema) => faults.extend(self::faults(schema, own, whole, &place)),
            None if schema.contains_key("additionalProperties") => {}
            None => faults.push(format!("{place} is in no schema")),
        }
    }
    faults
}

/// Returns whether a value is of a type of JSON Schema.
fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// Reads the stored schema of a file.
fn stored(file: &str, code: &str) -> Value {
    let path = path(file, &newest(file, code));
    let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    serde_json::from_str(&text).expect("it is JSON")
}

/// Reads the stored schema of documents: that of the number which the first of them names, if any
/// does.
fn schema_of(documents: &[Value], (file, code): (&str, &str)) -> Value {
    let first = documents.first().map(|first| first.get("begin").unwrap_or(first));
    let named = first.and_then(|first| first["schema"].as_str()?.split('/').nth(1));
    let path = path(file, named.unwrap_or(&newest(file, code)));
    let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    serde_json::from_str(&text).expect("it is JSON")
}

/// Returns the documents of a file of a run as they are stored; a journal has one a line.
fn documents(run: &Path, file: &str) -> Vec<Value> {
    let read = |name: &str| fs::read_to_string(run.join(name)).expect("it is there");
    let parsed = |text: &str| serde_json::from_str(text).expect("it is JSON");
    match file {
        "journal" => read("journal.jsonl").lines().map(parsed).collect(),
        "schedule" | "environment" => vec![parsed(&read(&format!("{file}.json")))],
        derived => vec![parsed(&read(&format!("derived/{derived}.json")))],
    }
}

#[test]
fn every_schema_is_what_the_types_say_that_write_the_file() {
    for (file, code) in FILES.into_iter().chain(OF_SEVERAL) {
        let number = newest(file, code);
        let fresh = format!("{:#}\n", written(file, &number));
        let path = path(file, &number);
        if std::env::var_os("INFLIGHT_BLESS").is_some() {
            fs::create_dir_all(WORKSPACE.root.join(FOLDER)).expect("it is writable");
            fs::write(&path, &fresh).expect("it is writable");
        }
        let old = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            old == fresh,
            "{}: raise the minor of the file, unless no release has it; then \
             `INFLIGHT_BLESS=1 cargo test --test files schemas` renews it",
            path.display()
        );
    }
}

#[test]
fn every_stored_run_keeps_to_the_schemas() {
    let golden = WORKSPACE.root.join("crates/report/tests/golden/run");
    for run in published().into_iter().chain([golden]) {
        for (file, code) in FILES {
            let documents = documents(&run, file);
            let schema = schema_of(&documents, (file, code));
            for document in documents {
                let faults = faults(&schema, &document, &schema, file);
                assert!(
                    faults.is_empty(),
                    "{}: {:#?}",
                    run.display(),
                    &faults[..faults.len().min(9)]
                );
            }
        }
    }
}

#[test]
fn what_is_written_today_keeps_to_the_schemas() {
    let run = fixture(2);
    let journal = Entry::Turn(Box::new(run.turns[0].clone())).to_line().expect("it is written");
    let documents = [
        ("schedule", serde_json::to_value(&run.schedule)),
        ("environment", serde_json::to_value(&run.environment)),
        ("journal", serde_json::from_str(&journal)),
        ("summary", serde_json::to_value(analysis::summarize(&run, BASELINE, FLOOR))),
        ("checks", serde_json::to_value(Trust::of(&run, (BASELINE, FLOOR)))),
    ];
    for (file, (name, document)) in FILES.into_iter().zip(documents) {
        assert_eq!(file.0, name);
        keeps(file, document.expect("it is JSON"));
    }
}

#[test]
fn what_is_made_of_several_runs_keeps_to_its_schema() {
    let runs = [("one", 1), ("two", 2)].map(|(id, seed)| {
        let run = fixture(14);
        Run { id: id.to_owned(), schedule: Schedule { seed, ..run.schedule }, ..run }
    });
    let diff = analysis::diff(&runs[0], &runs[0]).expect("a run compares with itself");
    let merge = analysis::merge(&runs, (BASELINE, FLOOR)).expect("they stand side by side");
    assert!(!diff.cells.is_empty() && !merge.cells.iter().all(|cell| cell.stability.is_empty()));
    let documents = [serde_json::to_value(&diff), serde_json::to_value(&merge)];
    for (file, document) in OF_SEVERAL.into_iter().zip(documents) {
        keeps(file, document.expect("it is JSON"));
    }
}

/// Checks that a document keeps to its schema, and that the check sees what is wrong.
fn keeps((file, code): (&str, &str), mut document: Value) {
    let schema = stored(file, code);
    assert_eq!(faults(&schema, &document, &schema, file), Vec::<String>::new());
    document["surprise"] = json!(1);
    assert_ne!(faults(&schema, &document, &schema, file), Vec::<String>::new(), "{file}");
}
