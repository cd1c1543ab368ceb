//! What makes a round be measured again: what the origin or the machine did, and never what a turn
//! cost.

use std::time::{Duration, Instant, SystemTime};

use record::{Host, State, TurnRecord};
use rules::{Cause, Reason};

/// How far the time of day may part from the monotonic clock while a round runs, in milliseconds. A
/// clock that is slewed parts from it by 5 in ten seconds.
const CLOCK_JUMP_MS_MAX: u64 = 1_000;
/// The share of all CPU time of a round that the hypervisor may give to others, in percent.
const STOLEN_PERCENT_MAX: u64 = 10;
/// The same for other processes.
const FOREIGN_PERCENT_MAX: u64 = 15;
/// What is less than this, in nanoseconds, does not show: the kernel counts the time of CPUs in
/// ticks of 10 ms, and a round of operations has few of them.
const SHOWN_NS: u64 = 40_000_000;

/// Returns why a round is measured again: what the origin or the machine brought about.
pub(crate) fn disturbances(turns: &[TurnRecord], host: Option<&Host>) -> Vec<Reason> {
    let of_turn = |turn: &TurnRecord| match &turn.state {
        State::Invalid(reasons) => reasons.clone(),
        State::Valid | State::Failed(_) | State::Out => Vec::new(),
    };
    let mut disturbed: Vec<Reason> = turns.iter().flat_map(of_turn).collect();
    disturbed.retain(|reason| reason.cause() != Cause::Model);
    disturbed.extend(host.into_iter().flat_map(of_machine));
    disturbed
}

/// Returns what the machine did to a round.
pub(crate) fn of_machine(host: &Host) -> Vec<Reason> {
    let share = |part: u64| part.saturating_mul(100) / host.capacity_ns.max(1);
    let own = host.models_ns + host.origin_ns + host.harness_ns;
    let shown = |part: u64| if part < SHOWN_NS { 0 } else { share(part) };
    let (stolen, foreign) = (shown(host.steal_ns), shown(host.busy_ns.saturating_sub(own)));
    let mut reasons = Vec::new();
    if host.clock_jump_ms.unsigned_abs() > CLOCK_JUMP_MS_MAX {
        reasons.push(Reason::ClockJumped { ms: host.clock_jump_ms });
    }
    if stolen > STOLEN_PERCENT_MAX {
        reasons.push(Reason::Stolen { percent: stolen });
    }
    if foreign > FOREIGN_PERCENT_MAX {
        reasons.push(Reason::Foreign { percent: foreign });
    }
    reasons
}

/// Returns how much further the time of day has gone than the monotonic clock since both were read.
pub(crate) fn clock_jump_ms((began, started): (Instant, SystemTime)) -> i64 {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let by_day = started.elapsed().map_or_else(|back| -ms(back.duration()), ms);
    by_day.saturating_sub(ms(began.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what the machine did in a round of a second on two CPUs.
    fn host(change: impl Fn(&mut Host)) -> Host {
        let mut host = Host {
            capacity_ns: 2_000_000_000,
            busy_ns: 900_000_000,
            models_ns: 500_000_000,
            origin_ns: 300_000_000,
            ..Host::default()
        };
        change(&mut host);
        host
    }

    #[test]
    fn a_quiet_round_counts_and_one_on_a_machine_that_was_not_there_does_not() {
        assert_eq!(of_machine(&host(|_| {})), []);
        let stolen = of_machine(&host(|host| host.steal_ns = 300_000_000));
        assert_eq!(stolen, [Reason::Stolen { percent: 15 }]);
        let foreign = of_machine(&host(|host| host.busy_ns = 1_200_000_000));
        assert_eq!(foreign, [Reason::Foreign { percent: 20 }]);
        let jumped = of_machine(&host(|host| host.clock_jump_ms = -1_001));
        assert_eq!(jumped, [Reason::ClockJumped { ms: -1_001 }]);
    }

    #[test]
    fn a_clock_that_was_set_is_seen_either_way() {
        let an_hour = Duration::from_hours(1);
        let (now, today) = (Instant::now(), SystemTime::now());
        for (started, sign) in [(today - an_hour, 1), (today + an_hour, -1)] {
            let jump = clock_jump_ms((now, started));
            assert!((sign * jump - 3_600_000).abs() < 60_000, "{jump}");
        }
    }
}
