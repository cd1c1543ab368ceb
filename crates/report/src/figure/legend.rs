//! What the marks of a figure mean: each with a sample of it.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::figure::drawing::{Chart, Mark, Panel, PanelWords, Strips};

/// The width and height of a sample, in pixels.
pub(crate) const SAMPLE: (u32, u32) = (26, 12);

/// What a sample shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// A point with its interval.
    Estimate,
    /// A point without inside.
    Hollow,
    /// A range that is shaded.
    Band,
    /// A line through all strips.
    Rule,
    /// A bar of the n-th kind.
    Bar(u8),
    /// A dot.
    Dot,
    /// A cross.
    Cross,
    /// A dot that lies beyond the edge.
    Beyond,
    /// The main curve of a small picture.
    Curve,
    /// The main curve of a model with a library client.
    Dashed,
    /// Where a curve ends.
    End,
    /// The range around it.
    Range,
    /// The curve that all are compared with.
    Reference,
}

/// A sign and what it means.
type Key = (Sign, String);

/// Returns what the marks of a figure mean.
pub(crate) fn legend(chart: &Chart) -> Vec<Key> {
    match chart {
        Chart::Strips(strips) => of_strips(strips),
        Chart::Panels(panels) => of_panels(panels),
        Chart::Missing(_) => Vec::new(),
    }
}

/// Returns what the marks of strips mean.
pub(crate) fn of_strips(strips: &Strips) -> Vec<Key> {
    let has =
        |wanted: fn(&Mark) -> bool| strips.rows.iter().any(|strip| strip.marks.iter().any(&wanted));
    let words = strips.words;
    let mut keys = Vec::new();
    let mut add = |sign, text: &str| keys.push((sign, text.to_owned()));
    if has(|mark| matches!(mark, Mark::Point(_))) {
        add(Sign::Estimate, words.estimate);
    }
    if strips.rows.iter().any(|strip| strip.look.is_hollow) {
        add(Sign::Hollow, "with a library client");
    }
    let kinds = strips.rows.iter().flat_map(|strip| &strip.marks).filter_map(|mark| match mark {
        Mark::Bar(_, _, kind) => Some(*kind),
        _ => None,
    });
    for kind in kinds.collect::<BTreeSet<u8>>() {
        add(Sign::Bar(kind), words.bars[usize::from(kind).min(2)]);
    }
    if has(|mark| matches!(mark, Mark::Dot(..))) {
        add(Sign::Dot, words.dot);
    }
    if has(|mark| matches!(mark, Mark::Beyond(..))) {
        add(Sign::Beyond, "beyond the edge");
    }
    if has(|mark| matches!(mark, Mark::Cross(..))) {
        add(Sign::Cross, "invalid or failed");
    }
    if !strips.bands.is_empty() {
        add(Sign::Band, words.band);
    }
    let rules = strips.rules.iter().filter(|(_, name)| keys.iter().all(|(_, own)| own != name));
    let rules: Vec<Key> = rules.map(|(_, name)| (Sign::Rule, name.clone())).collect();
    keys.extend(rules);
    keys
}

/// Returns what the curves of small pictures mean.
fn of_panels(panels: &[Panel]) -> Vec<Key> {
    let words = panels.first().map_or(&PanelWords::USUAL, |panel| panel.words);
    let mut keys = vec![(Sign::Curve, words.curve.to_owned())];
    if panels.iter().any(|panel| panel.look.is_hollow) {
        keys.push((Sign::Dashed, "with a library client".to_owned()));
    }
    if panels.iter().any(|panel| !panel.range.is_empty()) {
        keys.push((Sign::Range, words.range.to_owned()));
    }
    if !panels.is_empty() {
        keys.push((Sign::End, words.end.to_owned()));
    }
    if panels.iter().any(|panel| !panel.hollow.is_empty()) {
        keys.push((Sign::Hollow, words.hollow.to_owned()));
    }
    if panels.iter().any(|panel| !panel.reference.is_empty()) {
        keys.push((Sign::Reference, "the floor".to_owned()));
    }
    keys
}

/// Draws a sample.
pub(crate) fn sample(sign: Sign) -> Markup {
    html! {
        @match sign {
            Sign::Estimate => {
                line.interval x1="2" x2="24" y1="6" y2="6" {}
                circle.point cx="13" cy="6" r="4" {}
            },
            Sign::Hollow => g.hollow { circle.point cx="13" cy="6" r="4" {} },
            Sign::Band => rect.band x="3" width="20" height="12" {},
            Sign::Rule => line.rule x1="13" x2="13" y1="0" y2="12" {},
            Sign::Bar(kind) => rect class=(format!("bar b{kind}")) x="3" y="1" width="20"
                height="10" {},
            Sign::Dot => path.dots d="M13 6h0" {},
            Sign::Cross => path.cross d="M10 3l6 6m0-6l-6 6" {},
            Sign::Beyond => path.beyond d="M9 9 13 3 17 9z" {},
            Sign::Curve => line.thick x1="2" x2="24" y1="6" y2="6" {},
            Sign::Dashed => g.hollow { line.thick x1="2" x2="24" y1="6" y2="6" {} },
            Sign::End => path.end d="M13 6h0" {},
            Sign::Range => rect.range x="3" y="1" width="20" height="10" {},
            Sign::Reference => line.reference x1="2" x2="24" y1="6" y2="6" {},
        }
    }
}
