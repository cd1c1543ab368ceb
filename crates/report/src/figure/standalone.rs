//! A figure as a file of its own, with its legend and its source: black on white for a paper, and
//! dark on a screen whose reader wants it so.

use maud::{Markup, PreEscaped, html};

use crate::figure::draw::{self, Canvas, LETTERS as TICKS, PANEL, percent};
use crate::figure::drawing::{Chart, Figure, Panel, Strips};
use crate::figure::legend::{SAMPLE, legend, sample};
use crate::words::wrapped;

/// The width of the whole, of the labels and of the notes, in pixels.
const WIDTH: u32 = 760;
const LABELS: u32 = 190;
const NOTES: u32 = 170;
/// The height of a line of text.
const LINE: u32 = 18;
/// Letters of a line of the caption, and of the title.
const LETTERS: usize = 117;
const TITLE: usize = 71;
/// The width that a letter of the legend takes at most.
const LETTER: u32 = 7;
/// Small pictures side by side.
const ACROSS: u32 = 3;
/// The height of a small picture.
const PICTURE: u32 = 144;
/// What the classes mean on paper.
const STYLE: &str = include_str!("paper.css");

/// Returns a figure as an SVG file; `source` says which run it is from.
pub(crate) fn svg(figure: &Figure, source: &str) -> Vec<u8> {
    let caption = [wrapped(&figure.caption, LETTERS), wrapped(source, LETTERS)].concat();
    let title = wrapped(&figure.title, TITLE);
    let top = 16 + LINE * u32::try_from(title.len()).unwrap_or(1);
    let (body, height) = match &figure.chart {
        Chart::Strips(strips) => (strips_at(strips, top), strips_height(strips)),
        Chart::Panels(panels) => (panels_at(panels, top), panels_height(panels)),
        Chart::Missing(reason) => (html! { text.note x="10" y=(top + LINE) { (reason) } }, LINE),
    };
    let (keys, lines) = keys_at(figure, top + height);
    let below = top + height + lines * LINE + LINE;
    let lines = u32::try_from(caption.len()).unwrap_or(0);
    let whole = below + lines * (LINE - 3) + 8;
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" role="img" width=(WIDTH) height=(whole)
            viewBox=(format!("0 0 {WIDTH} {whole}")) aria-labelledby="title description" {
            title id="title" { (figure.title) }
            desc id="description" { (figure.caption) " " (source) }
            style { (PreEscaped(STYLE)) }
            rect.paper width="100%" height="100%" {}
            @for (line, y) in title.iter().zip((22..).step_by(LINE as usize)) {
                text.title x="10" y=(y) { (line) }
            }
            (body)
            (keys)
            @for (line, y) in caption.iter().zip((below..).step_by(LINE as usize - 3)) {
                text.caption x="10" y=(y) { (line) }
            }
        }
    };
    (crate::escape::visible(&markup.into_string()) + "\n").into_bytes()
}

/// Draws the legend, and returns how many lines it takes.
fn keys_at(figure: &Figure, top: u32) -> (Markup, u32) {
    let (mut x, mut line, mut placed) = (10, 0, Vec::new());
    for (sign, text) in legend(&figure.chart) {
        let width = SAMPLE.0 + 6 + LETTER * u32::try_from(text.chars().count()).unwrap_or(0) + 10;
        if x > 10 && x + width > WIDTH {
            (x, line) = (10, line + 1);
        }
        placed.push((x, top + line * LINE, sign, text));
        x += width;
    }
    let lines = if placed.is_empty() { 0 } else { line + 1 };
    let markup = html! {
        @for (x, y, sign, text) in placed {
            svg.ink x=(x) y=(y) width=(SAMPLE.0) height=(SAMPLE.1) { (sample(sign)) }
            text.key x=(x + SAMPLE.0 + 6) y=(y + 10) { (text) }
        }
    };
    (markup, lines)
}

/// Draws strips below each other, with their axis.
fn strips_at(strips: &Strips, top: u32) -> Markup {
    let plot = WIDTH - LABELS - NOTES;
    let mut y = top;
    let mut placed = Vec::new();
    for strip in &strips.rows {
        placed.push((y, strip));
        y += strip.height;
    }
    html! {
        @for (index, (y, strip)) in placed.into_iter().enumerate() {
            text.label x=(LABELS - 10) y=(y + strip.height / 2 + 4) { (strip.label) }
            svg class=(strip.look.classes()) x=(LABELS) y=(y) width=(plot) height=(strip.height) {
                (draw::ground(strips, &index.to_string(), true))
                (draw::strip(strips, strip, Canvas::File(plot, strip.height)))
            }
            text.note x=(WIDTH - NOTES + 10) y=(y + strip.height / 2 + 4) { (strip.note) }
        }
        svg x=(LABELS) y=(y) width=(plot) height=(2 * LINE + 6) overflow="visible" {
            line.axis x1="0" x2="100%" y1="0" y2="0" {}
            @for (x, text) in strips.axis.ticks() {
                text.tick x=(percent(x)) y="14" { (text) }
            }
            text.tick x="50%" y="32" { (strips.axis.name) }
        }
    }
}

/// Returns how high strips are with their axis.
fn strips_height(strips: &Strips) -> u32 {
    strips.rows.iter().map(|strip| strip.height).sum::<u32>() + 2 * LINE + 10
}

/// Draws small pictures beside and below each other.
fn panels_at(panels: &[Panel], top: u32) -> Markup {
    let (width, height) = (WIDTH / ACROSS, panel_height());
    html! {
        @for (panel, index) in panels.iter().zip(0_u32..) {
            svg x=(index % ACROSS * width + 8) y=(top + index / ACROSS * height)
                width=(width - 16) height=(height) overflow="visible" {
                text.panel x="2" y="14" { (panel.label) }
                text.small x="2" y="28" { (panel.note) }
                svg class=(panel.look.classes()) y="32" width="100%" height=(PICTURE)
                    viewBox=(format!("0 0 {} {}", PANEL.0, PANEL.1 + TICKS)) {
                    (draw::panel_ground(panel, &index.to_string(), true))
                    (draw::panel(panel))
                    (draw::letters(panel))
                }
            }
        }
    }
}

/// Returns how high a small picture is with its letters.
fn panel_height() -> u32 {
    PICTURE + 50
}

/// Returns how high small pictures are.
fn panels_height(panels: &[Panel]) -> u32 {
    u32::try_from(panels.len()).unwrap_or(0).div_ceil(ACROSS) * panel_height()
}
