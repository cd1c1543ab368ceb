//! The report as one HTML file that works from disk: no request, whole without its script.

mod again;
mod answer;
mod believe;
mod chart;
pub(crate) mod diff;
mod figures;
mod frame;
mod headline;
mod hold;
mod matters;
pub(crate) mod merge;
mod missing;
mod models;
mod origin;
mod pairs;
mod primitives;
mod quirks;
mod quoted;
mod reading;
pub(crate) mod run_page;
pub(crate) mod site;
mod sweep;
mod trust;

use analysis::INFLIGHT;
use maud::{Markup, html};

use crate::html::frame::{Frame, Section, written};
use crate::html::run_page::Page;

/// Returns the page of a run.
pub(crate) fn page(page: &Page<'_>) -> Vec<u8> {
    let frame = Frame {
        title: page.compared(),
        version: Some(page.run.version.clone()),
        question: page.compared(),
        lead: page.first_screen(""),
        sections: page.sections(),
        foot: page.foot(),
    };
    written(&frame).into_bytes()
}

impl Page<'_> {
    /// Returns the sections, in their order: what answers, then whether it may be believed, then
    /// what few readers look for.
    fn sections(&self) -> Vec<Section> {
        let compares_all =
            self.figures.family == analysis::Family::AllPairs && self.main().is_some();
        // What holds fetches alone says nothing there.
        let has_cells = self.main().is_some() || self.figures.holds.is_none();
        let sections = [
            (has_cells, Section::new("answer", "Every model", self.answer())),
            (has_cells, Section::new("breakdown", "Model or client?", self.breakdown())),
            (compares_all, Section::new("pairs", "Any two models", self.pairs())),
            (has_cells, Section::new("memory", "Memory, and what a batch takes", self.memory())),
            (has_cells, Section::new("latency", "How long a fetch takes", self.latency())),
            (
                !self.charts.sweeps.is_empty(),
                Section::new("scaling", "At other numbers in flight", self.scaling()),
            ),
            (
                self.figures.holds.is_some(),
                Section::new("hold", "What fetches in flight take", self.holds()),
            ),
            (true, Section::new("trust", "Can this run be trusted?", self.trust())),
            (true, Section::new("origin", "Where it was measured", self.origin())),
            (true, Section::new("cite", "Run it again, check it, cite it", self.cite())),
            (true, Section::new("missing", "Not measured in this run", self.not_measured())),
        ];
        let open = sections.into_iter().filter(|(is, _)| *is).map(|(_, section)| section);
        let folded = [
            ("reading", "How to read it, and what it does not show", self.reading()),
            ("cost", "CPU time in every cell", self.cost()),
            ("primitives", "Primitives", self.primitives()),
            ("ideas", "What the teaching page says, measured", self.ideas()),
            ("models", "The models, one by one", self.models()),
        ];
        open.chain(folded.map(|(id, title, body)| Section::folded(id, title, body))).collect()
    }

    /// Writes the end of the page.
    fn foot(&self) -> Markup {
        html! {
            "Written by Inflight " (self.run.version) " from run " code { (self.run.id) }
            " alone; the same run gives the same bytes. "
            code { (INFLIGHT) " check " (self.run.id) } " computes them again."
        }
    }
}
