//! Service times: a small picture a model.

use record::TrialRecord;
use stats::histogram;

use crate::cell_trials::real;
use crate::figure::data::{Data, number};
use crate::figure::{Chart, Figure, Panel, Scene};
use crate::number::digits;

/// The curve runs from the median's left, 1/(1-q) = 1, to one fetch in a thousand.
const DECADES: f64 = 3.0;
/// Points of the curve of all blocks, and of that of one.
const POINTS: [u32; 2] = [24, 6];
/// The quantiles that are told.
const TOLD: [(f64, &str); 4] = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9")];

/// A histogram: values in nanoseconds, rising, with their counts.
type Buckets = Vec<(u64, u64)>;

/// Draws how the service times of each model are distributed.
pub(crate) fn latency(scene: &Scene<'_>) -> Figure {
    let measured: Vec<&str> =
        scene.cell.rows.iter().filter(|row| row.valid > 0).map(|row| row.model.as_str()).collect();
    let trials = |model: &str| -> Vec<&TrialRecord> { scene.source.valid(model).collect() };
    let pooled: Vec<(&str, Buckets)> =
        measured.iter().map(|model| (*model, scene.source.latencies(model))).collect();
    let floor = pooled.iter().find(|(model, _)| *model == scene.all.floor);
    let highest = pooled.iter().filter_map(|(_, buckets)| quantile(buckets, 0.999));
    let top = highest.fold(0.0, f64::max) * 1.02;
    let lowest = pooled.iter().filter_map(|(_, buckets)| quantile(buckets, 0.0));
    let range = (lowest.reduce(f64::min).unwrap_or(0.0) * 0.98, top);

    let mut data = Data::new(&["model", "fetches", "p50_ms", "p90_ms", "p99_ms", "p99.9_ms"]);
    let mut panels = Vec::new();
    for (model, buckets) in &pooled {
        let told = TOLD.map(|(q, _)| quantile(buckets, q));
        let count: u64 = buckets.iter().map(|(_, count)| count).sum();
        let cells = told.iter().map(|value| value.map_or_else(String::new, number));
        data.push([(*model).to_owned(), count.to_string()].into_iter().chain(cells).collect());
        let curve = |buckets: &Buckets, points| curve(buckets, points, range);
        let one = |trial: &&TrialRecord| curve(&own(trial), POINTS[1]);
        panels.push(Panel {
            label: (*model).to_owned(),
            note: note(&told),
            look: scene.look(model),
            reference: floor.map_or_else(Vec::new, |(_, floor)| curve(floor, POINTS[0])),
            thin: trials(model).iter().map(one).collect(),
            thick: curve(buckets, POINTS[0]),
            across: across(range),
            upwards: TOLD.map(|(q, name)| (along(q), name.to_owned())).to_vec(),
        });
    }
    Figure {
        id: scene.id("latency"),
        title: "How long does a fetch take?".to_owned(),
        caption: format!(
            "Service time, from a free slot to the verified reply; it is not response time, for a \
             slot that waits asks for nothing. To the right the slowest of ten, of a hundred, of a \
             thousand fetches; upwards {} to {} ms. Thick: all blocks; thin: each block; dashed: \
             the floor, {}.",
            digits(range.0),
            digits(top),
            scene.all.floor
        ),
        chart: match panels.iter().all(|panel| panel.thick.is_empty()) {
            true => Chart::Missing("no valid trial in this cell tells its latencies".to_owned()),
            false => Chart::Panels(panels),
        },
        data,
    }
}

/// Returns the latencies of one trial.
fn own(trial: &TrialRecord) -> Buckets {
    trial.valid().map_or_else(Vec::new, |trial| trial.latencies_ns.clone())
}

/// Returns a quantile in milliseconds, if at least one fetch lies beyond it.
fn quantile(buckets: &Buckets, q: f64) -> Option<f64> {
    let count: u64 = buckets.iter().map(|(_, count)| count).sum();
    let enough = real(count) * (1.0 - q) >= 1.0 - 1e-9;
    let value = histogram::quantile(buckets, q).filter(|_| enough)?;
    Some(real(value) / 1e6)
}

/// Returns the curve of a histogram.
fn curve(buckets: &Buckets, points: u32, (low, high): (f64, f64)) -> Vec<(f64, f64)> {
    let point = |index: u32| {
        let x = f64::from(index) / f64::from(points);
        let q = 1.0 - 10_f64.powf(-DECADES * x);
        Some((x, (quantile(buckets, q)? - low) / (high - low)))
    };
    (0..=points).filter_map(point).collect()
}

/// Returns where a quantile lies along the picture.
fn along(q: f64) -> f64 {
    -(1.0 - q).log10() / DECADES
}

/// Returns the lines across: round times.
fn across((low, high): (f64, f64)) -> Vec<(f64, String)> {
    let axis = crate::figure::axis::Axis::from_zero("", [high].into_iter());
    let lines = axis.values().filter(|value| low < high && (low..=high).contains(value));
    lines.map(|value| ((value - low) / (high - low), format!("{value} ms"))).collect()
}

/// Writes some quantiles.
fn note(told: &[Option<f64>; 4]) -> String {
    let one = |((_, name), value): (&(f64, &str), &Option<f64>)| {
        Some(format!("{name} {}", digits((*value)?)))
    };
    let told = TOLD.iter().zip(told).filter(|((_, name), _)| *name != "p90");
    format!("{} ms", told.filter_map(one).collect::<Vec<_>>().join(", "))
}
