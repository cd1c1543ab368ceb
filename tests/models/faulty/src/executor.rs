//! A task a slot on one worker of tokio: built too late, or held up by what blocks.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use model_kit::asynchronous::{self, Runtime};
use model_kit::{ModelResult, Slots};
use tokio::net::TcpStream;
use tokio::runtime::{self, Builder};
use tokio::task::{JoinSet, LocalSet};
use tokio_kit::Tokio;

/// How long a task blocks its worker after each read.
const NAP: Duration = Duration::from_millis(50);
/// How long arrivals are gathered that then leave together: ten of 400 a second.
const GATHERING: Duration = Duration::from_millis(25);
/// When gathering began.
static GATHERED: LazyLock<Instant> = LazyLock::new(Instant::now);
/// The memory that a runtime fills as it is built, in bytes: 16 384 pages, each a fault.
const ARENA: usize = 64 * 1024 * 1024;

/// Tokio's sockets and timer, where each read ends with a nap of the whole thread.
struct Napping;

/// Tokio's sockets, and a timer that wakes all who wait together.
struct Gathering;

/// Sockets and a timer that block the thread of whoever waits for them.
struct Blocking;

impl Runtime for Napping {
    type Stream = TcpStream;

    async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        <Tokio>::connect(address).await
    }

    async fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        <Tokio>::write(stream, bytes).await
    }

    async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        let read = <Tokio>::read(stream, buffer).await;
        thread::sleep(NAP);
        read
    }

    async fn sleep_until(deadline: Instant) {
        <Tokio>::sleep_until(deadline).await;
    }
}

impl Runtime for Gathering {
    type Stream = TcpStream;

    async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        <Tokio>::connect(address).await
    }

    async fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        <Tokio>::write(stream, bytes).await
    }

    async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        <Tokio>::read(stream, buffer).await
    }

    async fn sleep_until(deadline: Instant) {
        let since = deadline.saturating_duration_since(*GATHERED).as_millis();
        let gatherings = since / GATHERING.as_millis() + 1;
        let wake = GATHERING * u32::try_from(gatherings).unwrap_or(u32::MAX);
        <Tokio>::sleep_until(*GATHERED + wake).await;
    }
}

impl Runtime for Blocking {
    type Stream = std::net::TcpStream;

    async fn connect(address: SocketAddr) -> io::Result<Self::Stream> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn write(stream: &mut Self::Stream, bytes: &[u8]) -> io::Result<usize> {
        stream.write(bytes)
    }

    async fn read(stream: &mut Self::Stream, buffer: &mut [u8]) -> io::Result<usize> {
        stream.read(buffer)
    }

    async fn sleep_until(deadline: Instant) {
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
    }
}

/// Carries the slots as `how` says.
pub(crate) fn run(how: &str, slots: Slots) -> ModelResult {
    match how {
        "sleep on the worker" => drive::<Napping>(&built()?, slots),
        "gather arrivals" => drive::<Gathering>(&built()?, slots),
        "block the worker" => drive::<Blocking>(&built()?, slots),
        "built with an arena" => {
            let (runtime, _arena) = (built()?, arena());
            drive::<Tokio>(&runtime, slots)
        }
        "built too late" => {
            // The window of a batch opens here.
            let slots = slots.into_iter();
            let (runtime, _arena) = (built()?, arena());
            drive::<Tokio>(&runtime, slots)
        }
        _ => drive::<Tokio>(&built()?, slots),
    }
}

/// Builds a runtime of one worker, which is the thread that calls it.
fn built() -> io::Result<runtime::Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Fills memory, as a runtime with an arena of its own does.
fn arena() -> Vec<u8> {
    black_box(vec![1; ARENA])
}

/// Gives each slot a task, and waits for all.
fn drive<R>(
    runtime: &runtime::Runtime,
    slots: impl IntoIterator<Item = model_kit::Slot>,
) -> ModelResult
where
    R: Runtime + 'static,
{
    LocalSet::new().block_on(runtime, async {
        let mut tasks = JoinSet::new();
        for slot in slots {
            tasks.spawn_local(asynchronous::drive::<R>(slot));
        }
        while let Some(ended) = tasks.join_next().await {
            ended?;
        }
        Ok(())
    })
}
