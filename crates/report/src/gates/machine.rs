//! Gates on the machine: what it did meanwhile for others, and how fast it went.

use record::{Host, Run, TrialRecord};
use stats::histogram;

use crate::cell_trials::{CellTrials, limit, median, percent, ratio, real};
use crate::gates::{Gate, Question, RUN, Trouble};

/// The share of all CPU time that the hypervisor may give to others, in the median. The kernel
/// takes stolen time out of CPU time, but only as far as the hypervisor tells of it.
const STEAL_MEDIAN_MAX: f64 = 0.02;
/// The same in any one trial.
const STEAL_TRIAL_MAX: f64 = 0.10;
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
/// for a fifth of the run; the extremes are trials whose probe was interrupted.
const SPEED_QUANTILES: [f64; 2] = [0.05, 0.95];
/// Governors that hold a frequency.
const FIXED_GOVERNORS: [&str; 2] = ["performance", "userspace"];
/// Why a gate on the machine knows nothing.
const NOT_WATCHED: &str = "the run does not tell what the machine did meanwhile";

/// Returns the gates on the machine in a cell.
pub(crate) fn gates(trials: &CellTrials<'_>) -> Vec<Gate> {
    vec![steal(trials), foreign(trials), waited(trials)]
}

/// G9: the hypervisor took little away, and a control group nothing.
fn steal(trials: &CellTrials<'_>) -> Gate {
    let question = Question {
        id: "G9",
        name: "steal",
        scope: &trials.cell.name,
        threshold: format!(
            "median at most {}, no trial beyond {}; no control group withheld the CPU",
            limit(STEAL_MEDIAN_MAX),
            limit(STEAL_TRIAL_MAX)
        ),
    };
    let shares: Vec<f64> = hosts(trials).filter_map(|(_, host)| stolen_share(host)).collect();
    let Some(middle) = median(shares.clone()) else { return question.unknown(NOT_WATCHED) };
    let most = shares.iter().copied().fold(0.0, f64::max);
    let measured = format!("median {}, most {}", percent(middle), percent(most));

    let mut troubles: Vec<Trouble> = Vec::new();
    if middle > STEAL_MEDIAN_MAX {
        let why = format!("the hypervisor gave {} of all CPU time to others", percent(middle));
        troubles.push(("NOISY", why));
    }
    let robbed = shares.iter().filter(|share| **share > STEAL_TRIAL_MAX).count();
    if robbed > 0 {
        let why = format!("{robbed} of {} trials lost more than a tenth", shares.len());
        troubles.push(("NOISY", why));
    }
    let withheld = hosts(trials).filter(|(_, host)| host.throttled.is_some_and(|n| n > 0)).count();
    if withheld > 0 {
        let why = format!("a control group withheld the CPU in {withheld} of {}", shares.len());
        troubles.push(("NOISY", format!("{why} trials, by its quota")));
    }
    question.marked(measured, troubles)
}

/// G10: other processes used little.
fn foreign(trials: &CellTrials<'_>) -> Gate {
    let question = Question {
        id: "G10",
        name: "foreign CPU time",
        scope: &trials.cell.name,
        threshold: format!("median at most {}", limit(FOREIGN_MEDIAN_MAX)),
    };
    let shares = hosts(trials).filter_map(|(trial, _)| foreign_share(trial));
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
fn waited(trials: &CellTrials<'_>) -> Gate {
    let question = Question {
        id: "G11",
        name: "waiting for a CPU",
        scope: &trials.cell.name,
        threshold: format!(
            "at most {WAITED_MAX:.2} of the CPU time of each model; for latencies alone"
        ),
    };
    let share = |trial: &TrialRecord| {
        let scheduled = trial.valid()?.scheduled?;
        ratio(scheduled.run_delay_ns, scheduled.cpu_ns)
    };
    let of_model = |model| Some((model, median(trials.valid(model).filter_map(share).collect())?));
    let shares: Vec<(&str, f64)> = trials.models().into_iter().filter_map(of_model).collect();
    let Some((model, most)) = shares.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return question.unknown("the run does not tell how long threads waited for a CPU");
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

/// G12: the CPUs kept their frequency.
pub(crate) fn frequency(run: &Run) -> Gate {
    let question = Question {
        id: "G12",
        name: "frequency",
        scope: RUN,
        threshold: format!(
            "a governor that holds it, and speeds within {}",
            limit(SPEED_SPREAD_MAX)
        ),
    };
    let governor = run.environment.governor.as_str();
    let mut troubles: Vec<Trouble> = Vec::new();
    if governor != "unknown" && !FIXED_GOVERNORS.contains(&governor) {
        troubles.push(("FREQ", format!("the governor {governor} changes the frequency")));
    }
    let Some(spread) = speed_spread(run) else {
        let unwatched = "the run does not tell how fast its CPUs were";
        return match troubles.is_empty() {
            true => question.unknown(unwatched),
            false => question.marked(format!("the governor is {governor}; {unwatched}"), troubles),
        };
    };

    if spread > SPEED_SPREAD_MAX {
        troubles
            .push(("FREQ", "a fixed loop took longer in some trials than in others".to_owned()));
    }
    let measured = format!(
        "the governor is {governor}; speeds of nine trials in ten lie within {} of each other",
        percent(spread)
    );
    question.marked(measured, troubles)
}

/// Returns the share of all CPU time that the hypervisor gave to others.
pub(crate) fn stolen_share(host: &Host) -> Option<f64> {
    ratio(host.steal_ns, host.capacity_ns)
}

/// Returns the share of all CPU time that other processes used during a trial.
pub(crate) fn foreign_share(trial: &TrialRecord) -> Option<f64> {
    let host = trial.host.as_ref().filter(|host| host.capacity_ns > 0)?;
    let own = host.model_ns + host.harness_ns + trial.receipt.as_ref()?.cpu_ns;
    Some((real(host.busy_ns) - real(own)) / real(host.capacity_ns))
}

/// Returns how far apart the speeds of the CPUs were, in times their median.
fn speed_spread(run: &Run) -> Option<f64> {
    let hosts = run.trials.iter().filter_map(|trial| trial.host.as_ref());
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

/// Returns the trials of a cell with what the machine did meanwhile, void ones included: the
/// machine is what is judged.
fn hosts<'a>(trials: &CellTrials<'a>) -> impl Iterator<Item = (&'a TrialRecord, &'a Host)> {
    let all = trials.all.clone().into_iter();
    all.filter_map(|trial| Some((trial, trial.host.as_ref()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::tests::check;
    use crate::made_up::{host, spoil, told};

    /// Spoils what the machine did in every steady trial.
    fn each(run: &mut Run, change: fn(&mut Host)) {
        for trial in run.trials.iter_mut().filter(|trial| trial.cell == "steady") {
            change(host(trial));
        }
    }

    #[test]
    fn g9_trips_on_steal_in_all_trials_and_in_one() {
        let all = |run: &mut Run| each(run, |host| host.steal_ns = host.capacity_ns / 40);
        check(("G9", "steady"), all, "NOISY");
        let one = |run: &mut Run| {
            let host = host(spoil(run, ("smol", "steady")).next().unwrap());
            host.steal_ns = host.capacity_ns / 8;
        };
        check(("G9", "steady"), one, "NOISY");
    }

    #[test]
    fn g9_trips_on_a_quota_that_withheld_the_cpu_once() {
        let throttle = |run: &mut Run| {
            host(spoil(run, ("smol", "steady")).next().unwrap()).throttled = Some(1);
        };
        check(("G9", "steady"), throttle, "NOISY");
        let mut old = crate::made_up::MadeUp::good().run();
        old.trials.iter_mut().for_each(|trial| host(trial).throttled = None);
        let cell = &old.schedule.cells[0];
        let state = steal(&CellTrials::of(&old, cell)).state;
        assert_eq!(state, crate::gates::GateState::Passed);
    }

    #[test]
    fn g10_trips_on_a_busy_neighbour() {
        let busy = |run: &mut Run| each(run, |host| host.busy_ns += host.capacity_ns / 20);
        check(("G10", "steady"), busy, "NOISY");
    }

    #[test]
    fn g11_marks_threads_that_wait_for_a_cpu() {
        let wait = |run: &mut Run| {
            for trial in spoil(run, ("threads", "steady")) {
                told(trial).scheduled.as_mut().unwrap().run_delay_ns *= 6;
            }
        };
        check(("G11", "steady"), wait, "QUEUED");
        let silent = |run: &mut Run| {
            for trial in run.trials.iter_mut().filter(|trial| trial.cell == "steady") {
                told(trial).scheduled = None;
            }
        };
        check(("G11", "steady"), silent, "unknown");
    }

    #[test]
    fn g12_trips_on_a_governor_and_on_a_cpu_that_slows_down() {
        check(("G12", "run"), |run| run.environment.governor = "powersave".to_owned(), "FREQ");
        let slow = |run: &mut Run| {
            for trial in run.trials.iter_mut().filter(|trial| trial.block >= 20) {
                host(trial).probe_per_ms = host(trial).probe_per_ms * 9 / 10;
            }
        };
        check(("G12", "run"), slow, "FREQ");
    }

    #[test]
    fn g12_passes_a_virtual_machine_whose_speed_is_steady_without_a_governor() {
        let mut run = crate::made_up::MadeUp::good().run();
        run.environment.governor = "unknown".to_owned();
        assert_eq!(frequency(&run).state, crate::gates::GateState::Passed);
    }
}
