//! Figures as pictures, for who cannot use SVG: what `rsvg-convert` makes of them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use record::Unwritable;
use workload::plain_line;

/// What makes pictures.
const PROGRAM: &str = "rsvg-convert";
/// The formats that can be asked for: pixels, or a page with its fonts in it.
pub const PICTURES: [&str; 2] = ["png", "pdf"];
/// How many pixels of a picture are one of the figure: 760 wide, it prints at 300 dots an inch over
/// the width of a column.
const ZOOM: &str = "3";
/// The most letters that are told of what the program said.
const SAID_MAX: usize = 400;

/// Makes a picture beside each figure, and returns their paths. They are not computed here, so they
/// are no part of what is rebuilt byte for byte.
///
/// # Errors
///
/// Says that the program is missing and what installs it, what it said, or which file could not be
/// written.
pub fn draw_pictures(figures: &[PathBuf], format: &str) -> Result<Vec<PathBuf>> {
    figures.iter().map(|figure| picture(figure, format)).collect()
}

/// Makes one picture.
fn picture(figure: &Path, format: &str) -> Result<PathBuf> {
    let mut command = Command::new(PROGRAM);
    command.args(["-f", format]);
    if format == "png" {
        command.args(["-z", ZOOM]);
    }
    let output = match command.arg(figure).stdin(Stdio::null()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "pictures need {PROGRAM}, which is not on the PATH: `apt-get install librsvg2-bin` \
             installs it on Debian"
        ),
        output => output.with_context(|| format!("failed to start {PROGRAM}"))?,
    };
    let said = plain_line(&String::from_utf8_lossy(&output.stderr), SAID_MAX);
    ensure!(output.status.success(), "{PROGRAM} made nothing of {}: {said}", figure.display());
    let path = figure.with_extension(format);
    let failed = || Unwritable::of(&path, output.stdout.len());
    fs::write(&path, &output.stdout).with_context(failed)?;
    Ok(path)
}
