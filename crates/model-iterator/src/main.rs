//! A generator-style iterator over outcomes: lazy, blocking, one fetch in flight.
//!
//! Nothing is fetched until the consumer asks for the next outcome, and the consumer waits while
//! it is.

use std::process::ExitCode;

use model_kit::blocking::Connection;
use model_kit::{Outcome, Slot};

/// The outcomes of a slot, fetched as they are asked for.
struct Fetches {
    slot: Slot,
    connection: Connection,
}

impl Iterator for Fetches {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        self.connection.fetch(&mut self.slot)
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        for slot in slots {
            Fetches { slot, connection: Connection::default() }.for_each(drop);
        }
        Ok(())
    })
}
