//! Holds the trials of a stored run against their receipts again: whoever reads a run need not
//! trust the words `valid` and `void` in its journal.

use std::net::{Ipv4Addr, SocketAddr};

use model_kit::Plan;
use record::{Run, Schedule, State, TrialRecord};

use crate::judge::jumped;
use crate::run::planned;
use crate::{judge, primitives};

/// Returns a sentence for each trial whose state is not what its figures and its receipt say.
pub fn recount(run: &Run) -> Vec<String> {
    let trials = run.trials.iter().chain(&run.cut);
    let cells = trials.filter_map(|trial| differs(&run.schedule, trial));
    cells.chain(primitives::recount(run)).collect()
}

/// Returns how the state of a trial differs from what its figures and its receipt say.
fn differs(schedule: &Schedule, trial: &TrialRecord) -> Option<String> {
    let place = format!("trial {} of block {}, {}", trial.position, trial.block, trial.model);
    let (Some(told), Some(receipt)) = (&trial.trial, &trial.receipt) else {
        let valid = trial.state == State::Valid;
        return valid.then(|| format!("{place}: it is called valid and has no figures"));
    };

    let model = schedule.model(&trial.model)?;
    let Some(plan) = plan(schedule, trial) else {
        return Some(format!("{place}: the schedule has no plan for it"));
    };
    let mut reasons = judge(model, &plan, (told, receipt));
    reasons.extend(jumped(trial.host.as_ref()));
    match &trial.state {
        State::Valid if !reasons.is_empty() => {
            Some(format!("{place}: it is called valid, but {}", reasons.join("; ")))
        }
        State::Void(stored) if reasons.is_empty() => Some(format!(
            "{place}: it is called void ({}), but nothing is wrong",
            stored.join("; ")
        )),
        State::Valid | State::Void(_) | State::Failed(_) => None,
    }
}

/// Returns what the model of a trial was told, but for the ports of the origin.
fn plan(schedule: &Schedule, trial: &TrialRecord) -> Option<Plan> {
    let block = schedule.blocks.iter().find(|block| block.number == trial.block)?;
    let shard = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let origins = vec![shard; schedule.placement.shards as usize];
    planned(schedule, (block, &trial.model), origins)
}
