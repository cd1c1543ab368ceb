//! Service times: a small picture a model.

use analysis::latency::{Latencies, QUANTILES};
use analysis::number::digits;

use crate::figure::data::{Data, number};
use crate::figure::drawing::{Chart, Figure, Panel, PanelWords};
use crate::figure::scene::Scene;
use crate::figure::title::{ends, in_cell};

/// Draws how the service times of each model are distributed. A curve ends where its figures may
/// not be reported any more, and the picture reaches as far as the highest block.
pub(crate) fn latency(scene: &Scene<'_>) -> Figure {
    let owns = &scene.cell.latencies;
    let points = || owns.iter().flat_map(|own| &own.curve);
    let right = points().map(|(decades, _)| *decades).fold(0.0, f64::max);
    let low = points().map(|(_, [low, ..])| *low).fold(f64::INFINITY, f64::min) * 0.98;
    let high = points().map(|(_, [.., high])| *high).fold(0.0, f64::max) * 1.02;
    let frame = Frame { right, low, high };
    let floor = owns.iter().find(|own| own.model == scene.all.floor);
    let reference = floor.map_or_else(Vec::new, |floor| frame.line(&floor.curve));

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
    for own in owns {
        data.push(row(own));
        panels.push(Panel {
            label: own.model.clone(),
            unit: format!("ms, {}", scene.cell.cell.name),
            note: note(own),
            look: scene.look(&own.model),
            reference: reference.clone(),
            range: frame.range(&own.curve),
            thick: frame.line(&own.curve),
            across: frame.across(),
            upwards: frame.upwards(),
            second: None,
            hollow: Vec::new(),
            words: &PanelWords::USUAL,
        });
    }
    Figure {
        id: scene.id("latency"),
        title: title(scene),
        caption: caption(&frame, scene),
        chart: match panels.iter().all(|panel| panel.thick.is_empty()) {
            true => Chart::Missing("no valid stay in this cell reports its latencies".to_owned()),
            false => Chart::Panels(panels),
        },
        data,
    }
}

/// Says within what time fetches end.
fn title(scene: &Scene<'_>) -> String {
    let found = &scene.findings;
    let spans = [found.p50_ms, found.p99_ms, found.p90_ms];
    let finding = match spans.map(|span| span.map(|span| ends(span, " ms"))) {
        [Some(half), Some(most), _] => {
            format!("Half of the fetches end within {half}, 99 % within {most}")
        }
        [Some(half), None, Some(most)] => {
            format!("Half of the fetches end within {half}, 90 % within {most}")
        }
        [Some(half), None, None] => format!("Half of the fetches end within {half}"),
        _ => "How long a fetch takes, ms".to_owned(),
    };
    in_cell(&finding, &scene.cell.cell)
}

/// What all small pictures have in common.
struct Frame {
    /// The right end: one fetch in so many powers of ten lies beyond it.
    right: f64,
    /// The times at the bottom and at the top, in milliseconds.
    low: f64,
    high: f64,
}

impl Frame {
    /// Returns where a time lies upwards.
    fn up(&self, ms: f64) -> f64 {
        (ms - self.low) / (self.high - self.low)
    }

    /// Returns the median as a curve.
    fn line(&self, curve: &[(f64, [f64; 3])]) -> Vec<(f64, f64)> {
        curve.iter().map(|(x, [_, middle, _])| (x / self.right, self.up(*middle))).collect()
    }

    /// Returns from where to where the blocks reach.
    fn range(&self, curve: &[(f64, [f64; 3])]) -> Vec<(f64, f64, f64)> {
        let point =
            |(x, [low, _, high]): &(f64, [f64; 3])| (x / self.right, self.up(*low), self.up(*high));
        curve.iter().map(point).collect()
    }

    /// Returns the lines across: round times that leave room for their letters.
    fn across(&self) -> Vec<(f64, String)> {
        let axis = crate::figure::axis::Axis::from_zero("", [self.high].into_iter());
        let values = axis.values().map(|value| (self.up(value), value));
        let inside = values.filter(|(up, _)| (0.0..=0.85).contains(up));
        inside.map(|(up, value)| (up, format!("{value} ms"))).collect()
    }

    /// Returns the lines upwards: the quantiles that are reported.
    fn upwards(&self) -> Vec<(f64, String)> {
        let places = QUANTILES.iter().map(|(q, name)| (decades(*q) / self.right, *name));
        let inside = places.filter(|(x, _)| *x <= 1.0 + 1e-9);
        inside.map(|(x, name)| (x, name.to_owned())).collect()
    }
}

/// Writes how to read it.
fn caption(frame: &Frame, scene: &Scene<'_>) -> String {
    let service = match scene.cell.cell.is_open() {
        true => {
            "from sending a fetch to the verified reply. It is not response time, which begins as \
             the fetch arrives and has a table of its own"
        }
        false => {
            "from a free slot to the verified reply. It is not response time, since no fetch \
             arrives while all slots are busy"
        }
    };
    format!(
        "Service time: {service}. x: quantile; y: {} to {} ms. Line: the median of the blocks' own \
         quantiles; around it, the lowest block to the highest; dotted, the floor, {}. A curve \
         ends at the last quantile with ten fetches of each block beyond it (p99 needs 1,000 a \
         block).",
        digits(frame.low),
        digits(frame.high),
        scene.all.floor
    )
}

/// Returns the numbers of a model, with what is withheld.
fn row(own: &Latencies) -> Vec<String> {
    let each = own.fetches_a_block;
    let quantiles = own.quantiles_ms.iter().map(|value| value.map_or_else(String::new, number));
    let first = [own.model.clone(), own.fetches.to_string()].into_iter();
    first.chain(quantiles).chain([each.to_string(), withheld(&own.quantiles_ms, each)]).collect()
}

/// Says which quantiles are not reported, and why.
fn withheld(reported: &[Option<f64>; 4], each: u64) -> String {
    let names = QUANTILES.iter().zip(reported).filter(|(_, value)| value.is_none());
    let names: Vec<&str> = names.map(|((_, name), _)| *name).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("{}: too few fetches in a block of {each}", names.join(" ")),
    }
}

/// Returns where a quantile lies along the picture.
fn decades(q: f64) -> f64 {
    -(1.0 - q).log10()
}

/// Writes some quantiles, and where the curve ends.
fn note(own: &Latencies) -> String {
    let one = |((_, name), value): (&(f64, &str), &Option<f64>)| {
        Some(format!("{name} {}", digits((*value)?)))
    };
    let reported = QUANTILES.iter().zip(&own.quantiles_ms).filter(|((_, name), _)| *name != "p90");
    let reported = reported.filter_map(one).collect::<Vec<_>>().join(", ");
    let end = own.last.map(|last| format!("to p{}", plain(100.0 * last)));
    match (reported.is_empty(), end) {
        (false, Some(end)) => format!("{reported} ms, {end}"),
        (false, None) => format!("{reported} ms"),
        (true, end) => end.unwrap_or_else(|| "too few fetches for a curve".to_owned()),
    }
}

/// Writes a percentage with a digit after the point, unless it is needless.
fn plain(percent: f64) -> String {
    let text = format!("{percent:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture, paced, stays};

    use crate::derive::derive;
    use crate::figure::Charts;
    use crate::figure::drawing::Chart;

    #[test]
    fn a_quantile_is_reported_where_every_stay_has_enough_fetches_and_its_absence_is_explained() {
        let mut run = Fixture { blocks: 6, ..Fixture::good() }.run();
        // A thousand fetches, of which the slowest hundredth took 90 ms; in one block 990 ms.
        for (place, stay) in stays(&mut run, ("smol", "steady")).enumerate() {
            let slow = if place == 0 { 990_000_000 } else { 90_000_000 };
            stay.latencies_ns = vec![(30_000_000, 980), (slow, 20)];
        }
        let rows = |run: &record::Run, cell: usize| {
            let charts = Charts::of(&analysis::summarize(run, BASELINE, FLOOR));
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
        let title = |run: &record::Run| {
            let charts = Charts::of(&analysis::summarize(run, BASELINE, FLOOR));
            charts.cells[1].latency.title.clone()
        };
        assert!(title(&run).contains(" ms, 99 % within "), "{}", title(&run));
        // One stay of fewer withholds it, however many the others have.
        stays(&mut run, ("smol", "steady")).next().unwrap().latencies_ns[0].1 -= 1;
        assert_eq!(rows(&run, 1)[4], "");
        assert!(title(&run).contains(" ms, 90 % within "), "{}", title(&run));
        // Where fewer than a hundred are in a stay, half of them is all that is reported.
        for stay in stays(&mut run, ("smol", "steady")) {
            stay.latencies_ns = vec![(30_000_000, 60)];
        }
        let half = title(&run);
        assert!(half.starts_with("Half of the fetches end within "), "{half}");
        assert!(half.contains(" ms; steady") && !half.contains('%'), "{half}");
    }

    #[test]
    fn where_fetches_arrive_at_a_rate_no_sentence_speaks_of_a_loop_that_waits_for_them() {
        let files = derive(&analysis::summarize(&paced(&[1_000], ""), BASELINE, FLOOR));
        let page = String::from_utf8(files["report.html"].clone()).unwrap();
        assert!(page.contains("which begins as the fetch arrives"));
        assert!(page.contains("by model: the arrivals set the pace"));
        assert!(page.contains(", 1000 arrive a second, delay 4 to 12 ms"));
        for closed in ["no fetch arrives while", "delays set the pace", "delay sets the pace"] {
            assert!(!page.contains(closed), "{closed}");
        }
    }

    #[test]
    fn a_curve_ends_with_the_last_quantile_that_is_reported_and_stays_inside_its_picture() {
        let mut run = Fixture { blocks: 6, ..Fixture::good() }.run();
        for (place, stay) in stays(&mut run, ("smol", "steady")).enumerate() {
            let slow = if place == 0 { 990_000_000 } else { 90_000_000 };
            stay.latencies_ns = vec![(30_000_000, 980), (slow, 20)];
        }
        let charts = Charts::of(&analysis::summarize(&run, BASELINE, FLOOR));
        let Chart::Panels(panels) = &charts.cells[1].latency.chart else { panic!("it is drawn") };
        let smol = panels.iter().find(|panel| panel.label == "smol").unwrap();
        let p99 = smol.upwards.iter().find(|(_, name)| name == "p99").unwrap().0;
        let end = smol.thick.last().unwrap().0;
        assert!((end - p99).abs() < 1e-9, "ten of a thousand lie beyond p99: {end} {p99}");
        assert!(smol.upwards.iter().all(|(_, name)| name != "p99.9"));
        assert_eq!(smol.unit, "ms, steady");
        assert!(smol.note.ends_with("p99 90.0 ms, to p99"), "{}", smol.note);
        // The slowest block is in the picture, although all the others are far below.
        let highest = smol.range.iter().map(|(_, _, high)| *high).fold(0.0, f64::max);
        assert!(highest > 0.9 && highest <= 1.0, "{highest}");
        for (x, y) in panels.iter().flat_map(|panel| &panel.thick) {
            assert!((0.0..=1.0).contains(x) && (0.0..=1.0).contains(y), "{x} {y}");
        }
    }
}
