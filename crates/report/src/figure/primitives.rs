//! Primitives: an interval a primitive and program.

use analysis::Piece;
use analysis::Summary;
use analysis::primitives::Primitives;
use analysis::{Estimate, Interval};

use crate::figure::axis::Axis;
use crate::figure::data::{Data, estimate};
use crate::figure::drawing::{Chart, Figure, Strip, Strips, Words, reach};
use crate::figure::look::Look;
use crate::figure::title::time;

/// How a figure of primitives differs from the other.
struct Kind<'a> {
    id: &'static str,
    /// Says of two pieces that one takes the least, and the other the most.
    finding: fn(&Piece, &Piece) -> String,
    /// These two, if any was measured.
    ends: Option<&'a [Piece; 2]>,
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
        finding: |least, most| {
            format!(
                "CPU time of one: least {} ({}), most {} ({})",
                time(least.ns),
                piece(least),
                time(most.ns),
                piece(most)
            )
        },
        ends: primitives.batch_ends.as_ref(),
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
        finding: |least, most| {
            format!(
                "Wake-up delay: least {} ({}), most {} ({})",
                time(least.ns),
                piece(least),
                time(most.ns),
                piece(most)
            )
        },
        ends: primitives.alone_ends.as_ref(),
        caption: "From the moment that an event is set, or a timer is due, to the moment that its \
                  waiter runs: the median of a stay, over blocks, with its own 95 % interval \
                  (sign test). Each is timed alone. Equal steps are equal factors.",
        axis: "time to the waiter, µs",
        unit: 1e3,
        alone: true,
    };
    draw(run, primitives, &kind)
}

/// Draws a figure.
fn draw(run: &Summary, primitives: &Primitives, kind: &Kind<'_>) -> Figure {
    let mut data = Data::new(&["primitive", "program", "ns", "low", "high"]);
    let (mut rows, mut ends) = (Vec::new(), Vec::new());
    for figures in primitives.figures.iter().filter(|figures| figures.alone == kind.alone) {
        for row in &figures.rows {
            let reported = row.costs.as_ref().map(|costs| figures.decisive(costs));
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
            let [value, low, high] = estimate(Some(&reported));
            let name = figures.primitive.name().to_owned();
            data.push(vec![name, row.program.clone(), value, low, high]);
        }
    }
    let axis = Axis::of_factors(kind.axis, ends.into_iter());
    Figure {
        id: kind.id.to_owned(),
        title: title(kind),
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

/// Returns an estimate in another unit.
fn scaled(reported: &Estimate, unit: f64) -> Estimate {
    let interval = reported
        .interval
        .map(|Interval { low, high }| Interval { low: low / unit, high: high / unit });
    Estimate { value: reported.value / unit, interval }
}

/// Says what costs the least, and what the most.
fn title(kind: &Kind<'_>) -> String {
    match kind.ends {
        Some([only, other]) if only == other => format!("{}: {}", piece(only), time(only.ns)),
        Some([least, most]) => (kind.finding)(least, most),
        None => kind.axis.to_owned(),
    }
}

/// Names a piece by what stands at its strip.
fn piece(piece: &Piece) -> String {
    format!("{}, {}", piece.primitive.name(), piece.program)
}

#[cfg(test)]
mod tests {
    use workload::Workload;

    use super::*;

    #[test]
    fn a_title_names_the_cheapest_piece_and_the_most_expensive() {
        let piece =
            |primitive, program: &str, ns| Piece { primitive, program: program.to_owned(), ns };
        let ends = [
            piece(Workload::Generator, "std", 1.58),
            piece(Workload::SpawnMany, "threads", 40_600.0),
        ];
        let primitives = Primitives { batch_ends: Some(ends), ..Primitives::default() };
        let run = analysis::fixture::Fixture { blocks: 2, ..analysis::fixture::Fixture::good() };
        let run = analysis::summarize(&run.run(), "tokio", "event-loop");
        assert_eq!(
            batches(&run, &primitives).title,
            "CPU time of one: least 1.58 ns (generator, std), most 40.6 µs (spawn-many, threads)"
        );
        assert_eq!(alone(&run, &primitives).title, "time to the waiter, µs");
    }
}
