//! One smol task a slot with hyper: a connection is made by a handshake and driven by its own task.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;
use std::{io, thread};

use client_kit::hyper::{Runtime, Sender, drive};
use hyper::client::conn::http1;
use smol::net::TcpStream;
use smol::{Executor, Timer, future};
use smol_hyper::rt::FuturesIo;

static EXECUTOR: Executor<'static> = Executor::new();

/// smol's sockets and timer.
struct Smol;

impl Runtime for Smol {
    async fn connect(address: SocketAddr) -> io::Result<Sender> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let shaken = http1::handshake(FuturesIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(io::Error::other)?;
        EXECUTOR.spawn(connection).detach();
        Ok(sender)
    }

    async fn sleep_until(deadline: Instant) {
        Timer::at(deadline).await;
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let work = || smol::block_on(EXECUTOR.run(future::pending::<()>()));
        (0..plan.workers).try_for_each(|_| thread::Builder::new().spawn(work).map(drop))?;
        let spawn = |slot| EXECUTOR.spawn(drive::<Smol>(slot));
        let tasks: Vec<_> = slots.into_iter().map(spawn).collect();
        tasks.into_iter().for_each(smol::block_on);
        Ok(())
    })
}
