//! Figures: what they show, and how that becomes SVG.
//!
//! A figure is a stack of strips over one horizontal axis, one strip a model or quantity. Places
//! along the axis are shares of its width, written in percent, so that one drawing fits a phone, a
//! screen and a page; heights are pixels. Never does a colour alone distinguish two models: each
//! strip is labelled, and marks have shapes.
//!
//! The drawing is our own instead of a plotting library's because it has to follow the theme of the
//! page, stretch without shrinking its letters, and be read out by a screen reader.

pub(crate) mod axis;
pub(crate) mod data;
pub(crate) mod draw;
pub(crate) mod legend;
pub(crate) mod look;
pub(crate) mod percent;
pub(crate) mod standalone;
pub(crate) mod title;

mod breakdown;
mod cost;
mod latency;
mod over_time;
mod plain;
mod primitives;
mod sweep;
mod wake_ups;

use analysis::Summary;

pub(crate) use cost::reach;

use analysis::cell_figures::CellFigures;
use analysis::figures::Figures;
use analysis::timeline::Timeline;

use crate::figure::axis::Axis;
use crate::figure::data::Data;
use crate::figure::look::Look;

/// What may be drawn of a run, in the order of the report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    /// What its files and its anchor are called.
    pub(crate) id: String,
    /// What it shows, as a finding, with its cell and unit.
    pub(crate) title: String,
    /// How to read it, in a sentence or two.
    pub(crate) caption: String,
    /// The drawing.
    pub(crate) chart: Chart,
    /// The numbers that are drawn.
    pub(crate) data: Data,
}

/// A drawing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Chart {
    /// Strips over one axis.
    Strips(Strips),
    /// Small pictures side by side, each with a curve.
    Panels(Vec<Panel>),
    /// Nothing can be drawn, for this reason.
    Missing(String),
}

/// Strips over one axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strips {
    /// What the strips have in common.
    pub(crate) axis: Axis,
    /// Values that run through all strips as lines, with what they are.
    pub(crate) rules: Vec<(f64, String)>,
    /// Ranges that are shaded through all strips.
    pub(crate) bands: Vec<(f64, f64)>,
    /// From top to bottom.
    pub(crate) rows: Vec<Strip>,
    /// What its marks mean.
    pub(crate) words: &'static Words,
}

/// What the marks of strips mean, for the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// A point with its interval.
    pub(crate) estimate: &'static str,
    /// A range that is shaded.
    pub(crate) band: &'static str,
    /// A dot.
    pub(crate) dot: &'static str,
    /// Bars, by their kind.
    pub(crate) bars: [&'static str; 3],
}

impl Words {
    /// What they mean in most figures.
    pub(crate) const USUAL: Self = Self {
        estimate: "median, 95 % interval",
        band: "within 2 %, as good as equal",
        dot: "a block",
        bars: ["floor", "the model", "its library client"],
    };
}

/// A strip.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strip {
    /// What it is about.
    pub(crate) label: String,
    /// What stands at its end.
    pub(crate) note: String,
    /// In pixels.
    pub(crate) height: u32,
    /// The colour and shape of its marks.
    pub(crate) look: Look,
    /// What is drawn, from back to front.
    pub(crate) marks: Vec<Mark>,
}

/// Something drawn in a strip; `x` is in the unit of the axis, `y` a share of the height from the
/// top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mark {
    /// The sign of the model.
    Point(f64),
    /// A line from one value to another.
    Interval(f64, f64),
    /// A bar from one value to another, of the n-th kind of a stack.
    Bar(f64, f64, u8),
    /// A small dot.
    Dot(f64, f64),
    /// A small triangle: what lies beyond that edge, at the top or else at the bottom.
    Beyond(f64, bool),
    /// A small cross: a stay that does not count.
    Cross(f64, f64),
    /// A line across the strip at a share of its height.
    Level(f64),
}

/// A small picture with curves; both axes run from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Panel {
    /// What it is about.
    pub(crate) label: String,
    /// What stands below it.
    pub(crate) note: String,
    /// The colour and dash of the main curve.
    pub(crate) look: Look,
    /// The curve of the floor, to compare with.
    pub(crate) reference: Vec<(f64, f64)>,
    /// From where to where the blocks reach, at places from left to right.
    pub(crate) range: Vec<(f64, f64, f64)>,
    /// The median of the blocks.
    pub(crate) thick: Vec<(f64, f64)>,
    /// Lines across: their heights, and what they stand for.
    pub(crate) across: Vec<(f64, String)>,
    /// Lines upwards: their places, and what they stand for.
    pub(crate) upwards: Vec<(f64, String)>,
}

/// What a figure of one cell is drawn from.
pub(crate) struct Scene<'a> {
    /// The run.
    pub(crate) run: &'a Summary,
    /// The figures of all cells.
    pub(crate) all: &'a Figures,
    /// The figures of the cell.
    pub(crate) cell: &'a CellFigures,
    /// Every stay of the run.
    pub(crate) timeline: &'a Timeline,
}

/// The figures of a cell.
pub(crate) struct CellCharts {
    /// What a fetch costs.
    pub(crate) cost: Figure,
    /// The same of models in other languages.
    pub(crate) languages: Vec<Figure>,
    /// The ratios to the baseline.
    pub(crate) ratio: Figure,
    /// Where the microseconds go.
    pub(crate) breakdown: Figure,
    /// The wall time.
    pub(crate) wall: Figure,
    /// The service times.
    pub(crate) latency: Figure,
    /// Context switches.
    pub(crate) switches: Figure,
    /// Memory.
    pub(crate) memory: Figure,
    /// How late probe tasks wake up, if the cell asks for one.
    pub(crate) wake_ups: Option<Figure>,
    /// Every turn.
    pub(crate) stays: Figure,
}

/// The figures of a run.
pub(crate) struct Charts {
    /// Cell by cell, in the order of the schedule.
    pub(crate) cells: Vec<CellCharts>,
    /// The baseline against itself in each cell.
    pub(crate) itself: Figure,
    /// What the machine did meanwhile.
    pub(crate) machine: Figure,
    /// Primitives that are done in batches.
    pub(crate) batches: Figure,
    /// Primitives that are timed alone.
    pub(crate) alone: Figure,
    /// Where models cross, sweep by sweep and pair by pair.
    pub(crate) sweeps: Vec<Figure>,
}

impl<'a> Scene<'a> {
    /// Gathers what the figures of a cell are drawn from.
    fn of(run: &'a Summary, cell: &'a CellFigures) -> Self {
        let all = &run.figures;
        Self { run, all, cell, timeline: &all.timeline }
    }

    /// Returns the look of a model.
    pub(crate) fn look(&self, model: &str) -> Look {
        Look::of(self.run, model)
    }

    /// Returns what a figure of this cell is called. It names files, so whatever else its name
    /// holds becomes a dash.
    pub(crate) fn id(&self, what: &str) -> String {
        anchor(&format!("{what}-{}", self.cell.cell.name))
    }
}

/// Returns a text as it can name a file and an anchor.
pub(crate) fn anchor(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    text.chars().map(plain).collect()
}

impl Charts {
    /// Draws a run.
    pub(crate) fn of(run: &Summary) -> Self {
        let figures = &run.figures;
        let cell = |cell| CellCharts::of(&Scene::of(run, cell));
        Self {
            cells: figures.cells.iter().map(cell).collect(),
            itself: plain::itself(run),
            machine: over_time::machine(&figures.timeline),
            batches: primitives::batches(run, &figures.primitives),
            alone: primitives::alone(run, &figures.primitives),
            sweeps: sweep::sweeps(run, &figures.sweeps),
        }
    }

    /// Returns every figure, in the order of the report, with the place of its cell if it has one.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Option<usize>, &Figure)> {
        let cells = self.cells.iter().enumerate();
        let of_cells = cells.flat_map(|(place, cell)| cell.all().map(move |it| (Some(place), it)));
        let whole = [&self.itself, &self.machine, &self.batches, &self.alone];
        of_cells.chain(whole.into_iter().chain(&self.sweeps).map(|figure| (None, figure)))
    }
}

impl CellCharts {
    /// Draws a cell.
    fn of(scene: &Scene<'_>) -> Self {
        Self {
            cost: cost::cost(scene),
            languages: scene.cell.languages.iter().map(|of| cost::language(scene, of)).collect(),
            ratio: cost::ratio(scene),
            breakdown: breakdown::breakdown(scene),
            wall: plain::wall(scene),
            latency: latency::latency(scene),
            switches: plain::switches(scene),
            memory: plain::memory(scene),
            wake_ups: wake_ups::wake_ups(scene),
            stays: over_time::stays(scene),
        }
    }

    /// Returns its figures.
    fn all(&self) -> impl Iterator<Item = &Figure> {
        let before = [&self.ratio, &self.breakdown, &self.wall, &self.latency];
        let after = [&self.switches, &self.memory, &self.stays];
        let first = [&self.cost].into_iter().chain(&self.languages).chain(before);
        first.chain(after).chain(&self.wake_ups)
    }
}

impl Figure {
    /// Returns whether there is nothing to draw.
    pub(crate) fn missing(&self) -> Option<&str> {
        match &self.chart {
            Chart::Missing(reason) => Some(reason),
            _ => None,
        }
    }
}

impl Strip {
    /// Returns a strip of the usual height without marks.
    pub(crate) fn new(label: &str, note: String, look: Look) -> Self {
        Self { label: label.to_owned(), note, height: 26, look, marks: Vec::new() }
    }

    /// Returns the strip with an estimate drawn in it.
    pub(crate) fn estimate(mut self, estimate: &analysis::Estimate) -> Self {
        if let Some(interval) = estimate.interval {
            self.marks.push(Mark::Interval(interval.low, interval.high));
        }
        self.marks.push(Mark::Point(estimate.value));
        self
    }
}
