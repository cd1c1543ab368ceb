//! The primitives of tasks, once for every runtime. A runtime says how it spawns, yields, sleeps,
//! reads and writes, and which queue it brings; what is done with that is the same for all.
//!
//! Everything measured runs in tasks on the runtime's workers. The thread that waits for the whole
//! is not on the way.

use std::io::{self, Error as IoError};
use std::mem;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::{Done, Lateness, Setter, Signal, Work};
use crate::Workload;

/// Tasks that yield to each other.
const YIELDING: u64 = 64;
/// Tasks that live at once where many are spawned.
const SPAWNED: u64 = 64;
/// Timers that are armed beside the one that is waited for.
const ARMED: u64 = 10_000;
/// How long they take, which no stay does.
const LONG: Duration = Duration::from_hours(1);
/// How long they may take to be armed, in the first turn of a process, which counts for nothing.
const SETTLES: Duration = Duration::from_millis(50);
/// Places in a queue.
pub const QUEUE: usize = 64;

/// What an async runtime brings.
pub trait Tasks: 'static {
    /// A socket.
    type Stream: Send + 'static;
    /// The end of a queue that sends.
    type Sender: Send + 'static;
    /// The end of a queue that receives.
    type Receiver: Send + 'static;
    /// A lock that tasks wait for.
    type Lock: Send + Sync + 'static;

    /// Starts a task and returns what waits for it.
    fn spawn(
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static;

    /// Lets other tasks run.
    fn yield_now() -> impl Future<Output = ()> + Send;

    /// Waits by the runtime's own timer.
    fn sleep(length: Duration) -> impl Future<Output = ()> + Send;

    /// Takes over a socket that does not block.
    ///
    /// # Errors
    ///
    /// Says what the runtime says.
    fn stream(socket: UnixStream) -> io::Result<Self::Stream>;

    /// Reads once.
    fn read(
        stream: &mut Self::Stream,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// Writes once.
    fn write(
        stream: &mut Self::Stream,
        bytes: &[u8],
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// Returns a queue of so many places.
    fn queue(places: usize) -> (Self::Sender, Self::Receiver);

    /// Sends a value, once there is a place for it.
    fn send(queue: &mut Self::Sender, value: u64) -> impl Future<Output = ()> + Send;

    /// Receives a value, or nothing when nobody sends any more.
    fn receive(queue: &mut Self::Receiver) -> impl Future<Output = Option<u64>> + Send;

    /// Returns a lock that guards a count of 0.
    fn lock() -> Self::Lock;

    /// Takes the lock, counts up, lets others run with the lock held if asked to, and returns the
    /// count.
    fn count_up(lock: &Self::Lock, yields: bool) -> impl Future<Output = u64> + Send;
}

/// Does the work of a turn, in a task of the runtime.
///
/// # Errors
///
/// Says what the system refuses, or that this is no primitive of tasks.
pub async fn work<R: Tasks>(work: Work) -> io::Result<Done> {
    match work.workload {
        Workload::Event0 | Workload::Event50us | Workload::Event1ms | Workload::Event10ms => {
            return events(work).await;
        }
        Workload::Timer1ms | Workload::Timer10ms => return Ok(timers::<R>(work).await),
        Workload::TimerOfMany => return Ok(timers_of_many::<R>(work).await),
        _ => {}
    }

    let count = work.count;
    let batch = work.begin();
    let counted = match work.workload {
        Workload::Switch => switch::<R>(count).await,
        Workload::PingPong | Workload::PingPongApart => ping_pong::<R>(count).await,
        Workload::Spawn => spawn::<R>(count).await,
        Workload::SpawnMany => spawn_many::<R>(count).await,
        Workload::Readiness => readiness::<R>(count).await?,
        Workload::Queue => queue::<R>(count).await,
        Workload::Lock => lock::<R>(count).await,
        Workload::LockContended => lock_contended::<R>(count).await,
        other => {
            let what = format!("{} is no primitive of tasks", other.name());
            return Err(IoError::new(io::ErrorKind::Unsupported, what));
        }
    };
    Ok(batch.end(counted))
}

/// Lets tasks yield so many times altogether, and returns how often they did.
async fn switch<R: Tasks>(count: u64) -> u64 {
    let yielded = Arc::new(AtomicU64::new(0));
    let task = |number: u64| {
        let yielded = Arc::clone(&yielded);
        let own = (count + number) / YIELDING;
        R::spawn(async move {
            for _ in 0..own {
                R::yield_now().await;
            }
            yielded.fetch_add(own, Ordering::Relaxed);
        })
    };
    // The shares of all tasks make up the count: (count + 0) / 64 + … + (count + 63) / 64.
    let tasks: Vec<_> = (0..YIELDING).map(task).collect();
    for task in tasks {
        task.await;
    }
    yielded.load(Ordering::Relaxed)
}

/// Lets this task and another wake each other so many times, and returns how often the other was
/// woken.
async fn ping_pong<R: Tasks>(count: u64) -> u64 {
    let (there, back) = (Arc::new(Signal::default()), Arc::new(Signal::default()));
    let woken = Arc::new(AtomicU64::new(0));
    let other = R::spawn({
        let (there, back, woken) = (Arc::clone(&there), Arc::clone(&back), Arc::clone(&woken));
        async move {
            for _ in 0..count {
                there.wait().await;
                woken.fetch_add(1, Ordering::Relaxed);
                back.set();
            }
        }
    });
    for _ in 0..count {
        there.set();
        back.wait().await;
    }
    other.await;
    woken.load(Ordering::Relaxed)
}

/// Spawns so many tasks and waits for each before the next, and returns how many ran.
async fn spawn<R: Tasks>(count: u64) -> u64 {
    let ran = Arc::new(AtomicU64::new(0));
    for _ in 0..count {
        let ran = Arc::clone(&ran);
        let task = async move {
            ran.fetch_add(1, Ordering::Relaxed);
        };
        R::spawn(task).await;
    }
    ran.load(Ordering::Relaxed)
}

/// Spawns so many tasks, up to 64 before it waits for them, and returns how many ran.
async fn spawn_many<R: Tasks>(count: u64) -> u64 {
    let ran = Arc::new(AtomicU64::new(0));
    let mut left = count;
    let mut tasks = Vec::with_capacity(64);
    while left > 0 {
        let now = left.min(SPAWNED);
        for _ in 0..now {
            let ran = Arc::clone(&ran);
            tasks.push(R::spawn(async move {
                ran.fetch_add(1, Ordering::Relaxed);
            }));
        }
        for task in tasks.drain(..) {
            task.await;
        }
        left -= now;
    }
    ran.load(Ordering::Relaxed)
}

/// Sends a byte forth and back so many times, and returns how many bytes arrived at the other side.
async fn readiness<R: Tasks>(count: u64) -> io::Result<u64> {
    let (own, other) = UnixStream::pair()?;
    own.set_nonblocking(true)?;
    other.set_nonblocking(true)?;
    let (mut own, mut other) = (R::stream(own)?, R::stream(other)?);
    let arrived = Arc::new(AtomicU64::new(0));
    let echo = R::spawn({
        let arrived = Arc::clone(&arrived);
        async move {
            let mut byte = [0];
            for _ in 0..count {
                let Ok(1) = R::read(&mut other, &mut byte).await else { return };
                arrived.fetch_add(1, Ordering::Relaxed);
                let Ok(1) = R::write(&mut other, &byte).await else { return };
            }
        }
    });
    let mut byte = [7];
    for _ in 0..count {
        let sent = R::write(&mut own, &byte).await?;
        let received = R::read(&mut own, &mut byte).await?;
        if (sent, received) != (1, 1) {
            break;
        }
    }
    drop(own);
    echo.await;
    Ok(arrived.load(Ordering::Relaxed))
}

/// Hands so many values over from another task, and returns how many came in their order.
async fn queue<R: Tasks>(count: u64) -> u64 {
    let (mut entry, mut exit) = R::queue(QUEUE);
    let sending = R::spawn(async move {
        for value in 0..count {
            R::send(&mut entry, value).await;
        }
    });
    let mut in_order = 0;
    while let Some(value) = R::receive(&mut exit).await {
        in_order += u64::from(value == in_order);
    }
    sending.await;
    in_order
}

/// Takes a lock so many times, and returns how often that counted up.
async fn lock<R: Tasks>(count: u64) -> u64 {
    let lock = R::lock();
    let mut counted = 0;
    for _ in 0..count {
        counted = R::count_up(&lock, false).await;
    }
    counted
}

/// Takes a lock so many times from two tasks, each of which yields while it holds the lock, and
/// returns how often that counted up.
async fn lock_contended<R: Tasks>(count: u64) -> u64 {
    let lock = Arc::new(R::lock());
    let take = |times: u64| {
        let lock = Arc::clone(&lock);
        R::spawn(async move {
            for _ in 0..times {
                R::count_up(&lock, true).await;
            }
        })
    };
    let tasks = [take(count / 2), take(count - count / 2)];
    for task in tasks {
        task.await;
    }
    // One more than were asked for, to read the count.
    R::count_up(&lock, false).await - 1
}

/// Waits for events that a thread sets.
async fn events(work: Work) -> io::Result<Done> {
    let event = Arc::new(Signal::default());
    let mut setter = Setter::start(work, {
        let event = Arc::clone(&event);
        move || event.set()
    })?;
    while setter.is_left() {
        event.wait().await;
        setter.woken();
    }
    Ok(setter.done())
}

/// Waits for timers.
async fn timers<R: Tasks>(work: Work) -> Done {
    let mut lateness = Lateness::new(work);
    while let Some(length) = lateness.next() {
        R::sleep(length).await;
        lateness.woken();
    }
    lateness.done()
}

/// Waits for timers while many others are armed, none of which ends while the process lives: they
/// are armed in its first turn, and stay.
async fn timers_of_many<R: Tasks>(work: Work) -> Done {
    static ARE_ARMED: AtomicBool = AtomicBool::new(false);
    if !ARE_ARMED.swap(true, Ordering::Relaxed) {
        let armed = Arc::new(AtomicU64::new(0));
        let arm = |_| {
            let armed = Arc::clone(&armed);
            R::spawn(async move {
                armed.fetch_add(1, Ordering::Relaxed);
                R::sleep(LONG).await;
            })
        };
        let others: Vec<_> = (0..ARMED).map(arm).collect();
        while armed.load(Ordering::Relaxed) < ARMED {
            R::yield_now().await;
        }
        // What waits for a task may cancel it when it is dropped.
        mem::forget(others);
        // A runtime whose timers have a thread of their own learns of them later.
        R::sleep(SETTLES).await;
    }
    timers::<R>(work).await
}
