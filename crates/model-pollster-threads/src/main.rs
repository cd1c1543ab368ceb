//! One OS thread a slot, each blocking on the future of its slot: what async sockets cost without
//! an executor.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use async_io::{Async, Timer};
use model_kit::asynchronous::{self, Runtime};

/// async-io's sockets and timer.
struct AsyncIo;

impl Runtime for AsyncIo {
    type Stream = Async<TcpStream>;

    async fn connect(address: SocketAddr) -> io::Result<Async<TcpStream>> {
        let stream = Async::<TcpStream>::connect(address).await?;
        stream.get_ref().set_nodelay(true)?;
        Ok(stream)
    }

    async fn write(stream: &mut Async<TcpStream>, bytes: &[u8]) -> io::Result<usize> {
        stream.write_with(|mut stream| stream.write(bytes)).await
    }

    async fn read(stream: &mut Async<TcpStream>, buffer: &mut [u8]) -> io::Result<usize> {
        stream.read_with(|mut stream| stream.read(buffer)).await
    }

    async fn sleep_until(deadline: Instant) {
        Timer::at(deadline).await;
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        thread::scope(|scope| {
            for slot in slots {
                let unit = || pollster::block_on(asynchronous::drive::<AsyncIo>(slot));
                thread::Builder::new().spawn_scoped(scope, unit)?;
            }
            Ok(())
        })
    })
}
