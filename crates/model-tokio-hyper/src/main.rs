//! One tokio task a slot with hyper: a handshake makes a connection, which has a task of its own.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use client_kit::hyper::{Runtime, Sender, drive};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

/// Tokio's sockets and timer.
struct Tokio;

impl Runtime for Tokio {
    async fn connect(address: SocketAddr) -> io::Result<Sender> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn sleep_until(deadline: Instant) {
        tokio::time::sleep_until(deadline.into()).await;
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let workers = plan.workers as usize;
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for slot in slots {
                tasks.spawn(drive::<Tokio>(slot));
            }
            while let Some(ended) = tasks.join_next().await {
                ended?;
            }
            Ok(())
        })
    })
}
