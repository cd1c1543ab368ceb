//! Holds the turns of a stored run against their receipts again: whoever reads a run need not
//! trust the words `valid` and `invalid` in its journal.

use std::net::{Ipv4Addr, SocketAddr};

use model_kit::{Plan, Turn};
use record::{Block, Run, Schedule, State, TurnRecord};
use rules::{Evidence, Reason, validate};

use crate::block::turn_of;
use crate::disturbed::of_machine;
use crate::primitives;
use crate::run::planned;

/// Returns a sentence for each turn whose state is not what its figures and its receipt say.
pub fn recount(run: &Run) -> Vec<String> {
    let turns = run.turns.iter().chain(&run.repeated).chain(&run.cut);
    let cells = turns.filter_map(|turn| differs(run, turn));
    let rounds = run.rounds.iter().filter_map(|round| {
        let reasons = round.host.as_ref().map(of_machine).unwrap_or_default();
        (!reasons.is_empty() && run.disturbed.len() < repeats(&run.schedule)).then(|| {
            let why = sentence(&reasons);
            format!("round {} of block {}: it counts, though {why}", round.round, round.block)
        })
    });
    cells.chain(rounds).chain(primitives::recount(run)).collect()
}

/// Returns how many rounds of a run could be measured again at the least.
fn repeats(schedule: &Schedule) -> usize {
    let cells = schedule.cells.iter().map(|cell| crate::run::repeats_of(schedule, &cell.name));
    cells.min().map_or(0, |least| least as usize)
}

/// Returns how the state of a turn differs from what its figures and its receipt say.
fn differs(run: &Run, turn: &TurnRecord) -> Option<String> {
    let TurnRecord { position, round, block, model, .. } = turn;
    let place = format!("turn {position} of round {round} of block {block}, {model}");
    let (Some(turned), Some(receipt)) = (&turn.turned, &turn.receipt) else {
        let valid = turn.state == State::Valid;
        return valid.then(|| format!("{place}: it is called valid and has no figures"));
    };

    let described = run.schedule.model(&turn.model)?;
    let Some((plan, asked)) = asked(&run.schedule, turn, turned.turn) else {
        return Some(format!("{place}: the schedule has no plan for it"));
    };
    let evidence = Evidence { turned, receipt, charged_ns: turn.charged_ns };
    let mut reasons = validate(described.claims(), (&plan, &asked), evidence);
    let stay = run.blocks.iter().find(|other| other.block == turn.block);
    let stay = stay.and_then(|other| other.stays.get(&turn.model));
    reasons.extend(stay.into_iter().flat_map(|stay| stay.invalid.clone()));
    match &turn.state {
        State::Valid if !reasons.is_empty() => {
            Some(format!("{place}: it is called valid, but {}", sentence(&reasons)))
        }
        State::Invalid(stored) if reasons.is_empty() && !is_seen_alive(stored) => Some(format!(
            "{place}: it is called invalid ({}), but nothing is wrong",
            sentence(stored)
        )),
        _ => None,
    }
}

/// Returns whether reasons hold one that only the living process shows.
fn is_seen_alive(reasons: &[Reason]) -> bool {
    reasons
        .iter()
        .any(|reason| matches!(reason, Reason::Descendants { .. } | Reason::OriginFailed { .. }))
}

/// Writes reasons.
fn sentence(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Returns what the participant of a turn was told, but for the ports of the origin.
fn asked(schedule: &Schedule, turn: &TurnRecord, number: u32) -> Option<(Plan, Turn)> {
    let block: &Block = schedule.blocks.iter().find(|block| block.number == turn.block)?;
    let shard = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let origins = vec![shard; schedule.placement.shards as usize];
    let plan = planned(schedule, (block, &turn.model), origins)?;
    let asked = turn_of((block, &plan.cell), &turn.model, number);
    Some((plan, asked))
}
