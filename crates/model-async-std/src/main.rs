//! One async-std task a slot. The number of its workers is read from the environment, which the
//! harness sets as the manifest says.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use async_std::io::{ReadExt, WriteExt};
use async_std::net::TcpStream;
use async_std::task;
use model_kit::asynchronous::{self, Runtime};

/// async-std's sockets and timer.
struct AsyncStd;

impl Runtime for AsyncStd {
    type Stream = TcpStream;

    async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        stream.write(bytes).await
    }

    async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        stream.read(buffer).await
    }

    async fn sleep_until(deadline: Instant) {
        task::sleep(deadline.saturating_duration_since(Instant::now())).await;
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        // The runtime starts with its first task, so it gets an empty one before the slots.
        task::block_on(task::spawn(async {}));
        task::block_on(async {
            let drive = asynchronous::drive::<AsyncStd>;
            let tasks: Vec<_> = slots.into_iter().map(|slot| task::spawn(drive(slot))).collect();
            for task in tasks {
                task.await;
            }
        });
        Ok(())
    })
}
