//! Figures as pictures, for whoever cannot use SVG: pixels for a slide, a page for a paper.
//!
//! Letters are those of `DejaVu Sans`, which is part of the program: a picture looks the same on a
//! machine without any font. They are no part of what is rebuilt byte for byte.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};
use svg2pdf::{ConversionOptions, PageOptions};

/// The formats that can be asked for: pixels, or a page.
pub(crate) const PICTURES: [&str; 2] = ["png", "pdf"];
/// The family of the letters.
const FONT: &str = "DejaVu Sans";
/// How many pixels of a picture are one of the figure: 760 wide, it prints at 300 dots an inch over
/// the width of a column.
const ZOOM: f32 = 3.0;

/// Makes a picture beside each figure, and returns their paths.
///
/// # Errors
///
/// Names the figure that is no SVG file, or the file that could not be written.
pub(crate) fn draw(figures: &[PathBuf], format: &str) -> Result<Vec<PathBuf>> {
    let mut fonts = Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    fonts.set_sans_serif_family(FONT);
    let options =
        Options { font_family: FONT.to_owned(), fontdb: Arc::new(fonts), ..Options::default() };
    figures.iter().map(|figure| picture(figure, format, &options)).collect()
}

/// Makes one picture.
fn picture(figure: &Path, format: &str, options: &Options<'_>) -> Result<PathBuf> {
    let svg = fs::read(figure).with_context(|| format!("failed to read {}", figure.display()))?;
    let tree = Tree::from_data(&svg, options)
        .with_context(|| format!("{} is no SVG file", figure.display()))?;
    let bytes = match format {
        "pdf" => svg2pdf::to_pdf(&tree, ConversionOptions::default(), PageOptions::default())
            .map_err(|error| anyhow!("{error}")),
        _ => pixels(&tree),
    };
    let bytes = bytes.with_context(|| format!("failed to draw {}", figure.display()))?;
    let path = figure.with_extension(format);
    harness::put(&path, bytes)?;
    Ok(path)
}

/// Draws a figure as pixels.
fn pixels(tree: &Tree) -> Result<Vec<u8>> {
    let size = tree.size().to_int_size().scale_by(ZOOM).context("it has no size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).context("it is too large")?;
    resvg::render(tree, Transform::from_scale(ZOOM, ZOOM), &mut pixels.as_mut());
    Ok(pixels.encode_png()?)
}
