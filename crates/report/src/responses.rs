//! What fetches wait for that arrive at a rate, as a table.

use analysis::Estimate;
use analysis::cell_figures::CellFigures;
use analysis::number::{digits, with_interval};
use analysis::responses::{ACHIEVED_MIN, Responses, Waits};
use workload::Cell;

use crate::form::{Form, joined};
use crate::table::{NOTHING, drawn, reply, timeout};
use crate::words::{in_line, wrapped};

/// What its columns are.
pub(crate) const COLUMNS: [&str; 10] = [
    "model",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "p99.9 ms",
    "max ms",
    "mean ms",
    "lag p50 us",
    "lag p99 us",
    "CPU/fetch us",
];

/// Those that the answer has.
const SHORT: [usize; 6] = [0, 1, 3, 4, 5, 7];

/// Says what the columns are.
pub(crate) const LEGEND: &str = "\
    p50 to mean: from the arrival of a fetch to its verified end, all fetches together; lag: from \
    its arrival until it is sent, the model's timer included; in brackets, 95 % intervals over \
    blocks";

/// Writes them as a table, if there are any.
pub(crate) fn text(of: &CellFigures, form: Form) -> Option<String> {
    let rows = rows(of);
    (!rows.is_empty()).then(|| {
        let heading = in_line(&heading(&of.cell), form);
        let legend = in_line(LEGEND, form);
        joined(vec![heading, drawn(&COLUMNS, &rows, form), legend], form)
    })
}

/// Writes them for the answer: fewer columns, as lines no longer than so many.
pub(crate) fn short(of: &CellFigures, columns: usize) -> Vec<String> {
    let rows: Vec<Vec<String>> = rows(of).into_iter().map(|row| picked(&row)).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let table = drawn(&SHORT.map(|place| COLUMNS[place]), &rows, Form::Terminal);
    let heading = wrapped(&heading(&of.cell), columns);
    heading.into_iter().chain(table.lines().map(str::to_owned)).collect()
}

/// Returns those of the columns that the answer has.
fn picked(row: &[String]) -> Vec<String> {
    SHORT.iter().filter_map(|place| row.get(*place).cloned()).collect()
}

/// Writes the rows of a cell, the shortest p99 first.
pub(crate) fn rows(of: &CellFigures) -> Vec<Vec<String>> {
    of.responses.iter().map(|own| row(&of.cell, own)).collect()
}

/// Says what was measured.
pub(crate) fn heading(cell: &Cell) -> String {
    let burst = match cell.burst {
        0 => String::new(),
        at_once => format!(" ({at_once} of each turn at once)"),
    };
    let handed =
        if cell.handed_in { ", each handed in by a pacer, by no timer of its model" } else { "" };
    format!(
        "Response times in {}: {} fetches arrive a second{burst}, at random and whether or not \
         those before have ended; {}{}{handed}",
        cell.name,
        cell.rate_per_s,
        reply(cell),
        timeout(cell)
    )
}

/// Writes a row.
fn row(cell: &Cell, of: &Responses) -> Vec<String> {
    let cpu = of.cpu_us.as_ref().map_or_else(|| NOTHING.to_owned(), |cpu| digits(cpu.value));
    let mut row = vec![of.model.clone()];
    match of.response.as_ref().zip(of.lag.as_ref()) {
        None => {
            row.extend([NOTHING, NOTHING].map(str::to_owned));
            let rate = f64::from(cell.rate_per_s);
            let why = match of.achieved < ACHIEVED_MIN {
                true => format!("{:.0} achieved", of.achieved * rate),
                false => "fetches pile up".to_owned(),
            };
            row.push(format!("cannot hold {rate} a second: {why}"));
            row.extend(vec![NOTHING.to_owned(); COLUMNS.len() - 5]);
        }
        Some((response, lag)) => {
            let [p50, p90, p99, p999] = response.quantiles_ms;
            row.extend([p50, p90].map(|quantile| shown(quantile, 1.0)));
            row.extend([p99, p999].map(with_doubt));
            row.extend([response.max_ms, response.mean_ms].map(digits));
            row.extend(lags(lag));
        }
    }
    row.push(cpu);
    row
}

/// Writes the lags that are shown, in microseconds.
fn lags(lag: &Waits) -> [String; 2] {
    [lag.quantiles_ms[0], lag.quantiles_ms[2]].map(|quantile| shown(quantile, 1e3))
}

/// Writes a percentile in another unit, if it is known.
fn shown(quantile: Option<Estimate>, unit: f64) -> String {
    quantile.map_or_else(|| NOTHING.to_owned(), |own| digits(own.value * unit))
}

/// Writes a percentile with its interval, if it is known.
fn with_doubt(quantile: Option<Estimate>) -> String {
    quantile.map_or_else(|| NOTHING.to_owned(), |own| with_interval(&own))
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, paced};

    use super::*;

    /// Returns a cell in which 2,000 fetches arrive a second, which threads cannot hold.
    fn cell() -> CellFigures {
        analysis::figures(&paced(&[2_000], "threads"), BASELINE, FLOOR).cells.remove(0)
    }

    #[test]
    fn a_heading_says_what_a_cell_of_response_times_has_that_others_have_not() {
        let plain = cell().cell;
        let of = |cell: Cell| heading(&cell);
        let whole = "Response times in paced-2000: 2000 fetches arrive a second, at random and \
                     whether or not those before have ended; delay 4 to 12 ms, body 128 B";
        assert_eq!(of(plain.clone()), whole);
        let work = Cell { work_kib: 1_024, deadline_ms: 30_000, ..plain.clone() };
        let both = ", CRC-32 of 1024 KiB computed for each, a timeout of 30.0 s";
        assert_eq!(of(work), format!("{whole}{both}"));
        let handed = of(Cell { handed_in: true, ..plain.clone() });
        assert_eq!(handed, format!("{whole}, each handed in by a pacer, by no timer of its model"));
        let speeds = Cell { slow_percent: 5, burst: 50, ..plain };
        let said = of(speeds);
        assert!(said.contains("delay 4 to 12 ms (20 times as long for 5 %), body"), "{said}");
        assert!(said.contains(" a second (50 of each turn at once), at random"), "{said}");
    }

    #[test]
    fn a_row_shows_the_longest_wait_of_all_as_the_longest_and_no_percentile_of_too_few_fetches() {
        let mut cell = cell();
        let row_of = |cell: &CellFigures, model: &str| {
            rows(cell).into_iter().find(|row| row[0] == model).unwrap()
        };
        let own = cell.responses.iter_mut().find(|own| own.model == BASELINE).unwrap();
        let held = own.response.clone().unwrap();
        let quantiles_ms = [held.quantiles_ms[0], held.quantiles_ms[1], None, None];
        own.response = Some(Waits { quantiles_ms, max_ms: 99.0, ..held });
        let row = row_of(&cell, BASELINE);
        assert_eq!(row[1..6], ["10.0", "10.0", NOTHING, NOTHING, "99.0"]);
        let lost = row_of(&cell, "threads");
        assert_eq!([&lost[1], &lost[2]], [NOTHING; 2]);
        assert!(lost[3].starts_with("cannot hold 2000 a second: "), "{lost:?}");
        assert!(lost[4..9].iter().all(|text| text == NOTHING), "{lost:?}");
        let own = cell.responses.iter_mut().find(|own| own.model == "threads").unwrap();
        own.achieved = 0.995;
        assert_eq!(row_of(&cell, "threads")[3], "cannot hold 2000 a second: fetches pile up");
    }
}
