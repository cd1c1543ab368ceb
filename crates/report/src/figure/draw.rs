//! Marks become SVG here. All colours are classes, which the page or the file gives a meaning.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::figure::drawing::{Mark, Panel, Strip, Strips};
use crate::figure::look::{Look, SHAPES};

/// The width and height of a small picture, in its own unit.
pub(crate) const PANEL: (f64, f64) = (440.0, 240.0);
/// The height of the letters below it.
pub(crate) const LETTERS: f64 = 36.0;
/// Marks have this distance from their centre to their edge, in pixels.
const REACH: f64 = 8.0;

/// The units across and down of the dots of a strip that a page stretches.
const STRETCHED: (u32, u32) = (1000, 100);

/// On what a strip is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Canvas {
    /// A page, which stretches it to its width and holds the signs of models once, as [`signs`].
    Page,
    /// A file of its own, in which it has so many pixels across and down.
    File(u32, u32),
}

/// Draws the inside of a strip. Its dots are one path: on a page it is stretched, and strokes are
/// not.
pub(crate) fn strip(strips: &Strips, strip: &Strip, canvas: Canvas) -> Markup {
    let size = match canvas {
        Canvas::Page => STRETCHED,
        Canvas::File(width, height) => (width, height),
    };
    html! {
        @for drawn in &strip.marks {
            (mark(strips, *drawn, (strip.look, canvas)))
        }
        @if let Some(dots) = dots(strips, strip, size) {
            svg viewBox=(format!("0 0 {} {}", size.0, size.1)) preserveAspectRatio="none" {
                path.dots d=(dots) {} }
        }
    }
}

/// Writes the signs of models, which the figures of a page use.
pub(crate) fn signs() -> Markup {
    html! {
        svg.signs width="0" height="0" aria-hidden="true" {
            defs { @for sign in 0..SHAPES { g id=(sign_of(sign)) { (shape(sign)) } } }
        }
    }
}

/// Returns the name of a sign on a page.
fn sign_of(shape: u32) -> String {
    format!("sign{}", shape % SHAPES)
}

/// Draws what lies behind all strips of a figure: the ranges that are shaded, the grid, the rules.
/// The first strip holds it and the others use it again, which keeps a page small.
pub(crate) fn ground(strips: &Strips, id: &str, is_first: bool) -> Markup {
    let axis = &strips.axis;
    let place = |value: f64| percent(axis.place(value));
    html! {
        @if is_first {
            g id=(format!("ground-{id}")) {
                @for (low, high) in &strips.bands {
                    rect.band x=(place(*low)) y="0" height="100%"
                        width=(percent(axis.place(*high) - axis.place(*low))) {}
                }
                @for (x, _) in axis.ticks() {
                    line.grid x1=(percent(x)) x2=(percent(x)) y1="0" y2="100%" {}
                }
                @for (value, _) in &strips.rules {
                    line.rule x1=(place(*value)) x2=(place(*value)) y1="0" y2="100%" {}
                }
            }
        } @else {
            use href=(format!("#ground-{id}")) {}
        }
    }
}

/// Returns the dots of a strip as a path of strokes without length, whose ends are round.
fn dots(strips: &Strips, strip: &Strip, (width, height): (u32, u32)) -> Option<String> {
    let dot = |mark: &Mark| match *mark {
        Mark::Dot(x, y) => {
            let x = strips.axis.place(x) / 100.0 * f64::from(width);
            Some(format!("M{x:.0} {:.0}h0", y.clamp(0.0, 1.0) * f64::from(height)))
        }
        _ => None,
    };
    let dots: String = strip.marks.iter().filter_map(dot).collect();
    (!dots.is_empty()).then_some(dots)
}

/// Draws a mark.
fn mark(strips: &Strips, mark: Mark, (look, canvas): (Look, Canvas)) -> Markup {
    let place = |value: f64| percent(strips.axis.place(value));
    let across = |share: f64| percent(100.0 * share.clamp(0.0, 1.0));
    match mark {
        Mark::Point(x) => html! {
            @if canvas == Canvas::Page {
                use.point href=(format!("#{}", sign_of(look.shape))) x=(place(x)) y="50%" {}
            } @else {
                svg.point x=(place(x)) y="50%" overflow="visible" { (shape(look.shape)) }
            }
        },
        Mark::Interval(low, high) => html! {
            line.interval x1=(place(low)) x2=(place(high)) y1="50%" y2="50%" {}
        },
        Mark::Bar(from, to, kind) => html! {
            rect class=(format!("bar b{kind}")) x=(place(from)) y="22%" height="56%"
                width=(percent((strips.axis.place(to) - strips.axis.place(from)).max(0.0))) {}
        },
        // Drawn by `dots`.
        Mark::Dot(..) => html! {},
        Mark::Beyond(x, is_top) => html! {
            svg.beyond x=(place(x)) y=(if is_top { "0" } else { "100%" }) overflow="visible" {
                path d=(if is_top { "M-4 7 0 1 4 7z" } else { "M-4-7 0-1 4-7z" }) {} }
        },
        Mark::Cross(x, y) => html! {
            svg.cross x=(place(x)) y=(across(y)) overflow="visible" { path d="M-3-3l6 6m0-6l-6 6"
                {} }
        },
        Mark::Level(y) => html! {
            line.level x1="0" x2="100%" y1=(across(y)) y2=(across(y)) {}
        },
    }
}

/// Draws the sign of a model around the origin.
pub(crate) fn shape(shape: u32) -> Markup {
    html! {
        @match shape {
            0 => circle r="4.5" {},
            1 => rect x="-4" y="-4" width="8" height="8" {},
            2 => path d="M0-5.6 5.6 0 0 5.6-5.6 0z" {},
            _ => path d="M0-5.2 5.2 4-5.2 4z" {},
        }
    }
}

/// Draws what lies behind all small pictures of a figure, likewise: the grid, and the curve that
/// all are compared with.
pub(crate) fn panel_ground(panel: &Panel, id: &str, is_first: bool) -> Markup {
    html! {
        @if is_first {
            g id=(format!("ground-{id}")) {
                @for y in panel.across.iter().map(|(y, _)| short(place(0.0, *y).1)) {
                    line.grid x1="0" x2=(PANEL.0) y1=(y) y2=(y) {}
                }
                @for x in panel.upwards.iter().map(|(x, _)| short(place(*x, 0.0).0)) {
                    line.grid x1=(x) x2=(x) y1="0" y2=(PANEL.1) {}
                }
                path.reference d=(path(&panel.reference)) {}
            }
        } @else {
            use href=(format!("#ground-{id}")) {}
        }
    }
}

/// Draws a small picture: the curves alone, without letters.
pub(crate) fn panel(panel: &Panel) -> Markup {
    let second = panel.second.as_ref().and_then(|second| second.line.last());
    html! {
        (curve(&panel.thick, &panel.range))
        @if let Some(second) = &panel.second { (curve(&second.line, &second.range)) }
        @for (x, y) in panel.hollow.iter().map(|&(x, y)| place(x, y)) {
            g.hollow { circle.point cx=(x.round()) cy=(y.round()) r="9" {} }
        }
        @for &(x, y) in panel.thick.last().into_iter().chain(second) {
            @let (x, y) = place(x, y);
            path.end d=(format!("M{} {}h0", x.round(), y.round())) {}
        }
    }
}

/// Draws a curve, and what is shaded around it.
fn curve(line: &[(f64, f64)], range: &[(f64, f64, f64)]) -> Markup {
    let low = range.iter().map(|&(x, low, _)| (x, low));
    let high = range.iter().rev().map(|&(x, _, high)| (x, high));
    let around: Vec<(f64, f64)> = low.chain(high).collect();
    html! {
        path.range d=(path(&around)) {}
        path.thick d=(path(line)) {}
    }
}

/// Writes what the lines of a small picture stand for: below it, and above each line across.
pub(crate) fn letters(panel: &Panel) -> Markup {
    let anchor = |x: f64| match x {
        x if x > 0.9 * PANEL.0 => "end",
        x if x < 0.1 * PANEL.0 => "start",
        _ => "middle",
    };
    html! {
        g.ticks {
            // Curves rise to the right, so this corner is free.
            text.letter x=(short(REACH)) y="30" { (panel.unit) }
            @for (x, name) in panel.upwards.iter().map(|(x, name)| (place(*x, 0.0).0, name)) {
                text.letter x=(short(x)) y=(PANEL.1 + LETTERS - 6.0) text-anchor=(anchor(x)) {
                    (name) }
            }
            @for (y, name) in panel.across.iter().map(|(y, name)| (place(0.0, *y).1, name)) {
                text.letter x=(PANEL.0 - 6.0) y=(short(y - 7.0)) text-anchor="end" { (name) }
            }
        }
    }
}

/// Returns where a point of a small picture lies; its edges stay clear of marks.
pub(crate) fn place(x: f64, y: f64) -> (f64, f64) {
    let inside = |share: f64, size: f64| REACH + share.clamp(0.0, 1.0) * (size - 2.0 * REACH);
    (inside(x, PANEL.0), inside(1.0 - y, PANEL.1))
}

/// Writes a curve as a path: each point by what it lies beside the one before, which is shorter.
fn path(curve: &[(f64, f64)]) -> String {
    let mut path = String::new();
    let mut last = None;
    for (x, y) in curve.iter().map(|&(x, y)| place(x, y)).map(|(x, y)| (x.round(), y.round())) {
        let _ = match last {
            None => write!(path, "M{x} {y}l"),
            Some((before, below)) => {
                let (right, down) = (x - before, y - below);
                let gap = if path.ends_with('l') { "" } else { " " };
                let between = if down < 0.0 { "" } else { " " };
                write!(path, "{gap}{right}{between}{down}")
            }
        };
        last = Some((x, y));
    }
    path
}

/// Writes a share of the width.
pub(crate) fn percent(share: f64) -> String {
    format!("{}%", short(share))
}

/// Writes a coordinate with a digit after the point, unless it is needless: a tenth of a percent is
/// less than a pixel.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
