//! What models are made of: an interval a primitive and program.

use analysis::Summary;
use analysis::primitive_figures::{PrimitiveCosts, PrimitiveFigures};
use analysis::primitives::Primitives;
use analysis::{Estimate, Interval};

use crate::figure::axis::Axis;
use crate::figure::cost::reach;
use crate::figure::data::{Data, estimate};
use crate::figure::look::Look;
use crate::figure::title::time;
use crate::figure::{Chart, Figure, Strip, Strips, Words};

/// How a figure of primitives differs from the other.
struct Kind {
    id: &'static str,
    /// How its title begins.
    finding: &'static str,
    caption: &'static str,
    axis: &'static str,
    /// The nanoseconds of the unit of the axis.
    unit: f64,
    /// Whether it shows those that are timed alone.
    alone: bool,
}

/// Draws what is done in batches: the CPU time of one.
pub(crate) fn batches(run: &Summary, primitives: &Primitives) -> Figure {
    let kind = Kind {
        id: "primitives",
        finding: "The pieces cost",
        caption: "CPU time of one, as the slope of the time on the count: median over blocks with \
                  its own 95 % interval (sign test). Equal steps are equal factors. Tasks on one \
                  worker, threads on one CPU.",
        axis: "CPU time of one, ns",
        unit: 1.0,
        alone: false,
    };
    draw(run, primitives, &kind)
}

/// Draws what is timed alone: how late the waiter was.
pub(crate) fn alone(run: &Summary, primitives: &Primitives) -> Figure {
    let kind = Kind {
        id: "primitives-alone",
        finding: "A waiter runs after",
        caption: "From the moment that an event is set, or a timer is due, to the moment that its \
                  waiter runs: the median of a trial, over blocks, with its own 95 % interval \
                  (sign test). Each is timed alone. Equal steps are equal factors.",
        axis: "time to the waiter, µs",
        unit: 1e3,
        alone: true,
    };
    draw(run, primitives, &kind)
}

/// Draws a figure.
fn draw(run: &Summary, primitives: &Primitives, kind: &Kind) -> Figure {
    let mut data = Data::new(&["primitive", "program", "ns", "low", "high"]);
    let (mut rows, mut ends, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for figures in primitives.figures.iter().filter(|figures| figures.alone == kind.alone) {
        for row in &figures.rows {
            let reported = row.costs.as_ref().map(|costs| reported(figures, costs));
            let label = format!("{} {}", figures.primitive.name(), row.program);
            let note = match &reported {
                Some(reported) => time(reported.value),
                None => row.reason.clone().unwrap_or_else(|| "not measured".to_owned()),
            };
            let strip = Strip::new(&label, note, Look::of(run, &row.program));
            let strip = Strip { height: 22, ..strip };
            rows.push(match &reported {
                Some(reported) => strip.estimate(&scaled(reported, kind.unit)),
                None => strip,
            });
            let Some(reported) = reported else { continue };
            ends.extend(reach(&scaled(&reported, kind.unit)));
            all.push(reported.value);
            let [value, low, high] = estimate(Some(&reported));
            let name = figures.primitive.name().to_owned();
            data.push(vec![name, row.program.clone(), value, low, high]);
        }
    }
    let axis = Axis::of_factors(kind.axis, ends.into_iter());
    Figure {
        id: kind.id.to_owned(),
        title: title(kind, &all),
        caption: kind.caption.to_owned(),
        chart: match data.rows.is_empty() {
            true => Chart::Missing("no primitive of this kind was measured".to_owned()),
            false => {
                let words = &Words::USUAL;
                Chart::Strips(Strips { axis, rules: Vec::new(), bands: Vec::new(), rows, words })
            }
        },
        data,
    }
}

/// Returns what a figure shows of a program.
fn reported(figures: &PrimitiveFigures, costs: &PrimitiveCosts) -> Estimate {
    costs.cpu_ns.filter(|_| !figures.alone).unwrap_or(costs.wall_ns)
}

/// Returns an estimate in another unit.
fn scaled(reported: &Estimate, unit: f64) -> Estimate {
    let interval = reported
        .interval
        .map(|Interval { low, high }| Interval { low: low / unit, high: high / unit });
    Estimate { value: reported.value / unit, interval }
}

/// Says what the least costs, and the most.
fn title(kind: &Kind, all: &[f64]) -> String {
    let least = all.iter().copied().reduce(f64::min);
    match least.zip(all.iter().copied().reduce(f64::max)) {
        Some((least, most)) => format!("{} {} to {}", kind.finding, time(least), time(most)),
        None => kind.axis.to_owned(),
    }
}
