//! One tokio task a slot, with reqwest as its documentation says: one client, cloned.

use std::process::ExitCode;

use client_kit::reqwest::code;
use model_kit::{ErrorCode, Fetch, ID_FIELD, LibraryReply, Slot, asynchronous::before};
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, Error, retry};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let workers = plan.workers as usize;
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        let client = Client::builder().no_proxy().redirect(Policy::none()).retry(retry::never());
        let client = client.build()?;
        runtime.block_on(async {
            let mut tasks: JoinSet<()> = JoinSet::new();
            for slot in slots {
                tasks.spawn(drive(client.clone(), slot));
            }
            while let Some(ended) = tasks.join_next().await {
                ended?;
            }
            Ok(())
        })
    })
}

/// Carries the fetches of one slot.
async fn drive(client: Client, mut slot: Slot) {
    while let Some(fetch) = slot.next_fetch(|due| sleep_until(due.into())).await {
        let reply = before(fetch.time_left().map(sleep), get(&client, fetch)).await;
        slot.finish(reply.map_or(Err(ErrorCode::Deadline), |reply| reply.map_err(code)));
    }
}

/// Carries one fetch to its end.
async fn get(
    client: &Client,
    fetch: Fetch,
) -> Result<LibraryReply<HeaderValue, impl AsRef<[u8]>>, Error> {
    let mut reply = client.get(fetch.url()).send().await?;
    let (status, id) = (reply.status().as_u16(), reply.headers_mut().remove(ID_FIELD));
    Ok(LibraryReply { status, id, body: reply.bytes().await? })
}
