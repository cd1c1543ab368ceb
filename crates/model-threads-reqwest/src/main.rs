//! One OS thread a slot, with `reqwest::blocking` as its documentation says: one client, cloned. It
//! runs tokio on a thread of its own, for which all others wait.

use std::process::ExitCode;
use std::thread;

use client_kit::reqwest::blocking::{client, get};
use model_kit::Slot;
use reqwest::blocking::Client;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        let client = client()?;
        thread::scope(|scope| {
            for slot in slots {
                let client = client.clone();
                thread::Builder::new().spawn_scoped(scope, move || drive(&client, slot))?;
            }
            Ok(())
        })
    })
}

/// Carries the fetches of one slot.
fn drive(client: &Client, mut slot: Slot) {
    while let Some(fetch) = slot.next_fetch_blocking() {
        slot.finish(get(client, fetch));
    }
}
