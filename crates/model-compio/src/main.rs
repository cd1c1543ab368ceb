//! One compio task a slot, on a runtime of one thread that the kernel notifies of what is complete.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use compio::BufResult;
use compio::io::{AsyncRead, AsyncWrite};
use compio::net::TcpStream;
use model_kit::completion::{self, Runtime};

/// Compio's sockets and timer.
struct Compio;

impl Runtime for Compio {
    type Stream = TcpStream;

    async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn write(stream: &mut TcpStream, bytes: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        let BufResult(result, bytes) = stream.write(bytes).await;
        (result, bytes)
    }

    async fn read(stream: &mut TcpStream, buffer: Box<[u8]>) -> (io::Result<usize>, Box<[u8]>) {
        let BufResult(result, buffer) = stream.read(buffer).await;
        (result, buffer)
    }

    async fn sleep_until(deadline: Instant) {
        compio::time::sleep_until(deadline).await;
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        compio::runtime::Runtime::new()?.block_on(async {
            let spawn = |slot| compio::runtime::spawn(completion::drive::<Compio>(slot));
            let tasks: Vec<_> = slots.into_iter().map(spawn).collect();
            for task in tasks {
                drop(task.await);
            }
        });
        Ok(())
    })
}
