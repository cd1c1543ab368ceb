//! A thread a slot, as it should be and not: what a unit may do wrong while every fetch is ok.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use model_kit::blocking::{self, Connection, Threads};
use model_kit::content::IDS_A_TURN;
use model_kit::{ModelResult, Slot, Slots, Step};

use crate::forever;

/// How many of the slots may fetch at once where permits are asked for.
const PERMITS: u32 = 4;
/// The fetch of a turn in which a unit panics.
const PANICS_AT: u64 = 11;
/// What each slot holds besides where that is asked for, in bytes.
const HELD: usize = 8 * 1024;
/// The threads of a runtime that nobody asked for.
const HIDDEN_THREADS: u32 = 2;

/// Permits to fetch.
struct Permits {
    free: Mutex<u32>,
    given_back: Condvar,
}

/// Carries the slots as `how` says.
pub(crate) fn run(how: &str, slots: Slots) -> ModelResult {
    if how == "hidden threads" {
        (0..HIDDEN_THREADS).for_each(|_| drop(thread::spawn(forever)));
    }

    let permits = Arc::new(Permits { free: Mutex::new(PERMITS), given_back: Condvar::new() });
    let start = |slot| -> thread::JoinHandle<io::Result<()>> {
        let permits = Arc::clone(&permits);
        match how {
            "connect anew" => thread::spawn(|| connect_anew(slot)),
            "keep one" => thread::spawn(|| keep_one(slot)),
            "one panics" => thread::spawn(|| {
                panic_once(slot);
                Ok(())
            }),
            "wait for a permit" => thread::spawn(move || {
                wait_for_a_permit(slot, &permits);
                Ok(())
            }),
            "hold 8 KiB" => {
                let held = vec![1_u8; HELD];
                thread::spawn(move || {
                    blocking::drive(slot);
                    drop(std::hint::black_box(held));
                    Ok(())
                })
            }
            _ => thread::spawn(|| {
                blocking::drive(slot);
                Ok(())
            }),
        }
    };
    let threads: Vec<_> = slots.into_iter().map(start).collect();
    for thread in threads {
        match thread.join() {
            // Nobody looks how the units ended.
            Err(_) if how == "one panics" => {}
            ended => ended.map_err(|_| "a thread panicked")??,
        }
    }
    Ok(())
}

/// Fetches, and panics in the middle of one fetch of every turn.
fn panic_once(mut slot: Slot) {
    let mut connection = Connection::<Threads>::default();
    loop {
        if let Step::Send(bytes) = slot.step() {
            let request = String::from_utf8_lossy(&bytes).into_owned();
            let id = request.split(['/', ' ']).find_map(|part| part.parse::<u64>().ok());
            assert!(id.map(|id| id % IDS_A_TURN) != Some(PANICS_AT), "this unit panics");
            slot.sent(bytes, Err(ErrorKind::WouldBlock.into()));
        }
        if connection.fetch(&mut slot).is_none() {
            return;
        }
    }
}

/// Connects for every fetch, and lets the slot believe that it uses one connection.
fn connect_anew(mut slot: Slot) -> io::Result<()> {
    let (mut origin, mut stream) = (None, None);
    loop {
        match slot.step() {
            Step::Connect(address) => {
                origin = Some(address);
                slot.connected(Ok(()));
            }
            Step::Send(bytes) => {
                let mut fresh = TcpStream::connect(origin.ok_or(ErrorKind::AddrNotAvailable)?)?;
                fresh.set_nodelay(true)?;
                let sent = fresh.write(&bytes);
                slot.sent(bytes, sent);
                stream = Some(fresh);
            }
            Step::Receive(mut buffer) => {
                let read = stream.as_mut().ok_or(ErrorKind::NotConnected)?.read(&mut buffer);
                slot.received(buffer, read);
            }
            Step::Wait(_) | Step::Rest | Step::Done => return Ok(()),
        }
    }
}

/// Keeps one connection for all fetches, and lets the slot believe that it makes one for each.
fn keep_one(mut slot: Slot) -> io::Result<()> {
    let mut kept = None;
    loop {
        match (slot.step(), &mut kept) {
            (Step::Connect(address), None) => {
                kept = Some(TcpStream::connect(address)?);
                slot.connected(Ok(()));
            }
            (Step::Connect(_), Some(_)) => drop(slot.connected(Ok(()))),
            (Step::Send(bytes), Some(stream)) => {
                let sent = stream.write(&bytes);
                slot.sent(bytes, sent);
            }
            (Step::Receive(mut buffer), Some(stream)) => {
                let read = stream.read(&mut buffer);
                slot.received(buffer, read);
            }
            (Step::Rest, _) => slot.next_turn_blocking(),
            _ => return Ok(()),
        }
    }
}

/// Takes a fetch first, so that the model has it in flight, and then waits until it may ask for it.
fn wait_for_a_permit(mut slot: Slot, permits: &Permits) {
    let mut connection = Connection::<Threads>::default();
    loop {
        match slot.step() {
            Step::Done => return,
            Step::Rest => {
                slot.next_turn_blocking();
                continue;
            }
            Step::Send(bytes) => slot.sent(bytes, Err(ErrorKind::WouldBlock.into())),
            _ => {}
        }
        permits.take();
        connection.fetch(&mut slot);
        permits.give();
    }
}

impl Permits {
    /// Waits for a permit and takes it.
    fn take(&self) {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.given_back.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
    }

    /// Gives a permit back.
    fn give(&self) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.given_back.notify_one();
    }
}
