//! Service times: a small picture a model.

use record::StayRecord;
use stats::{Sample, histogram, median};

use crate::cell_turns::real;
use crate::family::ALPHA;
use crate::figure::data::{Data, number};
use crate::figure::{Chart, Figure, Panel, Scene};
use crate::number::digits;

/// The curve runs from the median's left, 1/(1-q) = 1, to one fetch in a thousand.
const DECADES: f64 = 3.0;
/// Points of the curve of all blocks, and of that of one.
const POINTS: [u32; 2] = [24, 6];
/// The quantiles that are told.
const TOLD: [(f64, &str); 4] = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9")];

/// Fetches of a stay that must lie beyond a quantile for it to be told: p99 needs 1,000 a stay
/// and p99.9 10,000, of which ten are beyond.
const BEYOND_MIN: f64 = 10.0;

/// A histogram: values in nanoseconds, rising, with their counts.
type Buckets = Vec<(u64, u64)>;

/// Draws how the service times of each model are distributed.
pub(crate) fn latency(scene: &Scene<'_>) -> Figure {
    let measured: Vec<&str> =
        scene.cell.rows.iter().filter(|row| row.valid > 0).map(|row| row.model.as_str()).collect();
    let pooled: Vec<(&str, Buckets)> =
        measured.iter().map(|model| (*model, scene.source.latencies(model))).collect();
    let floor = pooled.iter().find(|(model, _)| *model == scene.all.floor);
    let highest = pooled.iter().filter_map(|(_, buckets)| quantile(buckets, 0.999));
    let top = highest.fold(0.0, f64::max) * 1.02;
    let lowest = pooled.iter().filter_map(|(_, buckets)| quantile(buckets, 0.0));
    let range = (lowest.reduce(f64::min).unwrap_or(0.0) * 0.98, top);

    let columns = [
        "model",
        "fetches",
        "p50_ms",
        "p90_ms",
        "p99_ms",
        "p99.9_ms",
        "fetches_a_block",
        "withheld",
    ];
    let mut data = Data::new(&columns);
    let mut panels = Vec::new();
    for (model, buckets) in &pooled {
        let own_buckets: Vec<Buckets> = scene.source.stays(model).into_iter().map(own).collect();
        let told = TOLD.map(|(q, _)| typical(&own_buckets, q));
        data.push(row((model, buckets), &own_buckets, &told));
        let curve = |buckets: &Buckets, points| curve(buckets, points, range);
        let one = |own: &Buckets| curve(own, POINTS[1]);
        panels.push(Panel {
            label: (*model).to_owned(),
            note: note(&told),
            look: scene.look(model),
            reference: floor.map_or_else(Vec::new, |(_, floor)| curve(floor, POINTS[0])),
            thin: own_buckets.iter().map(one).collect(),
            thick: curve(buckets, POINTS[0]),
            across: across(range),
            upwards: TOLD.map(|(q, name)| (along(q), name.to_owned())).to_vec(),
        });
    }
    Figure {
        id: scene.id("latency"),
        title: "How long does a fetch take?".to_owned(),
        caption: caption(range, &scene.all.floor),
        chart: match panels.iter().all(|panel| panel.thick.is_empty()) {
            true => Chart::Missing("no valid stay in this cell tells its latencies".to_owned()),
            false => Chart::Panels(panels),
        },
        data,
    }
}

/// Writes how to read it.
fn caption((low, high): (f64, f64), floor: &str) -> String {
    format!(
        "Service time, from a free slot to the verified reply; it is not response time, for a slot \
         that waits asks for nothing. To the right the slowest of ten, of a hundred, of a thousand \
         fetches; upwards {} to {} ms. Thick: all blocks; thin: each block; dashed: the floor, \
         {floor}. The figures are medians of the blocks' own quantiles, told where ten fetches of \
         every block lie beyond (1,000 a block for p99). Curves that go further are for the eye.",
        digits(low),
        digits(high),
    )
}

/// Returns the numbers of a model, with what is withheld.
fn row(
    (model, pooled): (&str, &Buckets),
    turns: &[Buckets],
    told: &[Option<f64>; 4],
) -> Vec<String> {
    let each = turns.iter().map(count).min().unwrap_or(0);
    let quantiles = told.iter().map(|value| value.map_or_else(String::new, number));
    let first = [model.to_owned(), count(pooled).to_string()].into_iter();
    first.chain(quantiles).chain([each.to_string(), withheld(told, each)]).collect()
}

/// Returns the latencies of one stay.
fn own(stay: &StayRecord) -> Buckets {
    stay.latencies_ns.clone()
}

/// Returns how many fetches a histogram holds.
fn count(buckets: &Buckets) -> u64 {
    buckets.iter().map(|(_, count)| count).sum()
}

/// Returns the median of the stays' own quantiles, in milliseconds, if each has enough fetches.
fn typical(turns: &[Buckets], q: f64) -> Option<f64> {
    let enough = |own: &Buckets| real(count(own)) * (1.0 - q) >= BEYOND_MIN - 1e-9;
    if !turns.iter().all(enough) {
        return None;
    }
    let own = turns.iter().filter_map(|own| quantile(own, q)).collect();
    Some(median::estimate(&Sample::new(own)?, ALPHA).value)
}

/// Says which quantiles are not told, and why.
fn withheld(told: &[Option<f64>; 4], each: u64) -> String {
    let names = TOLD.iter().zip(told).filter(|(_, value)| value.is_none());
    let names: Vec<&str> = names.map(|((_, name), _)| *name).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("{}: too few fetches in a block of {each}", names.join(" ")),
    }
}

/// Returns a quantile in milliseconds, if at least one fetch lies beyond it.
fn quantile(buckets: &Buckets, q: f64) -> Option<f64> {
    let enough = real(count(buckets)) * (1.0 - q) >= 1.0 - 1e-9;
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

#[cfg(test)]
mod tests {
    use crate::figure::Charts;
    use crate::fixture::{BASELINE, FLOOR, Fixture, stays};

    #[test]
    fn a_quantile_is_told_where_every_stay_has_enough_fetches_and_its_absence_is_explained() {
        let mut run = Fixture { blocks: 6, ..Fixture::good() }.run();
        // A thousand fetches, of which the slowest hundredth took 90 ms; in one block 990 ms.
        for (place, stay) in stays(&mut run, ("smol", "steady")).enumerate() {
            let slow = if place == 0 { 990_000_000 } else { 90_000_000 };
            stay.latencies_ns = vec![(30_000_000, 980), (slow, 20)];
        }
        let figures = crate::figures(&run, BASELINE, FLOOR);
        let rows = |run: &record::Run, cell: usize| {
            let charts = Charts::of(run, &figures);
            let rows = charts.cells[cell].latency.data.rows.clone();
            rows.into_iter().find(|row| row[0] == "smol").unwrap()
        };
        // Twice 256 fetches of a batch: p99 has five beyond.
        let of_batch = rows(&run, 0);
        assert!(!of_batch[2].is_empty() && !of_batch[3].is_empty(), "{of_batch:?}");
        assert_eq!(of_batch[4..], ["", "", "512", "p99 p99.9: too few fetches in a block of 512"]);
        let of_steady = rows(&run, 1);
        let expected = ["30", "30", "90", "", "1000", "p99.9: too few fetches in a block of 1000"];
        assert_eq!(of_steady[2..], expected);
        // One stay of fewer withholds it, however many the others have.
        stays(&mut run, ("smol", "steady")).next().unwrap().latencies_ns[0].1 -= 1;
        assert_eq!(rows(&run, 1)[4], "");
    }
}
