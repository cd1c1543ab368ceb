//! One async-std task a slot with hyper: a connection is made by a handshake and driven by its own
//! task. (surf and async-h1, the clients of its own world, are discontinued too.)

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use async_std::net::TcpStream;
use async_std::task;
use client_kit::hyper::{Runtime, Sender, drive};
use hyper::client::conn::http1;
use smol_hyper::rt::FuturesIo;

/// async-std's sockets and timer.
struct AsyncStd;

impl Runtime for AsyncStd {
    async fn connect(address: SocketAddr) -> io::Result<Sender> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let shaken = http1::handshake(FuturesIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(io::Error::other)?;
        task::spawn(connection);
        Ok(sender)
    }

    async fn sleep_until(deadline: Instant) {
        task::sleep(deadline.saturating_duration_since(Instant::now())).await;
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        // The runtime starts with its first task, so it gets an empty one before the slots.
        task::block_on(task::spawn(async {}));
        let spawn = |slot| task::spawn(drive::<AsyncStd>(slot));
        let tasks: Vec<_> = slots.into_iter().map(spawn).collect();
        tasks.into_iter().for_each(task::block_on);
        Ok(())
    })
}
