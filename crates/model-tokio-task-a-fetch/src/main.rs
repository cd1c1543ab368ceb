//! A tokio task for each fetch: a `JoinSet` holds one a slot, and when one ends, another begins.

use std::process::ExitCode;

use model_kit::Slot;
use model_kit::asynchronous::Connection;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio_kit::Tokio;

/// A slot and its connection, which one task hands to the next.
type Place = (Slot, Connection<Tokio>);

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let workers = plan.workers as usize;
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for slot in slots {
                tasks.spawn(fetch((slot, Connection::default())));
            }
            while let Some(ended) = tasks.join_next().await {
                if let Some(place) = ended? {
                    tasks.spawn(fetch(place));
                }
            }
            Ok(())
        })
    })
}

/// Carries one fetch, and returns its place for the next one, or nothing when the slot is done.
async fn fetch((mut slot, mut connection): Place) -> Option<Place> {
    connection.fetch(&mut slot).await?;
    Some((slot, connection))
}
