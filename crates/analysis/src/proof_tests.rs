//! Promises about the proof of an origin: what it calls bound is bound, and what it claims holds.

use super::*;
use crate::fixture::{BASELINE, Fixture, corrupt, paced, receipt, reported, times};

/// Returns the proof of the steady cell of a run, once it is corrupted.
fn proven(change: fn(&mut Run)) -> Proof {
    let mut run = Fixture { blocks: 3, ..Fixture::good() }.run();
    change(&mut run);
    proof(&run, &run.schedule.cells[1], BASELINE)
}

#[test]
fn an_origin_with_room_to_spare_is_free_and_the_delay_sets_the_pace() {
    let proof = proven(|_| ());
    let seen = proof.seen.unwrap();
    assert_eq!((proof.origin, proof.limiter), (Some(OriginState::Free), Some(Limiter::Delay)));
    assert_eq!((proof.turns, proof.ceiling_per_s, seen.slots), (108, Some(12_000), 64));
    assert!((seen.rate_per_s.median - 64.0 / 0.0331).abs() < 20.0);
    assert!((seen.headroom.unwrap().median - 0.16).abs() < 0.01);
    assert!((seen.origin_busy.median - 0.0677).abs() < 0.002);
    assert!((seen.little.unwrap().median - 1.0).abs() < 0.01);
    assert!((seen.baseline_busy.unwrap() - 0.0387).abs() < 0.002);
    assert_eq!(seen.model_busy.model, "tokio-reqwest");
}

#[test]
fn an_origin_near_its_ceiling_is_server_bound() {
    for (ceiling, expected) in
        [(4_000, OriginState::Free), (3_000, OriginState::Grey), (2_100, OriginState::ServerBound)]
    {
        let mut run = Fixture { blocks: 1, ..Fixture::good() }.run();
        run.schedule.probes[1].ceiling_per_s = ceiling;
        assert_eq!(proof(&run, &run.schedule.cells[1], BASELINE).origin, Some(expected));
    }
}

#[test]
fn one_model_that_keeps_the_origin_busy_is_named_and_enough() {
    let proof = proven(|run| {
        for turn in corrupt(run, ("smol", "steady")) {
            receipt(turn).cpu_ns *= 13;
        }
    });
    assert_eq!(proof.origin, Some(OriginState::ServerBound));
    assert_eq!(proof.limiter, Some(Limiter::Origin));
    let busy = proof.seen.unwrap().origin_busy;
    assert!(busy.model == "smol" && busy.worst > BUSY_BOUND && busy.median < BUSY_OK);
}

#[test]
fn a_model_that_takes_long_to_start_does_not_hide_a_busy_origin() {
    let proof = proven(|run| {
        for turn in &mut run.turns {
            receipt(turn).cpu_ns *= 13;
            receipt(turn).wall_ns *= 10;
        }
    });
    assert_eq!(proof.origin, Some(OriginState::ServerBound));
}

#[test]
fn arrivals_that_stall_break_littles_law() {
    let proof = proven(|run| {
        for turn in corrupt(run, ("threads", "steady")) {
            receipt(turn).in_flight_mean_estimate *= 0.94;
        }
    });
    assert_eq!(proof.origin, Some(OriginState::Grey));
    assert_eq!(proof.seen.unwrap().little.unwrap().model, "threads");
}

/// Returns the proof of a run in which a thousand fetches arrive a second, a twentieth of whose
/// replies are slow, and in which each model ends as soon as the last reply can be there. The
/// origin has so many in flight in the mean.
fn proven_open(in_flight: f64) -> Proof {
    let mut run = paced(&[1_000], "");
    run.schedule.cells[0].slow_percent = 5;
    let (schedule, cell) = (run.schedule.clone(), run.schedule.cells[0].clone());
    for turn in &mut run.turns {
        let block = schedule.block(turn.block).unwrap();
        let seeds = (block.seed, block.delay_seed(u64::from(turn.round) + 1));
        let arrivals_seed = block.arrivals_seed(&cell, turn.round);
        reported(turn).window.wall_ns = shortest_ns(&cell, arrivals_seed, seeds);
        let receipt = receipt(turn);
        (receipt.slow, receipt.in_flight_mean_estimate) = (receipt.answered / 20, in_flight);
    }
    proof(&run, &cell, BASELINE)
}

#[test]
fn slow_replies_and_those_that_are_awaited_after_the_last_arrival_keep_littles_law() {
    // A reply takes 8 ms in the mean, one in twenty twenty times that, and each is 1.1 ms late.
    let expected = 8.0 * (0.95 + 0.05 * 20.0) + 1.1;
    let proof = proven_open(expected);
    let little = proof.seen.unwrap().little.unwrap();
    assert!((little.median - 1.0).abs() < 0.03, "{little:?}");
    assert_eq!(proof.origin, Some(OriginState::Free));
    // If half of the slow replies were not, the law would not hold.
    let fewer = proven_open(8.0 * (0.95 + 0.025 * 20.0) + 1.1);
    assert_eq!(fewer.origin, Some(OriginState::Grey));
}

#[test]
fn where_fetches_arrive_at_a_rate_it_is_the_arrivals_that_set_the_pace() {
    assert_eq!(proven_open(16.7).limiter, Some(Limiter::Arrivals));
}

#[test]
fn a_batch_is_not_held_to_littles_law() {
    let run = Fixture { blocks: 1, ..Fixture::good() }.run();
    let proof = proof(&run, &run.schedule.cells[0], BASELINE);
    assert_eq!(proof.seen.unwrap().little, None);
}

#[test]
fn a_busy_model_sets_the_pace_and_may_be_ranked_only_where_cpus_and_headroom_allow() {
    for (cpus, ceiling, supported) in [(8, 12_000, true), (8, 3_000, false), (2, 12_000, false)] {
        let mut run = Fixture { blocks: 1, ..Fixture::good() }.run();
        run.environment.cpus = cpus;
        run.schedule.probes[1].ceiling_per_s = ceiling;
        for turn in corrupt(&mut run, (BASELINE, "steady")) {
            reported(turn).window.cpu_ns = times(reported(turn).window.wall_ns, 0.98);
        }
        let proof = proof(&run, &run.schedule.cells[1], BASELINE);
        assert_eq!(proof.limiter, Some(Limiter::ModelCpu));
        let claims: Vec<bool> = proof.claims.iter().map(|claim| claim.supported).collect();
        assert_eq!(claims, [true, supported], "{cpus} CPUs, {ceiling}/s");
    }
}

#[test]
fn models_that_hold_fewer_in_flight_prove_nothing_of_the_origin() {
    let proof = proven(|run| {
        run.schedule.models[2].max_in_flight = Some(1);
        for turn in corrupt(run, ("smol", "steady")) {
            receipt(turn).in_flight_peak_estimate = 1;
        }
    });
    assert_eq!(proof.turns, 90);
    assert!((proof.seen.unwrap().in_flight_peak.worst - 64.0).abs() < 1e-9);
}

#[test]
fn what_was_not_probed_has_no_headroom() {
    assert_eq!(proven(|run| run.schedule.probes.clear()).seen.unwrap().headroom, None);
}
