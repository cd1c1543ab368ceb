//! A figure on the page: letters are text of the page, so that they keep their size on a phone.

use maud::{Markup, html};

use crate::figure::data::Data;
use crate::figure::draw::{self, PANEL, percent};
use crate::figure::{Chart, Figure, Panel, Strips};

/// Rows of a table from which on it scrolls.
const LONG: usize = 20;

/// The units across and down a strip, which the page stretches to its width.
const STRETCHED: (u32, u32) = (1000, 100);

/// Writes a figure with its title, its caption and its numbers.
pub(crate) fn figure(figure: &Figure, cell: &str) -> Markup {
    let described = format!("{}-about", figure.id);
    html! {
        figure id=(figure.id) {
            figcaption {
                h3 { (figure.title) @if !cell.is_empty() { " " span.cell { (cell) } } }
                p id=(described) { (figure.caption) }
            }
            @match &figure.chart {
                Chart::Strips(strips) => (strips_of(strips, &figure.title, Some(&described))),
                Chart::Panels(panels) => (panels_of(panels, &described)),
                Chart::Missing(reason) => p.missing { "Not drawn: " (reason) "." },
            }
            @if figure.missing().is_none() {
                details {
                    summary { "The numbers" }
                    (table(&figure.data, &figure.title))
                    p.file { "Also as " code { "figures/" (figure.id) ".csv" } " and "
                        code { "figures/" (figure.id) ".svg" } "." }
                }
            }
        }
    }
}

/// Writes strips as a figure of a page that has no files of figures beside it.
pub(crate) fn compared(title: &str, caption: &str, strips: &Strips) -> Markup {
    html! {
        @if !strips.rows.is_empty() {
            figure {
                figcaption { h3 { (title) } p { (caption) } }
                (strips_of(strips, title, None))
            }
        }
    }
}

/// Writes strips below each other, and their axis.
fn strips_of(strips: &Strips, title: &str, described: Option<&str>) -> Markup {
    html! {
        div.strips role="img" aria-label=(title) aria-describedby=[described] {
            @for strip in &strips.rows {
                div.strip {
                    span.label { (strip.label) }
                    svg class=(strip.look.classes()) height=(strip.height) aria-hidden="true" {
                        (draw::strip(strips, strip, STRETCHED))
                    }
                    span.note { (strip.note) }
                }
            }
            div.strip.axis {
                span.label {}
                svg height="36" aria-hidden="true" {
                    @for (x, text) in strips.axis.ticks() {
                        text x=(percent(x)) y="13" { (text) }
                    }
                    text.name x="50%" y="31" { (strips.axis.name) }
                }
                span.note { @for (_, name) in &strips.rules { span.key { (name) } } }
            }
        }
    }
}

/// Writes small pictures side by side.
fn panels_of(panels: &[Panel], described: &str) -> Markup {
    html! {
        ul.panels {
            @for panel in panels {
                li {
                    p.label { (panel.label) }
                    svg class=(panel.look.classes()) role="img" aria-label=(panel.label)
                        aria-describedby=(described)
                        viewBox=(format!("0 0 {} {}", PANEL.0, PANEL.1)) {
                        (draw::panel(panel))
                    }
                    p.ticks aria-hidden="true" {
                        @for (_, name) in &panel.upwards { span { (name) } }
                    }
                    p.note { (panel.note) }
                }
            }
        }
    }
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
