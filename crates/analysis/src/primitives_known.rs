//! What is known of tasks and threads, held against a run.

use stats::Estimate;
use workload::Workload;

use crate::family::ALPHA;
use crate::primitive_figures::{ShapeCheck, Shown};
use crate::primitive_source::Source;

/// From this ratio on, a thing is called several times cheaper.
const SEVERAL: f64 = 3.0;
/// Up to this ratio, a difference has nearly vanished.
const NEARLY: f64 = 2.0;
/// A task should be cheaper to start than a thread by this factor.
const TENFOLD: f64 = 10.0;

/// What a ratio shows.
type Reading = fn(Estimate) -> Shown;

/// Holds what is known of tasks and threads against the run. A program whose units are threads
/// stands against the baseline's.
pub(crate) fn checks(sources: &[Source<'_>], baseline: &str) -> Vec<ShapeCheck> {
    let known: [(_, _, Reading); 3] = [
        (
            "a switch between tasks in memory is several times cheaper than one between threads",
            Workload::PingPong,
            |ratio| at_least(ratio, SEVERAL),
        ),
        (
            "the difference nearly vanishes where readiness of a socket causes the switch, on one \
             CPU",
            Workload::Readiness,
            |ratio| at_most(ratio, NEARLY),
        ),
        (
            "starting a task is at least ten times cheaper than starting a thread",
            Workload::Spawn,
            |ratio| at_least(ratio, TENFOLD),
        ),
    ];
    let check = |(claim, primitive, reading): (_, Workload, Reading)| {
        let source = sources.iter().find(|source| source.primitive == primitive)?;
        let threads = source.programs.iter().find(|program| program.unit == "thread")?;
        let pairs = source.paired(&threads.name, baseline);
        let ratio = pairs.map(|pairs| pairs.ratio(ALPHA));
        Some(ShapeCheck { claim, primitive, ratio, shown: ratio.map_or(Shown::Open, reading) })
    };
    known.into_iter().filter_map(check).collect()
}

/// Returns whether a ratio is at least so large.
fn at_least(ratio: Estimate, least: f64) -> Shown {
    match ratio.interval {
        Some(interval) if interval.low >= least => Shown::Yes,
        Some(interval) if interval.high < least => Shown::No,
        _ => Shown::Open,
    }
}

/// Returns whether a ratio is at most so large, to either side.
fn at_most(ratio: Estimate, most: f64) -> Shown {
    match ratio.interval {
        Some(interval) if interval.low >= 1.0 / most && interval.high <= most => Shown::Yes,
        Some(interval) if interval.low > most || interval.high < 1.0 / most => Shown::No,
        _ => Shown::Open,
    }
}
