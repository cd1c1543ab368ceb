//! One compio task a slot, with cyper as its documentation says: one client, cloned.

use std::process::ExitCode;

use compio::runtime::{Runtime, spawn};
use compio::time::sleep_until;
use cyper::redirect::Policy;
use cyper::{Client, Error};
use model_kit::{ErrorCode, Fetch, ID_FIELD, LibraryReply, Slot, asynchronous::before};

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build()?;
        Runtime::new()?.block_on(async {
            let spawn = |slot| spawn(drive(client.clone(), slot));
            let tasks: Vec<_> = slots.into_iter().map(spawn).collect();
            for task in tasks {
                drop(task.await);
            }
        });
        Ok(())
    })
}

/// Carries the fetches of one slot.
async fn drive(client: Client, mut slot: Slot) {
    while let Some(fetch) = slot.next_fetch(sleep_until).await {
        let reply = before(fetch.deadline.map(sleep_until), get(&client, fetch)).await;
        slot.finish(reply.map_or(Err(ErrorCode::Deadline), |reply| reply.map_err(code)));
    }
}

/// Carries one fetch to its end.
async fn get(
    client: &Client,
    fetch: Fetch,
) -> Result<LibraryReply<impl AsRef<[u8]>, impl AsRef<[u8]>>, Error> {
    let mut reply = client.get(fetch.url())?.send().await?;
    let (status, id) = (reply.status().as_u16(), reply.headers_mut().remove(ID_FIELD));
    Ok(LibraryReply { status, id, body: reply.bytes().await? })
}

/// Returns the code of what cyper says went wrong.
fn code(error: Error) -> ErrorCode {
    let otherwise = match &error {
        Error::HyperClient(error) if error.is_connect() => ErrorCode::ConnectUnreachable,
        Error::Hyper(_) => ErrorCode::BodyTruncated,
        _ => ErrorCode::HeadMalformed,
    };
    ErrorCode::unless_reported(otherwise)(error)
}
