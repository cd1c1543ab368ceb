//! What models are made of: an interval a primitive and program.

use record::Run;
use stats::Estimate;

use crate::figure::axis::Axis;
use crate::figure::cost::reach;
use crate::figure::data::{Data, estimate};
use crate::figure::look::Look;
use crate::figure::{Chart, Figure, Strip, Strips};
use crate::number::digits;
use crate::primitives::{PrimitiveCosts, PrimitiveFigures, Primitives};

/// How a figure of primitives differs from the other.
struct Kind {
    id: &'static str,
    title: &'static str,
    caption: &'static str,
    axis: &'static str,
    /// Whether it shows those that are timed alone.
    alone: bool,
}

/// Draws what is done in batches: the CPU time of one.
pub(crate) fn batches(run: &Run, primitives: &Primitives) -> Figure {
    let kind = Kind {
        id: "primitives",
        title: "What do the pieces cost?",
        caption: "CPU time of one, as the slope of the time on the count: median over blocks with \
                  its own 95 % interval (sign test). Equal steps are equal factors. Tasks on one \
                  worker, threads on one CPU.",
        axis: "CPU time of one, ns",
        alone: false,
    };
    draw(run, primitives, &kind)
}

/// Draws what is timed alone: how late the waiter was.
pub(crate) fn alone(run: &Run, primitives: &Primitives) -> Figure {
    let kind = Kind {
        id: "primitives-alone",
        title: "How late does a waiter wake?",
        caption: "From the moment that an event is set, or a timer is due, to the moment that its \
                  waiter runs: the median of a trial, over blocks, with its own 95 % interval \
                  (sign test). Each is timed alone. Equal steps are equal factors.",
        axis: "time to the waiter, ns",
        alone: true,
    };
    draw(run, primitives, &kind)
}

/// Draws a figure.
fn draw(run: &Run, primitives: &Primitives, kind: &Kind) -> Figure {
    let mut data = Data::new(&["primitive", "program", "ns", "low", "high"]);
    let (mut rows, mut ends) = (Vec::new(), Vec::new());
    for figures in primitives.figures.iter().filter(|figures| figures.alone == kind.alone) {
        for row in &figures.rows {
            let told = row.costs.as_ref().map(|costs| told(figures, costs));
            let label = format!("{} {}", figures.primitive.name(), row.program);
            let note = match &told {
                Some(told) => format!("{} ns", digits(told.value)),
                None => row.reason.clone().unwrap_or_else(|| "not measured".to_owned()),
            };
            let strip = Strip::new(&label, note, Look::of(run, &row.program));
            let strip = Strip { height: 22, ..strip };
            rows.push(match &told {
                Some(told) => strip.estimate(told),
                None => strip,
            });
            let Some(told) = told else { continue };
            ends.extend(reach(&told));
            let [value, low, high] = estimate(Some(&told));
            let name = figures.primitive.name().to_owned();
            data.push(vec![name, row.program.clone(), value, low, high]);
        }
    }
    let axis = Axis::of_factors(kind.axis, ends.into_iter());
    Figure {
        id: kind.id.to_owned(),
        title: kind.title.to_owned(),
        caption: kind.caption.to_owned(),
        chart: match data.rows.is_empty() {
            true => Chart::Missing("no primitive of this kind was measured".to_owned()),
            false => Chart::Strips(Strips { axis, rules: Vec::new(), bands: Vec::new(), rows }),
        },
        data,
    }
}

/// Returns what a figure shows of a program.
fn told(figures: &PrimitiveFigures, costs: &PrimitiveCosts) -> Estimate {
    costs.cpu_ns.filter(|_| !figures.alone).unwrap_or(costs.wall_ns)
}
