//! One monoio task a slot, on a runtime of one thread that the kernel notifies of what is complete.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use model_kit::completion::{self, Runtime};
use monoio::io::{AsyncReadRent, AsyncWriteRent};
use monoio::net::TcpStream;
use monoio::{IoUringDriver, RuntimeBuilder};

/// Monoio's sockets and timer.
struct Monoio;

impl Runtime for Monoio {
    type Stream = TcpStream;

    async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_addr(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn write(stream: &mut TcpStream, bytes: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        stream.write(bytes).await
    }

    async fn read(stream: &mut TcpStream, buffer: Box<[u8]>) -> (io::Result<usize>, Box<[u8]>) {
        stream.read(buffer).await
    }

    async fn sleep_until(deadline: Instant) {
        monoio::time::sleep_until(deadline.into()).await;
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        let mut runtime = RuntimeBuilder::<IoUringDriver>::new().enable_timer().build()?;
        runtime.block_on(async {
            let spawn = |slot| monoio::spawn(completion::drive::<Monoio>(slot));
            let tasks: Vec<_> = slots.into_iter().map(spawn).collect();
            for task in tasks {
                task.await;
            }
        });
        Ok(())
    })
}
