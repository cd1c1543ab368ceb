//! One OS thread a slot, each blocking on the future of its slot: what async sockets cost without
//! an executor.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

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

/// Makes async-io open what it waits with. It panics where it cannot, and it would do so at the
/// first socket, when many threads may have taken every descriptor between them.
fn start_reactor() {
    let timer = pin!(Timer::after(Duration::from_secs(1)));
    let _pending = timer.poll(&mut Context::from_waker(Waker::noop()));
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        start_reactor();
        thread::scope(|scope| {
            for slot in slots {
                let unit = || pollster::block_on(asynchronous::drive::<AsyncIo>(slot));
                thread::Builder::new().spawn_scoped(scope, unit)?;
            }
            Ok(())
        })
    })
}
