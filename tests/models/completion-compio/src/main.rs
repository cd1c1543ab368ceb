//! A slot on compio: buffers move into the kernel and back, as its contract allows.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use compio::BufResult;
use compio::io::{AsyncRead, AsyncWrite};
use compio::net::TcpStream;
use compio::runtime::Runtime;
use model_kit::{Slot, Step};

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        Runtime::new()?.block_on(async {
            let spawn = |slot| compio::runtime::spawn(drive(slot));
            let tasks: Vec<_> = slots.into_iter().map(spawn).collect();
            for task in tasks {
                drop(task.await);
            }
        });
        Ok(())
    })
}

/// Fetches with a slot until there is nothing more to fetch.
async fn drive(mut slot: Slot) {
    let mut connection = None;
    loop {
        match (slot.step(), &mut connection) {
            (Step::Connect(address), connection) => {
                *connection = None;
                *connection = slot.connected(connect(address).await);
            }
            (Step::Send(bytes), Some(stream)) => {
                let BufResult(result, bytes) = stream.write(bytes).await;
                slot.sent(bytes, result);
            }
            (Step::Receive(buffer), Some(stream)) => {
                let BufResult(result, buffer) = stream.read(buffer).await;
                slot.received(buffer, result);
            }
            (Step::Wait(due), _) => {
                compio::time::sleep_until(due).await;
                slot.waited();
            }
            (Step::Rest, _) => slot.next_turn().await,
            (Step::Done, _) => return,
            (_, None) => unreachable!("a slot asks for a connection first"),
        }
    }
}

/// Connects and sets `TCP_NODELAY`.
async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
