//! Tasks of tokio, on a multi-threaded runtime with as many workers as the plan says, as in the
//! model of that name. The main thread waits for one task and sleeps meanwhile.

use std::io;
use std::os::unix::net;
use std::process::ExitCode;
use std::time::Duration;

use model_kit::primitive::{self, tasks};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::{task, time};

/// Tokio's tasks, timer, sockets and queue.
struct Tokio;

impl tasks::Tasks for Tokio {
    type Stream = UnixStream;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Lock = Mutex<u64>;

    fn spawn(
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let task = tokio::spawn(task);
        async move { task.await.expect("no task panics") }
    }

    async fn yield_now() {
        task::yield_now().await;
    }

    async fn sleep(length: Duration) {
        time::sleep(length).await;
    }

    fn stream(socket: net::UnixStream) -> io::Result<UnixStream> {
        UnixStream::from_std(socket)
    }

    async fn read(stream: &mut UnixStream, buffer: &mut [u8]) -> io::Result<usize> {
        stream.read(buffer).await
    }

    async fn write(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<usize> {
        stream.write(bytes).await
    }

    fn queue(places: usize) -> (Sender<u64>, Receiver<u64>) {
        mpsc::channel(places)
    }

    async fn send(queue: &mut Sender<u64>, value: u64) {
        // Whoever no longer receives has counted too few, which is seen.
        let _ = queue.send(value).await;
    }

    async fn receive(queue: &mut Receiver<u64>) -> Option<u64> {
        queue.recv().await
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
        let workers = plan.workers as usize;
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        Ok(move |work| Ok(runtime.block_on(runtime.spawn(tasks::work::<Tokio>(work)))??))
    })
}
