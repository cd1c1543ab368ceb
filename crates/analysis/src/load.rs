//! Response times against load: the cells of a run that differ in the rate at which fetches arrive.
//!
//! Nothing is computed anew: a point of a curve is what the table of its cell says. A curve ends at
//! the highest rate up to which a model holds all, since beyond that there is nothing to tell.

use record::Run;
use stats::Estimate;
use workload::Cell;

use crate::cell_figures::CellFigures;
use crate::responses::Responses;
use crate::span::Span;

/// The fewest rates that make a curve.
const RATES_MIN: usize = 2;
/// The places of p50 and p99 among the quantiles that are reported.
const P50: usize = 0;
const P99: usize = 2;

/// Response times against load.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadFigures {
    /// The names of the cells, and the rates at which fetches arrive in them, ascending.
    pub rates: Vec<(String, u32)>,
    /// What the origin was found to serve in a second without delays, if that was measured: the
    /// least, of which the rates are shares.
    pub ceiling_per_s: Option<u64>,
    /// From the shortest to the longest p99 at the highest rate, of the models that hold it.
    pub p99_ms: Option<Span>,
    /// The models, in the order of the schedule.
    pub curves: Vec<LoadCurve>,
}

/// What the fetches of a model wait for.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadCurve {
    /// The model.
    pub model: String,
    /// From the lowest rate on: those up to which it holds every rate that it was measured at.
    pub points: Vec<LoadPoint>,
    /// The lowest rate that it cannot hold, and what it achieves of that as a share.
    pub lost: Option<(u32, f64)>,
}

/// What fetches wait for at a rate, from arrival to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadPoint {
    /// The rate.
    pub rate_per_s: u32,
    /// The median, in milliseconds.
    pub p50_ms: Estimate,
    /// What 99 of 100 fetches do not exceed, in milliseconds.
    pub p99_ms: Estimate,
}

/// Returns response times against load, if cells of the run differ in their rate alone.
pub(crate) fn load(run: &Run, cells: &[CellFigures]) -> Option<LoadFigures> {
    let alike = |first: &CellFigures| -> Vec<&CellFigures> {
        cells.iter().filter(|cell| plain(&cell.cell) == plain(&first.cell)).collect()
    };
    let open = cells.iter().filter(|cell| cell.cell.is_open());
    let mut cells = open.map(alike).max_by_key(Vec::len)?;
    cells.sort_by_key(|cell| cell.cell.rate_per_s);
    cells.dedup_by_key(|cell| cell.cell.rate_per_s);

    let names = run.schedule.models.iter().map(|model| model.name.as_str());
    let curves: Vec<LoadCurve> = names.filter_map(|name| LoadCurve::of(name, &cells)).collect();
    let top = cells.last()?.cell.rate_per_s;
    let at_top = curves.iter().filter_map(|curve| curve.points.last());
    let at_top = at_top.filter(|point| point.rate_per_s == top);
    let p99_ms = Span::of(at_top.map(|point| point.p99_ms.value));
    let probes = cells.iter().filter_map(|cell| run.schedule.probe(&cell.cell.name));
    (cells.len() >= RATES_MIN && !curves.is_empty()).then(|| LoadFigures {
        rates: cells.iter().map(|own| (own.cell.name.clone(), own.cell.rate_per_s)).collect(),
        ceiling_per_s: probes.map(|probe| probe.ceiling_per_s).min(),
        p99_ms,
        curves,
    })
}

/// Returns a cell without its name and its rate.
fn plain(cell: &Cell) -> Cell {
    let rate_per_s = u32::from(cell.is_open());
    Cell { name: String::new(), rate_per_s, ..cell.clone() }
}

impl LoadFigures {
    /// Returns whether a cell is shown by the curves alone: it is one of them, and not the one in
    /// the middle, whose table stays.
    pub fn is_drawn_only(&self, cell: &str) -> bool {
        let middle = (self.rates.len() - 1) / 2;
        let place = self.rates.iter().position(|(name, _)| name == cell);
        place.is_some_and(|place| place != middle)
    }
}

impl LoadCurve {
    /// Returns the curve of a model, if it was measured at any rate.
    fn of(model: &str, cells: &[&CellFigures]) -> Option<Self> {
        let measured = cells.iter().filter_map(|cell| {
            let own = cell.responses.iter().find(|own| own.model == model)?;
            Some((cell.cell.rate_per_s, own))
        });
        let measured: Vec<(u32, &Responses)> = measured.collect();
        let lost = measured.iter().find(|(_, own)| own.response.is_none());
        let lost = lost.map(|(rate, own)| (*rate, own.achieved));
        let is_held = |(rate, _): &&(u32, &Responses)| lost.is_none_or(|(lost, _)| *rate < lost);
        let points = measured.iter().filter(is_held).filter_map(|(rate_per_s, own)| {
            let quantiles = own.response.as_ref()?.quantiles_ms;
            let (p50_ms, p99_ms) = (quantiles[P50]?, quantiles[P99]?);
            Some(LoadPoint { rate_per_s: *rate_per_s, p50_ms, p99_ms })
        });
        let points = points.collect();
        (!measured.is_empty()).then(|| Self { model: model.to_owned(), points, lost })
    }
}

#[cfg(test)]
mod tests {
    use crate::figures::{Figures, figures};
    use crate::fixture::{BASELINE, FLOOR, Fixture, paced};

    /// Returns the figures of a run at these rates, of which tokio cannot hold the last.
    fn at(rates: &[u32]) -> Figures {
        figures(&paced(rates, "tokio"), BASELINE, FLOOR)
    }

    #[test]
    fn a_curve_ends_before_the_rate_that_a_model_cannot_hold() {
        let load = at(&[500, 1_000, 2_000, 4_000]).load.expect("there are four rates");
        let rates: Vec<u32> = load.rates.iter().map(|(_, rate)| *rate).collect();
        assert_eq!(rates, [500, 1_000, 2_000, 4_000]);
        let curve = |model: &str| load.curves.iter().find(|own| own.model == model).unwrap();
        let (held, lost) = (curve(FLOOR), curve(BASELINE));
        assert_eq!((held.points.len(), held.lost), (4, None));
        assert_eq!((lost.points.len(), lost.lost.map(|(rate, _)| rate)), (3, Some(4_000)));
        // Of 100 fetches two take longer, and the longer the more arrive.
        let top = held.points[3];
        let is = |ms: f64, expected: f64| (ms - expected).abs() < 1e-9;
        assert!(is(top.p50_ms.value, 10.0) && is(top.p99_ms.value, 24.0), "{top:?}");
        assert!(top.p99_ms.interval.is_some_and(|own| is(own.low, 24.0) && is(own.high, 24.0)));
        assert!(load.p99_ms.is_some_and(|span| is(span.least, 24.0) && is(span.most, 24.0)));
    }

    #[test]
    fn one_rate_makes_no_curve_and_cells_that_differ_otherwise_are_none_of_it() {
        assert_eq!(at(&[500]).load, None);
        let mut run = paced(&[500, 1_000, 2_000], "");
        run.schedule.cells[1].burst = 50;
        let load = figures(&run, BASELINE, FLOOR).load.expect("two are left");
        assert_eq!(load.rates.iter().map(|(_, rate)| *rate).collect::<Vec<_>>(), [500, 2_000]);
        assert_eq!(figures(&Fixture::good().run(), BASELINE, FLOOR).load, None);
    }

    #[test]
    fn of_all_rates_that_in_the_middle_keeps_its_table() {
        let load = at(&[500, 1_000, 2_000, 4_000]).load.unwrap();
        let cells = ["paced-500", "paced-1000", "paced-2000", "paced-4000", "other"];
        assert_eq!(cells.map(|cell| load.is_drawn_only(cell)), [true, false, true, true, false]);
    }
}
