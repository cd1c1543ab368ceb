//! Response times against load: a small picture a model, with a line for p50 and one for p99.

use analysis::load::{LoadCurve, LoadFigures, LoadPoint};
use analysis::number::digits;
use analysis::{Estimate, Summary};

use crate::figure::axis::Axis;
use crate::figure::data::{Data, estimate, number};
use crate::figure::drawing::{Chart, Curve, Figure, Panel, PanelWords, reach};
use crate::figure::look::Look;
use crate::figure::title::ends;

/// What the marks of its small pictures mean.
const WORDS: PanelWords = PanelWords {
    curve: "p50 below, p99 above",
    range: "95 % interval over blocks",
    end: "end: the highest rate that it holds",
    hollow: "cannot hold that rate",
};
/// How high a rate is marked that a model cannot hold: what its fetches wait for has no place, as
/// it grows for as long as they arrive.
const LOST_HEIGHT: f64 = 0.94;

/// Draws what fetches wait for against load; nothing if no cells differ in their rate alone.
pub(crate) fn load(run: &Summary, load: Option<&LoadFigures>) -> Option<Figure> {
    let load = load?;
    let frame = Frame::of(load);
    let floor = load.curves.iter().find(|curve| curve.model == run.figures.floor);
    let reference = floor.map_or_else(Vec::new, |curve| frame.line(curve, p99));
    let panel = |curve: &LoadCurve| Panel {
        label: curve.model.clone(),
        unit: "ms (log)".to_owned(),
        note: note(curve),
        look: Look::of(run, &curve.model),
        reference: reference.clone(),
        range: frame.range(curve, p99),
        thick: frame.line(curve, p99),
        second: Some(Curve { line: frame.line(curve, p50), range: frame.range(curve, p50) }),
        hollow: frame.lost(curve),
        across: frame.across(),
        upwards: frame.upwards(),
        words: &WORDS,
    };
    let panels: Vec<Panel> = load.curves.iter().map(panel).collect();
    Some(Figure {
        id: "load".to_owned(),
        title: title(load),
        caption: caption(run, load),
        chart: match panels.iter().all(|panel| panel.thick.is_empty()) {
            true => Chart::Missing("no model holds any of the rates".to_owned()),
            false => Chart::Panels(panels),
        },
        data: data(load),
    })
}

/// Returns the upper line at a rate.
fn p99(point: &LoadPoint) -> Estimate {
    point.p99_ms
}

/// Returns the lower one.
fn p50(point: &LoadPoint) -> Estimate {
    point.p50_ms
}

/// Says what most fetches do not exceed at the highest rate, and how many models are seen to hold
/// it.
fn title(load: &LoadFigures) -> String {
    let top = load.rates.last().map_or(0, |(_, rate)| *rate);
    // Nothing is known of a model that has no valid turn there.
    let holds =
        |curve: &&LoadCurve| curve.points.last().is_some_and(|point| point.rate_per_s == top);
    let (holding, of) = (load.curves.iter().filter(holds).count(), load.curves.len());
    match load.p99_ms {
        None => format!("Response times against load: no model holds {top} fetches a second"),
        Some(span) => {
            let found = ends(span, " ms");
            format!(
                "At {top} fetches a second 99 % are answered within {found}; {holding} of {of} \
                 models are seen to hold it"
            )
        }
    }
}

/// Says how to read it.
fn caption(run: &Summary, load: &LoadFigures) -> String {
    let ceiling = load.ceiling_per_s.map_or_else(String::new, |ceiling| {
        format!(" Without delays the origin serves {ceiling} a second.")
    });
    format!(
        "From the arrival of a fetch to its verified end, by the rate at which fetches arrive, \
         whether or not those before have ended: p50 and p99 of all fetches of a model, with 95 % \
         intervals over blocks. A line ends at the highest rate that the model holds, and a hollow \
         mark is at the lowest that it does not. The dotted line is {}'s p99. Both axes are \
         logarithmic.{ceiling}",
        run.figures.floor
    )
}

/// Returns the numbers: a row a model and rate, the last of them that which it cannot hold.
fn data(load: &LoadFigures) -> Data {
    let mut data = Data::new(&[
        "model",
        "rate_per_s",
        "p50_ms",
        "p50_low",
        "p50_high",
        "p99_ms",
        "p99_low",
        "p99_high",
        "cannot_hold_achieves",
    ]);
    for curve in &load.curves {
        let named = |rate: u32| vec![curve.model.clone(), rate.to_string()];
        for point in &curve.points {
            let waits = [&point.p50_ms, &point.p99_ms].map(|own| estimate(Some(own))).concat();
            data.push([named(point.rate_per_s), waits, vec![String::new()]].concat());
        }
        if let Some((rate, achieved)) = curve.lost {
            let achieved = number(achieved * f64::from(rate));
            data.push([named(rate), vec![String::new(); 6], vec![achieved]].concat());
        }
    }
    data
}

/// Writes the p99 at the ends of a curve, or the rate at which there is none.
fn note(curve: &LoadCurve) -> String {
    let end = |point: &LoadPoint| digits(point.p99_ms.value);
    let held = match curve.points.as_slice() {
        [first, .., last] => format!("p99 {} to {} ms", end(first), end(last)),
        [only] => format!("p99 {} ms", end(only)),
        [] => String::new(),
    };
    let lost = curve.lost.map(|(rate, _)| format!("cannot hold {rate} a second"));
    let parts = [Some(held).filter(|held| !held.is_empty()), lost];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What all small pictures have in common.
struct Frame {
    across: Axis,
    upwards: Axis,
}

impl Frame {
    /// Returns a frame that holds every model.
    fn of(load: &LoadFigures) -> Self {
        let points = load.curves.iter().flat_map(|curve| &curve.points);
        let ends = points.flat_map(|point| [reach(&point.p50_ms), reach(&point.p99_ms)].concat());
        let rates = load.rates.iter().map(|(_, rate)| f64::from(*rate));
        Self {
            across: Axis::of_factors("fetches a second", rates),
            upwards: Axis::of_factors("ms", ends),
        }
    }

    /// Returns where a time at a rate lies.
    fn place(&self, point: &LoadPoint, ms: f64) -> (f64, f64) {
        let across = self.across.place(f64::from(point.rate_per_s));
        (across / 100.0, self.upwards.place(ms) / 100.0)
    }

    /// Returns one of the lines of a model.
    fn line(&self, curve: &LoadCurve, read: fn(&LoadPoint) -> Estimate) -> Vec<(f64, f64)> {
        curve.points.iter().map(|point| self.place(point, read(point).value)).collect()
    }

    /// Returns the intervals around it.
    fn range(&self, curve: &LoadCurve, read: fn(&LoadPoint) -> Estimate) -> Vec<(f64, f64, f64)> {
        let around = |point: &LoadPoint| {
            let interval = read(point).interval?;
            let (x, low) = self.place(point, interval.low);
            Some((x, low, self.place(point, interval.high).1))
        };
        curve.points.iter().filter_map(around).collect()
    }

    /// Returns where the rate is marked that a model cannot hold, if there is one.
    fn lost(&self, curve: &LoadCurve) -> Vec<(f64, f64)> {
        let across = |(rate, _): (u32, f64)| self.across.place(f64::from(rate)) / 100.0;
        curve.lost.map(|lost| (across(lost), LOST_HEIGHT)).into_iter().collect()
    }

    /// Returns the lines across: round times.
    fn across(&self) -> Vec<(f64, String)> {
        let ticks = self.upwards.ticks().map(|(place, text)| (place / 100.0, text));
        ticks.filter(|(up, _)| *up <= 0.85).map(|(up, text)| (up, format!("{text} ms"))).collect()
    }

    /// Returns the lines upwards: round rates.
    fn upwards(&self) -> Vec<(f64, String)> {
        self.across.ticks().map(|(place, text)| (place / 100.0, format!("{text}/s"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, paced};
    use analysis::summarize;

    use super::*;
    use crate::derive::derive;
    use crate::figure::legend::legend;

    /// Returns the figure of a run at these rates, of which tokio cannot hold the last.
    fn drawn(rates: &[u32]) -> Option<Figure> {
        let run = summarize(&paced(rates, "tokio"), BASELINE, FLOOR);
        load(&run, run.figures.load.as_ref())
    }

    #[test]
    fn a_line_ends_where_a_model_cannot_hold_the_rate_and_its_picture_says_which() {
        let figure = drawn(&[500, 1_000, 2_000, 4_000]).expect("there are four rates");
        let found = "At 4000 fetches a second 99 % are answered within 24.0 ms; 4 of 5 models are \
                     seen to hold it";
        assert_eq!(figure.title, found);
        let Chart::Panels(panels) = &figure.chart else { panic!("{:?}", figure.chart) };
        let of = |model: &str| panels.iter().find(|panel| panel.label == model).unwrap();
        let (held, lost) = (of(FLOOR), of(BASELINE));
        let below = |panel: &Panel| panel.second.as_ref().map(|own| own.line.clone()).unwrap();
        assert_eq!((held.thick.len(), below(held).len(), held.range.len()), (4, 4, 4));
        assert_eq!((lost.thick.len(), below(lost).len()), (3, 3));
        assert!(held.hollow.is_empty() && lost.hollow.len() == 1, "{lost:?}");
        assert!((lost.hollow[0].0 - held.thick[3].0).abs() < 1e-9, "{lost:?}");
        assert_eq!(held.note, "p99 13.5 to 24.0 ms");
        assert_eq!(lost.note, "p99 13.5 to 18.0 ms; cannot hold 4000 a second");
        // More arrive to the right, and p99 lies above p50.
        assert!(held.thick.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
        assert!(held.thick.iter().zip(&below(held)).all(|(upper, lower)| upper.1 > lower.1));
    }

    #[test]
    fn a_model_without_a_valid_turn_at_the_highest_rate_is_not_said_to_hold_it() {
        let mut run = paced(&[500, 1_000], "tokio");
        run.turns.retain(|turn| turn.model != "smol" || turn.cell != "paced-1000");
        let run = summarize(&run, BASELINE, FLOOR);
        let figure = load(&run, run.figures.load.as_ref()).expect("there are two rates");
        assert!(figure.title.ends_with("; 3 of 5 models are seen to hold it"), "{}", figure.title);
    }

    #[test]
    fn what_is_drawn_stands_beside_it_and_what_a_model_cannot_hold_has_no_percentile() {
        let figure = drawn(&[500, 1_000]).expect("there are two rates");
        assert_eq!(figure.data.rows.len(), 10);
        let row = figure.data.rows.iter().find(|row| row[0] == BASELINE && row[1] == "1000");
        let row = row.expect("it was measured");
        assert!(row[2..8].iter().all(String::is_empty) && !row[8].is_empty(), "{row:?}");
        let keys: Vec<String> = legend(&figure.chart).into_iter().map(|(_, text)| text).collect();
        for words in [WORDS.end, WORDS.curve, WORDS.hollow] {
            assert!(keys.iter().any(|key| key == words), "{keys:?}");
        }
    }

    #[test]
    fn the_page_has_the_figure_and_a_table_of_the_rate_in_the_middle() {
        let rates = [500, 1_000, 2_000, 4_000];
        let files = derive(&summarize(&paced(&rates, "tokio"), BASELINE, FLOOR));
        assert!(files.contains_key("figures/load.svg") && files.contains_key("figures/load.csv"));
        let page = String::from_utf8(files["report.html"].clone()).unwrap();
        let tables = |rate| page.matches(&format!("<h3>Response times in paced-{rate}:")).count();
        assert_eq!(rates.map(tables), [0, 1, 0, 0]);
        assert!(page.contains("cannot hold 4000 a second"));
    }

    #[test]
    fn a_run_of_one_rate_has_no_such_figure() {
        assert_eq!(drawn(&[500]), None);
    }
}
