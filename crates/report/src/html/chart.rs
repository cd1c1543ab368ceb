//! A figure on the page: letters are text of the page, so that they keep their size on a phone.

use analysis::INFLIGHT;
use analysis::cell_figures::CellFigures;
use analysis::number::count;
use maud::{Markup, html};

use crate::figure::data::Data;
use crate::figure::draw::{self, Canvas, LETTERS, PANEL, percent};
use crate::figure::drawing::{Chart, Figure, Panel, Strips};
use crate::figure::legend::{SAMPLE, legend, of_strips, sample};
use crate::html::run_page::Page;

/// Rows of a table from which on it scrolls.
const LONG: usize = 20;

/// Rows from which on a table stands beside the page alone.
const ROWS_MAX: usize = 200;

impl Page<'_> {
    /// Writes a figure with its title, its legend, where it is from, and, folded, how to read it
    /// and its numbers; `cell` is the place of its cell, if it has one.
    pub(crate) fn figure(&self, figure: &Figure, cell: Option<usize>) -> Markup {
        self.titled(figure, cell, &html! { h3 { (figure.title) } })
    }

    /// Writes the figure of the first screen, which stands in no section.
    pub(crate) fn first_figure(&self, figure: &Figure, cell: Option<usize>) -> Markup {
        self.titled(figure, cell, &html! { h2 { (figure.title) } })
    }

    /// Writes a figure below its title.
    fn titled(&self, figure: &Figure, cell: Option<usize>, title: &Markup) -> Markup {
        let cell = cell.and_then(|place| self.figures.cells.get(place));
        let described = format!("{}-about", figure.id);
        let credited = format!("{}-credit", figure.id);
        html! {
            figure id=(figure.id) {
                figcaption { (title) }
                @match &figure.chart {
                    Chart::Strips(strips) => {
                        (strips_of(strips, (&figure.id, &figure.title), Some(&described)))
                    },
                    Chart::Panels(panels) => (panels_of(panels, &figure.id, &described)),
                    Chart::Missing(reason) => p.missing { "Not drawn: " (reason) "." },
                }
                (keys(&legend(&figure.chart)))
                @if figure.missing().is_none() {
                    div.below {
                        details {
                            summary { "How to read it, numbers" }
                            p id=(described) { (figure.caption) }
                            (self.numbers(figure))
                        }
                        p.source {
                            span id=(credited) { (self.credit(cell)) }
                            " " button.copy type="button" data-of=(credited) hidden { "Copy" }
                        }
                    }
                }
            }
        }
    }
}

impl Page<'_> {
    /// Writes where a figure is from, for whoever copies it.
    fn credit(&self, cell: Option<&CellFigures>) -> String {
        let run = self.run;
        let of_cell = cell.map_or_else(String::new, |cell| {
            format!(", {}, {}", cell.cell.name, count(cell.blocks, "block"))
        });
        let claim = if run.is_estimate { ", an estimate" } else { "" };
        format!("Inflight {}, run {}{of_cell}{claim}", run.version, run.id)
    }

    /// Writes the numbers of a figure, and where they and it stand as files.
    fn numbers(&self, figure: &Figure) -> Markup {
        // The time it began is what a command line calls it.
        let run = self.run.id.split('-').next().unwrap_or_default();
        html! {
            @if figure.data.rows.len() <= ROWS_MAX { (table(&figure.data, &figure.title)) }
            @else { p { (figure.data.rows.len()) " lines, which stand beside this page." } }
            p.file { "Also as " code { "figures/" (figure.id) ".csv" } ", " code { ".svg" }
                " and, by " code { (INFLIGHT) " report " (run) " --figures png" } ", "
                code { ".png" } "." }
        }
    }
}

/// Writes strips as a figure of a page that has no files of figures beside it.
pub(crate) fn compared(title: &str, caption: &str, strips: &Strips) -> Markup {
    html! {
        @if !strips.rows.is_empty() {
            figure {
                figcaption { h3 { (title) } p { (caption) } }
                (strips_of(strips, (&plain(title), title), None))
                (keys(&of_strips(strips)))
            }
        }
    }
}

/// Writes a legend.
fn keys(keys: &[(crate::figure::legend::Sign, String)]) -> Markup {
    html! {
        @if !keys.is_empty() {
            ul.legend { @for (sign, text) in keys { li {
                svg.ink width=(SAMPLE.0) height=(SAMPLE.1) aria-hidden="true" { (sample(*sign)) }
                " " (text)
            } } }
        }
    }
}

/// Writes strips below each other, and their axis.
fn strips_of(strips: &Strips, (id, title): (&str, &str), described: Option<&str>) -> Markup {
    html! {
        div.strips role="img" aria-label=(title) aria-describedby=[described] {
            @for (index, strip) in strips.rows.iter().enumerate() {
                div.strip {
                    span.label { (strip.label) }
                    svg class=(strip.look.classes()) height=(strip.height) {
                        (draw::ground(strips, id, index == 0))
                        (draw::strip(strips, strip, Canvas::Page))
                    }
                    span.note { (strip.note) }
                }
            }
            div.strip.axis {
                span.label {}
                svg height="36" {
                    @for (x, text) in strips.axis.ticks() {
                        text x=(percent(x)) y="13" { (text) }
                    }
                    text.name x="50%" y="31" { (strips.axis.name) }
                }
            }
        }
    }
}

/// Writes small pictures side by side.
fn panels_of(panels: &[Panel], id: &str, described: &str) -> Markup {
    html! {
        ul.panels {
            @for (index, panel) in panels.iter().enumerate() {
                li {
                    p.label { (panel.label) }
                    svg class=(panel.look.classes()) role="img"
                        aria-label=(format!("{}, {}", panel.label, panel.unit))
                        aria-describedby=(described)
                        viewBox=(format!("0 0 {} {}", PANEL.0, PANEL.1 + LETTERS)) {
                        (draw::panel_ground(panel, id, index == 0))
                        (draw::panel(panel))
                        (draw::letters(panel))
                    }
                    @if !panel.note.is_empty() { p.note { (panel.note) } }
                }
            }
        }
    }
}

/// Returns a text as it can stand in an anchor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// Writes the numbers of a figure.
pub(crate) fn table(data: &Data, caption: &str) -> Markup {
    let class = if data.rows.len() > LONG { "scroll long" } else { "scroll" };
    html! {
        div class=(class) tabindex="0" role="group" aria-label=(caption) {
            table.data {
                caption { (caption) }
                thead { tr { @for name in &data.columns { th scope="col" { (name) } } } }
                tbody {
                    @for row in &data.rows {
                        tr { @for cell in row { td { (cell) } } }
                    }
                }
            }
        }
    }
}
