//! Promises about the proof of an origin: what it calls bound is bound, and what it claims holds.

use super::*;
use crate::fixture::{BASELINE, Fixture, corrupt, receipt, reported, times};

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
