//! Holds models against faults, several at a time, and reports in the order of the table.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};
use record::Model;

use crate::faults::{FaultCase, FaultVerified, fault_cases};
use crate::{OriginProcess, Programs, interrupt};

/// Trials that run at the same time, each with an origin of its own; most of them wait.
const AT_ONCE: usize = 6;
/// How often a trial is made whose origin fails or is stalled.
const TRIES_MAX: u32 = 3;

/// Holds each model against every fault, and reports what came of it in the order of the table.
///
/// # Errors
///
/// Says why no origin could be had, what `say` said, or that a signal came.
pub fn verify_faults(
    models: &[Model],
    programs: &Programs,
    say: &mut dyn FnMut(&FaultVerified) -> Result<()>,
) -> Result<Vec<FaultVerified>> {
    let cases = fault_cases();
    let jobs: Vec<_> = cases.iter().flat_map(|c| models.iter().map(move |m| (*c, m))).collect();
    let (next, (found, finds)) = (AtomicUsize::new(0), channel());
    let failed = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(jobs.len()) {
            // Children live as long as the thread that started them, and so does an origin.
            let (found, jobs, next, failed) = (found.clone(), &jobs, &next, &failed);
            scope.spawn(move || {
                if let Err(error) = work((jobs, next), programs, &found) {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).replace(error);
                }
            });
        }
        drop(found);
        in_order(jobs.len(), finds, say)
    })
    .and_then(|verified| match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(verified),
    })
}

/// Takes one job after the other until there are no more.
fn work(
    (jobs, next): (&[(FaultCase, &Model)], &AtomicUsize),
    programs: &Programs,
    found: &Sender<(usize, FaultVerified)>,
) -> Result<()> {
    let mut origin = OriginProcess::start_faulty(&programs.origin)?;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some((case, model)) = jobs.get(number) else { return Ok(()) };
        ensure!(interrupt::exit_code().is_none(), "interrupted");
        let program = programs.models.get(&model.name).context("failed to find a program")?;
        let mut left = TRIES_MAX;
        let verified = loop {
            left -= 1;
            match case.verify((model, program), &mut origin) {
                Err(_) if left > 0 && interrupt::exit_code().is_none() => {
                    origin = OriginProcess::start_faulty(&programs.origin)?;
                }
                verified => break verified?,
            }
        };
        if found.send((number, verified)).is_err() {
            return Ok(());
        }
    }
}

/// Reports what is found in the order of the jobs.
fn in_order(
    count: usize,
    finds: Receiver<(usize, FaultVerified)>,
    say: &mut dyn FnMut(&FaultVerified) -> Result<()>,
) -> Result<Vec<FaultVerified>> {
    let (mut early, mut verified) = (BTreeMap::new(), Vec::with_capacity(count));
    for (number, one) in finds {
        early.insert(number, one);
        while let Some(one) = early.remove(&verified.len()) {
            say(&one)?;
            verified.push(one);
        }
    }
    Ok(verified)
}
