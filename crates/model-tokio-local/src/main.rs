//! One tokio task a slot in a `LocalSet`, whose tasks need not be `Send`.

use std::process::ExitCode;

use model_kit::asynchronous;
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};
use tokio_kit::Tokio;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, async {
            let spawn = |slot| spawn_local(asynchronous::drive::<Tokio>(slot));
            let tasks: Vec<_> = slots.into_iter().map(spawn).collect();
            for task in tasks {
                task.await?;
            }
            Ok(())
        })
    })
}
