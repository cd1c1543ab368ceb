//! What a figure is made of: strips or small pictures, and the marks in them.

use analysis::Estimate;

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

impl Figure {
    /// Returns whether there is nothing to draw.
    pub(crate) fn missing(&self) -> Option<&str> {
        match &self.chart {
            Chart::Missing(reason) => Some(reason),
            _ => None,
        }
    }
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

impl Strip {
    /// Returns a strip of the usual height without marks.
    pub(crate) fn new(label: &str, note: String, look: Look) -> Self {
        Self { label: label.to_owned(), note, height: 26, look, marks: Vec::new() }
    }

    /// Returns the strip with an estimate drawn in it.
    pub(crate) fn estimate(mut self, estimate: &Estimate) -> Self {
        if let Some(interval) = estimate.interval {
            self.marks.push(Mark::Interval(interval.low, interval.high));
        }
        self.marks.push(Mark::Point(estimate.value));
        self
    }
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
    /// What stands beside that: the unit of the curves, and their cell.
    pub(crate) unit: String,
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
    /// A second curve, if there is one.
    pub(crate) second: Option<Curve>,
    /// Points that say less than the others, drawn hollow.
    pub(crate) hollow: Vec<(f64, f64)>,
    /// Lines across: their heights, and what they stand for.
    pub(crate) across: Vec<(f64, String)>,
    /// Lines upwards: their places, and what they stand for.
    pub(crate) upwards: Vec<(f64, String)>,
    /// What its marks mean.
    pub(crate) words: &'static PanelWords,
}

/// A curve beside the main one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    /// From left to right.
    pub(crate) line: Vec<(f64, f64)>,
    /// What is shaded around it.
    pub(crate) range: Vec<(f64, f64, f64)>,
}

/// What the marks of small pictures mean, for the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PanelWords {
    /// The main curve.
    pub(crate) curve: &'static str,
    /// What is shaded around it.
    pub(crate) range: &'static str,
    /// Where it ends.
    pub(crate) end: &'static str,
    /// A hollow point.
    pub(crate) hollow: &'static str,
}

impl PanelWords {
    /// What they mean in most figures.
    pub(crate) const USUAL: Self = Self {
        curve: "median of the blocks",
        range: "lowest to highest block",
        end: "end: too few fetches beyond",
        hollow: "the origin may be what is measured",
    };
}

/// Returns the values that an axis has to hold for an estimate to be seen whole.
pub(crate) fn reach(estimate: &Estimate) -> Vec<f64> {
    let ends = estimate.interval.map(|interval| [interval.low, interval.high]);
    ends.into_iter().flatten().chain([estimate.value]).collect()
}
