//! One thread and a loop over epoll: a byte goes forth and back between two sockets that the same
//! thread reads when they are ready. What readiness costs without any unit that waits for it.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use mio::net::UnixStream;
use mio::{Events, Interest, Poll, Token};
use model_kit::Workload;
use model_kit::primitive::{self, Work};

fn main() -> ExitCode {
    primitive::serve(model_kit::hello!(), |plan| {
        if plan.cell.workload != Workload::Readiness {
            return Err(format!("an event loop has no {}", plan.cell.workload.name()).into());
        }
        Ok(|work: Work| {
            let batch = work.begin();
            Ok(batch.end(readiness(work.count)?))
        })
    })
}

/// Sends a byte forth and back so many times, and returns how many bytes arrived at the other side.
fn readiness(count: u64) -> io::Result<u64> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(8);
    let (own, other) = UnixStream::pair()?;
    let mut sockets = [own, other];
    for (number, socket) in sockets.iter_mut().enumerate() {
        poll.registry().register(socket, Token(number), Interest::READABLE)?;
    }

    let mut arrived = [0, 0];
    sockets[0].write_all(&[7])?;
    while arrived[0] < count {
        poll.poll(&mut events, None)?;
        for event in &events {
            let number = event.token().0;
            let mut byte = [0];
            match sockets[number].read(&mut byte) {
                Ok(1) => arrived[number] += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Ok(_) => return Ok(arrived[1]),
                Err(error) => return Err(error),
            }
            if number == 1 || arrived[0] < count {
                sockets[number].write_all(&byte)?;
            }
        }
    }
    Ok(arrived[1])
}
