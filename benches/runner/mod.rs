//! What all benches share: what cargo, test runners and editors say to a program of benchmarks,
//! where it builds, and how it ends.
//!
//! The flags are libtest's, as far as they are stable; what changes nothing here is taken without a
//! word, since whoever lists the benchmarks of a workspace says the same to every program.

#![allow(dead_code, reason = "each bench uses its part")]

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Command, FromArgMatches};
use harness::{Failure, Workspace};
use record::Unwritable;
use regex::Regex;

/// What wrong use exits with.
const WRONG_USE: u8 = 2;

/// What may be said to every bench.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of libtest's")]
pub(crate) struct Runner {
    /// Names the benchmarks.
    #[arg(long)]
    pub(crate) list: bool,
    /// Runs each benchmark once, verified, and measures nothing.
    #[arg(long)]
    test: bool,
    /// Leaves out benchmarks whose names contain this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) skip: Vec<String>,
    /// Takes the filter for a whole name.
    #[arg(long)]
    pub(crate) exact: bool,
    /// When output is coloured.
    #[arg(long, short, alias = "colour", value_parser = ["auto", "always", "never"])]
    color: Option<String>,
    /// Says less.
    #[arg(long, short)]
    quiet: bool,
    /// How benchmarks are listed; one a line either way.
    #[arg(long, hide = true, value_parser = ["pretty", "terse"])]
    format: Option<String>,
    /// Only benchmarks that are ignored: none is.
    #[arg(long, hide = true)]
    pub(crate) ignored: bool,
    /// Those that are ignored as well: none is.
    #[arg(long, hide = true)]
    include_ignored: bool,
    /// Changes nothing: what is said is shown.
    #[arg(long, hide = true)]
    show_output: bool,
    /// Changes nothing: what is said is shown.
    #[arg(long, hide = true, alias = "no-capture")]
    nocapture: bool,
    /// Changes nothing: one runs after the other.
    #[arg(long, hide = true, value_name = "N")]
    test_threads: Option<u32>,
    /// Refused: what a nightly compiler's libtest can, a bench here cannot.
    #[arg(short = 'Z', hide = true, value_name = "FLAG", value_parser = unstable)]
    unstable: Option<String>,
    /// What cargo says when it benches rather than tests.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is asked of a bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To measure.
    Measure,
    /// To run everything once, tiny, and say how it went.
    Rehearse,
    /// To name the benchmarks.
    List,
    /// To run those that are ignored, of which there are none.
    Nothing,
}

impl Runner {
    /// Returns what is asked. Without cargo's `--bench` this is a test.
    pub(crate) fn asked(&self) -> Asked {
        match () {
            () if self.list => Asked::List,
            () if self.ignored => Asked::Nothing,
            () if self.test || !self.bench => Asked::Rehearse,
            () => Asked::Measure,
        }
    }

    /// Checks that any benchmark is left of those that were asked for. A list that leaves some out
    /// may be empty, and what is ignored always is.
    pub(crate) fn finds(&self, any: bool, filter: Option<&str>) -> Result<()> {
        if any || self.ignored || self.list && !self.skip.is_empty() {
            return Ok(());
        }
        let skips = self.skip.iter().map(|text| format!("--skip {text}"));
        let skips = skips.collect::<Vec<_>>().join(" ");
        let why = match (filter, skips.as_str()) {
            (None, _) => format!("{skips} leaves no benchmark"),
            (Some(filter), "") => format!("the filter {filter:?} matches no benchmark"),
            (Some(filter), _) => format!("{filter:?} with {skips} leaves no benchmark"),
        };
        Err(Failure::Usage(format!("{why}: see `-- --list`")).into())
    }

    /// Reads a filter: a regular expression, or the whole name.
    pub(crate) fn expression(&self, filter: &str) -> Result<Regex> {
        let exact = format!("^{}$", regex::escape(filter));
        let expression = Regex::new(if self.exact { &exact } else { filter });
        expression.map_err(|error| {
            let why = format!("the filter {filter:?} is no regular expression: {error}");
            Failure::Usage(why).into()
        })
    }

    /// Returns whether a benchmark is left in.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        !self.ignored && !self.skip.iter().any(|text| name.contains(text.as_str()))
    }

    /// Names benchmarks as libtest does, one a line.
    pub(crate) fn list(&self, names: impl IntoIterator<Item = String>) -> Result<u8> {
        let kept = names.into_iter().filter(|name| self.keeps(name));
        let lines: Vec<String> = kept.map(|name| format!("{name}: benchmark")).collect();
        if !lines.is_empty() {
            say(&lines.join("\n"))?;
        }
        Ok(0)
    }
}

/// Refuses what libtest takes under a nightly compiler alone, as it does itself under another.
fn unstable(_: &str) -> Result<String, &'static str> {
    Err("benchmarks have no unstable options: leave out `-Z` and `--format json`")
}

/// Reads arguments, or returns the exit code after saying what is wrong with them. From here on no
/// limit on the size of files ends this program without a word.
pub(crate) fn read<A: FromArgMatches>(command: Command) -> Result<A, ExitCode> {
    harness::settle_signals();
    let read = command.try_get_matches().and_then(|matches| A::from_arg_matches(&matches));
    read.map_err(|refusal| {
        let code = u8::try_from(refusal.exit_code()).unwrap_or(WRONG_USE);
        let text = refusal.render();
        ended(match refusal.use_stderr() {
            true => refusal.print().map_err(anyhow::Error::from).map(|()| code),
            false => say(&text.to_string()).map(|()| code),
        })
    })
}

/// Returns the workspace that this program is a bench of, with the folder that it was built into:
/// a path that cargo was given may be relative to another folder, or an argument of cargo's.
pub(crate) fn workspace() -> Result<Workspace> {
    let mut workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR")))?;
    let built = Path::new(env!("CARGO_TARGET_TMPDIR"));
    if let Some(target) = built.parent().filter(|_| !built.starts_with(&workspace.target)) {
        workspace.target = target.to_owned();
    }
    Ok(workspace)
}

/// Says something on stdout, where anything that a terminal would obey is spelled out. That a
/// reader has had enough is no failure.
pub(crate) fn say(text: &str) -> Result<()> {
    let text = model_kit::plain(text.trim_end_matches('\n')) + "\n";
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        said => said.with_context(|| Unwritable::of(Path::new("stdout"), text.len())),
    }
}

/// Says something on stderr; whoever closed it does not want to know.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "{}", model_kit::plain(text));
}

/// Returns what a bench exits with, after saying why it failed, if it did.
pub(crate) fn ended(result: Result<u8>) -> ExitCode {
    ExitCode::from(result.unwrap_or_else(|error| {
        warn(&format!("error: {error:#}"));
        harness::exit_code(&error)
    }))
}
