//! Tasks of smol, on an executor that as many threads run as the plan has workers, as in the model
//! of that name. The main thread waits for one task and sleeps meanwhile.

use std::io;
use std::os::unix::net;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use model_kit::primitive::{self, tasks};
use smol::channel::{self, Receiver, Sender};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::lock::Mutex;
use smol::net::unix::UnixStream;
use smol::{Async, Executor, Timer, future};

/// The executor, which tasks must reach to spawn others.
static EXECUTOR: Executor<'static> = Executor::new();

/// smol's tasks, timer, sockets and queue.
struct Smol;

impl tasks::Tasks for Smol {
    type Stream = UnixStream;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Lock = Mutex<u64>;

    fn spawn(
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        EXECUTOR.spawn(task)
    }

    async fn yield_now() {
        future::yield_now().await;
    }

    async fn sleep(length: Duration) {
        Timer::after(length).await;
    }

    fn stream(socket: net::UnixStream) -> io::Result<UnixStream> {
        Ok(Async::new(socket)?.into())
    }

    async fn read(stream: &mut UnixStream, buffer: &mut [u8]) -> io::Result<usize> {
        stream.read(buffer).await
    }

    async fn write(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<usize> {
        stream.write(bytes).await
    }

    fn queue(places: usize) -> (Sender<u64>, Receiver<u64>) {
        channel::bounded(places)
    }

    async fn send(queue: &mut Sender<u64>, value: u64) {
        // Whoever no longer receives has counted too few, which is seen.
        let _ = queue.send(value).await;
    }

    async fn receive(queue: &mut Receiver<u64>) -> Option<u64> {
        queue.recv().await.ok()
    }

    fn lock() -> Mutex<u64> {
        Mutex::new(0)
    }

    async fn count_up(lock: &Mutex<u64>, yields: bool) -> u64 {
        let mut count = lock.lock().await;
        *count += 1;
        if yields {
            Self::yield_now().await;
        }
        *count
    }
}

fn main() -> ExitCode {
    primitive::serve(model_kit::hello!(), |plan| {
        for _ in 0..plan.workers {
            // They end with the process.
            let run = || smol::block_on(EXECUTOR.run(future::pending::<()>()));
            thread::Builder::new().spawn(run)?;
        }
        Ok(|work| Ok(smol::block_on(EXECUTOR.spawn(tasks::work::<Smol>(work)))?))
    })
}
