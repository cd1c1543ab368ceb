//! Reads the reference values that other programs computed (`reference/README.md`); tests only.

use crate::Estimate;

/// Returns the rows of a table whose first line names its columns, cell by cell.
pub(crate) fn rows(table: &str) -> Vec<Vec<&str>> {
    let rows: Vec<Vec<&str>> =
        table.lines().skip(1).map(|line| line.split(',').map(str::trim).collect()).collect();

    assert!(!rows.is_empty(), "a table of references without a row proves nothing");
    rows
}

/// Returns the number in a cell.
pub(crate) fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or_else(|_| panic!("{cell:?} is not a number"))
}

/// Returns the numbers in a cell, which are separated by spaces.
pub(crate) fn numbers(cell: &str) -> Vec<f64> {
    cell.split_whitespace().map(number).collect()
}

/// Checks that two numbers differ by at most `tolerance`.
pub(crate) fn assert_close(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
}

/// Checks that two estimates, or the absence of their intervals, differ by at most `tolerance`.
pub(crate) fn assert_estimate(actual: &Estimate, expected: &Estimate, tolerance: f64) {
    assert_close(actual.value, expected.value, tolerance);

    match (&actual.interval, &expected.interval) {
        (Some(actual), Some(expected)) => {
            assert_close(actual.low, expected.low, tolerance);
            assert_close(actual.high, expected.high, tolerance);
        }
        (actual, expected) => assert_eq!(actual, expected),
    }
}
