//! One job a slot in a rayon pool of its own, with ureq: one agent, shared by all jobs.

use std::process::ExitCode;

use client_kit::ureq::{agent, get};
use model_kit::Slot;
use rayon::ThreadPoolBuilder;
use ureq::Agent;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let agent = &agent(plan.cell.in_flight);
        let pool = ThreadPoolBuilder::new().num_threads(plan.cell.in_flight as usize).build()?;
        pool.scope(|scope| {
            for slot in slots {
                scope.spawn(|_| drive(agent, slot));
            }
        });
        Ok(())
    })
}

/// Carries the fetches of one slot.
fn drive(agent: &Agent, mut slot: Slot) {
    while let Some(fetch) = slot.next_fetch_blocking() {
        slot.finish(get(agent, fetch));
    }
}
