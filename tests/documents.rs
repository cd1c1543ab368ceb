//! Promises of `crates/README.md`: what the page says of the crates, the words and the pipe is
//! what the code does. Whoever writes a model in another language has that page alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use cargo_metadata::MetadataCommand;
use harness::Workspace;
use model_kit::pipe::{FromModel, LINE_BYTES_MAX, PROTOCOL, ToModel, Turned};
use model_kit::{DelayRange, ErrorCode, Plan, Receipt, Turn, Workload, content, ids_digest};
use origin::{FromOrigin, Mount, ToOrigin};
use record::{Model, OriginKind};
use regex::Regex;
use rules::{Claims, Evidence, MEAN_PERCENT_MIN, STALLED_MS, STAY_CHARGED_PERCENT_MAX, validate};
use serde_json::{Value, json};

/// Reads a message as the code reads it, and writes it as the code writes it.
type Reread = fn(&str) -> Result<Value, serde_json::Error>;

/// The directions of both pipes, by the words that follow `json` where an example begins.
const DIRECTIONS: [(&str, Reread); 6] = [
    ("to-model", |line| Ok(json!(serde_json::from_str::<ToModel>(line)?))),
    ("from-model", |line| Ok(json!(serde_json::from_str::<FromModel>(line)?))),
    ("to-program", |line| Ok(json!(serde_json::from_str::<ToModel>(line)?))),
    ("from-program", |line| Ok(json!(serde_json::from_str::<FromModel>(line)?))),
    ("to-origin", |line| Ok(json!(serde_json::from_str::<ToOrigin>(line)?))),
    ("from-origin", |line| Ok(json!(serde_json::from_str::<FromOrigin>(line)?))),
];

/// The page.
static PAGE: LazyLock<String> =
    LazyLock::new(|| fs::read_to_string(at("crates/README.md")).expect("the page is there"));

#[test]
fn every_message_on_the_page_is_one_that_the_code_understands() {
    for (direction, reread) in DIRECTIONS {
        for line in messages(direction) {
            let written: Value = serde_json::from_str(line).unwrap();
            let understood = reread(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(understood, written, "the code ignores or adds a field: {line}");
        }
    }
}

#[test]
fn every_message_of_the_code_is_on_the_page() {
    for (direction, reread) in DIRECTIONS {
        let shown: BTreeSet<String> = messages(direction).into_iter().map(tag).collect();
        assert_eq!(shown, tags(reread), "{direction}");
    }
}

#[test]
fn every_example_of_a_message_says_its_direction() {
    let examples = PAGE.lines().filter(|line| line.starts_with("```json"));
    let known = |line: &&str| DIRECTIONS.iter().any(|(way, _)| *line == format!("```json {way}"));
    assert_eq!(examples.filter(|line| !known(line)).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn every_field_of_every_message_is_explained() {
    let mut fields = BTreeSet::new();
    for (direction, _) in DIRECTIONS {
        for line in messages(direction) {
            let message: Value = serde_json::from_str(line).unwrap();
            message.as_object().into_iter().flatten().for_each(|(_, body)| {
                collect_fields(body, &mut fields);
            });
        }
    }
    assert!(fields.len() > 40, "{fields:?}");
    for field in fields {
        assert!(PAGE.contains(&format!("\n* `{field}`: ")), "{field}");
    }
}

#[test]
fn the_conversation_on_the_page_is_valid() {
    let body = |direction, name| body(direction, name);
    let plan: Plan = serde_json::from_value(body("to-model", "plan")).unwrap();
    let turn: Turn = serde_json::from_value(body("to-model", "turn")).unwrap();
    let turned = serde_json::from_value(body("from-model", "turned")).unwrap();
    let receipt: Receipt = serde_json::from_value(body("from-origin", "receipt")).unwrap();
    let hello = body("from-model", "hello");
    let plan = plan.checked().unwrap();

    let model = models().into_iter().find(|model| hello["model"] == model.name.as_str()).unwrap();
    // The origin's page shows the turn after the one that the model's page ends with.
    let mount: Mount = serde_json::from_value(body("to-origin", "mount")).unwrap();
    assert_eq!(turn, Turn::of(&plan.cell, 0, content::first_id(2, 0)));
    assert_eq!(mount.turn, Turn::of(&plan.cell, 1, content::first_id(2, 1)));
    assert_eq!((&mount.cell, mount.seed), (&plan.cell, plan.seed));
    let evidence =
        Evidence { turned: &turned, receipt: Some(&receipt), origin: OriginKind::Wiremock };
    assert_eq!(validate(model.claims(), (&plan, &mount.turn), evidence), []);
    assert_eq!(body("from-origin", "ready")["origins"], json!(plan.origins));
    assert_eq!(receipt.ids_digest, ids_digest(mount.turn.ids(&plan.cell)));
}

#[test]
fn the_conversation_about_a_primitive_on_the_page_is_valid() {
    let plan: Plan = serde_json::from_value(body("to-program", "plan")).unwrap();
    let turn: Turn = serde_json::from_value(body("to-program", "turn")).unwrap();
    let turned: Turned = serde_json::from_value(body("from-program", "turned")).unwrap();
    let plan = plan.checked().unwrap();
    let claims = Claims {
        is_bare: false,
        may_be_slow: true,
        connections: None,
        threads: "",
        is_apart: false,
    };
    let evidence = Evidence { turned: &turned, receipt: None, origin: OriginKind::Wiremock };
    assert_eq!(validate(claims, (&plan, &turn.checked(&plan.cell).unwrap()), evidence), []);
}

#[test]
fn the_page_names_every_primitive() {
    let named = listed("### The primitives");
    assert_eq!(named, Workload::primitives().map(|own| own.name().to_owned()).collect::<Vec<_>>());
}

#[test]
fn the_page_names_every_error_code() {
    let table = table("### Error codes");
    let named: Vec<_> = table.iter().map(|row| (row[0].to_owned(), row[1])).collect();
    let codes = ErrorCode::ALL.iter().map(|code| (code.number().to_string(), code.name()));
    assert_eq!(named, codes.collect::<Vec<_>>());
}

#[test]
fn the_worked_example_is_what_the_code_computes() {
    let bytes =
        |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let body = content::body(42, 3, 16);
    let lines = [
        ("SplitMix64(1234567)", content::split_mix_64(1_234_567).to_string()),
        ("seed 42, id 3:  SplitMix64(42 xor 3)", hexadecimal(content::split_mix_64(0x2a ^ 0x3))),
        ("first 8 bytes of the body", bytes(&body[..8])),
        ("body of 16 bytes", bytes(&body)),
        ("CRC-32 of these 16 bytes", hexadecimal(crc_32(&body).into())),
    ];
    for (what, value) in lines {
        let line = PAGE.lines().find(|line| line.starts_with(what)).unwrap_or_default();
        assert_eq!(line.strip_prefix(what).map(str::trim), Some(value.as_str()), "{what}");
    }
}

#[test]
fn the_delay_on_the_page_is_what_the_code_computes() {
    let formula = "lo + SplitMix64(delay_seed xor (id mod 10000000)) mod (hi - lo + 1)";
    assert!(PAGE.contains(formula));
    let range = DelayRange { lo: 16, hi: 48 };
    for (seed, id) in [(42, 3), (7, content::first_id(2, 1)), (7, content::first_id(2, 1) + 5)] {
        let reported = 16 + content::split_mix_64(seed ^ (id % 10_000_000)) % 33;
        assert_eq!(content::delay_ms(seed, id, range), reported);
    }
}

#[test]
fn the_limits_on_the_page_are_those_of_the_code() {
    assert!(PAGE.contains(&format!("The protocol has the version **{PROTOCOL}**.")));
    assert_eq!(LINE_BYTES_MAX, 1_048_576);
    assert!(PAGE.contains("has at most 1 048 576 bytes"));

    let mut plan: Plan = serde_json::from_value(body("to-model", "plan")).unwrap();
    (plan.cell.in_flight, plan.cell.warmup, plan.cell.fetches) = (64, 400, 1_200);
    assert_eq!(plan.cell.dealt(), 1_664);
    let turn = Turn::of(&plan.cell, 0, 0);
    assert_eq!(harness::time_for(&plan, &turn), Duration::from_millis(10_000 + 2 * 26 * 48));
    assert!(PAGE.contains("1 664 fetches of at most 48 ms in 64 slots is 10 s + 2 x 26 x 48 ms"));
}

#[test]
fn the_shares_that_laws_allow_are_on_the_page_as_the_code_has_them() {
    let method = fs::read_to_string(at("benches/README.md")).unwrap();
    let reported = |page: &str, words: String| assert!(page.contains(&words), "{words}");
    let times = |percent: u64| f64::from(u32::try_from(percent).unwrap()) / 100.0;
    let stay = times(STAY_CHARGED_PERCENT_MAX);
    reported(&PAGE, format!("with at most {stay} times as much a fetch as it reports"));
    reported(&method, format!("the kernel may charge {stay} times what is reported"));
    reported(&PAGE, format!("mean in flight over the windows is at least {MEAN_PERCENT_MIN} %"));
    reported(&PAGE, format!("or one delay by more than {STALLED_MS} ms"));
}

#[test]
fn every_crate_is_on_the_map_and_the_map_shows_no_other() {
    let mapped: BTreeSet<String> = table("## The map").iter().map(|row| linked(row[0])).collect();
    let models: BTreeSet<String> = models().into_iter().map(|model| model.package).collect();
    let metadata = MetadataCommand::new().manifest_path(at("Cargo.toml")).no_deps().exec().unwrap();
    let below = |package: &&cargo_metadata::Package| {
        package.manifest_path.as_std_path().starts_with(at("crates"))
    };
    let crates = metadata.packages.iter().filter(below).map(|package| package.name.to_string());
    // Models stand on the map together: adding one edits no other file.
    let name = |name: String| match name.starts_with("primitives-") {
        _ if models.contains(&name) => "model-*".to_owned(),
        true => "primitives-*".to_owned(),
        false => name,
    };
    assert_eq!(mapped, crates.map(name).collect());
    assert!(models.len() > 6, "{models:?}");
}

#[test]
fn every_crate_on_the_map_has_an_invariant() {
    for row in table("## The map") {
        assert!(row.len() == 3 && row[1].ends_with('.') && row[2].ends_with('.'), "{row:?}");
    }
}

#[test]
fn every_word_is_defined_once() {
    let chapter = PAGE.split("\n## ").find(|chapter| chapter.starts_with("The words")).unwrap();
    let lines: Vec<&str> = chapter.lines().filter(|line| line.starts_with("* ")).collect();
    let word = Regex::new(r"^\* \*\*([a-z]+)\*\*: .+\.$").unwrap();
    let words = lines.iter().map(|line| word.captures(line).expect("it is a definition"));
    let words: BTreeSet<String> = words.map(|found| found[1].to_owned()).collect();
    assert!(words.len() > 10, "{words:?}");
    assert_eq!(words.len(), lines.len());
}

#[test]
fn the_page_names_every_key_of_a_manifest() {
    let named: BTreeSet<String> = listed("## A model in its manifest").into_iter().collect();
    let models: Vec<Value> = models().iter().map(|model| json!(model)).collect();
    let keys = models.iter().flat_map(|model| model.as_object().unwrap().keys());
    let keys = keys.filter(|key| !["name", "package"].contains(&key.as_str()));
    assert_eq!(named, keys.cloned().collect());
}

#[test]
fn every_test_that_the_page_names_exists() {
    let house = fs::read_to_string(at("tests/house.rs")).unwrap();
    let name = Regex::new("`([a-z]+_[a-z]+_[a-z_]+)`").unwrap();
    let chapter = PAGE.split("\n## ").find(|chapter| chapter.starts_with("The arrows")).unwrap();
    let named: Vec<&str> = name.captures_iter(chapter).map(|c| c.extract::<1>().1[0]).collect();
    assert!(named.len() > 2, "{named:?}");
    for name in &named {
        assert!(house.contains(&format!("#[test]\nfn {name}()")), "{name}");
    }
}

#[test]
fn every_link_of_the_page_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)#]+)\)").unwrap();
    let folder = at("crates");
    let targets: Vec<&str> = link.captures_iter(&PAGE).map(|c| c.extract::<1>().1[0]).collect();
    assert!(targets.len() > 8, "{targets:?}");
    for target in targets {
        assert!(folder.join(target).exists(), "{target}");
    }
}

/// Returns a path of the workspace.
fn at(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Returns the models of the house, as found.
fn models() -> Vec<Model> {
    let workspace = Workspace::of(&at(".")).expect("cargo describes the workspace");
    harness::find(&workspace, "crates").expect("every manifest describes its model")
}

/// Returns the examples of messages in one direction.
fn messages(direction: &str) -> Vec<&'static str> {
    let opening = format!("```json {direction}\n");
    let blocks = PAGE.split(&opening).skip(1);
    blocks.flat_map(|rest| rest.split("\n```").next().unwrap_or_default().lines()).collect()
}

/// Returns what stands in the example of a message under its name.
fn body(direction: &str, name: &str) -> Value {
    let read = |line| serde_json::from_str::<Value>(line).expect("it is JSON");
    let mut bodies =
        messages(direction).into_iter().filter_map(|line| read(line).get(name).cloned());
    bodies.next().expect("the page has an example")
}

/// Returns the name of a message.
fn tag(line: &str) -> String {
    let message: Value = serde_json::from_str(line).expect("it is JSON");
    let key = message.as_object().and_then(|object| object.keys().next());
    key.map(String::as_str).or(message.as_str()).expect("it has a name").to_owned()
}

/// Returns the names of all messages of a direction, as the code lists them for one that it does
/// not know: a list here could miss the newest.
fn tags(reread: Reread) -> BTreeSet<String> {
    let error = reread("\"?\"").expect_err("there is no such message").to_string();
    let known = error.split_once("expected").expect("it says what it knows").1;
    let names = Regex::new("`([a-z_]+)`").expect("it is a regular expression");
    names.captures_iter(known).map(|name| name[1].to_owned()).collect()
}

/// Collects the names of all fields of a message; keys of counts and versions are data.
fn collect_fields(value: &Value, fields: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        fields.insert(key.clone());
        if !["versions", "errors", "bad", "failures"].contains(&key.as_str()) {
            collect_fields(value, fields);
        }
    }
    for value in value.as_array().into_iter().flatten() {
        collect_fields(value, fields);
    }
}

/// Returns the rows of the first table after a heading.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let after = PAGE.split_once(&format!("\n{heading}\n")).expect("the heading is there").1;
    let lines = after.lines().skip_while(|line| !line.starts_with('|')).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// Returns the names that the first list after a heading explains.
fn listed(heading: &str) -> Vec<String> {
    let after = PAGE.split_once(&format!("\n{heading}\n")).expect("the heading is there").1;
    let lines = after.lines().skip_while(|line| !line.starts_with("* `"));
    lines.take_while(|line| line.starts_with("* `")).map(linked).collect()
}

/// Returns the first name in a cell of a table or a line of a list, which may be a link.
fn linked(cell: &str) -> String {
    cell.split('`').nth(1).unwrap_or_default().to_owned()
}

/// Writes a number as the page writes it.
fn hexadecimal(number: u64) -> String {
    format!("{number:#x}")
}

/// Returns the CRC-32 of zlib and PNG, bit by bit, as a reader of the page may write it.
fn crc_32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// Words that the glossary of `crates/README.md` has others for.
const OLD_WORDS: &str = r"(?ix)\b(sittings? | spoil\w* | dear(er)? | heart(beat)? | bridge | ladder
    | usual\ client | unresolved | overstay\w* | made_up | OneOfAKind | recount | over\ floor
    | mends?)\b";

#[test]
fn no_word_that_the_glossary_has_another_for_is_left() {
    let old = Regex::new(OLD_WORDS).expect("it is one");
    assert!(old.is_match("a spoilt turn") && !old.is_match("the dearth of bridges' ends"));
    let listed = std::process::Command::new("git")
        .args(["ls-files", "*.rs", "*.md", "*.py", "*.go", "*.java", "*.mjs"])
        .current_dir(at("."))
        .output()
        .expect("git lists the files");
    let listed = String::from_utf8(listed.stdout).expect("our paths are UTF-8");
    // What is published stays as it was, and this file has the list.
    let ours = listed.lines().filter(|path| !path.contains("golden"));
    let ours = ours.filter(|path| !path.starts_with("results/") && !path.ends_with("documents.rs"));
    for path in ours {
        let text = fs::read_to_string(at(path)).unwrap_or_default();
        let found = old.find(&text).map(|found| found.as_str());
        assert_eq!(found, None, "{path}");
    }
}
