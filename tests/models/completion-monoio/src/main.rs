//! A slot on monoio: buffers move into the kernel and back, as its contract allows.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use model_kit::{Slot, Step};
use monoio::io::{AsyncReadRent, AsyncWriteRent};
use monoio::net::TcpStream;
use monoio::{IoUringDriver, RuntimeBuilder};

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        let mut runtime = RuntimeBuilder::<IoUringDriver>::new().enable_timer().build()?;
        runtime.block_on(async {
            let tasks: Vec<_> = slots.into_iter().map(|slot| monoio::spawn(drive(slot))).collect();
            for task in tasks {
                task.await;
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
                let (result, bytes) = stream.write(bytes).await;
                slot.sent(bytes, result);
            }
            (Step::Receive(buffer), Some(stream)) => {
                let (result, buffer) = stream.read(buffer).await;
                slot.received(buffer, result);
            }
            (Step::Wait(due), _) => {
                monoio::time::sleep_until(due.into()).await;
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
    let stream = TcpStream::connect_addr(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
