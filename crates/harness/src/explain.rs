//! Where the time of a fetch goes: one model alone, watched by the tools that the machine has.
//!
//! What is counted is what a fetch more takes: each model runs twice under `strace`, and once it
//! fetches more, so that its start is in neither answer. A model that is watched is slow, so its
//! CPU time is read from a process that nobody watches.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use record::{Described, Model, Placement};
use rules::Reason;
use tempfile::TempDir;
use workload::pipe::{Turned, Window};
use workload::{Cell, Plan, Turn};

use crate::doctor::on_path;
use crate::files::put;
use crate::origin_process::OriginProcess;
use crate::participant::start;
use crate::run::held;
use crate::{Program, Programs, interrupt, kernel_threads};

/// How long a model fetches, in milliseconds, as far as delays set the pace.
const FETCHING_MS: u64 = 3_000;
/// The most fetches of a turn.
const FETCHES_MAX: u64 = 20_000;
/// Fetches before the window, for each slot.
const WARM_UP: u64 = 4;
/// Decides bodies and delays.
const SEED: u64 = 1;
/// How often a turn is taken whose origin fails or is stalled.
const TRIES_MAX: u32 = 3;
/// How often `perf` looks where the program is, in a second: no multiple of the kernel's ticks.
const LOOKS_PER_S: &str = "1999";

/// What is known of the time of a model's fetches.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The name of the model.
    pub model: String,
    /// What it counted in its window while nobody watched.
    pub window: Window,
    /// System calls for each fetch, the most frequent first; or why they are not known.
    pub calls: Result<Vec<(String, f64)>, String>,
    /// The share of its CPU time that each function took, the highest first; or why it is not
    /// known. `[k]` marks functions of the kernel.
    pub functions: Result<Vec<(String, f64)>, String>,
}

/// Explains what a fetch of a model costs in a cell in which slots are kept busy.
///
/// # Errors
///
/// Says why the model could not be measured; a tool that is missing or refuses is no error.
pub fn explain(
    (model, cell): (&Model, &Cell),
    (programs, placement): (&Programs, &Placement),
) -> Result<Explained> {
    let program = programs.models.get(&model.name).context("failed to find its program")?;
    let cell = held(cell, model);
    let slots = u64::from(cell.in_flight);
    let mean_ms = cell.delay_ms.lo.midpoint(cell.delay_ms.hi).max(1);
    let many = (FETCHING_MS / mean_ms * slots).clamp(2 * slots, FETCHES_MAX.max(2 * slots));
    let of = |fetches| Cell { warmup: WARM_UP * slots, fetches, ..cell.clone() };
    let (few, many) = (of(slots), of(many));

    let alone = Alone { model, programs, placement };
    let window = alone.fetch((program, false), &many)?.window;
    let more = many.fetches - few.fetches;
    let calls = calls((program, more), |traced, is_many| {
        alone.fetch((traced, true), if is_many { &many } else { &few })
    });
    let functions = functions(program, |watched| alone.fetch((watched, true), &many));
    Ok(Explained { model: model.name.clone(), window, calls, functions })
}

/// A model that fetches alone.
struct Alone<'a> {
    model: &'a Model,
    programs: &'a Programs,
    placement: &'a Placement,
}

impl Alone<'_> {
    /// Lets a program, which may be watched, take one turn of a cell. An origin that dies or is
    /// stopped says nothing of the model, and is replaced.
    fn fetch(&self, (program, is_watched): (&Program, bool), cell: &Cell) -> Result<Turned> {
        let mut left = TRIES_MAX;
        loop {
            left -= 1;
            let mut origin = OriginProcess::start_for(&self.programs.origin, self.placement, cell)?;
            let plan = origin.plan((cell.clone(), SEED), self.placement)?;
            let why = match self.take((program, is_watched), &plan, &mut origin) {
                Ok(turned) => return Ok(turned),
                Err(why) => why,
            };
            let is_of_origin = origin.was_stalled() || origin.receipt().is_err();
            if !is_of_origin {
                bail!("{}: {why}", self.model.name);
            }
            if left == 0 || interrupt::exit_code().is_some() {
                bail!("the origin failed or was stalled, hence {}: {why}", self.model.name);
            }
        }
    }

    /// Does so at an origin, and returns what the program reported, or why that may not be used.
    /// One that nobody watches is held to the laws of a run, but for what a busy machine or an
    /// origin at its ceiling does to it.
    fn take(
        &self,
        (program, is_watched): (&Program, bool),
        plan: &Plan,
        origin: &mut OriginProcess,
    ) -> Result<Turned, String> {
        let (model, turn) = (self.model, Turn::of(&plan.cell, 0, 0));
        let place = (plan.workers, self.placement.of_models(&plan.cell).1);
        let started = start((Described::Model(model), program), place)?;
        let mut participant = started.enter(plan.clone())?;
        let mut turned = match participant.take(&turn, || origin.was_stalled()) {
            Err(error) => return Err(participant.end_after(&error)),
            Ok(taken) => taken.turned,
        };
        if is_watched {
            participant.leave_with_its_children()?;
            let errors = &turned.total.errors;
            return match errors.is_empty() {
                true => Ok(turned),
                false => Err(format!("fetches failed: {errors:?}")),
            };
        }
        let receipt = origin.receipt().map_err(|error| format!("{error:#}"))?;
        let seen = (&mut turned, Some(&receipt), plan.cell.served_by(self.placement.origin));
        let (asked, process) = ((plan, &turn), participant.id());
        let reasons = kernel_threads::validate(model.claims(), asked, seen, process);
        let mut all = reasons.into_iter().chain(participant.children().against());
        let is_own = |reason: &Reason| reason.blames_the_model() && !reason.is_of_ceiling();
        let against = all.find(is_own);
        participant.leave()?;
        against.map_or(Ok(turned), |reason| Err(reason.to_string()))
    }
}

/// Counts the system calls of a fetch; `fetch` lets a program fetch a few times, or so many more.
fn calls(
    (program, more): (&Program, u64),
    fetch: impl Fn(&Program, bool) -> Result<Turned>,
) -> Result<Vec<(String, f64)>, String> {
    let counted = |is_many| {
        let watched = Watched::by("strace", program, "-f -qq -c -U calls,name -o")?;
        fetch(&watched.program, is_many).map_err(|error| refused("strace", &error))?;
        let text = fs::read_to_string(&watched.output).map_err(|error| error.to_string())?;
        Ok::<_, String>(counts(&text))
    };
    let (few, many) = (counted(false)?, counted(true)?);
    let before = |name: &str| few.iter().find(|(other, _)| other == name).map_or(0, |few| few.1);
    #[expect(clippy::cast_precision_loss, reason = "counts of a turn are small")]
    let each = |(name, count): (String, u64)| {
        let grown = count.saturating_sub(before(&name)) as f64 / more as f64;
        (name, grown)
    };
    Ok(descending(many.into_iter().map(each).collect()))
}

/// Asks where a program spends its time while it fetches.
fn functions(
    program: &Program,
    fetch: impl Fn(&Program) -> Result<Turned>,
) -> Result<Vec<(String, f64)>, String> {
    let options = format!("record -q -e cpu-clock -F {LOOKS_PER_S} -o");
    let watched = Watched::by("perf", program, &options)?;
    fetch(&watched.program).map_err(|error| refused("perf", &error))?;
    let mut report = Command::new(&watched.tool);
    report.args(["report", "--stdio", "-q", "--no-children", "-F", "overhead,sym", "-i"]);
    let output = report.arg(&watched.output).output().map_err(|error| error.to_string())?;
    let found = shares(&String::from_utf8_lossy(&output.stdout));
    match found.is_empty() {
        true => Err("perf found no samples: `sudo sysctl kernel.perf_event_paranoid=1`".to_owned()),
        false => Ok(descending(found)),
    }
}

/// A program that a tool starts and watches.
struct Watched {
    program: Program,
    tool: PathBuf,
    /// Where the tool writes what it saw.
    output: PathBuf,
    _folder: TempDir,
}

impl Watched {
    /// Has a program started by a tool, whose options end with that of its output.
    fn by(tool: &str, program: &Program, options: &str) -> Result<Self, String> {
        let missing = || format!("{tool} is not installed: {}", install(tool));
        let found = on_path(tool).ok_or_else(missing)?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (path, output) = (folder.path().join("watched"), folder.path().join("output"));
        let [tool, output_quoted, watched] =
            [&found, &output, &program.path].map(|path| quoted(path));
        let script = format!("#!/bin/sh\nexec {tool} {options} {output_quoted} -- {watched}\n");
        put(&path, script)
            .and_then(|()| Ok(fs::set_permissions(&path, Permissions::from_mode(0o700))?))
            .map_err(|error| format!("{error:#}"))?;
        let program = Program { path, ..program.clone() };
        Ok(Self { program, tool: found, output, _folder: folder })
    }
}

/// Says which command installs a tool on most machines.
fn install(tool: &str) -> String {
    match tool {
        "perf" => "`sudo apt install linux-perf` (Ubuntu: linux-tools-generic)".to_owned(),
        tool => format!("`sudo apt install {tool}`"),
    }
}

/// Says that a tool could not watch the program.
fn refused(tool: &str, error: &anyhow::Error) -> String {
    format!("{tool} could not watch it: {error:#}")
}

/// Returns a path as the shell reads it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

/// Reads the counts of `strace -c -U calls,name`.
fn counts(text: &str) -> Vec<(String, u64)> {
    let rows = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (count, name) = (words.next()?.parse().ok()?, words.next()?);
        Some((name.to_owned(), count))
    });
    rows.filter(|(name, _)| name != "total").collect()
}

/// Reads the shares of `perf report -F overhead,sym`.
fn shares(text: &str) -> Vec<(String, f64)> {
    let rows = text.lines().filter_map(|line| {
        let (share, symbol) = line.trim().split_once('%')?;
        let (place, name) = symbol.trim().split_once(' ')?;
        let mut shown = name.trim().to_owned();
        if place == "[k]" {
            let _ = write!(shown, " {place}");
        }
        Some((shown, share.trim().parse::<f64>().ok()? / 100.0))
    });
    rows.collect()
}

/// Returns pairs by their number, the highest first, without those of nothing.
fn descending(mut pairs: Vec<(String, f64)>) -> Vec<(String, f64)> {
    pairs.retain(|(_, number)| *number > 0.0);
    pairs.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tools_print_is_read() {
        let strace = "    calls syscall\n--------- ----------------\n       34 openat\n        \
                      1 munmap\n--------- ----------------\n       35 total\n";
        assert_eq!(counts(strace), [("openat".to_owned(), 34), ("munmap".to_owned(), 1)]);
        let perf = "    25.50%  [.] core::ptr::drop_in_place<T>\n\n     0.50%  [k] tcp_sendmsg\n";
        let [user, kernel] = &shares(perf)[..] else { panic!("{:?}", shares(perf)) };
        assert_eq!(user, &("core::ptr::drop_in_place<T>".to_owned(), 0.255));
        assert_eq!(kernel, &("tcp_sendmsg [k]".to_owned(), 0.005));
    }

    #[test]
    fn a_tool_that_is_missing_is_named_with_the_command_that_installs_it() {
        let program =
            Program { path: "/bin/true".into(), sha256: String::new(), interpreter: None };
        let why = Watched::by("no-such-tool", &program, "-o").err().unwrap();
        assert_eq!(why, "no-such-tool is not installed: `sudo apt install no-such-tool`");
    }

    #[test]
    fn a_path_with_a_quote_in_it_is_one_word_of_the_shell() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
