//! Checks on the machine: what it did meanwhile for others, and how fast it went.

use std::collections::BTreeSet;

use record::{Host, Run, TurnRecord};
use stats::histogram;

use crate::cell_turns::CellTurns;
use crate::checks::question::{Question, RUN, Trouble, ValidityCheck};
use crate::counts::{median, ratio};
use crate::number::{limit, percent};

/// The share of all CPU time that the hypervisor may give to others, in the median. The kernel
/// takes stolen time out of CPU time, but only as far as the hypervisor reports it.
const STEAL_MEDIAN_MAX: f64 = 0.02;
/// The same in any one round.
const STEAL_ROUND_MAX: f64 = 0.10;
/// The share of all CPU time that other processes may use, in the median. The kernel and a
/// machine's own services need some; more is somebody's work, which evicts caches and slows a
/// sibling CPU.
const FOREIGN_MEDIAN_MAX: f64 = 0.05;
/// The time that a model's threads may wait for a CPU, in times what they ran. Only latencies
/// suffer from it, and threads on one CPU queue by nature: a mark and no more.
const WAITED_MAX: f64 = 0.10;
/// How far apart the speeds of a CPU may be. Cost per fetch goes with them.
const SPEED_SPREAD_MAX: f64 = 0.05;
/// The quantiles between which that spread is taken. Quartiles would miss a CPU that runs slower
/// for a fifth of the run; the extremes are rounds whose probe was interrupted.
const SPEED_QUANTILES: [f64; 2] = [0.05, 0.95];
/// Governors that hold a frequency.
const FIXED_GOVERNORS: [&str; 2] = ["performance", "userspace"];
/// Why a check on the machine knows nothing.
const NOT_WATCHED: &str = "the run does not say what the machine did meanwhile";

/// Returns the checks on the machine in a cell.
pub(crate) fn checks(turns: &CellTurns<'_>) -> Vec<ValidityCheck> {
    vec![steal(turns), foreign(turns), waited(turns)]
}

/// G9: the hypervisor took little away, and a control group nothing.
fn steal(turns: &CellTurns<'_>) -> ValidityCheck {
    let question = Question {
        id: "G9",
        name: "steal",
        scope: &turns.cell.name,
        threshold: format!(
            "median at most {}, no round beyond {}; no control group withheld the CPU",
            limit(STEAL_MEDIAN_MAX),
            limit(STEAL_ROUND_MAX)
        ),
    };
    let shares: Vec<f64> = hosts(turns).into_iter().filter_map(stolen_share).collect();
    let Some(middle) = median(shares.clone()) else { return question.unknown(NOT_WATCHED) };
    let most = shares.iter().copied().fold(0.0, f64::max);
    let measured = format!("median {}, most {}", percent(middle), percent(most));

    let mut troubles: Vec<Trouble> = Vec::new();
    if middle > STEAL_MEDIAN_MAX {
        let why = format!("the hypervisor gave {} of all CPU time to others", percent(middle));
        troubles.push(("NOISY", why));
    }
    let robbed = shares.iter().filter(|share| **share > STEAL_ROUND_MAX).count();
    if robbed > 0 {
        let why = format!("{robbed} of {} rounds lost more than a tenth", shares.len());
        troubles.push(("NOISY", why));
    }
    let withheld =
        hosts(turns).into_iter().filter(|host| host.throttled.is_some_and(|n| n > 0)).count();
    if withheld > 0 {
        let why = format!("a control group withheld the CPU in {withheld} of {}", shares.len());
        troubles.push(("NOISY", format!("{why} rounds, by its quota")));
    }
    question.marked(measured, troubles)
}

/// G10: other processes used little.
fn foreign(turns: &CellTurns<'_>) -> ValidityCheck {
    let question = Question {
        id: "G10",
        name: "foreign CPU time",
        scope: &turns.cell.name,
        threshold: format!("median at most {}", limit(FOREIGN_MEDIAN_MAX)),
    };
    let shares = hosts(turns).into_iter().filter_map(foreign_share);
    let Some(middle) = median(shares.collect()) else {
        return question.unknown(NOT_WATCHED);
    };

    let mut troubles: Vec<Trouble> = Vec::new();
    if middle > FOREIGN_MEDIAN_MAX {
        let why = format!("other processes used {} of all CPU time", percent(middle));
        troubles.push(("NOISY", why));
    }
    question.marked(format!("median {}", percent(middle)), troubles)
}

/// G11: threads seldom waited for a CPU.
fn waited(turns: &CellTurns<'_>) -> ValidityCheck {
    let question = Question {
        id: "G11",
        name: "waiting for a CPU",
        scope: &turns.cell.name,
        threshold: format!(
            "at most {WAITED_MAX:.2} of the CPU time of each model; for latencies alone"
        ),
    };
    let share = |turn: &TurnRecord| {
        let scheduled = turn.valid()?.scheduled?;
        ratio(scheduled.run_delay_ns, scheduled.cpu_ns)
    };
    let of_model = |model| Some((model, median(turns.valid(model).filter_map(share).collect())?));
    let shares: Vec<(&str, f64)> = turns.models().into_iter().filter_map(of_model).collect();
    let Some((model, most)) = shares.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return question.unknown("the run does not say how long threads waited for a CPU");
    };
    let measured = format!("most {most:.2} with {model}");

    let long = shares.iter().filter(|(_, share)| *share > WAITED_MAX);
    let names: Vec<String> = long.map(|(model, share)| format!("{model} {share:.2}")).collect();
    let mut troubles: Vec<Trouble> = Vec::new();
    if !names.is_empty() {
        let why = format!("latencies hold time spent waiting for a CPU: {}", names.join(", "));
        troubles.push(("QUEUED", why));
    }
    question.marked(measured, troubles)
}

/// G12: model and origin have CPUs of their own, which are alike and kept their frequency.
pub(crate) fn frequency(run: &Run) -> ValidityCheck {
    let question = Question {
        id: "G12",
        name: "frequency",
        scope: RUN,
        threshold: format!(
            "CPUs of their own for model and origin, cores of one kind, a governor that holds a \
             frequency, speeds within {}",
            limit(SPEED_SPREAD_MAX)
        ),
    };
    let governor = run.environment.governor.as_str();
    let mut troubles: Vec<Trouble> = Vec::new();
    if governor != "unknown" && !FIXED_GOVERNORS.contains(&governor) {
        troubles.push(("FREQ", format!("the governor {governor} changes the frequency")));
    }
    if run.schedule.placement.unequal_cores {
        let why = "no kind of core has one for the model and one for the origin";
        troubles.push(("CORES", why.to_owned()));
    }
    if run.schedule.placement.is_shared() {
        troubles.push(("SHARED", "model and origin take turns on the same CPUs".to_owned()));
    }
    let Some(spread) = speed_spread(run) else {
        let unwatched = "the run does not say how fast its CPUs were";
        return match troubles.is_empty() {
            true => question.unknown(unwatched),
            false => question.marked(format!("the governor is {governor}; {unwatched}"), troubles),
        };
    };

    if spread > SPEED_SPREAD_MAX {
        troubles
            .push(("FREQ", "a fixed loop took longer in some rounds than in others".to_owned()));
    }
    let measured = format!(
        "the governor is {governor}; speeds of nine rounds in ten lie within {} of each other",
        percent(spread)
    );
    question.marked(measured, troubles)
}

/// Returns the share of all CPU time that the hypervisor gave to others.
pub fn stolen_share(host: &Host) -> Option<f64> {
    ratio(host.steal_ns, host.capacity_ns)
}

/// Returns the share of all CPU time that other processes used during a round. The counters of CPUs
/// and of processes are not read at one moment, so that a small share may come out as less than
/// none; it is none.
pub fn foreign_share(host: &Host) -> Option<f64> {
    let own = host.models_ns + host.origin_ns + host.harness_ns;
    ratio(host.busy_ns.saturating_sub(own), host.capacity_ns)
}

/// Returns how far apart the speeds of the CPUs were, in times their median.
fn speed_spread(run: &Run) -> Option<f64> {
    let hosts = run.rounds.iter().filter_map(|round| round.host.as_ref());
    let mut speeds: Vec<u64> =
        hosts.map(|host| host.probe_per_ms).filter(|speed| *speed > 0).collect();
    speeds.sort_unstable();
    let counts: Vec<(u64, u64)> = speeds
        .chunk_by(|a, b| a == b)
        .filter_map(|equal| Some((*equal.first()?, u64::try_from(equal.len()).ok()?)))
        .collect();
    let [low, high] = SPEED_QUANTILES.map(|share| histogram::quantile(&counts, share));
    ratio(high? - low?, histogram::quantile(&counts, 0.5)?)
}

/// Returns what the machine did in each round of a cell that counts.
fn hosts<'a>(turns: &CellTurns<'a>) -> Vec<&'a Host> {
    let blocks: BTreeSet<u32> = turns.all.iter().map(|turn| turn.block).collect();
    let rounds = turns.run.rounds.iter().filter(|round| blocks.contains(&round.block));
    rounds.filter_map(|round| round.host.as_ref()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tests::trips;
    use crate::fixture::{Fixture, corrupt, hosts, reported};

    /// Corrupts what the machine did in every steady round.
    fn each(run: &mut Run, change: fn(&mut Host)) {
        hosts(run, "steady").for_each(change);
    }

    #[test]
    fn g9_trips_on_steal_in_all_rounds_and_in_one() {
        let all = |run: &mut Run| each(run, |host| host.steal_ns = host.capacity_ns / 40);
        trips(("G9", "steady"), all, "NOISY");
        let one = |run: &mut Run| {
            let host = hosts(run, "steady").next().unwrap();
            host.steal_ns = host.capacity_ns / 8;
        };
        trips(("G9", "steady"), one, "NOISY");
    }

    #[test]
    fn g9_trips_on_a_quota_that_withheld_the_cpu_once() {
        let throttle = |run: &mut Run| hosts(run, "steady").next().unwrap().throttled = Some(1);
        trips(("G9", "steady"), throttle, "NOISY");
        let mut old = Fixture::good().run();
        hosts(&mut old, "batch").for_each(|host| host.throttled = None);
        let cell = &old.schedule.cells[0];
        let state = steal(&CellTurns::of(&old, cell)).state;
        assert_eq!(state, crate::checks::question::CheckState::Passed);
    }

    #[test]
    fn g10_trips_on_a_busy_neighbour() {
        let busy = |run: &mut Run| each(run, |host| host.busy_ns += host.capacity_ns / 20);
        trips(("G10", "steady"), busy, "NOISY");
    }

    #[test]
    fn what_other_processes_used_is_never_less_than_nothing() {
        let host = Host { capacity_ns: 100, busy_ns: 50, models_ns: 30, ..Host::default() };
        assert_eq!(foreign_share(&host), Some(0.2));
        assert_eq!(foreign_share(&Host { harness_ns: 21, ..host }), Some(0.0));
    }

    #[test]
    fn g11_marks_threads_that_wait_for_a_cpu() {
        let wait = |run: &mut Run| {
            for turn in corrupt(run, ("threads", "steady")) {
                reported(turn).scheduled.as_mut().unwrap().run_delay_ns *= 6;
            }
        };
        trips(("G11", "steady"), wait, "QUEUED");
        let silent = |run: &mut Run| {
            for turn in run.turns.iter_mut().filter(|turn| turn.cell == "steady") {
                reported(turn).scheduled = None;
            }
        };
        trips(("G11", "steady"), silent, "unknown");
    }

    #[test]
    fn g12_trips_on_a_governor_on_unequal_cores_and_on_a_cpu_that_slows_down() {
        trips(("G12", "run"), |run| run.schedule.placement.unequal_cores = true, "CORES");
        trips(("G12", "run"), |run| run.schedule.placement.origin_cpus.push(1), "SHARED");
        trips(("G12", "run"), |run| run.environment.governor = "powersave".to_owned(), "FREQ");
        let slow = |run: &mut Run| {
            for round in run.rounds.iter_mut().filter(|round| round.block >= 20) {
                let host = round.host.as_mut().unwrap();
                host.probe_per_ms = host.probe_per_ms * 9 / 10;
            }
        };
        trips(("G12", "run"), slow, "FREQ");
    }

    #[test]
    fn g9_g10_and_g12_are_unknown_where_the_kernel_hides_what_its_cpus_did() {
        let hide = |run: &mut Run| run.rounds.iter_mut().for_each(|round| round.host = None);
        for which in [("G9", "steady"), ("G10", "steady"), ("G12", "run")] {
            trips(which, hide, "unknown");
        }
    }

    #[test]
    fn g12_passes_a_virtual_machine_whose_speed_is_steady_without_a_governor() {
        let mut run = Fixture::good().run();
        run.environment.governor = "unknown".to_owned();
        assert_eq!(frequency(&run).state, crate::checks::question::CheckState::Passed);
    }
}
