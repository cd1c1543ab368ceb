//! Several sessions as one answer: hours apart, a machine is a slightly different machine.
//!
//! Blocks of one session share what lasts longer than a session, so that pooling them promises
//! more than they can hold. The spread between sessions is an honest measure, but of few values;
//! hence both intervals are computed and the wider one is given (after T. Kalibera & R. Jones,
//! "Rigorous benchmarking in reasonable time", *ISMM* 2013, who put the repetitions at the level
//! that varies most).

use crate::{Estimate, Interval, Sample, hodges_lehmann, number, student};

/// Returns the mean over sessions of their Hodges-Lehmann estimates, in the unit of the samples,
/// with an interval of confidence 1 - `alpha`.
///
/// Every sample holds the differences of one session; for ratios they are logarithms and the
/// result is to be exponentiated. The interval is Student's over the estimates of the S sessions,
/// `mean ± t(1 - alpha / 2) s / sqrt(S)` with S - 1 degrees of freedom, if that is wider than the
/// Hodges-Lehmann interval of all blocks pooled; else it is the pooled one. It is `None`
/// where the pooled blocks are too few, and the whole estimate is `None` where there is no session.
#[must_use]
pub fn combine(sessions: &[Sample], alpha: f64) -> Option<Estimate> {
    let all: Vec<f64> = sessions.iter().flat_map(Sample::values).copied().collect();
    let pooled = hodges_lehmann::difference(&Sample::new(all)?, alpha).interval;
    let estimate = |session: &Sample| hodges_lehmann::difference(session, alpha).value;
    let estimates: Vec<f64> = sessions.iter().map(estimate).collect();

    Some(Estimate {
        value: number::mean(&estimates),
        interval: pooled.map(|pooled| wider(pooled, student_interval(&estimates, alpha))),
    })
}

/// Returns Student's interval of the mean; `None` for fewer than two values.
fn student_interval(values: &[f64], alpha: f64) -> Option<Interval> {
    let degrees = values.len().checked_sub(1)?;
    let quantile = student::quantile(1.0 - alpha / 2.0, degrees)?;
    let error = number::standard_deviation(values) / number::real(values.len()).sqrt();

    let (mean, half_width) = (number::mean(values), quantile * error);
    Some(Interval { low: mean - half_width, high: mean + half_width })
}

/// Returns the wider of two intervals, or `pooled` where the other one does not exist.
fn wider(pooled: Interval, between: Option<Interval>) -> Interval {
    match between {
        Some(between) if between.half_width() > pooled.half_width() => between,
        _ => pooled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    /// Checks the combination of `sessions` at 5 %.
    fn check(sessions: &[&[f64]], expected: Option<(f64, Option<(f64, f64)>)>) {
        let sessions: Vec<Sample> =
            sessions.iter().map(|values| Sample::new(values.to_vec()).unwrap()).collect();

        let combined = combine(&sessions, 0.05);

        assert_eq!(combined.is_some(), expected.is_some());
        if let (Some(combined), Some((value, interval))) = (combined, expected) {
            let interval = interval.map(|(low, high)| Interval { low, high });
            reference::assert_estimate(&combined, &Estimate { value, interval }, 1e-9);
        }
    }

    #[test]
    fn no_session_gives_no_estimate() {
        check(&[], None);
    }

    #[test]
    fn one_session_stands_for_itself() {
        check(&[&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], Some((3.5, Some((1.0, 6.0)))));
    }

    #[test]
    fn sessions_that_agree_keep_the_pooled_interval() {
        let session: &[f64] = &[1.0, 2.0, 3.0];

        // All Walsh averages of the nine pooled values lie between 1 and 3; q(9, 0.05) is 6.
        check(&[session, session, session], Some((2.0, Some((1.0, 3.0)))));
    }

    #[test]
    fn sessions_that_disagree_widen_the_interval() {
        // The sessions' estimates are 0, 0, 3: mean 1, s = sqrt(3), t(2, 0.975) = 4.302652729749.
        let half_width = 4.302_652_729_749_464;

        check(
            &[&[0.0, 0.0, 0.0], &[0.0, 0.0, 0.0], &[3.0, 3.0, 3.0]],
            Some((1.0, Some((1.0 - half_width, 1.0 + half_width)))),
        );
    }

    #[test]
    fn too_few_blocks_in_all_have_no_interval() {
        check(&[&[1.0, 2.0], &[3.0, 4.0]], Some((2.5, None)));
    }

    #[test]
    fn sessions_of_different_length_weigh_the_same() {
        check(&[&[0.0; 6], &[1.0; 2]], Some((0.5, Some((-5.853_102_368_287, 6.853_102_368_287)))));
    }
}
