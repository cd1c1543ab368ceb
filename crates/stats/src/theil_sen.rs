//! The slope of a line through points, which a few wild points cannot bend.
//!
//! The slope is the median of the slopes between all pairs of points, by H. Theil (*Indagationes
//! Mathematicae* 12, 1950, 85–91) for distinct x and by P. K. Sen ("Estimates of the regression
//! coefficient based on Kendall's tau", *Journal of the American Statistical Association* 63,
//! 1968, 1379–1389) for x that repeat.

use crate::{Estimate, Sample, inversions, number, order_statistic};

/// A point of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// What was set, such as the number of fetches in flight.
    pub x: f64,
    /// What was measured there, such as bytes.
    pub y: f64,
}

/// A line through points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// The growth of y with x, in units of y per unit of x.
    pub slope: Estimate,
    /// The height of the line at x = 0, in units of y.
    pub intercept: f64,
}

/// Returns the line through `points`, its slope with an interval of confidence 1 - `alpha`.
///
/// The interval inverts Kendall's test with its exact distribution for the x at hand (Sen 1968,
/// section 4, there with the normal approximation) and is `None` where there are too few points.
/// It takes the points as independent: where they come in blocks that share a disturbance, fit
/// each block and give the slopes to [`crate::hodges_lehmann::difference`]. The intercept is the
/// median of y - slope x. `None` means that a number is not finite or that all x are equal.
#[must_use]
pub fn fit(points: &[Point], alpha: f64) -> Option<Line> {
    let finite = points.iter().all(|point| point.x.is_finite() && point.y.is_finite());
    let mut points = finite.then(|| points.to_vec())?;
    points.sort_by(|left, right| left.x.total_cmp(&right.x));

    let slopes = number::sorted(Sample::new(slopes(&points))?.values().to_vec());
    let null = inversions::distribution(&groups(&points));
    let slope = number::middle(&slopes);
    let heights = points.iter().map(|point| point.y - slope * point.x).collect();

    Some(Line {
        slope: Estimate {
            value: slope,
            interval: order_statistic::interval(&slopes, &null, alpha),
        },
        intercept: number::middle(&number::sorted(heights)),
    })
}

/// Returns slope and intercept of that line without an interval, which takes long to find.
pub(crate) fn median_line(points: &[Point]) -> Option<(f64, f64)> {
    let finite = points.iter().all(|point| point.x.is_finite() && point.y.is_finite());
    let slopes = finite.then(|| slopes(points)).filter(|slopes| !slopes.is_empty())?;
    let slope = number::middle(&number::sorted(slopes));
    let heights = points.iter().map(|point| point.y - slope * point.x).collect();
    Some((slope, number::middle(&number::sorted(heights))))
}

/// Returns the slopes between all pairs of points with different x.
#[expect(clippy::float_cmp, reason = "x is set, not measured: the same setting is the same number")]
fn slopes(points: &[Point]) -> Vec<f64> {
    let mut slopes = Vec::new();

    for (index, left) in points.iter().enumerate() {
        for right in points[index + 1..].iter().filter(|right| right.x != left.x) {
            slopes.push((right.y - left.y) / (right.x - left.x));
        }
    }

    slopes
}

/// Returns how many points share each x, the points being in order of x.
#[expect(clippy::float_cmp, reason = "x is set, not measured: the same setting is the same number")]
fn groups(points: &[Point]) -> Vec<usize> {
    points.chunk_by(|left, right| left.x == right.x).map(<[Point]>::len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interval, reference};

    /// Returns the points of coordinates.
    fn points(x: &[f64], y: &[f64]) -> Vec<Point> {
        x.iter().zip(y).map(|(&x, &y)| Point { x, y }).collect()
    }

    /// Checks slope, its interval and intercept at level `alpha`.
    fn check(points: &[Point], alpha: f64, expected: (f64, Option<(f64, f64)>, f64)) {
        let line = fit(points, alpha).unwrap();

        let interval = expected.1.map(|(low, high)| Interval { low, high });
        let slope = Estimate { value: expected.0, interval };
        reference::assert_estimate(&line.slope, &slope, 1e-9);
        reference::assert_close(line.intercept, expected.2, 1e-9);
    }

    #[test]
    fn two_points_have_a_slope_and_no_interval() {
        check(&points(&[1.0, 3.0], &[1.0, 5.0]), 0.05, (2.0, None, -1.0));
    }

    #[test]
    fn the_order_of_points_does_not_matter() {
        check(&points(&[3.0, 1.0, 2.0], &[6.0, 2.0, 4.0]), 0.05, (2.0, None, 0.0));
    }

    #[test]
    fn five_points_are_the_fewest_with_an_interval_at_five_percent() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0];

        check(&points(&x, &x), 0.05, (1.0, Some((1.0, 1.0)), 0.0));
        check(&points(&x[..4], &x[..4]), 0.05, (1.0, None, 0.0));
    }

    #[test]
    fn a_wild_point_does_not_bend_the_line() {
        let line = fit(&points(&[0.0, 1.0, 2.0, 3.0, 4.0], &[0.0, 1.0, 2.0, 3.0, 1e9]), 0.05);

        reference::assert_close(line.unwrap().intercept, 0.0, 1e-9);
        reference::assert_close(line.unwrap().slope.value, 1.0, 1e-9);
    }

    #[test]
    fn points_at_one_x_have_no_slope() {
        assert_eq!(fit(&points(&[1.0, 1.0], &[1.0, 2.0]), 0.05), None);
        assert_eq!(fit(&[], 0.05), None);
    }

    #[test]
    fn a_point_that_is_not_finite_has_no_line() {
        assert_eq!(fit(&points(&[1.0, 2.0], &[1.0, f64::NAN]), 0.05), None);
        assert_eq!(fit(&points(&[1.0, f64::INFINITY], &[1.0, 2.0]), 0.05), None);
    }

    #[test]
    fn lines_are_those_of_scipy_and_intervals_those_of_an_enumeration() {
        for row in reference::rows(include_str!("../reference/theil_sen.csv")) {
            let points = points(&reference::numbers(row[0]), &reference::numbers(row[1]));
            let cells: Vec<f64> = row[2..].iter().map(|cell| reference::number(cell)).collect();

            check(&points, cells[0], (cells[1], Some((cells[2], cells[3])), cells[4]));
        }
    }
}
