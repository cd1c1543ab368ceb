//! Figures that show one quantity an interval a model: wall time, context switches, memory; and the
//! baseline beside itself.

use analysis::cell_figures::CellFigures;
use analysis::family::MARGIN;
use analysis::figures::Figures;
use analysis::number::digits;
use analysis::{Estimate, Span, Summary};
use rules::{MEMORY, Metric, SWITCHES, WALL, expected};

use crate::figure::axis::Axis;
use crate::figure::cost::{empty, plain};
use crate::figure::data::{Data, estimate, number};
use crate::figure::drawing::{Chart, Figure, Mark, Strip, Strips, Words, reach};
use crate::figure::look::Look;
use crate::figure::percent::{more, range};
use crate::figure::scene::Scene;
use crate::figure::title::{ends as span, in_cell};

/// A quantity as a figure shows it.
struct Shown<'a> {
    /// What its files are called.
    id: &'a str,
    /// Says what it shows, where `{}` stands for the least and the greatest value.
    finding: &'a str,
    /// The unit of the values in the title and at the end of a strip.
    unit: &'a str,
    /// From where to where it goes over the models that the title speaks of.
    found: Option<Span>,
    caption: String,
    /// The axis.
    name: &'a str,
    /// What is read of each model.
    metric: Metric,
    /// A value that no model can be below, if there is one.
    bound: Option<f64>,
    /// Whether the values span so much that only factors can be seen.
    is_log: bool,
}

/// Draws the wall time of the window beside its lower bound.
pub(crate) fn wall(scene: &Scene<'_>) -> Figure {
    let bound = scene.cell.shortest_wall_ms();
    let expected = expected(scene.cell.cell.workload);
    let finding = match expected.is_paced_by_delays {
        false => one_by_one(scene),
        true if scene.cell.cell.is_open() => {
            "The window takes {}, by model: the arrivals set the pace".to_owned()
        }
        true => "The window takes {}, by model: the delays set the pace".to_owned(),
    };
    let caption = format!(
        "{}: median over blocks with its own 95 % interval (sign test). {}",
        expected.wall,
        (expected.wall_bound)(&digits(bound))
    );
    scene.quantity(&Shown {
        id: "wall",
        finding: &finding,
        found: scene.findings.wall_ms,
        unit: " ms",
        caption,
        name: "wall time, ms",
        metric: WALL,
        bound: Some(bound),
        is_log: !expected.is_paced_by_delays,
    })
}

/// Draws context switches.
pub(crate) fn switches(scene: &Scene<'_>) -> Figure {
    scene.quantity(&Shown {
        id: "switches",
        finding: "The kernel switches context {} times a fetch, by model",
        found: scene.findings.switches_per_fetch,
        unit: "",
        caption:
            "Context switches of the model's process per fetch, voluntary or not: median over \
                  blocks with its own 95 % interval (sign test)."
                .to_owned(),
        name: "context switches per fetch",
        metric: SWITCHES,
        bound: None,
        is_log: false,
    })
}

/// Draws the most memory that a process held.
pub(crate) fn memory(scene: &Scene<'_>) -> Figure {
    scene.quantity(&Shown {
        id: "memory",
        finding: "A process holds {} of memory at its peak, by model",
        found: scene.findings.memory_peak_mib,
        unit: " MiB",
        caption: "The most memory that the model's process held at once (resident set): median \
                  over blocks with its own 95 % interval (sign test). It counts the program itself \
                  and what it shares with others, and leaves out what the kernel keeps for threads \
                  and sockets; it says nothing of how memory grows with fetches in flight."
            .to_owned(),
        name: "peak resident memory, MiB",
        metric: MEMORY,
        bound: None,
        is_log: false,
    })
}

impl Scene<'_> {
    /// Draws a quantity of each model.
    fn quantity(&self, shown: &Shown<'_>) -> Figure {
        let mut data = Data::new(&["model", shown.metric.field, "low", "high"]);
        let (mut strips, mut ends) = (Vec::new(), shown.bound.into_iter().collect::<Vec<f64>>());
        for row in &self.cell.rows {
            let figures = row.figures.as_ref();
            let Some(reported) = figures.and_then(|own| own.metric(shown.metric)) else {
                strips.extend(empty(self, row));
                continue;
            };
            ends.extend(reach(reported));
            let look = self.look(&row.model);
            let note = format!("{}{}", digits(reported.value), shown.unit);
            strips.push(Strip::new(&row.model, note, look).estimate(reported));
            let [value, low, high] = estimate(Some(reported));
            data.push(vec![row.model.clone(), value, low, high]);
        }
        let axis = match shown.is_log {
            true => Axis::of_factors(shown.name, ends.into_iter()),
            false => Axis::from_zero(shown.name, ends.into_iter()),
        };
        let rules = shown.bound.map(|bound| (bound, "lower bound".to_owned()));
        let rules = rules.into_iter().collect();
        let finding = shown.found.map_or_else(
            || shown.name.to_owned(),
            |found| shown.finding.replace("{}", &span(found, shown.unit)),
        );
        Figure {
            id: self.id(shown.id),
            title: in_cell(&finding, &self.cell.cell),
            caption: shown.caption.clone(),
            chart: plain(data.rows.is_empty(), (axis, rules, strips)),
            data,
        }
    }
}

/// Says what a batch takes, and what it takes one fetch after the other, where that was measured.
fn one_by_one(scene: &Scene<'_>) -> String {
    let fetches = scene.cell.cell.fetches;
    match scene.findings.wall_one_by_one_ms {
        Some(alone) => {
            format!("{fetches} fetches at once take {{}}, one after the other {} ms", digits(alone))
        }
        None => format!("{fetches} fetches at once take {{}}, by model"),
    }
}

/// Draws the baseline beside itself: what it differs from itself is noise.
pub(crate) fn itself(run: &Summary) -> Figure {
    let figures = &run.figures;
    let mut data = Data::new(&["cell", "block", "second_over_first"]);
    let mut rows: Vec<(String, Estimate, Vec<f64>)> = Vec::new();
    for cell in &figures.cells {
        for (block, ratio) in &cell.itself {
            data.push(vec![cell.cell.name.clone(), block.to_string(), number(*ratio)]);
        }
        let dots = cell.itself.iter().map(|(_, ratio)| *ratio).collect();
        rows.extend(cell.noise.as_ref().map(|n| (cell.cell.name.clone(), n.ratio, dots)));
    }
    let ends =
        rows.iter().flat_map(|(_, ratio, dots)| reach(ratio).into_iter().chain(dots.clone()));
    let axis = Axis::of_changes("second against first, %", ends.chain([1.0]));
    let strip = |(name, ratio, dots): &(String, Estimate, Vec<f64>)| {
        let mut strip = Strip::new(name, more(ratio), Look::default());
        strip.height = 34;
        // Dots would hide each other on one line.
        let heights = [0.25, 0.75, 0.38, 0.62].iter().cycle();
        strip.marks = dots.iter().zip(heights).map(|(&x, &y)| Mark::Dot(x, y)).collect();
        strip.estimate(ratio)
    };
    let strips = rows.iter().map(strip).collect();
    Figure {
        id: "baseline-against-itself".to_owned(),
        title: itself_title(figures),
        caption: format!(
            "{} has a second process in every block. A dot a block, and the typical ratio with \
             its own 95 % interval ({}). This difference is noise. Other ratios may be off by as \
             much. Shaded: within {:.0} %.",
            figures.baseline,
            run.estimator.both(),
            100.0 * MARGIN
        ),
        chart: match rows.is_empty() {
            true => Chart::Missing(format!(
                "{} never had a second process in a block",
                figures.baseline
            )),
            false => Chart::Strips(Strips {
                axis,
                rules: vec![(1.0, "equal".to_owned())],
                bands: vec![((-MARGIN).exp(), MARGIN.exp())],
                rows: strips,
                words: &Words { estimate: "typical ratio, 95 % interval", ..Words::USUAL },
            }),
        },
        data,
    }
}

/// Says by how much the baseline differs from itself.
fn itself_title(figures: &Figures) -> String {
    let reported = |cell: &CellFigures| {
        Some(format!("{} in {}", more(&cell.noise.as_ref()?.ratio), cell.cell.name))
    };
    let reported: Vec<String> = figures.cells.iter().filter_map(reported).collect();
    let noises = figures.cells.iter().filter_map(|cell| cell.noise.as_ref());
    let ratios: Vec<f64> = noises.map(|noise| noise.ratio.value).collect();
    let baseline = &figures.baseline;
    match ratios.len() {
        0 => format!("{baseline} against itself"),
        1 | 2 => format!("{baseline} against itself: {}", reported.join(", ")),
        cells => format!("{baseline} against itself: {} in {cells} cells", range(&ratios)),
    }
}
