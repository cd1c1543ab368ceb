//! The clocks and counters of this process, as one fetch of the window leaves them.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};

use crate::pacer::Pacer;
use crate::pipe::{self, Scheduled};
use crate::primitive::cpus;

/// What was read at one moment.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) wall: Instant,
    cpu: Duration,
    usage: Option<Usage>,
    pacer: Used,
}

/// What a thread had used at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    cpu: Duration,
    switches_voluntary: u64,
    switches_involuntary: u64,
}

impl Reading {
    /// Reads the wall clock alone: nothing had been used when the process was started.
    pub(crate) fn start_of_process() -> Self {
        let (cpu, pacer) = (Duration::ZERO, Used::default());
        Self { wall: Instant::now(), cpu, usage: None, pacer }
    }

    /// Reads as a window opens, or a batch of primitives begins: what is slow to read first, the
    /// clocks last.
    pub(crate) fn opening() -> Self {
        let usage = usage();
        // What this takes lies before the window.
        settle();
        let cpu = read(ClockId::CLOCK_PROCESS_CPUTIME_ID);
        Self { wall: Instant::now(), cpu, usage, pacer: Used::default() }
    }

    /// Reads as a window closes, or a batch of primitives ends: the clocks first.
    pub(crate) fn closing() -> Self {
        let wall = Instant::now();
        let settling = settle();
        let cpu = read(ClockId::CLOCK_PROCESS_CPUTIME_ID).saturating_sub(settling);
        Self { wall, cpu, usage: usage(), pacer: Used::default() }
    }

    /// Leaves what a pacer had used by now out of what the window cost, if there is one.
    pub(crate) fn without(self, pacer: Option<&Pacer>) -> Self {
        Self { pacer: pacer.map(Pacer::used).unwrap_or_default(), ..self }
    }
}

impl Used {
    /// Reads it of the calling thread.
    pub(crate) fn by_this_thread() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).ok();
        let count = |counter: fn(&Usage) -> i64| {
            usage.as_ref().and_then(|usage| u64::try_from(counter(usage)).ok()).unwrap_or(0)
        };
        Self {
            cpu: read(ClockId::CLOCK_THREAD_CPUTIME_ID),
            switches_voluntary: count(Usage::voluntary_context_switches),
            switches_involuntary: count(Usage::involuntary_context_switches),
        }
    }
}

/// Returns what the window cost, in which so many fetches ended, and so many of them ok.
pub(crate) fn window(opened: &Reading, closed: &Reading, (ended, ok): (u64, u64)) -> pipe::Window {
    let grown = |counter: fn(&Usage) -> i64| {
        let read = |reading: &Reading| reading.usage.as_ref().map_or(0, counter);
        u64::try_from(read(closed) - read(opened)).unwrap_or(0)
    };
    // A process that has been started has pages, and one that has waited has given the CPU up:
    // where there was never any of it, the kernel does not count.
    let counted = |sign: fn(&Usage) -> i64, counter: fn(&Usage) -> i64| {
        let is_counted = closed.usage.as_ref().is_some_and(|usage| sign(usage) > 0);
        is_counted.then(|| grown(counter))
    };
    let switches = |counter, of_pacer: fn(&Used) -> u64| {
        let beside = of_pacer(&closed.pacer).saturating_sub(of_pacer(&opened.pacer));
        let all = counted(Usage::voluntary_context_switches, counter);
        all.map(|all| all.saturating_sub(beside))
    };
    let pacer = closed.pacer.cpu.saturating_sub(opened.pacer.cpu);
    pipe::Window {
        ended,
        ok,
        wall_ns: nanoseconds(closed.wall - opened.wall),
        cpu_ns: nanoseconds(closed.cpu.saturating_sub(opened.cpu).saturating_sub(pacer)),
        pacer_ns: nanoseconds(pacer),
        user_ns: grown(|usage| usage.user_time().num_nanoseconds()),
        system_ns: grown(|usage| usage.system_time().num_nanoseconds()),
        switches_voluntary: switches(Usage::voluntary_context_switches, |own| {
            own.switches_voluntary
        }),
        switches_involuntary: switches(Usage::involuntary_context_switches, |own| {
            own.switches_involuntary
        }),
        faults_minor: counted(Usage::minor_page_faults, Usage::minor_page_faults),
    }
}

/// Returns whether threads of this process may run at once. A batch asks in its window: one call
/// of the system, and no file of a control group's.
fn runs_on_several() -> bool {
    static SEVERAL: LazyLock<bool> = LazyLock::new(|| cpus().is_ok_and(|cpus| cpus.len() > 1));
    *SEVERAL
}

/// Brings the clock of the process up to date where several threads may run at once, and returns
/// what that took of this thread's time.
///
/// The kernel adds to it what the calling thread has used until now, and what other running threads
/// had used at their last tick, some milliseconds ago. Who reads the clock of a thread has that
/// thread's time added until now.
fn settle() -> Duration {
    if !runs_on_several() {
        return Duration::ZERO;
    }
    let own = || read(ClockId::CLOCK_THREAD_CPUTIME_ID);
    let before = own();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let id = task.file_name().to_str().and_then(|id| id.parse::<i32>().ok());
        // A thread that has ended meanwhile has no clock, and all of its time is in the process's.
        let _ = id.map(|id| clock_gettime(ClockId::from_raw(clock_of_thread(id))));
    }
    own().saturating_sub(before)
}

/// Returns the number of the clock of a thread of this process (`MAKE_THREAD_CPUCLOCK` in the
/// kernel's `posix-timers_types.h`).
fn clock_of_thread(id: i32) -> i32 {
    const OF_A_THREAD: i32 = 4;
    const BY_THE_SCHEDULER: i32 = 2;
    (!id << 3) | OF_A_THREAD | BY_THE_SCHEDULER
}

/// Reads a CPU clock of this process.
fn read(clock: ClockId) -> Duration {
    clock_gettime(clock).expect("Linux has a CPU clock for every process and thread").into()
}

/// Returns the counters that the kernel keeps for this process.
fn usage() -> Option<Usage> {
    getrusage(UsageWho::RUSAGE_SELF).ok()
}

/// Returns how many threads this process has now.
pub(crate) fn threads() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// Returns what the scheduler gave to the threads that are alive now.
pub(crate) fn scheduled() -> Option<Scheduled> {
    let mut sum = Scheduled::default();
    for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        // A thread that has ended meanwhile has no figures.
        let Ok(text) = std::fs::read_to_string(task.path().join("schedstat")) else { continue };
        let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
        sum.cpu_ns += numbers.next()?;
        sum.run_delay_ns += numbers.next()?;
    }
    Some(sum)
}

/// Returns a duration in whole nanoseconds.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn a_window_in_which_nothing_happens_does_not_hold_what_reading_it_takes() {
        if !runs_on_several() {
            return;
        }
        let is_over = AtomicBool::new(false);
        let is_left_out = thread::scope(|scope| {
            // The more threads there are, the longer it takes.
            for _ in 0..64 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        thread::sleep(Duration::from_millis(20));
                    }
                });
            }
            let found = (0..100).any(|_| {
                let (opened, closed) = (Reading::opening(), Reading::closing());
                let cost = window(&opened, &closed, (1, 1)).cpu_ns;
                cost < nanoseconds(settle()) / 2
            });
            is_over.store(true, Ordering::Relaxed);
            found
        });
        assert!(is_left_out);
    }

    #[test]
    fn what_another_thread_has_used_since_its_last_tick_is_counted() {
        if !runs_on_several() {
            return;
        }
        let is_over = AtomicBool::new(false);
        let process = || read(ClockId::CLOCK_PROCESS_CPUTIME_ID);
        let gained = thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
            let gained = (0..1_000).find(|_| {
                thread::sleep(Duration::from_micros(500));
                let before = process();
                let settling = settle();
                process().saturating_sub(before + settling) > Duration::from_micros(100)
            });
            is_over.store(true, Ordering::Relaxed);
            gained
        });
        assert!(gained.is_some(), "the clock was never behind, or stayed so");
    }

    #[test]
    fn what_the_pacer_uses_in_a_window_is_no_part_of_what_the_model_is_charged() {
        let mut opened = Reading::opening();
        let mut closed = Reading::closing();
        closed.cpu = opened.cpu + Duration::from_nanos(50);
        opened.pacer.cpu = Duration::from_nanos(5);
        closed.pacer.cpu = Duration::from_nanos(25);
        let of = window(&opened, &closed, (1, 1));
        assert_eq!((of.cpu_ns, of.pacer_ns), (30, 20));
        let switched = |switches_voluntary| {
            let pacer = Used { switches_voluntary, ..closed.pacer };
            window(&opened, &Reading { pacer, usage: usage(), ..closed }, (1, 1)).switches_voluntary
        };
        thread::sleep(Duration::from_millis(1));
        assert_eq!(switched(u64::MAX), Some(0), "it cannot have switched as often");
    }

    #[test]
    fn what_the_kernel_does_not_count_is_unknown_and_not_none_of_it() {
        thread::sleep(Duration::from_millis(1));
        let of = |who| {
            let closed = Reading { usage: getrusage(who).ok(), ..Reading::closing() };
            let window = window(&Reading::start_of_process(), &closed, (1, 1));
            [window.switches_voluntary, window.switches_involuntary, window.faults_minor]
        };
        assert!(of(UsageWho::RUSAGE_SELF).into_iter().all(|count| count.is_some()));
        // This process has no children, so that it reads what a sandbox shows that counts nothing.
        assert_eq!(of(UsageWho::RUSAGE_CHILDREN), [None; 3]);
    }
}
