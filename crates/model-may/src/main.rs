//! One stackful coroutine a slot, which blocks as a thread does.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use may::coroutine;
use may::net::TcpStream;
use model_kit::Slot;
use model_kit::blocking::{Connection, Runtime};

/// may's sockets and timer.
struct May;

impl Runtime for May {
    type Stream = TcpStream;

    fn connect(address: SocketAddr, limit: Option<Duration>) -> io::Result<TcpStream> {
        let stream = match limit {
            None => TcpStream::connect(address)?,
            Some(limit) => TcpStream::connect_timeout(&address, limit)?,
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn limit_reads(stream: &TcpStream, limit: Duration) -> io::Result<()> {
        stream.set_read_timeout(Some(limit))
    }

    fn limit_writes(stream: &TcpStream, limit: Duration) -> io::Result<()> {
        stream.set_write_timeout(Some(limit))
    }

    fn sleep(time: Duration) {
        coroutine::sleep(time);
    }

    fn next_turn(slot: &mut Slot) {
        let unit = coroutine::current();
        slot.next_turn_parked(coroutine::park, move || unit.unpark());
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        may::config().set_workers(plan.workers as usize);
        let unit = |mut slot| {
            may::go!(move || {
                let mut connection = Connection::<May>::default();
                while connection.fetch(&mut slot).is_some() {}
            })
        };
        let units: Vec<_> = slots.into_iter().map(unit).collect();
        units.into_iter().try_for_each(|unit| unit.join().map_err(|_| "a coroutine panicked"))?;
        Ok(())
    })
}
