//! Holds the turns of a stored run against their receipts again: whoever reads a run need not
//! trust the words `valid` and `invalid` in its journal.

use std::net::{Ipv4Addr, SocketAddr};

use record::{RoundRecord, Run, Schedule, State, TurnRecord};
use rules::{Evidence, Reason, validate};
use workload::pipe::Turned;
use workload::{Plan, Turn};

use crate::disturbed::disturbances;
use crate::run::{planned, repeats_of, turn_of};

/// Returns a sentence for each turn whose state is not what its figures and its receipt say.
pub fn revalidate(run: &Run) -> Vec<String> {
    let counting = run.turns.iter().map(|turn| (turn, over_turns(run, turn)));
    // A stay is the sum of turns that count: nothing follows from it for others.
    let others = run.repeated.iter().chain(&run.cut).map(|turn| (turn, Vec::new()));
    let cells = counting.chain(others).filter_map(|(turn, over)| differs(run, turn, over));
    let counted = run.rounds.iter().filter_map(|round| counts_though(run, round));
    let repeated = run.disturbed.iter().filter_map(|round| repeated_though(run, round));
    cells.chain(counted).chain(repeated).collect()
}

/// Returns a sentence for a round that counts though it was disturbed, while rounds of its cell
/// could still be measured again.
fn counts_though(run: &Run, round: &RoundRecord) -> Option<String> {
    let turns: Vec<TurnRecord> = of_round(&run.turns, round).cloned().collect();
    let reasons = disturbances(&turns, round.host.as_ref());
    let cell = |round: &RoundRecord| run.schedule.block(round.block).map(|block| &block.cell);
    let own = cell(round)?;
    let used = run.disturbed.iter().filter(|other| cell(other) == Some(own)).count();
    let is_left = used < repeats_of(&run.schedule, own) as usize;
    (is_left && !reasons.is_empty()).then(|| {
        let why = sentence(&reasons);
        format!("round {} of block {}: it counts, though {why}", round.round, round.block)
    })
}

/// Returns a sentence for a round that was measured again without one of the reasons that it gives:
/// whoever could repeat rounds at will could choose among costs.
fn repeated_though(run: &Run, round: &RoundRecord) -> Option<String> {
    let turns: Vec<TurnRecord> = of_round(&run.repeated, round).cloned().collect();
    let reasons = disturbances(&turns, round.host.as_ref());
    let missing = round.disturbed.iter().find(|reason| !reasons.contains(reason))?;
    let RoundRecord { round, block, .. } = round;
    Some(format!("round {round} of block {block}: it was measured again, but not since {missing}"))
}

/// Returns the turns of a round.
fn of_round<'a>(
    turns: &'a [TurnRecord],
    round: &'a RoundRecord,
) -> impl Iterator<Item = &'a TurnRecord> {
    turns.iter().filter(|turn| (turn.block, turn.round) == (round.block, round.round))
}

/// Returns what speaks against a turn that counts in its stay, and in all stays of its participant.
fn over_turns(run: &Run, turn: &TurnRecord) -> Vec<Reason> {
    let block = run.blocks.iter().find(|other| other.block == turn.block);
    let stay = block.and_then(|other| other.stays.get(&turn.model));
    let of_all = run.over_blocks.get(&(turn.cell.clone(), turn.model.clone()));
    let of_stay = stay.into_iter().flat_map(|stay| stay.invalid.clone());
    of_stay.chain(of_all.into_iter().flatten().cloned()).collect()
}

/// Returns how the state of a turn differs from what its figures and its receipt say.
fn differs(run: &Run, turn: &TurnRecord, over: Vec<Reason>) -> Option<String> {
    let TurnRecord { position, round, block, model, .. } = turn;
    let place = format!("turn {position} of round {round} of block {block}, {model}");
    let receipt = turn.receipt.as_ref();
    let cell = run.schedule.cell(&turn.cell);
    let is_unseen = cell.is_some_and(|cell| cell.workload.fetches()) && receipt.is_none();
    let Some(turned) = turn.turned.as_ref().filter(|_| !is_unseen) else {
        let valid = turn.state == State::Valid;
        return valid.then(|| format!("{place}: it is called valid and has no figures"));
    };

    let described = run.schedule.described(&turn.model)?;
    let Some((plan, asked)) = asked(&run.schedule, turn, turned.turn) else {
        return Some(format!("{place}: the schedule has no plan for it"));
    };
    let origin = plan.cell.served_by(run.schedule.placement.origin);
    let turned = &with_wake_ups(run, turn, turned);
    let evidence = Evidence { turned, receipt, origin };
    let reasons = validate(described.claims(), (&plan, &asked), evidence);
    let mut reasons = run.schedule.held_against(&plan.cell, reasons);
    reasons.extend(over);
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

/// Returns what was reported of a turn with a wake-up of its probe task, if that woke in its stay.
/// The journal keeps wake-ups by the stay, and the thread of a probe task is known by them.
fn with_wake_ups(run: &Run, turn: &TurnRecord, turned: &Turned) -> Turned {
    let block = run.blocks.iter().find(|other| other.block == turn.block);
    let stay = block.and_then(|other| other.stays.get(&turn.model));
    let first = stay.and_then(|stay| stay.wake_up_delays_ns.first());
    let wake_up_delays_ns = first.map(|&(ns, _)| (ns, 1)).into_iter().collect();
    Turned { wake_up_delays_ns, ..turned.clone() }
}

/// Returns whether reasons hold one that only the living process shows, or that a turn shows by
/// times which the journal keeps for a whole stay.
fn is_seen_alive(reasons: &[Reason]) -> bool {
    let is_alive = |reason: &Reason| {
        matches!(
            reason,
            Reason::Descendants { .. }
                | Reason::ChildrenIgnored
                | Reason::OriginFailed { .. }
                | Reason::OtherMoments { .. }
                | Reason::HeldUp { .. }
        )
    };
    reasons.iter().any(is_alive)
}

/// Writes reasons.
fn sentence(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Returns what the participant of a turn was sent, but for the ports of the origin.
fn asked(schedule: &Schedule, turn: &TurnRecord, number: u32) -> Option<(Plan, Turn)> {
    let block = schedule.block(turn.block)?;
    let shard = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let shards = schedule.placement.shards * schedule.cell(&turn.cell)?.addresses();
    let origins = vec![shard; shards as usize];
    let plan = planned(schedule, (block, &turn.model), origins)?;
    let asked = turn_of((block, &plan.cell), &turn.model, number);
    let fetches = turn.asked.unwrap_or(asked.fetches);
    let arrivals_seed = block.arrivals_seed(&plan.cell, turn.round);
    Some((plan, Turn { fetches, arrivals_seed, ..asked }))
}
