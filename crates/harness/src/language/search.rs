//! Looks for an interpreter on a search path, and asks it who it is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::bounded::bounded;

/// How long an interpreter may take to answer: a script that looks for one may take seconds.
pub(super) const ANSWER: Duration = Duration::from_secs(20);
/// How long all that are found may take together.
const ANSWERS: Duration = Duration::from_secs(40);

/// Why there is none, and the command that fixes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable {
    pub(crate) why: String,
    pub(crate) fix: String,
}

/// Returns what an attempt makes of the first program that it accepts, of those on a path that have
/// one of these names; or why it did not accept the first, if there is one.
pub(super) fn first<T>(
    path: &OsStr,
    names: &[&str],
    attempt: impl Fn(&Path, Duration) -> Result<T, Unavailable>,
) -> Result<T, Option<Unavailable>> {
    let folders = || std::env::split_paths(path);
    let files = names.iter().flat_map(|name| folders().map(move |folder| folder.join(name)));
    let deadline = Instant::now() + ANSWERS;
    let mut first = None;
    for command in files.filter(|file| file.is_file()) {
        let left = deadline.saturating_duration_since(Instant::now());
        match attempt(&command, left.min(ANSWER)) {
            Ok(found) => return Ok(found),
            Err(unavailable) => first = first.or(Some(unavailable)),
        }
    }
    Err(first)
}

/// Asks a program for its version, where it is, and what else it is to say, a line each.
pub(super) fn ask(
    command: &mut Command,
    limit: Duration,
) -> Result<(String, PathBuf, String), Unavailable> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let fix = format!("{name} --version");
    let said = bounded(command, limit).map_err(|trouble| Unavailable {
        why: format!("{name} was found and {}", trouble.line()),
        fix: fix.clone(),
    })?;
    let reported = said.trim().split_once('\n').map(|(version, rest)| {
        let (executable, more) = rest.split_once('\n').unwrap_or((rest, ""));
        (version.to_owned(), PathBuf::from(executable), more.to_owned())
    });
    let why = format!("{name} was found and does not say who it is");
    let is_whole = |(_, executable, _): &(String, PathBuf, String)| executable.is_absolute();
    reported.filter(is_whole).ok_or(Unavailable { why, fix })
}
