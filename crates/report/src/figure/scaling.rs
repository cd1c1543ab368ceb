//! What a fetch costs along a sweep, and what else grows: a small picture with a line a model.

use analysis::crossing::names;
use analysis::number::digits;
use analysis::sweep::{SweepCost, SweepCosts, SweepFigures};
use analysis::{Along, Estimate, Summary};

use crate::figure::axis::Axis;
use crate::figure::data::{Data, estimate};
use crate::figure::drawing::{Chart, Figure, Panel, PanelWords, reach};
use crate::figure::look::Look;
use crate::figure::scene::anchor;
use crate::sweep_text::{CPU, MEMORY, SweepQuantity, WAKE_UP, costs_heading};
use crate::words::capital;

/// What is drawn of a sweep at one rate, CPU time first.
const AT_RATE: &[SweepQuantity] = &[CPU, MEMORY, WAKE_UP];

/// What the marks of its small pictures mean.
const WORDS: PanelWords = PanelWords {
    curve: "median of the blocks",
    range: "its 95 % interval",
    end: "the highest level",
    ..PanelWords::USUAL
};

/// Draws what a fetch costs along a sweep, and at one rate what being in flight takes beside it;
/// nothing if the sweep does not show that.
pub(crate) fn scaling(run: &Summary, sweep: &SweepFigures) -> Vec<Figure> {
    // At one delay the rate grows too, so that nothing else would follow from the number alone.
    let shown = match sweep.along {
        Along::InFlightAtRate => AT_RATE,
        Along::InFlight | Along::DelayMs => &AT_RATE[..1],
    };
    let told = shown.iter().filter(|quantity| quantity.is_told(sweep));
    told.map(|quantity| figure(run, sweep, quantity)).collect()
}

/// Draws a quantity of each model along a sweep.
fn figure(run: &Summary, sweep: &SweepFigures, quantity: &SweepQuantity) -> Figure {
    let (along, _) = names(sweep.along);
    let frame = Frame::of(sweep, quantity);
    let columns = ["model", "in_flight", quantity.field, "low", "high", "beyond_ceiling"];
    let mut data = Data::new(&columns);
    for costs in &sweep.costs {
        data.rows.extend(frame.points(costs).map(|(cost, own)| row(&costs.model, cost, &own)));
    }
    let floor = sweep.costs.iter().find(|costs| costs.model == run.figures.floor);
    let reference = floor.map_or_else(Vec::new, |costs| frame.line(costs));
    let panel = |costs: &SweepCosts| Panel {
        label: costs.model.clone(),
        unit: format!("{} (log)", frame.unit()),
        note: frame.note(costs),
        look: Look::of(run, &costs.model),
        reference: reference.clone(),
        range: frame.range(costs),
        thick: frame.line(costs),
        second: None,
        hollow: frame.hollow(costs),
        across: frame.across(),
        upwards: frame.upwards(),
        words: &WORDS,
    };
    Figure {
        id: anchor(&format!("{}-{along}", quantity.id)),
        title: costs_heading(sweep, quantity),
        caption: format!(
            "{} of each model by the number in flight, {}: medians of the blocks and their 95 % \
             intervals, where the blocks are enough. Hollow: there the cell asks for more than \
             half of what the origin can serve, so that the origin may be what is measured. The \
             dotted line is {}'s. Both axes are logarithmic.",
            capital(quantity.name),
            sweep.fixed,
            run.figures.floor
        ),
        chart: Chart::Panels(
            sweep.costs.iter().filter(|costs| !frame.line(costs).is_empty()).map(panel).collect(),
        ),
        data,
    }
}

/// Writes the numbers of a model at a level.
fn row(model: &str, cost: &SweepCost, own: &Estimate) -> Vec<String> {
    let [value, low, high] = estimate(Some(own));
    let beyond = cost.is_beyond_ceiling.to_string();
    vec![model.to_owned(), cost.level.to_string(), value, low, high, beyond]
}

/// What all small pictures of a quantity have in common.
struct Frame<'a> {
    quantity: &'a SweepQuantity,
    across: Axis,
    upwards: Axis,
}

impl<'a> Frame<'a> {
    /// Returns a frame that holds every model.
    fn of(sweep: &SweepFigures, quantity: &'a SweepQuantity) -> Self {
        let costs = sweep.costs.iter().flat_map(|costs| &costs.levels);
        let ends = costs.filter_map(quantity.read).flat_map(|own| reach(&own));
        Self {
            quantity,
            across: Axis::of_factors("in flight", sweep.levels.iter().map(|level| real(*level))),
            upwards: Axis::of_factors(quantity.unit, ends),
        }
    }

    /// Returns the levels at which a model has the quantity, with it.
    fn points<'b>(&self, costs: &'b SweepCosts) -> impl Iterator<Item = (&'b SweepCost, Estimate)> {
        let read = self.quantity.read;
        costs.levels.iter().filter_map(move |cost| Some((cost, read(cost)?)))
    }

    /// Returns where a value lies.
    fn place(&self, cost: &SweepCost, value: f64) -> (f64, f64) {
        (self.across.place(real(cost.level)) / 100.0, self.upwards.place(value) / 100.0)
    }

    /// Returns the line of a model.
    fn line(&self, costs: &SweepCosts) -> Vec<(f64, f64)> {
        self.points(costs).map(|(cost, own)| self.place(cost, own.value)).collect()
    }

    /// Returns its points beyond what the origin can serve.
    fn hollow(&self, costs: &SweepCosts) -> Vec<(f64, f64)> {
        let beyond = self.points(costs).filter(|(cost, _)| cost.is_beyond_ceiling);
        beyond.map(|(cost, own)| self.place(cost, own.value)).collect()
    }

    /// Returns the intervals around it.
    fn range(&self, costs: &SweepCosts) -> Vec<(f64, f64, f64)> {
        let around = |(cost, own): (&SweepCost, Estimate)| {
            let interval = own.interval?;
            let (x, low) = self.place(cost, interval.low);
            Some((x, low, self.place(cost, interval.high).1))
        };
        self.points(costs).filter_map(around).collect()
    }

    /// Writes the quantity of a model at the ends of the range.
    fn note(&self, costs: &SweepCosts) -> String {
        let unit = self.quantity.unit;
        let end = |(cost, own): &(&SweepCost, Estimate)| {
            format!("{} {unit} with {}", digits(own.value), cost.level)
        };
        let points: Vec<_> = self.points(costs).collect();
        match points.as_slice() {
            [first, .., last] => format!("{}, {}", end(first), end(last)),
            [only] => end(only),
            [] => String::new(),
        }
    }

    /// Returns the unit of the curves in words.
    fn unit(&self) -> String {
        let each = if self.quantity.id == CPU.id { " a fetch" } else { "" };
        format!("{}{each}", self.quantity.unit)
    }

    /// Returns the lines across: round values.
    fn across(&self) -> Vec<(f64, String)> {
        let unit = self.quantity.unit;
        let ticks = self.upwards.ticks().map(|(place, text)| (place / 100.0, text));
        let ticks = ticks.filter(|(up, _)| *up <= 0.85);
        ticks.map(|(up, text)| (up, format!("{text} {unit}"))).collect()
    }

    /// Returns the lines upwards: round numbers in flight.
    fn upwards(&self) -> Vec<(f64, String)> {
        self.across.ticks().map(|(place, text)| (place / 100.0, text)).collect()
    }
}

/// Returns a level as a real number.
#[expect(clippy::cast_precision_loss, reason = "levels are far below 2^52")]
fn real(level: u64) -> f64 {
    level as f64
}
