//! Checks on the origin: whether it was what was measured, lost segments, or changed on the way.

use std::collections::BTreeMap;

use record::TurnRecord;
use stats::capacity::HEADROOM;
use workload::Receipt;

use crate::cell_turns::{CellTurns, origin_cost};
use crate::checks::question::{Question, Trouble, ValidityCheck};
use crate::counts::{median, real};
use crate::number::{digits, limit, percent};
use crate::proof::{self, OriginState, Proof, Seen, proof};

/// How far the origin's cost per fetch may be in the last third of the blocks from that in the
/// first. Less could hardly move its busy time across a threshold, and a shared machine alone
/// brings a few per cent.
const DRIFT_MAX: f64 = 0.05;
/// By how much a fetch may cost the origin more at the end of a block than at its beginning.
/// Every model meets it as often young as old, so that ratios stay what they are; a quarter is
/// beyond what chance does where a third of a block is few turns, and cannot take an origin that is
/// busy for half of its time to where replies wait.
const AGEING_MAX: f64 = 0.25;
/// By how many KiB a fetch may let the origin's memory grow. wiremock keeps up to 5 of each request
/// for ever, which a block of some ten thousand bears; an origin that keeps more leaks.
const GROWTH_KIB_MAX: f64 = 8.0;

/// Returns the checks on the origin of a cell.
pub(crate) fn checks(turns: &CellTurns<'_>, baseline: &str) -> Vec<ValidityCheck> {
    vec![bound(turns, baseline), health(turns), drift(turns)]
}

/// G5: the origin had room to spare.
fn bound(turns: &CellTurns<'_>, baseline: &str) -> ValidityCheck {
    let question = Question {
        id: "G5",
        name: "server-bound",
        scope: &turns.cell.name,
        threshold: format!(
            "rate at most {} of the ceiling, origin busy at most {}, Little's law within {}",
            limit(HEADROOM),
            limit(proof::BUSY_OK),
            limit(proof::LITTLE_MARGIN)
        ),
    };
    let proof = proof(turns.run, turns.cell, baseline);
    let Some((seen, state)) = proof.seen.as_ref().zip(proof.origin) else {
        return question.unknown("no valid turn shows what the origin did");
    };
    let measured = measured(seen);
    let badge = match state {
        OriginState::Free => return free(question, &proof, measured),
        OriginState::Grey => "GREY",
        OriginState::ServerBound => "SERVER-BOUND",
    };
    let why = match state {
        OriginState::ServerBound => {
            "the origin set the pace: rates are lower bounds, and \
                                     latencies are not the models'"
        }
        _ => "the origin may have delayed some replies: rates and latencies are to be doubted",
    };
    question.marked(measured, vec![(badge, why.to_owned())])
}

/// Answers for an origin that shows no sign of being bound.
fn free(question: Question<'_>, proof: &Proof, measured: String) -> ValidityCheck {
    match proof.ceiling_per_s {
        Some(_) => question.passed(measured),
        None => ValidityCheck {
            measured,
            ..question.unknown(
                "what the origin can answer was not probed; it was not busy and kept Little's law",
            )
        },
    }
}

/// Writes what was seen of the origin.
fn measured(seen: &Seen) -> String {
    let headroom = seen.headroom.as_ref();
    let headroom = headroom.map(|headroom| format!("of the ceiling {}", headroom.text()));
    let busy = format!("origin busy {}", seen.origin_busy.text());
    let little = seen.little.as_ref().map(|little| {
        format!("in flight {} of Little's law with {}", percent(little.worst), little.model)
    });
    [headroom, Some(busy), little].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// G15: TCP lost nothing. The kernel counts for the whole namespace, whoever's ports they are, so
/// this is a badge and not a fault of a model.
pub(crate) fn health(turns: &CellTurns<'_>) -> ValidityCheck {
    let question = Question {
        id: "G15",
        name: "TCP",
        scope: &turns.cell.name,
        threshold: "no overflow, drop, timeout or retransmit in the namespace".to_owned(),
    };
    let receipts: Vec<_> = turns.all.iter().filter_map(|turn| turn.receipt.as_ref()).collect();
    let reported = receipts.iter().all(|receipt| losses(receipt).iter().all(Option::is_some));
    let sum = |field: fn(&Receipt) -> Option<u64>| {
        receipts.iter().filter_map(|receipt| field(receipt)).fold(0, u64::saturating_add)
    };
    let counts = [
        ("overflows", sum(|receipt| receipt.listen_overflows)),
        ("drops", sum(|receipt| receipt.listen_drops)),
        ("timeouts", sum(|receipt| receipt.timeouts)),
        ("retransmits", sum(|receipt| receipt.retransmits)),
    ];
    let measured = counts.map(|(name, count)| format!("{count} {name}")).join(", ");
    let lossy = |turn: &&&TurnRecord| turn.receipt.as_ref().is_some_and(is_lossy);
    let lossy = turns.all.iter().filter(lossy).count();
    match lossy {
        0 if receipts.is_empty() || !reported => {
            question.unknown("the run does not report drops and timeouts")
        }
        0 => question.passed(format!("{measured} in {} turns", receipts.len())),
        _ => {
            let why = format!(
                "segments or connections were lost in {lossy} of the turns, be they of this run \
                 or of other programs in the network namespace"
            );
            question.marked(measured, vec![("TCP", why)])
        }
    }
}

/// Returns whether anything was lost.
fn is_lossy(receipt: &Receipt) -> bool {
    losses(receipt).into_iter().flatten().any(|count| count > 0)
}

/// Returns how often anything was lost, as far as the kernel reports.
fn losses(receipt: &Receipt) -> [Option<u64>; 4] {
    [receipt.listen_overflows, receipt.listen_drops, receipt.timeouts, receipt.retransmits]
}

/// G20: the origin costs in the last blocks what it cost in the first. It is renewed in every
/// block, so that it ages within a block only: there its cost and its memory may not grow far.
fn drift(turns: &CellTurns<'_>) -> ValidityCheck {
    let question = Question {
        id: "G20",
        name: "origin drift",
        scope: &turns.cell.name,
        threshold: format!(
            "CPU time per answered fetch, last third of the blocks against the first, within {}; \
             inside blocks at most {} more, and {GROWTH_KIB_MAX} KiB of memory a fetch",
            limit(DRIFT_MAX),
            limit(AGEING_MAX)
        ),
    };
    let Some((first, last)) = thirds(turns) else {
        return question.unknown("fewer than three blocks show what the origin cost");
    };
    let change = last / first - 1.0;
    let (first, last) = (digits(first / 1e3), digits(last / 1e3));
    let (aged, grown) = (ageing(turns), growth(turns));
    let measured = format!(
        "{first} us in the first third, {last} us in the last ({:+.1} %){}{}",
        100.0 * change,
        aged.map_or_else(String::new, |aged| format!("; {:+.1} % inside blocks", 100.0 * aged)),
        grown.map_or_else(String::new, |kib| {
            format!("; memory grew by {} KiB a fetch within a block", digits(kib))
        })
    );
    let mut troubles: Vec<Trouble> = Vec::new();
    if change.abs() > DRIFT_MAX {
        let why = "the origin cost more or less as the run went on; blocks cancel it in ratios";
        troubles.push(("ORIGIN-DRIFT", why.to_owned()));
    }
    if aged.is_some_and(|aged| aged > AGEING_MAX) {
        let why =
            "the origin grew more expensive inside each block; the order of models cancels it";
        troubles.push(("ORIGIN-DRIFT", why.to_owned()));
    }
    if grown.is_some_and(|kib| kib > GROWTH_KIB_MAX) {
        let why = "the origin kept more of each fetch than it should, and its memory grew";
        troubles.push(("ORIGIN-DRIFT", why.to_owned()));
    }
    let mut receipts = turns.all.iter().filter_map(|turn| turn.valid().and(turn.receipt.as_ref()));
    if troubles.is_empty() && receipts.any(|receipt| receipt.resident_kib.is_none()) {
        return question.unknown("the kernel hid how much memory the origin had");
    }
    question.marked(measured, troubles)
}

/// Returns what the origin cost per answered fetch in the first third of the blocks and in the
/// last: medians over blocks of medians over turns, so that every model has the same weight in
/// both.
fn thirds(turns: &CellTurns<'_>) -> Option<(f64, f64)> {
    let blocks = turns.blocks().into_values();
    let costs: Vec<f64> = blocks
        .filter_map(|block| median(block.into_iter().filter_map(origin_cost).collect()))
        .collect();
    let third = costs.len() / 3;
    Some((median(costs[..third].to_vec())?, median(costs[costs.len() - third..].to_vec())?))
}

/// Returns how much more a fetch costs the origin in the last third of a block than in the first:
/// the median over blocks. Models cost it differently, and few of them are in a third, so each
/// turn is held against what others of its model cost.
fn ageing(turns: &CellTurns<'_>) -> Option<f64> {
    let mut by_model: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for turn in &turns.all {
        by_model.entry(turn.model.as_str()).or_default().extend(origin_cost(turn));
    }
    let usual: BTreeMap<&str, f64> =
        by_model.into_iter().filter_map(|(model, costs)| Some((model, median(costs)?))).collect();
    let relative = |turn: &TurnRecord| Some(origin_cost(turn)? / usual[turn.model.as_str()]);
    let of_block = |block: Vec<&TurnRecord>| {
        let costs: Vec<f64> = block.into_iter().filter_map(relative).collect();
        let third = costs.len() / 3;
        let (first, last) = (&costs[..third], &costs[costs.len() - third..]);
        Some(median(last.to_vec())? / median(first.to_vec())? - 1.0)
    };
    median(turns.blocks().into_values().filter_map(of_block).collect())
}

/// Returns by how many KiB an answered fetch lets the origin's resident memory grow: the median
/// over blocks, from the first receipt of a block to its last.
fn growth(turns: &CellTurns<'_>) -> Option<f64> {
    let per_fetch = |block: Vec<&TurnRecord>| {
        let receipts: Vec<_> = block.iter().filter_map(|turn| turn.receipt.as_ref()).collect();
        let (first, rest) = receipts.split_first()?;
        let answered = rest.iter().map(|receipt| receipt.answered).fold(0, u64::saturating_add);
        let grown = real(rest.last()?.resident_kib?) - real(first.resident_kib?);
        (answered > 0).then(|| grown / real(answered))
    };
    median(turns.blocks().into_values().filter_map(per_fetch).collect())
}

#[cfg(test)]
mod tests {
    use record::Run;

    use super::*;
    use crate::checks::tests::{GOOD, trips};
    use crate::fixture::{corrupt, receipt, times};

    #[test]
    fn g5_trips_on_an_origin_near_its_ceiling() {
        trips(("G5", "steady"), |run| run.schedule.probes[1].ceiling_per_s = 3_000, "GREY");
        trips(("G5", "steady"), |run| run.schedule.probes[1].ceiling_per_s = 2_000, "SERVER-BOUND");
    }

    #[test]
    fn g5_is_unknown_without_a_probe_but_not_where_the_origin_was_busy() {
        trips(("G5", "steady"), |run| drop(run.schedule.probes.pop()), "unknown");
        let busy = |run: &mut Run| {
            run.schedule.probes.pop();
            for turn in run.turns.iter_mut().filter(|turn| turn.cell == "steady") {
                receipt(turn).cpu_ns *= 11;
            }
        };
        trips(("G5", "steady"), busy, "GREY");
    }

    #[test]
    fn g15_trips_on_a_single_retransmit() {
        let lose = |run: &mut Run| {
            receipt(corrupt(run, ("smol", "batch")).next().unwrap()).retransmits = Some(1);
        };
        trips(("G15", "batch"), lose, "TCP");
    }

    #[test]
    fn g15_is_unknown_where_the_kernel_hides_a_counter() {
        let hide = |run: &mut Run| {
            receipt(corrupt(run, ("smol", "batch")).next().unwrap()).retransmits = None;
        };
        trips(("G15", "batch"), hide, "unknown");
    }

    #[test]
    fn g20_trips_on_an_origin_that_costs_more_and_more() {
        let drift = |run: &mut Run| {
            for turn in run.turns.iter_mut().filter(|t| t.cell == "steady" && t.block >= 16) {
                receipt(turn).cpu_ns = times(receipt(turn).cpu_ns, 1.06);
            }
        };
        trips(("G20", "steady"), drift, "ORIGIN-DRIFT");
    }

    #[test]
    fn g20_trips_on_an_origin_that_costs_more_or_grows_inside_each_block() {
        let old = |turn: &&mut TurnRecord| turn.cell == "steady" && turn.round >= 4;
        let costlier = |run: &mut Run| {
            for turn in run.turns.iter_mut().filter(old) {
                receipt(turn).cpu_ns = times(receipt(turn).cpu_ns, 1.3);
            }
        };
        trips(("G20", "steady"), costlier, "ORIGIN-DRIFT");
        let larger = |run: &mut Run| {
            for turn in run.turns.iter_mut().filter(|turn| turn.cell == "steady") {
                receipt(turn).resident_kib = receipt(turn).resident_kib.map(|kib| kib * 3);
            }
        };
        trips(("G20", "steady"), larger, "ORIGIN-DRIFT");
        let hidden = |run: &mut Run| {
            for turn in run.turns.iter_mut().filter(|turn| turn.cell == "steady") {
                receipt(turn).resident_kib = None;
            }
        };
        trips(("G20", "steady"), hidden, "unknown");
    }

    #[test]
    fn g20_reports_how_memory_grew() {
        let reported = |check: &ValidityCheck| {
            check.id == "G20" && check.measured.contains("grew by 4.00 KiB")
        };
        assert_eq!(GOOD.iter().filter(|check| reported(check)).count(), 2);
    }
}
