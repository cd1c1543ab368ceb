//! All slots in one tokio task: a `FuturesUnordered` polls those of its futures that were woken.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model_kit::asynchronous::{self, Runtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

/// Tokio's sockets and timer.
struct Tokio;

impl Runtime for Tokio {
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
        tokio::time::sleep_until(deadline.into()).await;
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        Builder::new_current_thread().enable_all().build()?.block_on(async {
            let mut futures: FuturesUnordered<_> =
                slots.into_iter().map(asynchronous::drive::<Tokio>).collect();
            while futures.next().await.is_some() {}
        });
        Ok(())
    })
}
