//! Whether a model verifies what it gets: held against an origin whose every reply is wrong.
//!
//! No receipt can show it, since a model that looks at nothing sends what an honest one sends, so
//! every model of the house is held against this before a figure of it is believed.

use harness::Program;
use model_kit::Workload;
use record::Model;

use super::misbehaving::{misbehaving, scripted};
use super::{cell, held, placement, plan};

/// The fetches of which not one may be called ok.
const FETCHES: u64 = 12;
/// Replies that are wrong.
const WRONG: [&str; 3] = ["status_500", "wrong_byte", "limit_data"];

/// Returns the wrong replies that a model calls ok: none, if it verifies.
pub(crate) fn unverified(model: &Model, program: &Program) -> Vec<&'static str> {
    let is_believed = |fault: &&str| {
        let origin = misbehaving(&[fault], (FETCHES, FETCHES));
        let cell = held(model, &cell(Workload::Batch, 4, FETCHES));
        let plan = plan(cell, scripted(&origin));
        let reported = harness::converse(model, program, (&plan, &placement().model_cpus));
        reported.unwrap_or_else(|why| panic!("{}: {why}", model.name)).turned.total.ok > 0
    };
    WRONG.into_iter().filter(is_believed).collect()
}
