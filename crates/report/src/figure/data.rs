//! The numbers that a figure draws, as a table: for a screen reader, and as CSV beside the figure.

use crate::escape::cell;

/// A table of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Data {
    /// The columns, with their units.
    pub(crate) columns: Vec<String>,
    /// The rows; an empty text is a value that is not there.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Data {
    /// Returns a table with these columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    /// Writes it as CSV (RFC 4180). A text that a spreadsheet would take for a formula begins with
    /// an apostrophe.
    pub(crate) fn csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for line in [&self.columns].into_iter().chain(&self.rows) {
            let reported = |text: &String| match text.parse::<f64>() {
                Ok(_) => text.clone(),
                Err(_) => cell(text),
            };
            writer.write_record(line.iter().map(reported)).expect("memory holds it");
        }
        writer.into_inner().expect("memory holds it")
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }
}

/// Writes a number with six significant digits and none that is needless.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    rounded.to_string()
}

/// Writes an estimate as three columns: its value, and the ends of its interval.
pub(crate) fn estimate(estimate: Option<&analysis::Estimate>) -> [String; 3] {
    let interval = estimate.and_then(|estimate| estimate.interval);
    let end = |value: Option<f64>| value.map_or_else(String::new, number);
    [
        end(estimate.map(|estimate| estimate.value)),
        end(interval.map(|interval| interval.low)),
        end(interval.map(|interval| interval.high)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_six_digits_and_no_needless_ones() {
        for (value, text) in
            [(1.5, "1.5"), (21.234_567_8, "21.2346"), (0.0, "0"), (1e-7, "0.0000001")]
        {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(f64::NAN), "");
    }
}
