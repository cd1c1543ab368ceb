//! Every model that is found counts every fault once, and bare models alike; what libraries do
//! otherwise has a name. The table of it all is `crates/harness/FAULTS.md`, which
//! `INFLIGHT_BLESS=1 cargo test --test programs faults` renews.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use harness::{
    Agreement, FaultVerified, OriginProcess, Programs, QUIRKS, converse, fault_cases, verify_faults,
};
use model_kit::{Plan, Workload};
use nix::sys::signal::{Signal, kill};
use origin::FAULTS;
use record::Model;

use crate::support::misbehaving::{behaving, misbehaving, script, scripted};
use crate::support::skip::{noted, skipped};
use crate::support::{
    MODELS, PROGRAMS, alone, bare, beside, built, cell, child, drivers, faulty, held, house,
    models_below, plan, threads, together_with,
};

/// Where the table stands.
const PAGE: &str = "crates/harness/FAULTS.md";
/// What stands in it before the rows of the harness, which are written by hand.
const HARNESS_ROWS: &str = "## What the harness must survive";
/// How long an origin is stopped: longer than a model has to fetch from it, and so short that it
/// still answers the harness.
const STOPPED: Duration = Duration::from_secs(12);

/// Models that are held against every fault by one call.
const AT_ONCE: usize = 9;

/// What a client does, and the clients that do so with their versions.
type Found = (String, BTreeSet<String>);
/// Models that counted alike, and what they counted, a cell a fault.
type Column = (Vec<&'static str>, Vec<String>);

/// Every model held against every fault.
static VERIFIED: LazyLock<Vec<FaultVerified>> = LazyLock::new(|| {
    // Who waits to be alone waits for some of them only.
    let some = MODELS.chunks(AT_ONCE).flat_map(|models| {
        let _beside = beside();
        let verified = verify_faults(models, &PROGRAMS, &mut |one| {
            eprintln!("{}", one.line());
            Ok(())
        });
        verified.expect("an origin can be had")
    });
    some.collect()
});

#[test]
fn every_model_counts_every_fault_once() {
    let failed: Vec<String> =
        VERIFIED.iter().filter(|one| !one.works()).map(FaultVerified::line).collect();
    assert_eq!(failed, Vec::<String>::new());
    assert_eq!(VERIFIED.len(), MODELS.len() * fault_cases().len());
}

#[test]
fn bare_models_count_alike_and_never_other() {
    let mut said: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
    for one in VERIFIED.iter().filter(|one| bare().any(|model| model.name == one.model)) {
        assert!(!matches!(one.agreement, Agreement::Quirk(_)), "{}", one.line());
        said.entry(&one.fault).or_default().insert(one.failures.clone());
    }
    assert_eq!(said.len(), fault_cases().len());
    for (fault, failures) in said {
        assert_eq!(failures.len(), 1, "{fault}: {failures:?}");
        assert!(failures.iter().all(|counts| !counts.contains_key("1999")), "{fault}");
    }
}

#[test]
fn forty_faults_in_four_hundred_replies_are_forty_failures() {
    let _beside = beside();
    let faults = FAULTS.iter().filter(|fault| fault.code(true).is_some());
    let faults = faults.filter(|fault| !fault.needs_a_deadline());
    let names: Vec<&str> = faults.map(|fault| fault.name).collect();
    let bare = MODELS.iter().filter(|model| model.is_bare());
    together_with(bare, behaving, |origin, model| {
        let is_known = |name: &&str| {
            QUIRKS.iter().any(|known| model.has_client(known.client) && known.fault == *name)
        };
        let names: Vec<&str> = names.iter().copied().filter(|name| !is_known(name)).collect();
        // As many kinds in a script as it has bad replies, so that each comes.
        for names in names.chunks(40) {
            assert_eq!(forty(model, origin, (names, None)), Ok(()), "{}", model.name);
        }
    });
}

#[test]
fn forty_replies_that_never_come_in_four_hundred_are_forty_failures_by_what_was_waited_for() {
    let _beside = beside();
    let late = FAULTS.iter().filter(|fault| fault.needs_a_deadline());
    // All in one script, since each fetch among them costs its limit of time.
    let late: Vec<&str> = late.map(|fault| fault.name).collect();
    assert_eq!(late.len(), 9);
    together_with(readers(), behaving, |origin, model| {
        // On a busy machine good replies are late too: the second limit is a patient one.
        let mut said = [300, 1_500].map(Some).into_iter().map(|deadline_ms| {
            let said = forty(model, origin, (&late, deadline_ms));
            said.inspect_err(|why| eprintln!("{} at {deadline_ms:?} ms: {why}", model.name))
        });
        assert!(said.any(|said| said.is_ok()), "{}", model.name);
    });
}

/// Returns a bare model for each that reads replies: for each way to drive the shared core, and for
/// the kit of each other language.
fn readers() -> impl Iterator<Item = &'static Model> {
    let mut languages = BTreeSet::new();
    let others = MODELS.iter().filter(|model| model.is_bare() && model.language.is_some());
    drivers().chain(others.filter(move |model| languages.insert(model.language.as_deref())))
}

/// Lets a model fetch 400 times, of which 40 get such replies; says what differs from forty
/// failures, code by code those of the origin, and 360 latencies.
fn forty(
    model: &Model,
    origin: &mut OriginProcess,
    (names, deadline_ms): (&[&str], Option<u64>),
) -> Result<(), String> {
    origin.misbehave(script(names, (40, 400))).expect("it takes a script");
    let plan = plan(undelayed(held(model, &cell(Workload::Batch, 8, 400))), scripted(origin));
    let plan = Plan { deadline_ms, ..plan };
    let trial = converse(model, &built(&model.package), (&plan, &[]))?.turned;
    let record = origin.record().expect("it keeps one");
    let failed: u64 = trial.total.errors.values().sum();
    let timed: u64 = trial.latencies_ns.iter().map(|(_, count)| count).sum();
    let same = trial.total.errors == record.failures && record.requests == 400;
    match same && (failed, timed) == (40, 360) {
        true => Ok(()),
        false => Err(format!("{names:?}: {timed} timed, {:?}, {record:?}", trial.total)),
    }
}

#[test]
fn a_limit_of_time_that_begins_anew_with_each_byte_fails_its_row() {
    let _beside = beside();
    let model = faulty("careless: wait anew for each byte");
    let program = built(&model.package);
    let said = &|name: &str| {
        let origin = misbehaving(&[name], (1, 1));
        let one = undelayed(cell(Workload::Batch, 1, 1));
        // Longer than a busy machine makes the next byte wait, and so short that the model is
        // given up before the last byte comes.
        let plan = Plan { deadline_ms: Some(1_000), ..plan(one, scripted(&origin)) };
        converse(&model, &program, (&plan, &[])).map(|reported| reported.turned.total.errors)
    };
    // One that ends by itself between two bytes is late, as it should be.
    assert_eq!(said("head_stall"), Ok([("1007".to_owned(), 1)].into()));
    thread::scope(|scope| {
        let dripping = ["head_slow", "bandwidth", "chunked_dribble"];
        let all = dripping.map(|name| scope.spawn(move || said(name)));
        for one in all {
            let why = one.join().expect("it only asks").expect_err("it waits for the last byte");
            assert!(why.contains("timed out and was killed"), "{why}");
        }
    });
}

#[test]
fn an_origin_that_was_stopped_is_held_against_no_model() {
    let _alone = alone();
    let model = house("threads");
    let programs = Programs {
        origin: built("origin"),
        models: [(model.name.clone(), built(&model.package))].into(),
        primitives: BTreeMap::new(),
        missing: Vec::new(),
    };
    let mut stopped = None;
    let verified = verify_faults(&[model], &programs, &mut |_| {
        let stop = || {
            let mut origins = threads().into_iter().filter_map(|thread| child(thread, "origin"));
            let origin = origins.next().expect("several take part");
            kill(origin, Signal::SIGSTOP).expect("it is ours");
            thread::spawn(move || {
                thread::sleep(STOPPED);
                // It may have been replaced meanwhile.
                kill(origin, Signal::SIGCONT)
            })
        };
        stopped.get_or_insert_with(stop);
        Ok(())
    });
    let failed: Vec<String> = verified
        .expect("an origin can be had")
        .iter()
        .filter(|one| !one.works())
        .map(FaultVerified::line)
        .collect();
    assert!(stopped.is_some() && failed.is_empty(), "{failed:?}");
}

/// Returns a cell whose origin answers at once.
fn undelayed(cell: model_kit::Cell) -> model_kit::Cell {
    model_kit::Cell { delay_ms: model_kit::DelayRange { lo: 0, hi: 0 }, ..cell }
}

#[test]
fn the_page_shows_what_was_seen() {
    if MODELS.len() < models_below("crates").len() {
        return skipped("a model cannot run, and the page has all of them");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let stored = fs::read_to_string(&path).unwrap_or_default();
    let blesses = std::env::var_os("INFLIGHT_BLESS").is_some();
    // The clients that come with an interpreter have a version that is not that of every machine.
    for found in MODELS.iter().filter_map(|model| built(&model.package).interpreter) {
        for (client, package) in
            [("http.client", "python"), ("net/http", "go"), ("undici", "undici")]
        {
            let Some(version) = found.versions.get(package) else { continue };
            if !blesses && !stored.contains(&format!("`{client} {version}`")) {
                return noted(&format!("{PAGE} was made with another {client}: not compared"));
            }
        }
    }
    let by_hand = stored.find(HARNESS_ROWS).map_or("", |start| &stored[start..]);
    let page = format!("{}{by_hand}", seen());
    if blesses {
        fs::write(&path, &page).expect("it is writable");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "run `INFLIGHT_BLESS=1 cargo test --test programs faults` to renew {PAGE}"
    );
}

#[test]
fn every_row_of_the_harness_names_a_test_that_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join(PAGE)).expect("it is there");
    let rows = page.split(HARNESS_ROWS).nth(1).unwrap_or_default();
    let rows: Vec<&str> = rows.lines().filter(|line| line.starts_with("| F")).collect();
    for row in &rows {
        let words: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert!(!words.is_empty() || row.contains("n/a: "), "{row}");
    }
    let by_hand = page.split(HARNESS_ROWS).nth(1).unwrap_or_default();
    let words = by_hand.split('`').skip(1).step_by(2);
    for (file, name) in words.filter_map(|word| word.split_once(": ")) {
        let source = fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(source.contains(&format!("fn {name}()")), "{file} has no test {name}");
    }
    let mut shown: BTreeSet<&str> = rows.iter().map(|row| &row[2..5]).collect();
    shown.extend(fault_cases().iter().map(|case| case.row));
    for row in 1..=46 {
        assert!(shown.contains(format!("F{row:02}").as_str()), "F{row:02} is missing");
    }
}

/// Returns the generated part of the page.
fn seen() -> String {
    let mut quirks: Vec<Found> = Vec::new();
    let mut columns: Vec<Column> =
        MODELS.iter().map(|model| (vec![&*model.name], vec![])).collect();
    for case in fault_cases() {
        for (model, (_, cells)) in MODELS.iter().zip(&mut columns) {
            let one = VERIFIED.iter().find(|one| one.fault == case.name && one.model == model.name);
            let one = one.expect("every model is held against every fault");
            cells.push(match &one.agreement {
                Agreement::Agrees if model.is_bare() => codes(one, 4),
                Agreement::Agrees => codes(one, 2),
                Agreement::Quirk(what) => format!("**[{}]**", note(&mut quirks, what)),
                Agreement::Fails(_) => "FAIL".to_owned(),
            });
        }
    }
    let cases = fault_cases().into_iter().map(|case| (case.row, case.name, case.expected()));
    page(cases, columns, &quirks)
}

/// Returns the number of what a client does, which is noted with the client and its version.
fn note(quirks: &mut Vec<Found>, what: &str) -> usize {
    let does = what.splitn(3, ' ').nth(2).expect("it begins with the client and its version");
    let client = what[..what.len() - does.len()].trim_end().to_owned();
    let known = quirks.iter().position(|(known, _)| known == does);
    let place = known.unwrap_or_else(|| {
        quirks.push((does.to_owned(), BTreeSet::new()));
        quirks.len() - 1
    });
    quirks[place].1.insert(client);
    place + 1
}

/// Returns the generated part of the page: models that counted alike share a column, and faults of
/// a row that were counted alike a line.
fn page(
    cases: impl Iterator<Item = (&'static str, &'static str, String)>,
    columns: Vec<Column>,
    quirks: &[Found],
) -> String {
    let mut shared: Vec<Column> = Vec::new();
    for (names, cells) in columns {
        match shared.iter_mut().find(|(_, known)| *known == cells) {
            Some((known, _)) => known.extend(names),
            None => shared.push((names, cells)),
        }
    }
    let mut lines: Vec<(&str, Vec<&str>, String)> = Vec::new();
    for (at, (row, name, expected)) in cases.enumerate() {
        let cells: Vec<&str> = shared.iter().map(|(_, cells)| &*cells[at]).collect();
        let cells = format!("{expected} | {}", cells.join(" | "));
        match lines.iter_mut().find(|(of, _, known)| *of == row && *known == cells) {
            Some((_, names, _)) => names.push(name),
            None => lines.push((row, vec![name], cells)),
        }
    }

    let heads: Vec<String> = shared.iter().map(|(names, _)| names.join(", ")).collect();
    let mut page = String::from(INTRODUCTION);
    let _ = writeln!(page, "| row | fault | expected | {} |", heads.join(" | "));
    let _ = writeln!(page, "|---|---|---|{}", "---|".repeat(heads.len()));
    for (row, names, cells) in lines {
        let _ = writeln!(page, "| {row} | `{}` | {cells} |", names.join("`, `"));
    }
    page.push_str("\n## Quirks\n\n");
    for (number, (does, clients)) in quirks.iter().enumerate() {
        let clients: Vec<String> = clients.iter().map(|client| format!("`{client}`")).collect();
        let _ = writeln!(page, "{}. {}: {does}.", number + 1, clients.join(", "));
    }
    page.push('\n');
    page
}

/// Returns the codes that were counted, or as much of each as such a model must get right.
fn codes(one: &FaultVerified, digits: usize) -> String {
    let codes: BTreeSet<String> =
        one.failures.keys().map(|code| format!("{:x<4}", &code[..digits])).collect();
    match codes.is_empty() {
        true => "ok".to_owned(),
        false => codes.into_iter().collect::<Vec<_>>().join(", "),
    }
}

/// The head of the page.
const INTRODUCTION: &str = "\
# What must survive

## What models count

`inflight verify --faults` runs every model against an origin that misbehaves.
`INFLIGHT_BLESS=1 cargo test --test programs faults` writes this table and the quirks below it.

A turn has 12 fetches, of which 4 get a bad reply, or all if the fault needs fresh connections.
If nothing else ends a fetch, it has a deadline, which replies that drip exceed.
A bare model must count exactly the expected failures by [code](../README.md#error-codes), and \
the replies that extra bytes follow.
A model with a library client must count as many failures of the same family (`14xx`), or `10xx` \
at a deadline.
No fetch is requested twice, and no failure has a latency.
A number in brackets is a quirk of the client.
Models that count alike share a column, and faults a line.

";
