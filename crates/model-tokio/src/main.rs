//! One tokio task a slot, on a multi-threaded runtime with as many workers as the plan says.

use std::process::ExitCode;

use model_kit::asynchronous;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio_kit::Tokio;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let workers = plan.workers as usize;
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        runtime.block_on(async {
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
