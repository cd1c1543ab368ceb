//! Hands measured trials to criterion as its samples.
//!
//! Criterion plans its iterations by the clock, whatever a routine returns. So its warm-up call
//! takes real time (10 ms), and the measuring time is set to one and a half times that per
//! sample: criterion then asks for two iterations a sample, prints no warning, and divides what
//! the routine returns by two.

use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use nix::unistd::{dup, dup2_stderr};
use record::TrialRecord;

use crate::setting::Entry;

/// The fewest samples that criterion takes.
const SAMPLES_MIN: usize = 10;
/// Resamples of criterion's bootstrap, unless the command line says otherwise: enough for a dozen
/// samples, and it is most of what criterion takes.
const RESAMPLES: usize = 10_000;
/// What the warm-up call takes.
const WARM_UP: Duration = Duration::from_millis(10);
/// What criterion is told that a sample takes.
const SAMPLE: Duration = Duration::from_millis(15);

/// Hands the trials of the benchmarks to criterion; none are needed to list or compare.
pub(crate) fn replay(entries: &[Entry], trials: &[TrialRecord]) {
    let mut criterion = quietly(Criterion::default).nresamples(RESAMPLES).configure_from_args();
    for entry in entries {
        let samples: Vec<Duration> =
            trials.iter().filter_map(|trial| sample(entry, trial)).collect();
        if !trials.is_empty() && samples.len() < SAMPLES_MIN {
            let (name, count) = (entry.name(), samples.len());
            eprintln!("criterion is not given {name}: {count} valid trials of {SAMPLES_MIN}");
            continue;
        }
        bench(&mut criterion, entry, samples);
    }
    criterion.final_summary();
}

/// Gives one benchmark to criterion.
fn bench(criterion: &mut Criterion, entry: &Entry, samples: Vec<Duration>) {
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

/// Returns the sample that a trial is for a benchmark, if it is one.
fn sample(entry: &Entry, trial: &TrialRecord) -> Option<Duration> {
    if trial.cell != entry.cell || trial.model != entry.model {
        return None;
    }
    let window = &trial.valid()?.window;
    let spent = match entry.group {
        "cpu" => window.cpu_ns,
        _ => window.wall_ns,
    };
    Some(Duration::from_nanos(spent / window.ended))
}

/// Does something while nothing reaches stderr: criterion says there that gnuplot is missing,
/// which nobody asked for.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let kept = dup(io::stderr().as_fd());
    if let Ok(nowhere) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = dup2_stderr(nowhere);
    }
    let done = work();
    if let Ok(kept) = kept {
        let _ = dup2_stderr(kept);
    }
    done
}
