//! How a model looks in every figure of every run: a colour and a shape that its name decides.
//!
//! The colours are those of M. Okabe & K. Ito, *Color Universal Design*, 2008, which most people
//! with a colour vision deficiency can distinguish. A model and the same model with its library
//! client share a colour; the client makes the mark hollow and the line dashed.

use analysis::Summary;

/// The colours of the palette, its yellow left out: it cannot be seen on white.
pub(crate) const COLOURS: u32 = 7;
/// The shapes.
pub(crate) const SHAPES: u32 = 4;
/// Mixed into the names. It was searched for, so that the models of the first release differ in
/// colour and those of other languages at least in shape; it never changes, for then every colour
/// would.
const SALT: u32 = 0x6bf;

/// How a model looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// Which colour of the palette; none is the colour of text.
    pub(crate) colour: Option<u32>,
    /// Which shape.
    pub(crate) shape: u32,
    /// Whether the mark is hollow.
    pub(crate) is_hollow: bool,
}

impl Look {
    /// Returns the look of a model of a run.
    pub(crate) fn of(run: &Summary, name: &str) -> Self {
        let model = run.model(name);
        let family = model.and_then(|model| model.bare_name()).unwrap_or(name);
        let hash = hash(family);
        Self {
            colour: Some(hash % COLOURS),
            shape: hash / COLOURS % SHAPES,
            is_hollow: model.is_some_and(|model| !model.is_bare()),
        }
    }

    /// Returns the classes of a strip or a curve.
    pub(crate) fn classes(self) -> String {
        let colour = self.colour.map_or("ink".to_owned(), |colour| format!("c{colour}"));
        let hollow = if self.is_hollow { " hollow" } else { "" };
        format!("{colour}{hollow}")
    }
}

/// Returns a number that a name decides: FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo, 1991) with
/// another beginning, its high bits folded in.
fn hash(name: &str) -> u32 {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = name.bytes().fold(SALT, mix);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use analysis::fixture::{BASELINE, FLOOR, Fixture};
    use analysis::summarize;

    use super::*;

    #[test]
    fn models_known_today_differ_in_colour() {
        let families = ["event-loop", "iterator", "threads", "rayon", "tokio", "async-std", "smol"];
        let colours: BTreeSet<u32> = families.iter().map(|name| hash(name) % COLOURS).collect();
        assert_eq!(colours.len(), families.len());
    }

    #[test]
    fn a_library_client_keeps_the_colour_and_makes_the_mark_hollow() {
        let run = summarize(&Fixture::good().run(), BASELINE, FLOOR);
        let (bare, library) = (Look::of(&run, "tokio"), Look::of(&run, "tokio-reqwest"));
        assert_eq!((bare.colour, bare.shape), (library.colour, library.shape));
        assert!(!bare.is_hollow && library.is_hollow);
    }
}
