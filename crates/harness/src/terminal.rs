//! How much room there is for what is printed, and whether lines may be drawn again.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use terminal_size::{Height, Width, terminal_size_of};

/// The most letters in a line, and those of a line that goes into a pipe or a file.
const COLUMNS_MAX: usize = 100;
/// The fewest: what is narrower breaks lines by itself.
const COLUMNS_MIN: usize = 40;

/// Returns how many letters a line on stdout may have.
pub fn columns() -> usize {
    let of_terminal = terminal_size_of(io::stdout()).map(|(Width(width), _)| usize::from(width));
    of_terminal.map_or(COLUMNS_MAX, |width| width.clamp(COLUMNS_MIN, COLUMNS_MAX))
}

/// Returns the letters in a line and the lines of the terminal behind stderr, if lines can be drawn
/// again there.
pub(crate) fn screen() -> Option<(usize, usize)> {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == OsStr::new("dumb"));
    if is_dumb || !io::stderr().is_terminal() {
        return None;
    }
    let (Width(width), Height(height)) = terminal_size_of(io::stderr())?;
    Some((usize::from(width), usize::from(height)))
}
