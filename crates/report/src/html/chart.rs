//! A figure on the page: letters are text of the page, so that they keep their size on a phone.

use maud::{Markup, html};

use crate::figure::data::Data;
use crate::figure::draw::{self, Canvas, PANEL, percent};
use crate::figure::{Chart, Figure, Panel, Strips};

/// Rows of a table from which on it scrolls.
const LONG: usize = 20;

/// Rows from which on a table stands beside the page alone.
const ROWS_MAX: usize = 200;

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
                Chart::Strips(strips) => {
                    (strips_of(strips, (&figure.id, &figure.title), Some(&described)))
                },
                Chart::Panels(panels) => (panels_of(panels, &figure.id, &described)),
                Chart::Missing(reason) => p.missing { "Not drawn: " (reason) "." },
            }
            @if figure.missing().is_none() {
                details {
                    summary { "The numbers" }
                    @if figure.data.rows.len() <= ROWS_MAX { (table(&figure.data, &figure.title)) }
                    @else { p { (figure.data.rows.len()) " lines, which stand beside this page." } }
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
                (strips_of(strips, (&plain(title), title), None))
            }
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
                span.note { @for (_, name) in &strips.rules { span.key { (name) } } }
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
                    svg class=(panel.look.classes()) role="img" aria-label=(panel.label)
                        aria-describedby=(described)
                        viewBox=(format!("0 0 {} {}", PANEL.0, PANEL.1)) {
                        (draw::panel_ground(panel, id, index == 0))
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
