//! Threads by which the kernel carries out what a process asked a ring (`io_uring`) for.
//!
//! They count as threads of that process, and their time is in its CPU clock, so nothing is hidden
//! in them. But the kernel starts and ends them as it sees fit: no manifest can name their number,
//! and a model is not held to it.

use std::fs;
use std::path::Path;

use rules::{Claims, Evidence, Reason};
use workload::pipe::Turned;
use workload::{OriginKind, Plan, Receipt, Turn};

/// How the kernel calls them. A thread that polls a ring (`iou-sqp-`) is none: a model asks for it.
const NAME: &str = "iou-wrk-";
/// The flag of such a thread (`PF_IO_WORKER`), which no program can set.
const FLAG: u64 = 0x10;
/// The field of `/proc/PID/task/ID/stat` with the flags, counted from the state on.
const FLAGS: usize = 6;

/// What a participant reported of a turn, and what its origin counted.
type Seen<'a> = (&'a mut Turned, Option<&'a Receipt>, OriginKind);

/// Holds a turn of a process against its laws, and leaves the kernel's threads out of those that it
/// reported.
pub(crate) fn validate(
    claims: Claims<'_>,
    asked: (&Plan, &Turn),
    seen: Seen<'_>,
    process: u32,
) -> Vec<Reason> {
    validate_in(claims, asked, seen, Path::new(&format!("/proc/{process}/task")))
}

/// Does so with the folder in which the kernel shows the threads. Each is a file to read: they are
/// looked at only where there are more than the manifest says, and always where a model is built
/// apart, since there is no number that it must have.
fn validate_in(
    claims: Claims<'_>,
    asked: (&Plan, &Turn),
    (turned, receipt, origin): Seen<'_>,
    threads: &Path,
) -> Vec<Reason> {
    if !claims.is_apart {
        let reasons = rules::validate(claims, asked, Evidence { turned, receipt, origin });
        if !reasons.iter().any(are_more) {
            return reasons;
        }
    }
    // None would mean that the number is not known.
    if turned.threads > 0 {
        turned.threads = turned.threads.saturating_sub(of_kernel(threads)).max(1);
    }
    rules::validate(claims, asked, Evidence { turned, receipt, origin })
}

/// Returns whether a reason is that there are more threads than the manifest says.
fn are_more(reason: &Reason) -> bool {
    matches!(reason, Reason::Threads { seen, expected } if seen > expected)
}

/// Returns how many of the threads in a folder are the kernel's.
fn of_kernel(threads: &Path) -> u64 {
    let threads = fs::read_dir(threads).into_iter().flatten().flatten();
    let stats = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    stats.filter(|stat| is_of_kernel(stat)).count() as u64
}

/// Returns whether a thread is the kernel's, by its name, which is in brackets, and its flags.
fn is_of_kernel(stat: &str) -> bool {
    let Some((before, after)) = stat.rsplit_once(") ") else { return false };
    let is_called = before.split_once('(').is_some_and(|(_, name)| name.starts_with(NAME));
    let flags = after.split_whitespace().nth(FLAGS).and_then(|flags| flags.parse::<u64>().ok());
    is_called && flags.is_some_and(|flags| flags & FLAG != 0)
}

#[cfg(test)]
mod tests {
    use workload::pipe::{Total, Window};
    use workload::{Cell, DelayRange, Workload};

    use super::*;

    /// A thread of a program, one that calls itself as the kernel calls its own, one that polls a
    /// ring, and two that are the kernel's, as it shows them.
    const THREADS: [&str; 5] = [
        "71 (model-compio) S 1 71 71 0 -1 4194304 903 0",
        "72 (iou-wrk-71) S 1 71 71 0 -1 4194368 9 0",
        "73 (iou-sqp-71) S 1 71 71 0 -1 4210768 0 0",
        "74 (iou-wrk-71) S 1 71 71 0 -1 4210768 0 0",
        "75 (iou-wrk-71) R 1 71 71 0 -1 4210768 0 0",
    ];

    /// Returns what a turn with so many threads breaks of a model that has three, and may be built
    /// apart, and how many are written down.
    fn broken(threads: u64, is_apart: bool) -> (Vec<String>, u64) {
        let folder = tempfile::tempdir().unwrap();
        for stat in THREADS {
            let thread = folder.path().join(stat.split(' ').next().unwrap());
            fs::create_dir(&thread).unwrap();
            fs::write(thread.join("stat"), stat).unwrap();
        }
        let cell = Cell {
            name: "test".to_owned(),
            workload: Workload::Steady,
            in_flight: 1,
            warmup: 1,
            fetches: 1,
            delay_ms: DelayRange { lo: 1, hi: 1 },
            body_bytes: 128,
            ..Cell::least(Workload::Steady)
        };
        let turn = Turn::of(&cell, 1, 0);
        let mut turned = turned(threads);
        let receipt = Receipt {
            answered: 3,
            ids_digest: workload::ids_digest(turn.ids(&cell)),
            in_flight_peak_estimate: 1,
            wall_ns: 1_000_000,
            ..Receipt::default()
        };
        let origins = Vec::new();
        let plan = Plan { cell, origins, workers: 1, seed: 1, deadline_ms: None, surcharge_ns: 0 };
        let threads = "workers + 2";
        let (is_bare, may_be_slow, connections) = (false, false, None);
        let claims = Claims { is_bare, may_be_slow, connections, threads, is_apart };
        let seen = (&mut turned, Some(&receipt), OriginKind::Fast);
        let reasons = validate_in(claims, (&plan, &turn), seen, folder.path());
        (reasons.iter().map(ToString::to_string).collect(), turned.threads)
    }

    /// Returns what is reported of a turn of three fetches.
    fn turned(threads: u64) -> Turned {
        Turned {
            turn: 1,
            window: Window {
                ended: 1,
                ok: 1,
                wall_ns: 1_000_000,
                cpu_ns: 1_000,
                pacer_ns: 0,
                user_ns: 0,
                system_ns: 0,
                switches_voluntary: None,
                switches_involuntary: None,
                faults_minor: None,
            },
            total: Total { issued: 3, ok: 3, errors: [].into(), extra_bytes: 0 },
            threads,
            in_flight_peak: 1,
            scheduled: None,
            latencies_ns: Vec::new(),
            wake_up_delays_ns: Vec::new(),
            responses_ns: Vec::new(),
            lags_ns: Vec::new(),
        }
    }

    #[test]
    fn the_threads_of_the_kernel_s_ring_are_held_against_no_model_and_all_others_are() {
        assert_eq!(broken(3, false), (Vec::new(), 3));
        assert_eq!(broken(5, false), (Vec::new(), 3), "two are the kernel's");
        let words = |seen| format!("the process had {seen} threads, its manifest says 3");
        assert_eq!(broken(6, false), (vec![words(4)], 4));
        assert_eq!(broken(2, false), (vec![words(2)], 2));
    }

    #[test]
    fn another_build_may_have_a_thread_more_or_fewer_beside_those_of_the_kernel_and_no_more() {
        assert_eq!(broken(6, true), (Vec::new(), 4), "two are the kernel's");
        assert_eq!(broken(5, true), (Vec::new(), 3));
        assert_eq!(broken(4, true), (Vec::new(), 2));
        let words = |seen| format!("the process had {seen} threads, its manifest says 3");
        assert_eq!(broken(7, true), (vec![words(5)], 5));
        assert_eq!(broken(3, true), (vec![words(1)], 1));
    }
}
