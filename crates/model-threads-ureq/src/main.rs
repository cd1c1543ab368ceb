//! One OS thread a slot, with ureq as its documentation says: one agent, shared by all threads.

use std::process::ExitCode;
use std::thread;

use client_kit::ureq::{agent, get};
use model_kit::Slot;
use ureq::Agent;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let agent = &agent(plan.cell.in_flight);
        thread::scope(|scope| {
            for slot in slots {
                thread::Builder::new().spawn_scoped(scope, || drive(agent, slot))?;
            }
            Ok(())
        })
    })
}

/// Carries the fetches of one slot.
fn drive(agent: &Agent, mut slot: Slot) {
    while let Some(fetch) = slot.next_fetch_blocking() {
        slot.finish(get(agent, fetch));
    }
}
