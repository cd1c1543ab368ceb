//! What the values of a row have in common, when the columns have levels of their own.
//!
//! With a block as a row and a model as a column, on the logarithmic scale, it is what the machine
//! did to all models of that block. Medians of rows and of columns are swept out in turn (median
//! polish: J. W. Tukey, *Exploratory Data Analysis*, 1977, chapter 11), so that a stalled trial
//! moves neither.

use crate::number;

/// How often rows and columns are swept in turn; after the second sweep little moves.
const SWEEPS: usize = 4;

/// What a table of rows and columns is made of, in the unit of its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Polish {
    /// What the values of each row have in common; the median over rows is 0.
    pub shared: Vec<f64>,
    /// The level of each column; 0 for one without values.
    pub levels: Vec<f64>,
}

impl Polish {
    /// Returns what a table is made of, given row by row and with gaps.
    ///
    /// Adding a number to all values of a column adds it to that column's level, and changes
    /// nothing else once the sweeps have settled. `None` means that there is no row, or one
    /// without a value.
    #[must_use]
    pub fn of(rows: &[Vec<Option<f64>>]) -> Option<Self> {
        let columns = rows.iter().map(Vec::len).max()?;
        let mut polish = Self { shared: Vec::new(), levels: vec![0.0; columns] };

        for _ in 0..SWEEPS {
            let shared: Option<Vec<f64>> =
                rows.iter().map(|row| polish.of_row(row, None)).collect();
            let shared = shared?;
            let center = middle(shared.clone())?;
            polish.shared = shared.iter().map(|value| value - center).collect();
            polish.levels = (0..columns).map(|column| polish.of_column(rows, column)).collect();
        }

        Some(polish)
    }

    /// Returns the values of a column over what the other columns have in common in each row, row
    /// by row; rows in which it, or every other column, has no value are left out.
    ///
    /// Others alone, since a value that counted in the median of its row would be drawn towards
    /// it, the more the fewer columns there are, and would look quieter than it is.
    #[must_use]
    pub fn own(&self, rows: &[Vec<Option<f64>>], column: usize) -> Vec<f64> {
        let own = |row: &Vec<Option<f64>>| {
            let value = row.get(column).copied().flatten()?;
            Some(value - self.of_row(row, Some(column))?)
        };

        rows.iter().filter_map(own).collect()
    }

    /// Returns what the values of a row have in common, but for those of one column.
    fn of_row(&self, row: &[Option<f64>], without: Option<usize>) -> Option<f64> {
        let values = row.iter().zip(&self.levels).enumerate();
        let values = values.filter(|&(column, _)| Some(column) != without);

        middle(values.filter_map(|(_, (value, level))| Some((*value)? - level)).collect())
    }

    /// Returns the level of a column over what the rows have in common.
    fn of_column(&self, rows: &[Vec<Option<f64>>], column: usize) -> f64 {
        let value = |row: &Vec<Option<f64>>| row.get(column).copied().flatten();
        let values = rows.iter().zip(&self.shared);
        let values = values.filter_map(|(row, shared)| Some(value(row)? - shared));

        middle(values.collect()).unwrap_or(0.0)
    }
}

/// Returns the median of values, if there are any.
fn middle(values: Vec<f64>) -> Option<f64> {
    (!values.is_empty()).then(|| number::middle(&number::sorted(values)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{self, assert_close};

    /// Returns rows without gaps.
    fn full(rows: &[&[f64]]) -> Vec<Vec<Option<f64>>> {
        rows.iter().map(|row| row.iter().copied().map(Some).collect()).collect()
    }

    /// Returns three columns over three rows.
    fn three() -> Vec<Vec<Option<f64>>> {
        full(&[&[1.0, 5.0, 9.0], &[2.0, 6.0, 10.0], &[4.0, 8.0, 12.0]])
    }

    /// Checks what a table is made of.
    fn check(rows: &[Vec<Option<f64>>], shared: &[f64], levels: &[f64]) {
        let polish = Polish::of(rows).unwrap();

        for (actual, expected) in [(&polish.shared, shared), (&polish.levels, levels)] {
            assert_eq!(actual.len(), expected.len());
            for (&actual, &expected) in actual.iter().zip(expected) {
                assert_close(actual, expected, 1e-12);
            }
        }
    }

    #[test]
    fn what_all_columns_gain_is_shared() {
        check(&three(), &[-1.0, 0.0, 2.0], &[2.0, 6.0, 10.0]);
    }

    #[test]
    fn gaps_are_left_out() {
        let mut rows = three();
        rows[1][2] = None;
        rows[2].truncate(2);

        check(&rows, &[-1.0, 0.0, 2.0], &[2.0, 6.0, 10.0]);
    }

    #[test]
    fn one_stalled_value_moves_nothing() {
        let mut rows = three();
        rows[1][0] = Some(1e9);

        check(&rows, &[-1.0, 0.0, 2.0], &[2.0, 6.0, 10.0]);
    }

    #[test]
    fn a_column_without_values_has_level_zero() {
        check(&[vec![None, Some(3.0)], vec![None, Some(4.0)]], &[-0.5, 0.5], &[0.0, 3.5]);
    }

    #[test]
    fn a_row_or_a_table_without_values_is_made_of_nothing() {
        assert_eq!(Polish::of(&[]), None);
        assert_eq!(Polish::of(&[vec![Some(1.0)], vec![None]]), None);
        assert_eq!(Polish::of(&[vec![]]), None);
    }

    #[test]
    fn what_is_a_columns_own_is_reported_from_the_others_alone() {
        let mut rows = three();
        rows[1][0] = Some(3.0);
        rows[2][1] = None;
        let polish = Polish { shared: vec![0.0; 3], levels: vec![2.0, 6.0, 10.0] };

        assert_eq!(polish.own(&rows, 0), [2.0, 3.0, 2.0]);
        assert_eq!(polish.own(&rows, 1), [6.0, 5.5]);
        assert_eq!(polish.own(&rows, 7), Vec::<f64>::new());
    }

    #[test]
    fn a_single_column_has_nothing_of_its_own() {
        let rows = full(&[&[1.0], &[2.0]]);

        assert_eq!(Polish::of(&rows).unwrap().own(&rows, 0), Vec::<f64>::new());
    }

    #[test]
    fn rows_and_columns_are_those_of_r() {
        for row in reference::rows(include_str!("../reference/polish.csv")) {
            let columns: usize = row[0].parse().unwrap();
            let values = reference::numbers(row[1]);
            let rows: Vec<&[f64]> = values.chunks(columns).collect();

            check(&full(&rows), &reference::numbers(row[2]), &reference::numbers(row[3]));
        }
    }
}
