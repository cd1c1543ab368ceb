//! Tokio's sockets and timer, for all models on tokio, which differ in how they run their slots
//! and in nothing else.

use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Instant;

use model_kit::asynchronous::Runtime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Tokio's sockets and timer. It is generic so that it is compiled into each model, as if it stood
/// there: what is compiled here would have to be inlined across crates.
#[derive(Debug)]
pub struct Tokio<Model = ()>(PhantomData<Model>);

impl<Model> Runtime for Tokio<Model> {
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
