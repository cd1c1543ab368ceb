//! One tokio task a slot, with ureq on the threads that tokio keeps for what blocks: what people do
//! who have a blocking client.

use std::process::ExitCode;

use client_kit::ureq::{agent, get};
use model_kit::{ErrorCode, Slot};
use tokio::runtime::Builder;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep_until;
use ureq::Agent;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let (workers, in_flight) = (plan.workers as usize, plan.cell.in_flight);
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers).max_blocking_threads(in_flight as usize).enable_all();
        let agent = agent(in_flight);
        builder.build()?.block_on(async {
            let mut tasks = JoinSet::new();
            for slot in slots {
                tasks.spawn(drive(agent.clone(), slot));
            }
            while let Some(ended) = tasks.join_next().await {
                ended?;
            }
            Ok(())
        })
    })
}

/// Carries the fetches of one slot.
async fn drive(agent: Agent, mut slot: Slot) {
    while let Some(fetch) = slot.next_fetch(|due| sleep_until(due.into())).await {
        let agent = agent.clone();
        let reply = spawn_blocking(move || get(&agent, fetch)).await;
        slot.finish(reply.unwrap_or(Err(ErrorCode::TaskPanicked)));
    }
}
