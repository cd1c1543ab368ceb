//! What primitives cost in a run, whether that shows what is known of tasks and threads, and what
//! it predicts of models.

use record::Run;

use crate::cell_figures::CellFigures;
use crate::cost_model::{self, CostModelCell};
use crate::primitive_figures::{Piece, PrimitiveFigures, ShapeCheck};
use crate::primitive_source::Source;
use crate::primitives_known::checks;
use crate::primitives_steady::Steadiness;

/// What the smallest things cost that models are made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Primitives {
    /// Each primitive that was measured or could not be, in the order of reports.
    pub figures: Vec<PrimitiveFigures>,
    /// The cheapest and the most expensive of those that are done in batches.
    pub batch_ends: Option<[Piece; 2]>,
    /// The earliest and the latest waiter of those that are timed alone.
    pub alone_ends: Option<[Piece; 2]>,
    /// What leaving out unsteady stays would change, if there are any.
    pub steadiness: Option<Steadiness>,
    /// Whether the run shows what is known of tasks and threads.
    pub checks: Vec<ShapeCheck>,
    /// What the primitives predict of models, cell by cell.
    pub cost_model: Vec<CostModelCell>,
}

impl Primitives {
    /// Computes the figures of a run.
    pub(crate) fn of(run: &Run, cells: &[CellFigures], (baseline, floor): (&str, &str)) -> Self {
        if run.schedule.operations.is_empty() {
            return Self::default();
        }
        let sources = run.schedule.operations.iter().map(|cell| Source::of(run, cell));
        let sources: Vec<Source<'_>> = sources.collect();
        let figures: Vec<PrimitiveFigures> =
            sources.iter().map(|source| source.figures(baseline)).collect();
        let steady = sources.iter().map(|source| source.steady().figures(baseline));
        let steadiness = Steadiness::of(&figures, &steady.collect::<Vec<_>>());
        let checks = checks(&sources, baseline);
        let cost_model = cost_model::of(run, (cells, &figures), floor);
        let [batch_ends, alone_ends] = [false, true].map(|alone| Piece::ends(&figures, alone));
        Self { figures, batch_ends, alone_ends, steadiness, checks, cost_model }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty()
    }
}
