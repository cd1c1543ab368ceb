//! Failures are counted exactly, and by all bare models with the same code.

mod support;

use std::collections::BTreeMap;

use model_kit::pipe::Total;
use model_kit::{ErrorCode, Workload};
use record::Model;

use support::scripted::{Script, Scripted};
use support::{MODELS, alone, built, cell, held, placement, plan};

/// Fetches of a trial, all of which fail.
const FETCHES: u64 = 24;

/// Lets a model fetch from a scripted origin and returns its count, with the requests seen.
fn fetch(model: &Model, in_flight: u32, script: fn(u64) -> Script) -> (Total, u64) {
    fetch_by(model, in_flight, (script, None))
}

/// As [`fetch`], with a deadline if there is one.
fn fetch_by(
    model: &Model,
    in_flight: u32,
    (script, deadline_ms): (fn(u64) -> Script, Option<u64>),
) -> (Total, u64) {
    let _alone = alone();
    let origin = Scripted::start(script);
    let cell = held(model, &cell(Workload::Batch, in_flight, FETCHES));
    let mut plan = plan(cell, vec![origin.address]);
    plan.deadline_ms = deadline_ms;
    let program = built(&model.package);
    let told = harness::converse(model, &program, (&plan, &placement().model_cpus));
    let total = told.unwrap_or_else(|why| panic!("{}: {why}", model.name)).trial.total;
    (total, origin.requests())
}

/// Checks that every fetch fails once, bare models with this code and the others in its family.
fn check(script: fn(u64) -> Script, code: ErrorCode) {
    for model in MODELS.iter() {
        let (total, requests) = fetch(model, 4, script);
        let failed: u64 = total.errors.values().sum();
        let seen = if script(0) == Script::Refuse { 0 } else { FETCHES };
        assert_eq!((total.issued, total.ok, failed), (FETCHES, 0, FETCHES), "{}", model.name);
        assert_eq!(requests, seen, "{}: a fetch is one request, never retried", model.name);
        if model.is_bare() {
            let expected = BTreeMap::from([(code.number().to_string(), FETCHES)]);
            assert_eq!(total.errors, expected, "{}", model.name);
        } else {
            assert_eq!(families(&total), [code.family()], "{}: {:?}", model.name, total.errors);
        }
    }
}

/// Returns the families of the codes that were counted.
fn families(total: &Total) -> Vec<u16> {
    let family = |code: &String| code.parse::<u16>().expect("a code is a number") / 100;
    let mut families: Vec<u16> = total.errors.keys().map(family).collect();
    families.dedup();
    families
}

#[test]
fn an_origin_that_refuses_is_1201() {
    check(|_| Script::Refuse, ErrorCode::ConnectRefused);
}

#[test]
fn an_origin_that_closes_early_is_1401() {
    check(|_| Script::CloseEarly, ErrorCode::ClosedBeforeHeadFresh);
}

#[test]
fn a_truncated_body_is_1501() {
    check(|_| Script::Truncate, ErrorCode::BodyTruncated);
}

#[test]
fn a_reset_before_the_reply_is_1401() {
    check(|_| Script::Reset, ErrorCode::ClosedBeforeHeadFresh);
}

#[test]
fn a_status_of_500_is_1601() {
    check(|_| Script::Status500, ErrorCode::StatusUnexpected);
}

#[test]
fn one_wrong_byte_is_1604() {
    check(|_| Script::WrongByte, ErrorCode::BodyMismatch);
}

#[test]
fn faults_among_good_replies_are_counted_to_the_last() {
    // One in flight: which fetch meets a reused connection is then the same for all models.
    let every_third = |id| if id % 3 == 2 { Script::CloseEarly } else { Script::Serve };
    for model in MODELS.iter() {
        let (total, requests) = fetch(model, 1, every_third);
        let failed: u64 = total.errors.values().sum();
        assert_eq!((total.ok, failed, requests), (16, 8, 24), "{}: {total:?}", model.name);
        if model.is_bare() {
            assert_eq!(total.errors, BTreeMap::from([("1402".to_owned(), 8)]), "{}", model.name);
        }
    }
}

#[test]
fn silence_ends_at_the_deadline_in_every_model() {
    for model in MODELS.iter() {
        let (total, _) = fetch_by(model, 24, (|_| Script::Silence, Some(100)));
        assert_eq!((total.ok, total.errors.values().sum()), (0, FETCHES), "{}", model.name);
        if model.is_bare() {
            let late = BTreeMap::from([("1403".to_owned(), FETCHES)]);
            assert_eq!(total.errors, late, "{}", model.name);
        }
    }
}
