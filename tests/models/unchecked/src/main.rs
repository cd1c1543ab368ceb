//! The floor's loop without a slot: it finds the end of each reply, and verifies, records and
//! counts nothing beyond the number of replies. `benches/claims` measures it beside the floor,
//! to footprint what the slot does.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use model_kit::pipe::{self, FromModel, ToModel, Total, Turned, Window};
use model_kit::{Plan, Turn};
use nix::time::{ClockId, clock_gettime};

/// A connection, and how much of a reply it has read.
struct Entry {
    stream: TcpStream,
    buffer: Box<[u8]>,
    filled: usize,
    drained: bool,
    request: Vec<u8>,
    request_end: Vec<u8>,
    sends: bool,
}

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Speaks the pipe: one turn after the other, over connections that are kept.
fn serve() -> Result<(), Box<dyn Error>> {
    pipe::write(&mut io::stdout().lock(), &FromModel::Hello(model_kit::hello!()))?;
    let Some(ToModel::Plan(plan)) = pipe::read(&mut io::stdin().lock())? else { return Ok(()) };
    pipe::write(&mut io::stdout().lock(), &FromModel::Ready)?;
    let mut unchecked = Loop::new(&plan)?;
    while let Some(ToModel::Turn(turn)) = pipe::read(&mut io::stdin().lock())? {
        let turned = unchecked.fetch_all((&plan, &turn))?;
        pipe::write(&mut io::stdout().lock(), &FromModel::Turned(turned))?;
    }
    Ok(())
}

/// The loop and its connections.
struct Loop {
    poll: Poll,
    events: Events,
    entries: Vec<Entry>,
}

impl Loop {
    /// Connects every slot.
    fn new(plan: &Plan) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut entries = Vec::new();
        for index in 0..plan.cell.slots() as usize {
            let origin = plan.origins[index % plan.origins.len()];
            let mut stream = TcpStream::connect(origin)?;
            stream.set_nodelay(true)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(index), interest)?;
            entries.push(Entry {
                stream,
                buffer: vec![0; 16 * 1024].into(),
                filled: 0,
                drained: false,
                request: Vec::new(),
                request_end: format!(" HTTP/1.1\r\nHost: {origin}\r\n\r\n").into_bytes(),
                sends: false,
            });
        }
        Ok(Self { poll, events: Events::with_capacity(1024), entries })
    }

    /// Fetches as the turn says and reads the clocks as the window opens and closes.
    fn fetch_all(&mut self, (plan, turn): (&Plan, &Turn)) -> io::Result<Turned> {
        let ids = turn.ids(&plan.cell);
        let (mut dealt, mut ended, asked) = (ids.clone(), 0, ids.end - ids.start);
        let (mut opened, mut closed) = (None, None);
        for entry in &mut self.entries {
            entry.ask(dealt.next());
            // The socket may be writable already, of which an edge-triggered loop says nothing.
            entry.advance()?;
        }
        while ended < asked {
            self.poll.poll(&mut self.events, None)?;
            for index in self.events.iter().map(|event| event.token().0) {
                let entry = &mut self.entries[index];
                entry.drained = false;
                while entry.advance()? {
                    ended += 1;
                    entry.ask(dealt.next());
                    match ended.checked_sub(turn.warmup) {
                        Some(0) => opened = Some(clocks()),
                        Some(count) if count == turn.fetches => closed = Some(clocks()),
                        _ => {}
                    }
                }
            }
        }
        let (Some((wall, cpu)), Some((wall_end, cpu_end))) = (opened, closed) else {
            return Err(io::Error::other("the window did not open and close"));
        };
        let wall_ns = u64::try_from((wall_end - wall).as_nanos()).unwrap_or(u64::MAX);
        Ok(turned(turn, asked, (wall_ns, cpu_end - cpu)))
    }
}

impl Entry {
    /// Writes the request for an id, if there is one, as the slot does.
    fn ask(&mut self, id: Option<u64>) {
        let Some(id) = id else { return };
        self.request.clear();
        let _ = write!(self.request, "GET /f/{id}");
        self.request.extend_from_slice(&self.request_end);
        self.sends = true;
    }

    /// Writes and reads until the socket has to be waited for, or a reply has ended.
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            if self.drained && !self.sends {
                return Ok(false);
            }
            let result = match self.sends {
                true => self.stream.write(&self.request),
                false => self.stream.read(&mut self.buffer[self.filled..]),
            };
            match result {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
                Ok(_) if self.sends => self.sends = false,
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.filled += count;
                    self.drained = self.filled < self.buffer.len();
                }
            }
            if self.is_whole() {
                self.filled = 0;
                return Ok(true);
            }
        }
    }

    /// Returns whether the buffer holds a whole reply.
    fn is_whole(&self) -> bool {
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut head = httparse::Response::new(&mut fields);
        let Ok(httparse::Status::Complete(end)) = head.parse(&self.buffer[..self.filled]) else {
            return false;
        };
        let length = head.headers.iter().find(|f| f.name.eq_ignore_ascii_case("content-length"));
        let length = length.and_then(|f| std::str::from_utf8(f.value).ok()?.parse::<usize>().ok());
        length.is_some_and(|length| self.filled >= end + length)
    }
}

/// Reads the clocks: wall, and CPU time in nanoseconds.
fn clocks() -> (Instant, u64) {
    let cpu = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("Linux has this clock");
    let cpu = std::time::Duration::from(cpu).as_nanos();
    (Instant::now(), u64::try_from(cpu).unwrap_or(u64::MAX))
}

/// Returns a turn that says no more than was read.
fn turned(turn: &Turn, issued: u64, (wall_ns, cpu_ns): (u64, u64)) -> Turned {
    let ended = turn.fetches;
    Turned {
        turn: turn.number,
        window: Window {
            ended,
            ok: ended,
            wall_ns,
            cpu_ns,
            pacer_ns: 0,
            user_ns: 0,
            system_ns: 0,
            switches_voluntary: None,
            switches_involuntary: None,
            faults_minor: None,
        },
        total: Total { issued, ok: issued, errors: [].into(), extra_bytes: 0 },
        threads: 1,
        in_flight_peak: 0,
        scheduled: None,
        latencies_ns: Vec::new(),
        wake_up_delays_ns: Vec::new(),
        responses_ns: Vec::new(),
        lags_ns: Vec::new(),
    }
}
