//! Hands measured turns to criterion as its samples.
//!
//! Criterion plans its iterations by the clock, whatever a routine returns. So its warm-up call
//! takes real time (10 ms), and the measuring time is set to one and a half times that per
//! sample: criterion then asks for two iterations a sample, prints no warning, and divides what
//! the routine returns by two.

use std::any::Any;
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::panic::{self, AssertUnwindSafe};
use std::path::{self, Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use criterion::{BenchmarkId, SamplingMode};
use harness::Failure;
use nix::unistd::{dup, dup2_stderr, dup2_stdout};
use record::{TurnRecord, Unwritable};

use crate::arguments::Arguments;
use crate::runner::{say, warn};
use crate::setting::{Entry, Setting};

/// The fewest samples that criterion takes.
const SAMPLES_MIN: usize = 10;
/// Resamples of criterion's bootstrap, unless the command line says otherwise: enough for a dozen
/// samples, and it is most of what criterion takes.
const RESAMPLES: usize = 10_000;
/// What the warm-up call takes.
const WARM_UP: Duration = Duration::from_millis(10);
/// What criterion is given as the time of a sample.
const SAMPLE: Duration = Duration::from_millis(15);

/// Criterion, set by the command line before anything is measured, and the benchmarks it gets.
pub(crate) struct Criterion {
    bencher: criterion::Criterion,
    entries: Vec<Entry>,
    index: Option<PathBuf>,
    speaks: bool,
}

impl Criterion {
    /// Lets criterion read the arguments: what it refuses, it refuses now. Without a filter it gets
    /// what the table ranks by, CPU time. Benchmarks of which it keeps no results to compare with
    /// are left out, with a word.
    pub(crate) fn of(arguments: &Arguments, setting: &Setting) -> Result<Self> {
        // A variable that is empty is as good as none.
        let home = std::env::var_os("CRITERION_HOME").filter(|home| !home.is_empty());
        let usual = || setting.workspace.target.join("criterion");
        let home = home.map_or_else(usual, PathBuf::from);
        let home = path::absolute(home).context("failed to read the current folder")?;
        let made = unless_it_panics(|| {
            let criterion = quietly(criterion::Criterion::default);
            criterion.output_directory(&home).nresamples(RESAMPLES).configure_from_args()
        });
        let criterion =
            made.map_err(|why| Failure::Usage(format!("criterion refuses the arguments: {why}")))?;
        let names = [&arguments.baseline, &arguments.load_baseline].into_iter().flatten();
        let mut entries = setting.entries();
        entries.retain(|entry| arguments.filter.is_some() || entry.group == "cpu");
        for name in names {
            entries = with_results(entries, &home, name)?;
        }
        let index = (!arguments.noplot).then(|| home.join("report").join("index.html"));
        Ok(Self { bencher: criterion, entries, index, speaks: arguments.names_criterion() })
    }

    /// Hands the turns of the benchmarks to criterion, and says where its report is, if it draws
    /// one; no turns are needed to compare what it keeps.
    pub(crate) fn replay(mut self, turns: &[TurnRecord]) -> Result<()> {
        let work = || {
            unless_it_panics(|| {
                let entries = self.entries.iter();
                let words = entries.filter_map(|entry| replay_one(&mut self.bencher, entry, turns));
                let words: Vec<String> = words.collect();
                self.bencher.final_summary();
                words
            })
        };
        let replayed = match self.speaks {
            true => shielded(work)?,
            false => quietly(work),
        };
        let left_out = replayed.map_err(|why| anyhow!("criterion stopped: {why}"))?;
        if !left_out.is_empty() {
            let names = left_out.join(", ");
            warn(&format!("criterion is not given what has under {SAMPLES_MIN} turns: {names}"));
        }
        match self.index.filter(|index| index.exists()) {
            Some(index) => say(&format!("Criterion  {}", index.display())),
            None => Ok(()),
        }
    }
}

/// Hands the turns of one benchmark to criterion, or returns its name if they are too few.
fn replay_one(
    criterion: &mut criterion::Criterion,
    entry: &Entry,
    turns: &[TurnRecord],
) -> Option<String> {
    let samples: Vec<Duration> = turns.iter().filter_map(|turn| sample(entry, turn)).collect();
    if !turns.is_empty() && samples.len() < SAMPLES_MIN {
        return Some(entry.name());
    }
    bench(criterion, entry, samples);
    None
}

/// Returns the benchmarks of which criterion keeps results under a name, and says of the others
/// that they are left out; without any, criterion has nothing to compare with.
fn with_results(entries: Vec<Entry>, home: &Path, name: &str) -> Result<Vec<Entry>> {
    let is_kept = |entry: &Entry| {
        let folder = home.join(entry.name()).join(name);
        ["sample.json", "estimates.json"].iter().all(|file| folder.join(file).is_file())
    };
    let (kept, without): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(is_kept);
    ensure!(
        !kept.is_empty(),
        Failure::Usage(format!(
            "criterion keeps nothing under {name:?}: measure it first with `cargo bench -- \
             --save-baseline {name}`"
        ))
    );
    if !without.is_empty() {
        let names: Vec<String> = without.iter().map(Entry::name).collect();
        let names = names.join(", ");
        warn(&format!("criterion is not given what it keeps nothing of under {name:?}: {names}"));
    }
    Ok(kept)
}

/// Gives one benchmark to criterion.
fn bench(criterion: &mut criterion::Criterion, entry: &Entry, samples: Vec<Duration>) {
    let count = samples.len().max(SAMPLES_MIN);
    let samples = RefCell::new(samples.into_iter());
    let mut group = criterion.benchmark_group(entry.group);
    group
        .sample_size(count)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_nanos(1))
        .measurement_time(SAMPLE * u32::try_from(count).unwrap_or(u32::MAX));
    let id = BenchmarkId::new(&entry.cell, &entry.model);
    let mut warm = false;
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|iterations| {
            if !std::mem::replace(&mut warm, true) {
                thread::sleep(WARM_UP);
                return WARM_UP;
            }
            let sample = samples.borrow_mut().next().unwrap_or(WARM_UP);
            sample * u32::try_from(iterations).unwrap_or(u32::MAX)
        });
    });
    group.finish();
}

/// Returns the sample that a turn is for a benchmark, if it is one.
fn sample(entry: &Entry, turn: &TurnRecord) -> Option<Duration> {
    if turn.cell != entry.cell || turn.model != entry.model {
        return None;
    }
    let window = &turn.valid()?.window;
    let spent = match entry.group {
        "cpu" => window.cpu_ns,
        _ => window.wall_ns,
    };
    Some(Duration::from_nanos(spent / window.ended))
}

/// Does something while nothing that it says is seen: criterion reports each step on stderr, and
/// that gnuplot is missing, which nobody asked for.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let kept = dup(io::stdout().as_fd()).and_then(|out| Ok((out, dup(io::stderr().as_fd())?)));
    let nowhere = OpenOptions::new().write(true).open("/dev/null");
    if let (Ok(_), Ok(nowhere)) = (&kept, nowhere) {
        let _ = dup2_stdout(&nowhere);
        let _ = dup2_stderr(nowhere);
    }
    let done = work();
    let _ = io::stdout().flush();
    if let Ok((out, err)) = kept {
        let _ = dup2_stdout(out);
        let _ = dup2_stderr(err);
    }
    done
}

/// Does something and returns what it panicked with, if it did, in place of a trace.
fn unless_it_panics<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    done.map_err(|said| words(said.as_ref()))
}

/// Returns the words of a panic.
fn words(said: &(dyn Any + Send)) -> String {
    let text = said.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| said.downcast_ref::<&str>().copied());
    text.unwrap_or("it does not say why").to_owned()
}

/// Does something while what it prints goes by way of a pipe, unless stdout is a terminal:
/// criterion aborts over what cannot be printed, where a reader may have had enough and a disk be
/// full.
fn shielded<T>(work: impl FnOnce() -> T) -> Result<T> {
    if io::stdout().is_terminal() {
        return Ok(work());
    }
    let failed = "failed to redirect stdout";
    let (reader, writer) = io::pipe().context(failed)?;
    let kept = dup(io::stdout().as_fd()).context(failed)?;
    let real = File::from(kept.try_clone().context(failed)?);
    dup2_stdout(writer).context(failed)?;
    let copied = thread::spawn(move || copy(reader, real));

    let done = work();
    let _ = io::stdout().flush();
    dup2_stdout(kept).context(failed)?;
    match copied.join().unwrap_or(Ok(())) {
        Err((error, _)) if error.kind() == ErrorKind::BrokenPipe => Ok(done),
        Err((error, bytes)) => Err(error).context(Unwritable::of(Path::new("stdout"), bytes)),
        Ok(()) => Ok(done),
    }
}

/// Copies what comes through a pipe until it ends. After a failure the rest is thrown away, and the
/// failure returned with the number of bytes that had no place.
fn copy(mut from: PipeReader, mut to: File) -> Result<(), (io::Error, usize)> {
    let mut buffer = [0; 8 * 1024];
    let mut failed = Ok(());
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        match &mut failed {
            _ if read == 0 => return failed,
            Ok(()) => failed = to.write_all(&buffer[..read]).map_err(|error| (error, read)),
            Err((_, bytes)) => *bytes += read,
        }
    }
}
