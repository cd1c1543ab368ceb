//! The blocking, generator-style iterator with `reqwest::blocking`: one client. It runs tokio on a
//! thread of its own, for which the iterator waits.

use std::process::ExitCode;

use client_kit::reqwest::blocking::{client, get};
use model_kit::{Outcome, Slot};
use reqwest::blocking::Client;

/// The outcomes of a slot, fetched as they are asked for.
struct Fetches(Client, Slot);

impl Iterator for Fetches {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        let fetch = self.1.next_fetch_blocking()?;
        self.1.finish(get(&self.0, fetch));
        self.1.take_outcome()
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        let client = client()?;
        slots.into_iter().for_each(|slot| Fetches(client.clone(), slot).for_each(drop));
        Ok(())
    })
}
