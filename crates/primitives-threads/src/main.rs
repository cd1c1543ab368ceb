//! Threads of the system. Two wake each other by parking, which is a futex on Linux; they are
//! started and joined, read from sockets that block, and hand values over by a channel.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

use model_kit::Workload;
use model_kit::primitive::{self, Done, Lateness, Setter, Work, tasks};

/// Threads that live at once where many are started.
const SPAWNED: u64 = 64;
/// A stack that is enough for a thread that does little; that of others has 2 MiB.
const SMALL_STACK: usize = 64 * 1024;

fn main() -> ExitCode {
    primitive::serve(model_kit::hello!(), |plan| {
        let apart = match plan.cell.workload.cpus() {
            1 => None,
            _ => Some(apart()?),
        };
        Ok(move |work: Work| Ok(done(work, apart)?))
    })
}

/// Binds this thread to the first CPU that the process may use, and returns the second.
fn apart() -> io::Result<usize> {
    let [own, other, ..] = primitive::cpus()?[..] else {
        return Err(io::Error::other("there is one CPU, and it takes two to be apart"));
    };
    primitive::pin(own)?;
    Ok(other)
}

/// Does the work of a turn.
fn done(work: Work, apart: Option<usize>) -> io::Result<Done> {
    match work.workload {
        Workload::Event0 | Workload::Event50us | Workload::Event1ms | Workload::Event10ms => {
            return events(work);
        }
        Workload::Timer1ms | Workload::Timer10ms => return Ok(timers(work)),
        _ => {}
    }

    let count = work.count;
    let batch = work.begin();
    let counted = match work.workload {
        Workload::PingPong | Workload::PingPongApart => ping_pong(count, apart)?,
        Workload::Spawn => spawn(count, 1, thread::Builder::new)?,
        Workload::SpawnMany => spawn(count, SPAWNED, thread::Builder::new)?,
        Workload::Spawn64k => spawn(count, 1, || thread::Builder::new().stack_size(SMALL_STACK))?,
        Workload::Readiness => readiness(count)?,
        Workload::Queue => queue(count)?,
        Workload::Lock => lock(count),
        Workload::LockContended => lock_contended(count)?,
        other => {
            let what = format!("threads have no {}", other.name());
            return Err(io::Error::new(io::ErrorKind::Unsupported, what));
        }
    };
    Ok(batch.end(counted))
}

/// An event that one thread waits for.
struct Event {
    is_set: AtomicBool,
    waiter: Thread,
}

impl Event {
    /// Returns an event that this thread waits for.
    fn here() -> Arc<Self> {
        Self::of(thread::current())
    }

    /// Returns an event that a thread waits for.
    fn of(waiter: Thread) -> Arc<Self> {
        Arc::new(Self { is_set: AtomicBool::new(false), waiter })
    }

    /// Sets it, and wakes the thread that waits.
    fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        self.waiter.unpark();
    }

    /// Waits until it is set, and takes that back.
    fn wait(&self) {
        while !self.is_set.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

/// Lets this thread and another, on a CPU of its own if one is given, wake each other so many
/// times, and returns how often the other was woken.
fn ping_pong(count: u64, apart: Option<usize>) -> io::Result<u64> {
    let back = Event::here();
    let (report, reported) = mpsc::channel();
    let other = thread::Builder::new().spawn({
        let back = Arc::clone(&back);
        move || {
            if let Some(cpu) = apart {
                primitive::pin(cpu)?;
            }
            let there = Event::here();
            let mut woken = 0;
            if report.send(Arc::clone(&there)).is_ok() {
                for _ in 0..count {
                    there.wait();
                    woken += 1;
                    back.set();
                }
            }
            Ok::<u64, io::Error>(woken)
        }
    })?;
    if let Ok(there) = reported.recv() {
        for _ in 0..count {
            there.set();
            back.wait();
        }
    }
    joined(other.join())?
}

/// Starts so many threads, so many of them at once, joins them, and returns how many ran.
fn spawn(count: u64, at_once: u64, thread: fn() -> thread::Builder) -> io::Result<u64> {
    let ran = Arc::new(AtomicU64::new(0));
    let mut threads = Vec::with_capacity(64);
    let mut left = count;
    while left > 0 {
        let now = left.min(at_once);
        for _ in 0..now {
            let ran = Arc::clone(&ran);
            threads.push(thread().spawn(move || {
                ran.fetch_add(1, Ordering::Relaxed);
            })?);
        }
        for thread in threads.drain(..) {
            joined(thread.join())?;
        }
        left -= now;
    }
    Ok(ran.load(Ordering::Relaxed))
}

/// Sends a byte forth and back so many times, and returns how many bytes arrived at the other side.
fn readiness(count: u64) -> io::Result<u64> {
    let (mut own, mut other) = UnixStream::pair()?;
    let echo = thread::Builder::new().spawn(move || {
        let (mut byte, mut arrived) = ([0], 0);
        for _ in 0..count {
            other.read_exact(&mut byte)?;
            arrived += 1;
            other.write_all(&byte)?;
        }
        Ok::<u64, io::Error>(arrived)
    })?;
    let mut byte = [7];
    for _ in 0..count {
        own.write_all(&byte)?;
        own.read_exact(&mut byte)?;
    }
    joined(echo.join())?
}

/// Hands so many values over from another thread, and returns how many came in their order.
fn queue(count: u64) -> io::Result<u64> {
    let (entry, exit) = mpsc::sync_channel(tasks::QUEUE);
    let sending = thread::Builder::new().spawn(move || {
        // Whoever no longer receives has counted too few, which is seen.
        (0..count).for_each(|value| entry.send(value).unwrap_or_default());
    })?;
    let in_order = exit.iter().fold(0, |in_order, value| in_order + u64::from(value == in_order));
    joined(sending.join())?;
    Ok(in_order)
}

/// Takes a lock so many times, and returns how often that counted up.
fn lock(count: u64) -> u64 {
    let lock = Mutex::new(0);
    (0..count).for_each(|_| count_up(&lock, false));
    *locked(&lock)
}

/// Takes a lock so many times from two threads, each of which yields while it holds the lock, and
/// returns how often that counted up.
fn lock_contended(count: u64) -> io::Result<u64> {
    let lock = Arc::new(Mutex::new(0));
    let other = thread::Builder::new().spawn({
        let lock = Arc::clone(&lock);
        move || (0..count / 2).for_each(|_| count_up(&lock, true))
    })?;
    (count / 2..count).for_each(|_| count_up(&lock, true));
    joined(other.join())?;
    Ok(*locked(&lock))
}

/// Takes the lock, counts up, and lets others run with the lock held if asked to.
fn count_up(lock: &Mutex<u64>, yields: bool) {
    let mut count = locked(lock);
    *count += 1;
    if yields {
        thread::yield_now();
    }
}

/// Takes a lock; no thread panics with it.
fn locked(lock: &Mutex<u64>) -> MutexGuard<'_, u64> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for events that another thread sets.
fn events(work: Work) -> io::Result<Done> {
    let event = Event::here();
    let mut setter = Setter::start(work, {
        let event = Arc::clone(&event);
        move || event.set()
    })?;
    while setter.is_left() {
        event.wait();
        setter.woken();
    }
    Ok(setter.done())
}

/// Waits for timers.
fn timers(work: Work) -> Done {
    let mut lateness = Lateness::new(work);
    while let Some(length) = lateness.next() {
        thread::sleep(length);
        lateness.woken();
    }
    lateness.done()
}

/// Returns what a thread returned.
fn joined<T>(ended: thread::Result<T>) -> io::Result<T> {
    ended.map_err(|_| io::Error::other("a thread panicked"))
}
