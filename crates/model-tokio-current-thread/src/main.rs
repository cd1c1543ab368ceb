//! One tokio task a slot, on the runtime that has no thread but the one that blocks on it.

use std::process::ExitCode;

use model_kit::asynchronous;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio_kit::Tokio;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        Builder::new_current_thread().enable_all().build()?.block_on(async {
            let mut tasks = JoinSet::new();
            for slot in slots {
                tasks.spawn(asynchronous::drive::<Tokio>(slot));
            }
            while let Some(ended) = tasks.join_next().await {
                ended?;
            }
            Ok(())
        })
    })
}
