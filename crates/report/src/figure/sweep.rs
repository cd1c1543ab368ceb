//! Where two models cross: an interval a level.

use analysis::Summary;
use analysis::Verdict;
use analysis::crossing::{crossing, names};
use analysis::family::MARGIN;
use analysis::number::word;
use analysis::sweep::{SweepFigures, SweepPair};

use crate::figure::axis::Axis;
use crate::figure::cost::chart;
use crate::figure::data::{Data, estimate};
use crate::figure::drawing::{Figure, Strip, Strips, Words, reach};
use crate::figure::look::Look;
use crate::figure::scene::anchor;
use crate::sweep_text::reported;

/// Draws every pair of every sweep.
pub(crate) fn sweeps(run: &Summary, sweeps: &[SweepFigures]) -> Vec<Figure> {
    let pairs = sweeps.iter().flat_map(|sweep| sweep.pairs.iter().map(move |pair| (sweep, pair)));
    pairs.map(|(sweep, pair)| draw(run, sweep, pair)).collect()
}

/// Draws a pair: a strip a level, the lowest on top.
fn draw(run: &Summary, sweep: &SweepFigures, pair: &SweepPair) -> Figure {
    let (along, unit) = names(sweep.along);
    let look = Look::of(run, &pair.model);
    let mut data = Data::new(&["level", "ratio", "low", "high", "verdict"]);
    let (mut rows, mut ends) = (Vec::new(), vec![1.0]);
    for (level, found) in sweep.levels.iter().zip(&pair.levels) {
        let strip = Strip::new(&format!("{level}{unit}"), reported(found), look);
        let strip = Strip { height: 22, ..strip };
        let Some(own) = &found.pair else {
            rows.push(strip);
            continue;
        };
        rows.push(strip.estimate(&own.ratio));
        ends.extend(reach(&own.ratio));
        let [value, low, high] = estimate(Some(&own.ratio));
        data.push(vec![level.to_string(), value, low, high, verdict(own.verdict)]);
    }
    let axis = Axis::of_factors(&format!("times {}", sweep.other), ends.into_iter());
    let rules = vec![(1.0, sweep.other.clone())];
    let bands = vec![((-MARGIN).exp(), MARGIN.exp())];
    let words = &Words { estimate: "typical ratio, 95 % interval", ..Words::USUAL };
    Figure {
        id: anchor(&format!("crossover-{}-{}", cell_name(sweep), pair.model)),
        title: crossing(sweep, pair),
        caption: format!(
            "Along {along}: CPU time per fetch in times {}'s, inside blocks; the intervals hold \
             for all levels at once with 95 %.",
            sweep.other
        ),
        chart: chart(data.rows.is_empty(), Strips { axis, rules, bands, rows, words }),
        data,
    }
}

/// Returns what the cells of a sweep begin with.
fn cell_name(sweep: &SweepFigures) -> &'static str {
    match sweep.along {
        analysis::Along::InFlight => "in-flight",
        analysis::Along::InFlightAtRate => "in-flight-at-rate",
        analysis::Along::DelayMs => "delay",
    }
}

/// Writes a verdict.
fn verdict(verdict: Verdict) -> String {
    word(verdict).to_owned()
}
