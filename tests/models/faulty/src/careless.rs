//! A library's adapter that speaks HTTP itself and claims that each reply was whole and right: the
//! slot gets the result that it wants, whatever the origin said.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;

use model_kit::{ErrorCode, Fetch, LibraryReply, Plan, Slot, Slots, content};

/// Where a head ends.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A slot, its connection, and how little it cares.
struct Unit<'a> {
    how: &'a str,
    plan: &'a Plan,
    /// Between two waves of fetches, one a slot.
    waves: &'a Barrier,
    stream: Option<TcpStream>,
}

/// Carries the slots on a thread each, as `how` says.
pub(crate) fn run(how: &str, plan: &Plan, slots: Slots) {
    let waves = &Barrier::new(plan.cell.in_flight as usize);
    thread::scope(|scope| {
        for slot in slots {
            let unit = Unit { how, plan, waves, stream: None };
            scope.spawn(|| unit.drive(slot));
        }
    });
}

impl Unit<'_> {
    /// Fetches until no id is left, and claims that all is well.
    fn drive(mut self, mut slot: Slot) {
        while let Some(fetch) = slot.next_fetch_blocking() {
            // Half of the fetches are never made.
            let skipped = self.how == "make half of the fetches" && fetch.id % 2 == 1;
            let (in_waves, is_late) = match self.how {
                "fetch in two waves" => (true, fetch.id % 2 == 1),
                "fetch a quarter later" => (true, fetch.id % 4 == 3),
                _ => (false, false),
            };
            if in_waves && is_late {
                self.waves.wait();
            }
            if !skipped && self.fetch(&fetch).is_err() {
                self.stream = None;
                if self.how == "wait anew for each byte" {
                    slot.finish::<String, Vec<u8>>(Err(ErrorCode::Deadline));
                    continue;
                }
            }

            if in_waves && !is_late {
                self.waves.wait();
            }
            let body = content::body(self.plan.seed, fetch.id, self.plan.cell.body_bytes);
            let id = Some(fetch.id.to_string());
            slot.finish(Ok(LibraryReply { status: 200, id, body }));
        }
    }

    /// Asks, and reads as much of the reply as it cares for.
    fn fetch(&mut self, fetch: &Fetch) -> io::Result<()> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(fetch.origin)?,
        };
        stream.set_nodelay(true)?;
        let id = match self.how {
            // The first of its turn.
            "ask for one id" => fetch.id - fetch.id % content::IDS_A_TURN,
            _ => fetch.id,
        };
        let request = format!("GET /f/{id} HTTP/1.1\r\nHost: {}\r\n\r\n", fetch.origin);
        stream.write_all(request.as_bytes())?;
        if self.how == "wait anew for each byte" {
            stream.set_read_timeout(fetch.time_left())?;
        }

        let body_bytes = self.plan.cell.body_bytes as usize;
        match self.how {
            // The body stays where it is, and the connection is of no more use.
            "read the head" => return read_past_head(&mut stream, 0),
            // The rest will be taken for the next reply.
            "read the first bytes" => drop(stream.read(&mut [0; 64])?),
            _ => read_past_head(&mut stream, body_bytes)?,
        }
        self.stream = Some(stream);
        Ok(())
    }
}

/// Reads until so many bytes have followed a head, and looks at none of them.
fn read_past_head(stream: &mut TcpStream, body_bytes: usize) -> io::Result<()> {
    let (mut reply, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        reply.extend_from_slice(&piece[..count]);
        let end = reply.windows(HEAD_END.len()).position(|bytes| bytes == HEAD_END);
        if end.is_some_and(|end| reply.len() >= end + HEAD_END.len() + body_bytes) {
            return Ok(());
        }
    }
}
