//! One smol task a slot, on an executor that as many threads run as the plan has workers.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use model_kit::asynchronous::{self, Runtime};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::TcpStream;
use smol::{Executor, Timer, channel};

/// smol's sockets and timer.
struct Smol;

impl Runtime for Smol {
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
        Timer::at(deadline).await;
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let executor = Executor::new();
        let (stop, stopped) = channel::bounded::<()>(1);
        thread::scope(|scope| {
            // Those that run are stopped, too, when another cannot be had.
            let _stop = stop;
            for _ in 0..plan.workers {
                let work = || smol::block_on(executor.run(stopped.recv()));
                thread::Builder::new().spawn_scoped(scope, work)?;
            }
            let drive = asynchronous::drive::<Smol>;
            let tasks: Vec<_> = slots.into_iter().map(|slot| executor.spawn(drive(slot))).collect();
            tasks.into_iter().for_each(smol::block_on);
            Ok(())
        })
    })
}
