//! How costs move along a sweep, and where models cross.

use maud::{Markup, html};

use crate::html::Page;
use crate::html::chart::figure;
use crate::html::figures::NOT_RUN;
use crate::sweep_text::{HOW_TO_READ, heading};

impl Page<'_> {
    /// Writes from which level on which model costs less, or what measures that.
    pub(crate) fn scaling(&self) -> Markup {
        let sweeps = &self.figures.sweeps;
        let mut charts = self.charts.sweeps.iter();
        html! {
            @if self.charts.sweeps.is_empty() {
                p.missing {
                    (NOT_RUN) ": how cost and memory grow with fetches in flight needs cells that \
                        differ in nothing else. What the cells of this run show side by side \
                        stands in "
                    a href="#across" { "the table across cells" } "."
                }
            } @else {
                @for sweep in sweeps {
                    p { (heading(sweep)) "." }
                    @for chart in charts.by_ref().take(sweep.pairs.len()) { (figure(chart, "")) }
                }
                p.aside { (HOW_TO_READ) "." }
            }
        }
    }
}
