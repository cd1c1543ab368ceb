//! Threads of the system. Two wake each other by parking, which is a futex on Linux; they are
//! started and joined, read from sockets that block, and hand values over by a channel.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

use model_kit::primitive::{
    self, Lateness, Primitive, PrimitivePlan, PrimitiveTrial, Setter, Slope, tasks,
};

/// Threads that live at once where many are started.
const SPAWNED: u64 = 64;
/// A stack that is enough for a thread that does little; that of others has 2 MiB.
const SMALL_STACK: usize = 64 * 1024;

fn main() -> ExitCode {
    primitive::serve(model_kit::hello!(), |plan| match plan.primitive {
        Primitive::Event0 | Primitive::Event50us | Primitive::Event1ms | Primitive::Event10ms => {
            Ok(events(plan)?)
        }
        Primitive::Timer1ms | Primitive::Timer10ms => Ok(timers(plan)),
        _ => Ok(batches(plan)?),
    })
}

/// Carries out a plan of batches.
fn batches(plan: &PrimitivePlan) -> io::Result<PrimitiveTrial> {
    let apart = (plan.primitive == Primitive::PingPongApart).then(|| plan.cpus[1]);
    if apart.is_some() {
        primitive::pin(plan.cpus[0])?;
    }
    let mut slope = Slope::new(plan);
    while let Some(count) = slope.next() {
        let counted = match plan.primitive {
            Primitive::PingPong | Primitive::PingPongApart => ping_pong(count, apart)?,
            Primitive::Spawn => spawn(count, 1, thread::Builder::new)?,
            Primitive::SpawnMany => spawn(count, SPAWNED, thread::Builder::new)?,
            Primitive::Spawn64k => {
                spawn(count, 1, || thread::Builder::new().stack_size(SMALL_STACK))?
            }
            Primitive::Readiness => readiness(count)?,
            Primitive::Queue => queue(count)?,
            Primitive::Lock => lock(count),
            Primitive::LockContended => lock_contended(count)?,
            other => {
                let what = format!("threads have no {}", other.name());
                return Err(io::Error::new(io::ErrorKind::Unsupported, what));
            }
        };
        slope.ended(counted);
    }
    Ok(slope.trial())
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
fn events(plan: &PrimitivePlan) -> io::Result<PrimitiveTrial> {
    let event = Event::here();
    let mut setter = Setter::start(plan, {
        let event = Arc::clone(&event);
        move || event.set()
    })?;
    while setter.is_left() {
        event.wait();
        setter.woken();
    }
    Ok(setter.trial())
}

/// Waits for timers.
fn timers(plan: &PrimitivePlan) -> PrimitiveTrial {
    let mut lateness = Lateness::new(plan);
    while let Some(length) = lateness.next() {
        thread::sleep(length);
        lateness.woken();
    }
    lateness.trial()
}

/// Returns what a thread returned.
fn joined<T>(ended: thread::Result<T>) -> io::Result<T> {
    ended.map_err(|_| io::Error::other("a thread panicked"))
}
