//! The kinds of origins: one file each, and the list of them.

mod faulty;
mod wiremock;

use anyhow::{Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Connections that may wait to be accepted: the usual limit of Linux.
pub(crate) const BACKLOG: i32 = 4096;

/// The kinds.
const KINDS: [Kind; 2] = [wiremock::KIND, faulty::KIND];

/// A kind of origin.
struct Kind {
    /// What it is started by.
    name: &'static str,
    /// Serves, as the arguments after the name ask, until the pipe is closed.
    serve: fn(&[String]) -> Result<()>,
}

/// Serves as the arguments of the program ask.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let name = arguments.first().map_or("", String::as_str);
    match KINDS.iter().find(|kind| kind.name == name) {
        Some(kind) => (kind.serve)(&arguments[1..]),
        None => {
            let names = KINDS.map(|kind| kind.name).join(" or ");
            bail!("read its arguments: expected {names}, found {name:?}")
        }
    }
}

/// Raises the limit of file descriptors as far as the system allows.
pub(crate) fn raise_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where that fails, the harness has already checked that the present limit suffices.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
