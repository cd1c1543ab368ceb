//! The blocking, generator-style iterator with ureq as its documentation says: one agent.

use std::process::ExitCode;

use client_kit::ureq::{agent, get};
use model_kit::{Outcome, Slot};
use ureq::Agent;

/// The outcomes of a slot, fetched as they are asked for.
struct Fetches(Agent, Slot);

impl Iterator for Fetches {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        let fetch = self.1.next_fetch_blocking()?;
        self.1.finish(get(&self.0, fetch));
        self.1.take_outcome()
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let agent = agent(plan.cell.in_flight);
        slots.into_iter().for_each(|slot| Fetches(agent.clone(), slot).for_each(drop));
        Ok(())
    })
}
