//! How costs move along a sweep, and where models cross.

use maud::{Markup, html};

use crate::html::run_page::Page;
use crate::sweep_text::{HOW_TO_READ, common_point, heading};
use crate::words::capital;

impl Page<'_> {
    /// Writes from which level on which model costs less.
    pub(crate) fn scaling(&self) -> Markup {
        let sweeps = &self.figures.sweeps;
        let mut charts = self.charts.sweeps.iter();
        html! {
            @for (sweep, told) in sweeps.iter().zip(&self.charts.scaling) {
                @for chart in told { (self.figure(chart, None)) }
                p { (heading(sweep)) "." }
                @for chart in charts.by_ref().take(sweep.pairs.len()) {
                    (self.figure(chart, None)) }
            }
            @if let Some(line) = common_point(sweeps) { p { (capital(&line)) "." } }
            p.aside { (HOW_TO_READ) "." }
        }
    }
}
