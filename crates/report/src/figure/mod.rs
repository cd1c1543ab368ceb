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
pub(crate) mod drawing;
pub(crate) mod legend;
pub(crate) mod look;
pub(crate) mod percent;
pub(crate) mod scene;
pub(crate) mod standalone;
pub(crate) mod title;

mod breakdown;
mod cost;
mod hold;
mod latency;
mod load;
mod over_time;
mod plain;
mod primitives;
mod scaling;
mod sweep;
mod wake_ups;

use analysis::Summary;

use crate::figure::drawing::Figure;
use crate::figure::scene::Scene;

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
    /// What a fetch costs along each sweep that shows that, and what else grows there, sweep by
    /// sweep.
    pub(crate) scaling: Vec<Vec<Figure>>,
    /// What fetches in flight take, if any were held.
    pub(crate) hold: Option<Figure>,
    /// What fetches wait for against load, if cells differ in their rate alone.
    pub(crate) load: Option<Figure>,
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
            scaling: figures.sweeps.iter().map(|sweep| scaling::scaling(run, sweep)).collect(),
            hold: hold::hold(run, figures.holds.as_ref()),
            load: load::load(run, figures.load.as_ref()),
        }
    }

    /// Returns every figure, in the order of the report, with the place of its cell if it has one.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Option<usize>, &Figure)> {
        let cells = self.cells.iter().enumerate();
        let of_cells = cells.flat_map(|(place, cell)| cell.all().map(move |it| (Some(place), it)));
        let whole = [&self.itself, &self.machine, &self.batches, &self.alone];
        let whole = whole.into_iter().chain(&self.sweeps).chain(&self.hold).chain(&self.load);
        let whole = whole.chain(self.scaling.iter().flatten());
        of_cells.chain(whole.map(|figure| (None, figure)))
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
