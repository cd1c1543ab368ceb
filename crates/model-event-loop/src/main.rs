//! The floor: one thread and a hand-written loop over epoll, the least that any model could cost.
//!
//! Sockets are registered once, edge-triggered: a fetch costs a write, a read, a share of a wait.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use mio::net::TcpStream;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use model_kit::Slot;
use model_kit::readiness::{self, Alarm, Connection, Sockets};

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let (mut poll, alarm) = (Poll::new()?, Alarm::new(&slots)?);
        poll.registry().register(&mut SourceFd(&alarm.fd()), Token(!0), Interest::READABLE)?;
        let mut events = Events::with_capacity(1024);
        let mut entries: Vec<_> = slots.into_iter().map(|s| (s, Connection::default())).collect();
        for (index, entry) in entries.iter_mut().enumerate() {
            advance(entry, poll.registry(), (Token(index), false));
        }

        while entries.iter().any(|(slot, _)| !slot.is_done()) {
            let timeout = alarm.set(readiness::patience(plan, entries.iter().map(|(s, _)| s)))?;
            poll.poll(&mut events, timeout)?;
            for event in &events {
                let ready = (event.token(), event.is_read_closed() || event.is_error());
                if let Some(entry) = entries.get_mut(event.token().0) {
                    advance(entry, poll.registry(), ready);
                }
            }
            for (index, entry) in entries.iter_mut().enumerate().filter(|_| timeout.is_some()) {
                if entry.1.expire(&mut entry.0) {
                    advance(entry, poll.registry(), (Token(index), false));
                }
            }
        }
        Ok(())
    })
}

/// Steps a slot until its socket would block.
fn advance(entry: &mut (Slot, Connection<TcpStream>), registry: &Registry, ready: (Token, bool)) {
    let connect = |address: SocketAddr| {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        registry.register(&mut stream, ready.0, Interest::READABLE | Interest::WRITABLE)?;
        Ok(stream)
    };
    let established = |stream: &TcpStream| match (stream.take_error()?, stream.peer_addr()) {
        (Some(error), _) => Err(error),
        (None, Err(error)) if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        (None, peer) => peer.map(drop),
    };
    entry.1.advance(&mut entry.0, &mut Sockets { connect, established }, ready.1);
}
