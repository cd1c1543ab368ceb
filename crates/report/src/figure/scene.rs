//! What a figure of one cell is drawn from.

use analysis::cell_figures::CellFigures;
use analysis::figures::Figures;
use analysis::timeline::Timeline;
use analysis::{Findings, Summary};

use crate::figure::look::Look;

/// What a figure of one cell is drawn from.
pub(crate) struct Scene<'a> {
    /// The run.
    pub(crate) run: &'a Summary,
    /// The figures of all cells.
    pub(crate) all: &'a Figures,
    /// The figures of the cell.
    pub(crate) cell: &'a CellFigures,
    /// What its figures show.
    pub(crate) findings: Findings,
    /// Every stay of the run.
    pub(crate) timeline: &'a Timeline,
}

impl<'a> Scene<'a> {
    /// Gathers what the figures of a cell are drawn from.
    pub(crate) fn of(run: &'a Summary, cell: &'a CellFigures) -> Self {
        let all = &run.figures;
        let findings = run.findings.get(&cell.cell.name).cloned().unwrap_or_default();
        Self { run, all, cell, findings, timeline: &all.timeline }
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
