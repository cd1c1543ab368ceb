//! Holds a trial of a primitive against its own counts: what was not counted was not done.

use record::{PrimitiveRecord, Run, State};
use rules::Reason;
use stats::theil_sen;
use workload::primitive::{Point, PrimitivePlan, PrimitiveTrial};

use super::trial::{Tried, planned};
use super::{LEAST_NS, SHORTEST_NS};

/// The batches of a trial.
const BATCHES: usize = 8;
/// What the kernel may charge for a trial, in percent of what is reported for its batches: those
/// that find out how long one is are not reported. 105 to 154 on a machine that compiled meanwhile.
const CHARGED_PERCENT_MAX: u64 = 200;
/// What it may charge beside that for the start and the end, in nanoseconds.
const UNTOLD_NS: u64 = 2_000_000;
/// The same where each is timed alone, of which one primitive first arms 10,000 timers.
const UNTOLD_ALONE_NS: u64 = 30_000_000;
/// The level of an interval that is not looked at.
const ALPHA: f64 = 0.05;

/// Returns the state of a trial that has ended as it should have.
pub fn validate_primitive(plan: &PrimitivePlan, trial: &PrimitiveTrial) -> State {
    let name = plan.primitive.name();
    if let Some(wrong) = trial.points.iter().find(|point| point.counted != point.count) {
        let Point { count, counted, .. } = wrong;
        return State::Failed(format!("it did {counted} of {count} that were asked for ({name})"));
    }
    let reported: u64 = trial.latencies_ns.iter().map(|(_, count)| count).sum();
    match plan.primitive.alone() {
        Some(_) => match trial.points.as_slice() {
            [point] if point.count == plan.samples && reported == plan.samples => State::Valid,
            _ => {
                State::Failed(format!("it reported {reported} times of {} ({name})", plan.samples))
            }
        },
        None if trial.points.len() != BATCHES => {
            State::Failed(format!("it reported {} batches of {BATCHES}", trial.points.len()))
        }
        None => batches(&trial.points),
    }
}

/// Returns what speaks against a trial in what the kernel reports of its process: it was charged
/// with more than was reported, or started others. Both show in the living process alone.
pub(super) fn against_the_kernel(plan: &PrimitivePlan, tried: &Tried) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let reported = tried.trial.points.iter().map(|point| point.cpu_ns);
    let reported_ns = reported.fold(0, u64::saturating_add);
    let most = reported_ns.saturating_mul(CHARGED_PERCENT_MAX) / 100;
    let is_alone = plan.primitive.alone().is_some();
    let most = most.saturating_add(if is_alone { UNTOLD_ALONE_NS } else { UNTOLD_NS });
    let hidden = tried.charged_ns.filter(|charged| *charged > most);
    reasons.extend(hidden.map(|charged_ns| Reason::CpuHidden { reported_ns, charged_ns }));
    let count = tried.descendants;
    reasons.extend((count > 0).then_some(Reason::Descendants { count }));
    reasons
}

/// Returns the state of batches whose counts are right.
fn batches(points: &[Point]) -> State {
    let mut reasons = Vec::new();
    let shortest = points.iter().map(|point| point.wall_ns).min().unwrap_or_default();
    if shortest < SHORTEST_NS {
        reasons.push(Reason::BatchShort { took_ns: shortest, least_ns: SHORTEST_NS });
    }
    let line = points
        .iter()
        .map(|point| theil_sen::Point { x: real(point.count), y: real(point.wall_ns) })
        .collect::<Vec<_>>();
    match theil_sen::fit(&line, ALPHA).map(|line| line.slope.value) {
        None => reasons.push(Reason::NoSlope),
        Some(each) if each < LEAST_NS => {
            reasons.push(Reason::OptimisedAway { cost_ps: picoseconds(each) });
        }
        Some(_) => {}
    }
    if reasons.is_empty() { State::Valid } else { State::Invalid(reasons) }
}

/// Returns nanoseconds in whole picoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn picoseconds(ns: f64) -> u64 {
    (ns * 1e3).round() as u64
}

/// Returns a sentence for each trial of a stored run whose state is not what its counts say.
pub(crate) fn revalidate(run: &Run) -> Vec<String> {
    let trials = run.primitives.whole.iter().chain(&run.primitives.cut);
    trials.filter_map(|trial| differs(run, trial)).collect()
}

/// Returns how the state of a trial differs from what its counts say.
fn differs(run: &Run, trial: &PrimitiveRecord) -> Option<String> {
    let place = format!(
        "trial {} of block {}, {} of {}",
        trial.position,
        trial.block,
        trial.primitive.name(),
        trial.program
    );
    let Some(reported) = &trial.trial else {
        let valid = trial.state == State::Valid;
        return valid.then(|| format!("{place}: it is called valid and has no figures"));
    };
    let Some(block) = run.schedule.primitives.block(trial.block) else {
        return Some(format!("{place}: the schedule has no plan for it"));
    };
    let says = validate_primitive(&planned(&run.schedule.primitives, block), reported);
    // One that reported its counts may have failed by how it ended.
    let failed_later = matches!(trial.state, State::Failed(_)) && says == State::Valid;
    (says != by_its_counts(&trial.state) && !failed_later)
        .then(|| format!("{place}: it is called {:?}, but its counts say {says:?}", trial.state))
}

/// Returns the state that a trial would have by what it reported alone, without the reasons that
/// only its living process showed.
fn by_its_counts(state: &State) -> State {
    let State::Invalid(reasons) = state else { return state.clone() };
    let is_reported =
        |reason: &&Reason| !matches!(reason, Reason::CpuHidden { .. } | Reason::Descendants { .. });
    let reported: Vec<Reason> = reasons.iter().filter(is_reported).cloned().collect();
    if reported.is_empty() { State::Valid } else { State::Invalid(reported) }
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "times of a trial are far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use workload::primitive::Primitive;

    use super::*;

    /// Returns a plan.
    fn plan(primitive: Primitive) -> PrimitivePlan {
        let cpus = vec![0];
        PrimitivePlan { primitive, batch_ns: 200_000, samples: 5, workers: 1, cpus, seed: 1 }
    }

    /// Returns batches of which one takes so long.
    fn trial(each_ns: u64) -> PrimitiveTrial {
        let point = |length: u64| Point {
            count: 100_000 * length,
            counted: 100_000 * length,
            wall_ns: 300_000 + each_ns * 100_000 * length,
            ..Point::default()
        };
        let points = [1, 2, 4, 8, 8, 4, 2, 1].map(point).to_vec();
        PrimitiveTrial { points, latencies_ns: Vec::new() }
    }

    #[test]
    fn a_trial_whose_counts_are_right_is_valid() {
        assert_eq!(validate_primitive(&plan(Primitive::Spawn), &trial(50)), State::Valid);
    }

    #[test]
    fn what_the_kernel_charged_and_a_process_that_was_started_speak_against_a_trial() {
        let plan = plan(Primitive::Spawn);
        let tried = |charged_ms: u64, descendants: u64| {
            let mut trial = trial(50);
            trial.points.iter_mut().for_each(|point| point.cpu_ns = 7_500_000);
            let charged_ns = Some(charged_ms * 1_000_000);
            Tried { versions: [].into(), trial, charged_ns, descendants }
        };
        let reported = |charged_ms: u64, descendants: u64| {
            let broken = against_the_kernel(&plan, &tried(charged_ms, descendants));
            let state =
                if broken.is_empty() { State::Valid } else { State::Invalid(broken.clone()) };
            // Its own counts are right, so that nobody can say so who reads it later.
            assert_eq!(by_its_counts(&state), State::Valid);
            broken.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(reported(92, 0), [""; 0]);
        let hidden = "it reported 60000000 ns of CPU time for what the kernel charged 140000000";
        assert_eq!(reported(140, 0), [hidden]);
        assert!(reported(92, 1)[0].starts_with("it started other processes (1)"));
        let unknown = Tried { charged_ns: None, ..tried(0, 0) };
        assert_eq!(against_the_kernel(&plan, &unknown), []);
    }

    #[test]
    fn a_wrong_count_fails_a_trial() {
        let mut wrong = trial(50);
        wrong.points[3].counted -= 1;
        let State::Failed(why) = validate_primitive(&plan(Primitive::Spawn), &wrong) else {
            panic!()
        };
        assert!(why.contains("it did 799999 of 800000"), "{why}");
        wrong.points.truncate(3);
        let state = validate_primitive(&plan(Primitive::Spawn), &wrong);
        assert_eq!(state, State::Failed("it reported 3 batches of 8".to_owned()));
    }

    #[test]
    fn a_program_that_does_nothing_for_each_is_invalid() {
        let State::Invalid(why) = validate_primitive(&plan(Primitive::Generator), &trial(0)) else {
            panic!()
        };
        assert!(why[0].to_string().contains("optimised away"), "{why:?}");
    }

    #[test]
    fn a_batch_that_is_too_short_to_be_timed_is_invalid() {
        let mut short = trial(50);
        short.points[0].wall_ns = 1_000;
        let State::Invalid(why) = validate_primitive(&plan(Primitive::Spawn), &short) else {
            panic!()
        };
        assert!(why[0].to_string().contains("a batch took 1000 ns"), "{why:?}");
    }

    #[test]
    fn an_event_that_was_not_timed_fails_a_trial() {
        let point = Point { count: 5, counted: 5, ..Point::default() };
        let reported =
            |count| PrimitiveTrial { points: vec![point], latencies_ns: vec![(900, count)] };
        let plan = plan(Primitive::Event1ms);
        assert_eq!(validate_primitive(&plan, &reported(5)), State::Valid);
        assert!(matches!(validate_primitive(&plan, &reported(4)), State::Failed(_)));
    }
}
