//! All slots in one tokio task: a `FuturesUnordered` polls those of its futures that were woken.

use std::process::ExitCode;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model_kit::asynchronous;
use tokio::runtime::Builder;
use tokio_kit::Tokio;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        Builder::new_current_thread().enable_all().build()?.block_on(async {
            let mut futures: FuturesUnordered<_> =
                slots.into_iter().map(asynchronous::drive::<Tokio>).collect();
            while futures.next().await.is_some() {}
        });
        Ok(())
    })
}
