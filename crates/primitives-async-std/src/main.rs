//! Tasks of async-std. The number of its workers is read from the environment, which the harness
//! sets as the manifest says. The main thread waits for one task and sleeps meanwhile.

use std::io;
use std::os::unix::net;
use std::process::ExitCode;
use std::time::Duration;

use async_std::channel::{self, Receiver, Sender};
use async_std::io::{ReadExt, WriteExt};
use async_std::os::unix::net::UnixStream;
use async_std::sync::Mutex;
use async_std::task;
use model_kit::primitive::{self, tasks};

/// async-std's tasks, timer, sockets and queue.
struct AsyncStd;

impl tasks::Tasks for AsyncStd {
    type Stream = UnixStream;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Lock = Mutex<u64>;

    fn spawn(
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        task::spawn(task)
    }

    async fn yield_now() {
        task::yield_now().await;
    }

    async fn sleep(length: Duration) {
        task::sleep(length).await;
    }

    fn stream(socket: net::UnixStream) -> io::Result<UnixStream> {
        Ok(socket.into())
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
    primitive::serve(model_kit::hello!(), |_| {
        Ok(|work| Ok(task::block_on(task::spawn(tasks::work::<AsyncStd>(work)))?))
    })
}
