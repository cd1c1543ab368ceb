//! Promises about the moments at which requests come: who is blamed for them, and who is not.

use workload::pipe::Scheduled;

use super::*;

/// Returns a turn whose fetches arrive at a rate, half of which the origin saw 6 ms later than the
/// most punctual, 5 ms more than the model says.
fn late(change: impl Fn(&mut Case)) -> Vec<String> {
    let mut case = Case::new(Workload::Batch);
    case.turned.lags_ns = vec![(10_000, 5), (1_010_000, 15)];
    case.receipt.arrival_late_ms_p50 = Some(6.0);
    case.receipt.delay_late_ms_p50_estimate = 0.1;
    change(&mut case);
    case.broken()
}

#[test]
fn requests_that_come_at_other_moments_than_a_model_says_speak_against_it_on_a_quiet_machine() {
    let words = "half of its requests left 1000 us later than the most punctual, the origin saw \
                 6000 us";
    let quiet = |case: &mut Case| {
        let waited = Scheduled { cpu_ns: 1_000_000, run_delay_ns: 1_000_000 };
        case.turned.scheduled = Some(waited);
        case.receipt.stolen_ns = Some(0);
    };
    for reasons in [late(|_| {}), late(quiet)] {
        assert!(reasons.len() == 1 && reasons[0].contains(words), "{reasons:?}");
    }
    assert!(Reason::OtherMoments { reported_us: 1, seen_us: 6 }.blames_the_model());
    let punctual = |case: &mut Case| case.receipt.arrival_late_ms_p50 = Some(1.9);
    assert_eq!(late(punctual), [""; 0]);
}

#[test]
fn what_the_machine_took_from_a_process_or_from_the_origin_speaks_against_no_model() {
    // A turn takes 200 ms.
    let waits = |run_delay_ns| {
        move |case: &mut Case| {
            case.turned.scheduled = Some(Scheduled { cpu_ns: 1_000_000, run_delay_ns });
        }
    };
    let stolen = |case: &mut Case| case.receipt.stolen_ns = Some(60_000_000);
    for reasons in [late(waits(50_000_000)), late(stolen)] {
        let words = "the machine held requests up: half left 1000 us later";
        assert!(reasons.len() == 1 && reasons[0].contains(words), "{reasons:?}");
    }
    assert!(late(waits(49_000_000))[0].contains("the origin saw"));
    let held_up = Reason::HeldUp { reported_us: 1_000, seen_us: 6_000, taken_us: 50_000 };
    assert!(held_up.cause() == Cause::Machine && !held_up.blames_the_model());
}

#[test]
fn an_origin_that_is_late_to_its_timers_is_late_to_requests_and_beyond_its_limit_no_witness() {
    let at = |late_ms: f64| late(|case| case.receipt.delay_late_ms_p50_estimate = late_ms);
    assert!(at(3.0)[0].contains("the origin saw 6000 us"));
    assert_eq!(at(4.0), [""; 0]);
    let seen = at(9.0);
    assert!(seen.len() == 1 && seen[0].contains("the origin was late"), "{seen:?}");
}

#[test]
fn a_pool_opens_connections_where_fetches_arrive_as_more_are_in_flight_and_no_more_than_slots() {
    let mut case = Case::new(Workload::Steady);
    case.plan.cell.workload = Workload::Paced;
    case.plan.cell.rate_per_s = 1_000;
    let mut broken = |is_bare, connections| {
        (case.claims.is_bare, case.receipt.connections) = (is_bare, Some(connections));
        let reasons = case.broken().into_iter();
        reasons.filter(|why| why.contains("connections")).collect::<Vec<_>>()
    };
    assert_eq!([broken(false, 0), broken(false, 4)], [[""; 0]; 2]);
    assert_eq!(broken(false, 5), ["the origin accepted 5 connections, at most 4 are allowed"]);
    assert_eq!(broken(true, 1), ["the origin accepted 1 connections, exactly 0 are expected"]);
}
